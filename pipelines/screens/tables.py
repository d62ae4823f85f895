"""What commands print: tables for people, from the same content that --json prints for machines."""

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models import STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.training.baseline_comparison import MODELS

SHOWN = ("roc_auc", "log_loss", "ece", "normalized_gini", "total_bias")
"""The metrics of the short table; `metrics.json` has all, models/evaluation/metric_labels.py says what they mean."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def show_pairs(content: dict[str, Any]) -> None:
    """Names and values, one a line."""
    table = table_of("", "")
    for name, value in content.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        number = f"{shown:,.2f}" if isinstance(shown, float) else f"{shown:,}" if isinstance(shown, int) else str(shown)
        table.add_row(name.replace("_", " "), number)
    console.print(table)


def show_features(content: list[dict[str, Any]]) -> None:
    table = table_of("feature", "unit", "meaning", "needs")
    for one in content:
        table.add_row(one["name"], one["unit"], one["meaning"], one["needs"])
    for column in table.columns:
        column.justify = "left"
    console.print(table)


def show_check(content: dict[str, Any]) -> None:
    currency = content["currency"]
    console.print(
        f"[bold]{content['orders']}[/]: {content['customers']:,} customers, {content['order_count']:,} orders, "
        f"{content['first_day']} to before {content['end']}"
    )
    console.print(_reconciliation(content["reconciliation"], currency))
    if content["quarantined"]:
        console.print(f"What was quarantined is in {escape(content['quarantine'])}, each row with its reason.")
    if content["interactions"]:
        table = table_of("interactions", "count")
        for one in content["interactions"]:
            table.add_row(one["what"], f"{one['rows']:,}")
        console.print(table)
    for book in ("treatments", "costs"):
        if content[book]:
            console.print(_reconciliation(content[book], currency, of=book))
    if content["contractual"]:
        _show_leaving(content)
        return
    back = f"back within {content['follow_up_days']} days"
    table = table_of("horizon, days", "silent so long", back, "history long enough")
    for one in content["horizons"]:
        enough = "yes" if one["trainable"] else "no"
        table.add_row(str(one["horizon_days"]), f"{one['churn_rate']:.1%}", f"{one['false_churn_rate']:.1%}", enough)
    console.print(table)
    advised = content["advised_horizon_days"]
    if advised is None:
        console.print("No horizon of 30 days or more fits four times into this history: too little to train on.")
        return
    why = "the shortest after which at most 10 % come back, or else the one after which fewest do"
    console.print(f"Advised horizon: {advised} days ({why}). time.horizon_days is {content['horizon_days']}.")
    console.print("Next: stayworth train")


def _show_leaving(content: dict[str, Any]) -> None:
    """Under a contract: who left, and how many leave within each horizon."""
    told = content["leaving"]
    console.print(
        f"Churn is contractual: {told['left']:,} customers had left by the end, the last on {told['last_left']}; "
        f"{told['leave_later']:,} leave later, {told['ordered_after']:,} ordered after they left."
    )
    table = table_of("horizon, days", "leave within it", "history long enough")
    for one in content["horizons"]:
        table.add_row(str(one["horizon_days"]), f"{one['churn_rate']:.1%}", "yes" if one["trainable"] else "no")
    console.print(table)


def show_training(content: dict[str, Any]) -> None:
    metrics = content["metrics"]
    console.print(
        f"Trained on {content['rows']:,} rows of {content['cut_offs']} cut-offs; left out {content['censored_rows']:,} "
        f"rows whose {metrics['horizon_days']}-day window was not closed."
    )
    console.print(_comparison(metrics))
    console.print(f"Level: {metrics['level']}. Customers: {metrics['learning_curve']['in_words']}.")
    if metrics["alone"]:
        console.print(f"The trees did no better than {MODELS[metrics['alone']]}, which serves instead.")
    if content["drawn"] < content["customers"]:
        console.print(
            f"Larger than memory: {content['drawn']:,} of {content['customers']:,} customers taught, drawn by a hash."
        )
    if content["streamed_rows"]:
        console.print(f"The trees were grown on {content['streamed_rows']:,} rows from disk.")
    for days, how in content["horizons"].items():
        console.print(f"Looks {days} days ahead too: {how}.")
    gate = metrics["gate"]
    console.print(
        f"The gate held it against the champion: {gate['compared']}." if gate["champion"] else "No champion yet."
    )
    for one in gate["warnings"]:
        console.print(f"[yellow]Warning:[/] {escape(one)}.")
    alias = "alias champion" if content["promoted"] else "[bold red]not promoted[/]"
    console.print(f"Registered as stayworth version {content['registered']}, bundle {content['version']}, {alias}.")
    if content["promoted"]:
        console.print("Next: stayworth score --as-of DAY")


def show_backtest(content: list[dict[str, Any]]) -> None:
    for metrics in content:
        console.print(_comparison(metrics))


def show_plan(content: dict[str, Any]) -> None:
    currency = content["currency"]
    if content.get("replaced"):
        console.print(
            f"This takes the place of the plan that was kept of '{escape(content['campaign'])}'. Once a list is sent, "
            "give the next one another --campaign name: the readout needs the plan as it was."
        )
    if not content["chosen"]:
        console.print(content["note"])
        return
    table = table_of("plan", currency)
    table.add_row("campaign", content["campaign"])
    table.add_row("customers treated", f"{content['treated']:,}")
    table.add_row("held out at random", f"{content['holdout']:,}")
    for reason, left in content["excluded"].items():
        unknown = f" ({left['unknown']:,} more ids are of no scored customer)" if left["unknown"] else ""
        table.add_row(f"left alone: {reason}", f"{left['customers']:,}{unknown}")
    table.add_row("budget", f"{content['budget']:,.2f}")
    table.add_row("expected cost", f"{content['expected_cost']:,.2f}")
    table.add_row("expected profit", _with_interval(content, "expected_profit"))
    table.add_row("a better plan would earn at most", f"{content['optimality_gap']:.2%} more")
    table.add_row("value at risk", f"{content['value_at_risk']:,.0f}")
    table.add_row("value at risk with the plan", f"{content['value_at_risk_after']:,.0f}")
    for offer, goes_by in content.get("effects", {}).items():
        table.add_row(f"effect of {offer}", escape(goes_by))
    table.add_row("save rate assumed", _share(content["save_rate"]))
    table.add_row("save rate at which it breaks even", _share(content["break_even_save_rate"]))
    table.add_row("smallest save rate the holdout can show", _share(content["detectable_save_rate"]))
    console.print(table)
    if len(content["offers"]) > 1:
        console.print(_offers(content["offers"]))
    if content.get("written"):
        console.print(f"Written to {escape(', '.join(content['written']))}.")
    console.print(
        "The profit is over the lifetime and takes a kept customer to be worth all of it. Who was about to leave is "
        "often worth less, and some come back by themselves: hold it against `stayworth readout`."
    )


def _offers(offers: list[dict[str, Any]]) -> Table:
    """Who gets which offer, and what it comes to."""
    table = table_of("offer", "channel", "treated", "held out", "cost", "profit", "80 %", "save rate", "breaks even")
    for one in offers:
        table.add_row(
            one["offer"],
            one["channel"] or "–",
            f"{one['treated']:,}",
            f"{one['holdout']:,}",
            f"{one['expected_cost']:,.0f}",
            f"{one['expected_profit']:,.0f}",
            f"{one['profit_p10']:,.0f} to {one['profit_p90']:,.0f}",
            _share(one["save_rate"]),
            _share(one["break_even_save_rate"]),
        )
    return table


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def show_demo(content: dict[str, Any]) -> None:
    scores, plan, currency = content["scores"], content["plan"], content["scores"]["currency"]
    console.print(_comparison(content["metrics"]))
    table = table_of("the base", "")
    table.add_row("customers", f"{scores['customers']:,}")
    table.add_row("expected to leave", f"{scores['expected_churners']:,.0f}")
    table.add_row("customer lifetime value", f"{currency} {scores['clv']:,.0f}")
    table.add_row("value at risk", f"{currency} {scores['value_at_risk']:,.0f}")
    table.add_row("the plan costs", f"{currency} {plan['expected_cost']:,.0f}")
    table.add_row("and earns", f"{currency} {_with_interval(plan, 'expected_profit', '.0f')}")
    table.add_row("it breaks even at a save rate of", f"{plan['break_even_save_rate']:.1%}")
    console.print(table)
    console.print(f"Everything is in {content['folder']}; open {content['report']}.")
    console.print("Money rests on the assumptions in its stayworth.toml: margin, discount rate and the offer.")
    console.print(f"Next: {content['next']}")


def _comparison(metrics: dict[str, Any]) -> Table:
    """Our model against its opponents on one test window, 95 % intervals under ours."""
    table = table_of("", *(METRICS[name].label for name in SHOWN))
    table.columns[0].no_wrap = True
    days, customers = metrics["horizon_days"], metrics["customers"]
    table.title = f"Judged as of {metrics['as_of']} on the {days} days after, {customers:,} customers"
    for model, values in metrics["models"].items():
        ours = model == STAYWORTH
        table.add_row(
            MODELS.get(model, model), *(_metric(values, name) for name in SHOWN), style="bold" if ours else ""
        )
        if ours:
            table.add_row("  95 % interval", *(_interval(values, name) for name in SHOWN), style="dim")
    return table


def _metric(values: dict[str, Any], name: str) -> str:
    value = values[name]["value"]
    return "–" if value is None else f"{value:{METRICS[name].form}}"


def _interval(values: dict[str, Any], name: str) -> str:
    low, high, form = values[name]["low"], values[name]["high"], METRICS[name].form
    return "–" if low is None else f"{low:{form}}…{high:{form}}"


def _reconciliation(entries: list[dict[str, Any]], currency: str, *, of: str = "rows") -> Table:
    table = table_of(of, "count", currency)
    for entry in entries:
        table.add_row(entry["what"], f"{entry['rows']:,}", f"{float(entry['amount']):,.2f}")
    return table


def _with_interval(content: dict[str, Any], name: str, form: str = ".2f") -> str:
    return f"{content[name]:,{form}} ({content['profit_p10']:,{form}} to {content['profit_p90']:,{form}}, 80 %)"


def table_of(*headings: str) -> Table:
    """An empty table: names to the left, figures to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_style="", title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return table
