"""Whom not to contact: those on a list, and those whom an earlier plan has contacted lately."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from features.errors import InputError

LISTED = "on the do-not-contact list"


def left_alone(
    *, do_not_contact: Path | None, plans: Path, quiet_days: int | None, as_of: date, campaign: str
) -> dict[str, set[str]]:
    """The ids of whom not to contact, by the reason.

    do_not_contact: a CSV or Parquet file with customer_id, read anew each time. plans: the folder of the plans kept so
    far (`kept`). With `quiet_days`, whoever was to be treated by another campaign less than so many days before `as_of`
    is left alone; `campaign` itself does not count, so that it can be planned again. A plan that was never sent counts
    too, until its files are removed.
    """
    found = {}
    if do_not_contact is not None:
        found[LISTED] = _listed(do_not_contact)
    if quiet_days is not None:
        found[f"contacted within {quiet_days} days"] = {
            customer
            for file, name, day in kept(plans)
            if name != campaign and 0 <= (as_of - day).days < quiet_days
            for customer in pq.read_table(file, columns=["customer_id"], filters=[("treated", "=", True)])[
                0
            ].to_pylist()
        }
    return found


def kept(plans: Path) -> Iterator[tuple[Path, str, date]]:
    """The plans in a folder: the Parquet file, and its campaign and day from the JSON file beside it."""
    for summary in sorted(plans.glob("*.json")):
        file = summary.with_suffix(".parquet")
        if file.exists():
            told = json.loads(summary.read_text("utf-8"))
            yield file, told["campaign"], date.fromisoformat(told["as_of"])


def _listed(path: Path) -> set[str]:
    import duckdb  # the service, which imports this file, reads such a list seldom, and DuckDB is heavy

    from features.delimited import named
    from features.sources import find, readable, scan_of

    ids: set[str] = set()
    for file in find(path):
        with readable(str(file)), duckdb.connect() as db:
            names = [row[0] for row in db.sql(f"describe select * from {scan_of(file)}").fetchall()]
            if "customer_id" not in names:
                raise InputError(
                    f"no column customer_id; found {', '.join(names)}",
                    where=str(file),
                    next="Name the column of the ids customer_id.",
                )
            name = named("customer_id")
            rows = db.sql(f"select distinct {name}::varchar from {scan_of(file)} where {name} is not null").fetchall()
            ids.update(row[0] for row in rows)
    return ids
