"""The screens of `evaluate` and of `evaluate --plan-budget`."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from pipelines.screens.comparison import comparison
from pipelines.screens.tables import console, percent, table_of

SHOWN = ("expected_leavers", "back", "margin", "expected_margin", "profit", "expected_profit", "profit_of_the_lost")


def show_backtest(content: list[dict[str, Any]]) -> None:
    """Print a table of our model and the baselines per test day."""
    for metrics in content:
        console.print(comparison(metrics))


def show_policy_backtest(content: Mapping[str, Any]) -> None:
    """Print a row per test day and one for all, then the shares that every list of the same cost reached in all."""
    currency, total = content["currency"], content["total"]
    table = table_of(
        "plan of", "chosen", "left", "expected", "back", "margin", "expected", "profit", "expected", "excl. back"
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
    console.print(
        "back: customers who left and have ordered since; excl. back: the profit if keeping them had won nothing."
    )
    table = table_of(
        "list of the same cost", "contacted", "of all who left", "of the margin lost", f"profit, {currency}"
    )
    for name, reached in {"the plan": total["plan"], **total["others"]}.items():
        share = total["share"]["plan" if name == "the plan" else name]
        shares = [percent(share[column]) for column in ("leavers", "lost_margin")]
        table.add_row(name, f"{reached['contacted']:,.0f}", *shares, f"{reached['profit']:,.0f}")
    console.print(table)
    console.print(f"Assumed: {escape(content['assumed'])}.")
    for trial in content["randomised"].values():
        console.print(f"Contacted at random: {escape(trial['in_words'])}.")
