"""The screen of `store`."""

from typing import Any

from pipelines.screens.tables import console, table_of

MB = 1_000_000


def show_store(content: dict[str, Any]) -> None:
    """Print the entries of the store of histories, a row each."""
    if not content["entries"]:
        return console.print(f"{content['folder']} is empty: the next command that needs the log reads it.")
    table = table_of("holds", "files", "rows", "customers", "MB", "made (UTC)", "used")
    for entry in content["entries"]:
        table.add_row(
            entry["holds"],
            "" if entry["files"] is None else f"{entry['files']:,}",
            f"{entry['rows']:,}",
            "" if entry["customers"] is None else f"{entry['customers']:,}",
            f"{entry['bytes'] / MB:,.1f}",
            entry["made_at"][:16].replace("T", " "),
            "yes" if entry["is_current"] else "no",
        )
    console.print(table)
    if not all(entry["is_current"] for entry in content["entries"]):
        console.print("Not used: the files, the config or Stayworth have changed since. They go when the log is read.")
    limit = content["limit_bytes"] / MB
    return console.print(f"{content['bytes'] / MB:,.1f} of at most {limit:,.0f} MB, in {content['folder']}")
