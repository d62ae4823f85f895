"""The screens of `check` and `check --leaks`."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from pipelines.leakage.leak_audit import findings
from pipelines.screens.tables import console, table_of

UNREAD = "amount is not a number"
"""The reason of rows whose money is unknown, and in no sum."""


HOLDS = {
    "number": "numbers",
    "yes_no": "yes or no",
    "day": "dates, as days before the day scored",
    "names": "names",
    "unused": "left out",
}
"""What an attribute holds, by its kind."""


def show_check(content: dict[str, Any]) -> None:
    """Print the extent of the log, its reconciliation, and the horizons compared."""
    currency = content["currency"]
    console.print(
        f"[bold]{content['orders']}[/]: {content['customers']:,} customers, {content['order_count']:,} orders, "
        f"from {content['first_day']} to before {content['end']}"
    )
    console.print(_reconciliation(content["reconciliation"], currency))
    show_warnings(content["warnings"])
    if content["quarantined"]:
        console.print(f"The quarantined rows are in {escape(content['quarantine'])}, each with its reason.")
    if content["interactions"]:
        table = table_of("interactions", "count")
        for entry in content["interactions"]:
            table.add_row(entry["what"], f"{entry['rows']:,}")
        console.print(table)
    _show_customers(content)
    for side_table in ("treatments", "costs"):
        if content[side_table]:
            console.print(_reconciliation(content[side_table], currency, heading=side_table))
    if content["contractual"]:
        _show_contractual(content)
        return
    back = f"back within {content['follow_up_days']} days"
    table = table_of("horizon, days", "silent that long", back, "can be trained")
    for horizon in content["horizons"]:
        enough = _answer(horizon)
        rates = (f"{horizon['churn_rate']:.1%}", f"{horizon['false_churn_rate']:.1%}")
        table.add_row(str(horizon["horizon_days"]), *rates, enough)
    console.print(table)
    advised = content["advised_horizon_days"]
    if advised is None:
        console.print(f"No horizon compared can be trained. time.horizon_days is {content['horizon_days']}.")
        _show_answer(content)
        return
    why = "the shortest after which at most 10 % come back, or else the one after which the fewest do"
    console.print(f"Advised horizon: {advised} days ({why}). time.horizon_days is {content['horizon_days']}.")
    _show_answer(content)
    console.print("Next: stayworth train")


def _show_customers(content: dict[str, Any]) -> None:
    """Print how the table `customers` joins the orders, and what its attributes hold."""
    if content["customer_rows"]:
        table = table_of("customers", "count")
        for entry in content["customer_rows"]:
            table.add_row(entry["what"], f"{entry['rows']:,}")
        console.print(table)
    for sentence in content["described"]:
        console.print(f"{sentence[:1].upper()}{sentence[1:]}.")
    if content["attributes"]:
        table = table_of("attribute", "holds")
        for attribute in content["attributes"]:
            table.add_row(escape(attribute["column"]), HOLDS[attribute["kind"]])
        console.print(table)


def _answer(horizon: dict[str, Any]) -> str:
    """What `train` gives for a horizon, in a cell."""
    if not horizon["trainable"]:
        return "no"
    return "yes" if horizon["judged"] else "not judged"


def _show_answer(content: dict[str, Any]) -> None:
    """Print what `train` gives for the horizon of the config."""
    console.print(f"With {content['horizon_days']} days: {escape(content['answered'])}.")


def show_warnings(warnings: list[dict[str, Any]]) -> None:
    """Print what looks like a mistake of the export, and the line of the config that mends it."""
    if not warnings:
        return
    console.print(f"\n[bold yellow]{len(warnings)} warning{'s' * (len(warnings) > 1)}:[/]")
    for warning in warnings:
        console.print(f"[yellow]•[/] {escape(warning['message'])} [dim]({warning['code']})[/]")
        console.print(f"  {escape(warning['fix'])}")
    console.print()


def _show_contractual(content: dict[str, Any]) -> None:
    """Print, under a contract, how many customers left, and how many leave within each horizon."""
    leaving = content["leaving"]
    last = f", the last of them on {leaving['last_left']}" if leaving["last_left"] else ""
    console.print(
        f"Churn is contractual: {leaving['left']:,} customers had left by the end{last}; "
        f"{leaving['leave_later']:,} leave later, {leaving['ordered_after']:,} ordered after they left."
    )
    table = table_of("horizon, days", "leave within it", "can be trained")
    for horizon in content["horizons"]:
        enough = _answer(horizon)
        table.add_row(str(horizon["horizon_days"]), f"{horizon['churn_rate']:.1%}", enough)
    console.print(table)
    _show_answer(content)


def _reconciliation(entries: list[dict[str, Any]], currency: str, *, heading: str = "rows") -> Table:
    table = table_of(heading, "count", currency)
    unread = [entry["what"] for entry in entries if entry["what"].endswith(UNREAD)]
    for entry in entries:
        amount = "not read" if entry["what"] in unread else f"{float(entry['amount']):,.2f}"
        if entry["what"] == "source" and unread:
            amount += " and what was not read"
        table.add_row(entry["what"], f"{entry['rows']:,}", amount)
    return table


def show_leaks(content: dict[str, Any]) -> None:
    """Print the comparison of the features, the leakage probes, and every leak found."""
    console.print(f"Leak audit as of {content['as_of']}, {content['customers']:,} customers")
    table = table_of("feature cells once the future was", "compared", "changed")
    for name in ("removed", "poisoned"):
        table.add_row(name, f"{content[name]['cells']:,}", f"{content[name]['moved']:,}")
    console.print(table)
    _show_probes(content["models"])
    leaks = findings(content)
    for leak in leaks:
        console.print(f"[bold red]Leak:[/] {leak}.")
    if not leaks:
        console.print("No leak found.")


def _show_probes(models: dict[str, Any]) -> None:
    if "note" in models:
        console.print(f"No model was trained: {models['note']}.")
        return
    shuffled = models["shuffled_labels"]
    wide = ", wide because there are so few customers" if shuffled["is_widened"] else ""
    console.print(
        f"Models of {models['customers']:,} customers, trained on shuffled labels, reach an AUC of "
        f"{shuffled['auc']:.3f} ({shuffled['low']:.3f} to {shuffled['high']:.3f}); without a leak it is "
        f"0.50 ± {shuffled['tolerance']:.2f}{wide}."
    )
    table = table_of("strongest columns", "AUC alone", "AUC of all others", "difference (99 %)", "adds to the AUC")
    for column in models["strongest"]:
        worth = f"{round(column['worth'], 3) + 0.0:+.3f}" if column["suspicious"] else "–"
        difference = f"{column['auc'] - column['others_auc']:+.3f}"
        if "low" in column:
            difference += f" ({column['low']:+.3f} to {column['high']:+.3f})"
        table.add_row(column["feature"], f"{column['auc']:.3f}", f"{column['others_auc']:.3f}", difference, worth)
    console.print(table)
