"""What the backtest of the plan prints: each day in hindsight, the lists beside it, and who was contacted by lot."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from pipelines.screens.tables import console, table_of

SHOWN = ("expected_leavers", "back", "margin", "expected_margin", "profit", "expected_profit", "profit_of_the_lost")


def show_policy_backtest(content: Mapping[str, Any]) -> None:
    """A row per day and one for all; then the shares reached by every list of the same cost, in all."""
    currency, total = content["currency"], content["total"]
    table = table_of(
        "plan of", "chosen", "left", "foreseen", "back", "margin", "foreseen", "profit", "foreseen", "of the lost"
    )
    table.columns[0].min_width, table.collapse_padding = len("2011-08-12"), True  # fits 80 columns, no day is broken
    days = content["horizon_days"]
    table.title = f"Plans for {content['budget']:,.0f} {currency} and the {days} days after each; money in {currency}"
    for day in [*content["cut_offs"], total]:
        plan = day["plan"]
        table.add_row(
            day.get("as_of", "all"),
            f"{plan['contacted']:,.0f}",
            f"{plan['leavers']:,.0f}",
            *(f"{plan[name]:,.0f}" for name in SHOWN),
        )
    console.print(table)
    console.print("back: who left, and has ordered since; of the lost: the profit if keeping those had won nothing.")
    table = table_of(
        "list of the same cost", "contacted", "of all who left", "of the margin lost", f"profit, {currency}"
    )
    for name, reached in {"the plan": total["plan"], **total["others"]}.items():
        share = total["share"]["plan" if name == "the plan" else name]
        shown = [f"{share[what]:.1%}" if share[what] is not None else "–" for what in ("leavers", "lost_margin")]
        table.add_row(name, f"{reached['contacted']:,.0f}", *shown, f"{reached['profit']:,.0f}")
    console.print(table)
    console.print(f"Assumed: {escape(content['assumed'])}.")
    for found in content["randomised"].values():
        console.print(f"Contacted by lot: {escape(found['in_words'])}.")
