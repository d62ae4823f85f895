"""The screens of `evaluate`, `evaluate --plan-budget` and `evaluate --lifetime`."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from models import STAYWORTH
from pipelines.screens.comparison import comparison
from pipelines.screens.tables import console, percent, table_of
from pipelines.training.lifetime_evaluation import MODELS

SHOWN = ("expected_leavers", "back", "margin", "expected_margin", "profit", "expected_profit", "profit_of_proven")


def show_backtest(content: list[dict[str, Any]]) -> None:
    """Print a table of our model and the baselines per test day."""
    for metrics in content:
        console.print(comparison(metrics))
    if content and "judgement" in content[-1]:
        words = content[-1]["judgement"]["in_words"]
        console.print(f"[yellow]{escape(words[:1].upper() + words[1:])}.[/]")


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
    _show_gains(content)
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


def _show_gains(content: Mapping[str, Any]) -> None:
    """Print, per test day and for all, the gain predicted for the list beside what came, then what gains are made of.

    Days whose windows have not closed are named in a sentence.
    """
    days, currency = content["worth_days"], content["currency"]
    judged = [day for day in [*content["cut_offs"], content["total"]] if "note" not in day["gains"]]
    if judged:
        table = table_of("plan of", "silent", "of them back", "promised", "at least", "at most", "it lies")
        table.title = (
            f"What saving the silent of the list would have added within {days} days, promised and by what came; "
            f"{currency}"
        )
        for day in judged:
            gains = day["gains"]
            table.add_row(
                day.get("as_of", "all"),
                *(f"{gains[name]:,}" for name in ("silent", "proven")),
                f"{gains['gain']:,.0f}",
                *(f"{gains[end]['value']:,.0f}" for end in ("low", "high")),
                gains["place"],
            )
        console.print(table)
        console.print(
            "at least: only those were alive who ordered or showed other signs of life later; at most: all the silent "
            "were; each worth as much as a customer of the list who ordered exactly once."
        )
        _show_parts(content["total"]["gains"], currency=currency)
    for day in content["cut_offs"]:
        if "note" in day["gains"]:
            console.print(f"The gain promised on {day['as_of']} is not judged: {escape(day['gains']['note'])}.")


def _show_parts(gains: Mapping[str, Any], *, currency: str) -> None:
    table = table_of("on all these days", "customers", "predicted", "came", "95 % interval")
    names = {
        "kept": (f"brought by those who ordered once, {currency}", "once", ",.2f"),
        "later": (f"brought later by the silent, {currency}", "silent", ",.2f"),
        "returned": ("silent who ordered again", "silent", ".1%"),
    }
    for part, (name, counted, form) in names.items():
        row = gains["parts"][part]
        interval = f"{row['interval_low']:{form}} … {row['interval_high']:{form}}"
        table.add_row(name, f"{gains[counted]:,}", f"{row['predicted']:{form}}", f"{row['came']:{form}}", interval)
    console.print(table)


def show_lifetimes(content: list[dict[str, Any]]) -> None:
    """Print a table of totals and ranking per judged day, then of the last day told ÷ came by risk and by silence."""
    for day in content:
        table = table_of("", "told ÷ came", "95 % interval", "Gini", "mean error")
        table.title = (
            f"Lifetime values told on {day['as_of']}, judged on the {day['lifetime_days']} days after it: "
            f"{day['customers']:,} customers brought {day['came']:,.0f} {day['currency']}"
        )
        for name, metrics in day["models"].items():
            bias, gini, error = (metrics[metric] for metric in ("total_bias", "normalized_gini", "mae"))
            ends = "–" if bias["low"] is None else f"{1 + bias['low']:.2f}…{1 + bias['high']:.2f}"
            cells = [_ratio(bias["value"], 1.0), ends, _ratio(gini["value"], 0.0, ".3f"), f"{error['value']:,.2f}"]
            table.add_row(MODELS[name], *cells, style="bold" if name == STAYWORTH else "")
        console.print(table)
        console.print(f"Of all customers, inside their 80% interval, below and above it: {_coverage(day['coverage'])}.")
        console.print(_next_orders(day["next_order"]))
        for doubt in day["doubts"]:
            console.print(f"Doubt: {escape(doubt)}.")
    last = content[-1]
    for by, heading, form in (("risk", "churn probability", ".0%"), ("silence", "days silent", ".0f")):
        table = table_of(
            heading, "customers", "share of what came", *(MODELS[name] for name in last["models"]), "in 80 %"
        )
        table.title = f"Told ÷ came on {last['as_of']}, by {heading}"
        for row in last[by]:
            end = "…" if row["to"] is None else f" to {row['to']:{form}}"
            ratios = [_ratio(ratio, 0.0) for ratio in row["ratio"].values()]
            table.add_row(
                f"{row['from']:{form}}{end}",
                f"{row['customers']:,}",
                percent(row["share"]),
                *ratios,
                percent(row["coverage"]["inside"]),
            )
        console.print(table)


def _coverage(shares: Mapping[str, float]) -> str:
    return ", ".join(percent(shares[place]) for place in ("inside", "below", "above"))


def _next_orders(judged: Mapping[str, Any]) -> str:
    """How well the day of the next order was told, in a sentence."""
    if not judged["compared"]:
        return "The next order: nobody of whom one was expected, and who had ordered twice, has ordered."
    ours, rule = (judged["errors"][name] for name in ("stayworth", "last_plus_gap"))
    return (
        f"The next order, expected of {percent(judged['expected'])}: within, before and after its 80% interval "
        f"{_coverage(judged['coverage'])}; off by {ours['mean']:.1f} days on average (half by less than "
        f"{ours['median']:.1f}), the last order plus the mean gap by {rule['mean']:.1f} ({rule['median']:.1f})."
    )


def _ratio(value: float | None, added: float, form: str = ".2f") -> str:
    return "–" if value is None else f"{value + added:{form}}"
