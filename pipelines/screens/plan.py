"""The screen of `plan`."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from pipelines.screens.tables import console, percent, table_of, with_interval
from retention.presentation.formatting import counted


def show_plan(content: dict[str, Any]) -> None:
    """Print the plan in total, then by offer, and where it was written."""
    currency = content["currency"]
    if content.get("replaced"):
        console.print(
            f"This replaces the plan that was kept for '{escape(content['campaign'])}'. Once a list has been sent, "
            "give the next one another --campaign name: the readout needs the plan as it was."
        )
    if not content["chosen"]:
        console.print(content["note"])
        return
    table = table_of("plan", currency)
    table.add_row("campaign", content["campaign"])
    table.add_row("customers treated", f"{content['treated']:,}")
    table.add_row("held out at random", f"{content['holdout']:,}")
    for reason, excluded in content["excluded"].items():
        unknown = f" ({excluded['unknown']:,} more ids are not scored customers)" if excluded["unknown"] else ""
        table.add_row(f"suppressed: {reason}", f"{excluded['customers']:,}{unknown}")
    table.add_row("budget", f"{content['budget']:,.2f}")
    table.add_row("expected cost", f"{content['expected_cost']:,.2f}")
    table.add_row("expected profit", with_interval(content, "expected_profit"))
    table.add_row("a better plan would earn at most", f"{content['optimality_gap']:.2%} more")
    table.add_row("value at risk", f"{content['value_at_risk']:,.0f}")
    table.add_row("value at risk with the plan", f"{content['value_at_risk_after']:,.0f}")
    for offer, source in content.get("effects", {}).items():
        table.add_row(f"effect of {offer}", escape(source))
    if readouts := content["worth_factor"]["readouts"]:
        table.add_row(
            f"gains as {counted(readouts, 'readout')} measured", f"× {content['worth_factor']['times_scored']:.2f}"
        )
    table.add_row("save rate assumed", percent(content["save_rate"]))
    table.add_row("save rate at which it breaks even", percent(content["break_even_save_rate"]))
    table.add_row("smallest save rate the holdout can show", percent(content["detectable_save_rate"]))
    if chosen := content.get("holdout_value"):
        table.add_row("profit forgone by the holdout", f"{chosen['forgone']:,.2f}")
        table.add_row(
            f"its readout is worth, in {chosen['later_campaigns']} such campaigns", f"{chosen['earned_later']:,.2f}"
        )
    console.print(table)
    if len(content["offers"]) > 1:
        console.print(_by_offer(content["offers"]))
    if content.get("written"):
        console.print(f"Written to {escape(', '.join(content['written']))}.")
    low, high = content["gain_doubt"]
    if content.get("kind") == "label table":
        over, measured = (
            "is of the value that the table has",
            "Compare with those held out.",
        )
    else:
        over, measured = "is over the lifetime", "Measure it with `stayworth readout`."
    console.print(
        f"The profit {over}. What a customer adds who is saved is seen in nobody: the interval allows for "
        f"{low:.2f} to {high:.2f} times what is told here. {measured}"
    )
    if chosen and not chosen["share"]:
        console.print("No holdout is worth its cost: the readout would hardly change what to do next.")


def _by_offer(offers: list[dict[str, Any]]) -> Table:
    """A line per offer: how many customers get it, its cost and its profit."""
    table = table_of("offer", "channel", "treated", "held out", "cost", "profit", "80 %", "save rate", "breaks even")
    for offer in offers:
        table.add_row(
            offer["offer"],
            offer["channel"] or "–",
            f"{offer['treated']:,}",
            f"{offer['holdout']:,}",
            f"{offer['expected_cost']:,.0f}",
            f"{offer['expected_profit']:,.0f}",
            f"{offer['profit_p10']:,.0f} to {offer['profit_p90']:,.0f}",
            percent(offer["save_rate"]),
            percent(offer["break_even_save_rate"]),
        )
    return table
