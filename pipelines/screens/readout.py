"""The screen of `readout`."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from pipelines.screens.tables import console, table_of
from retention.measurement.readout_text import OUTCOMES, departures


def show_readout(content: dict[str, Any]) -> None:
    """Print the sentences, the numbers behind them, then each offer and segment."""
    for sentence in content["in_words"]:
        console.print(escape(sentence))
    console.print()
    table = table_of("Per customer", "treated", "without", "gain in total", "95 % interval")
    table.title = (
        f"{escape(content['campaign'])}: {content['treated']:,} treated, {content['holdout']:,} held out, "
        f"{content['day']} to before {content['until']}"
    )
    for name, (heading, mean, total) in OUTCOMES.items():
        if name in content:
            outcome = content[name]
            means = (f"{outcome['treated']:{mean}}", f"{outcome['without']:{mean}}")
            table.add_row(heading, *means, *_total(outcome["total"], total))
    table.add_row("Cost", "", "", f"{content['cost']:,.2f}", content["contacts"]["cost"])
    table.add_row("Profit", "", "", *_total(content["profit"], ",.2f"))
    if content["return_on_cost"]:
        table.add_row("Profit per unit of cost", "", "", *_total(content["return_on_cost"], ".2f"))
    console.print(table)
    _show_contacts(content["contacts"])
    for by in ("offer", "segment"):
        _show_groups(content.get(f"by_{by}", []), by)
    for offer, rate in content["save_rates"].items():
        alpha, beta = rate["believed"]["alpha"], rate["believed"]["beta"]
        console.print(
            f"Save rate of {escape(offer)}: measured {rate['measured']:.1%} ± {rate['sd']:.1%}; the next plan may use "
            f"{alpha / (alpha + beta):.1%} {{alpha = {alpha:.1f}, beta = {beta:.1f}}}."
        )
    console.print(f"Written to {escape(content['written'])}.")


def _show_contacts(contacts: dict[str, Any]) -> None:
    """Print how the contacts departed from the plan."""
    if "note" in contacts:
        console.print(f"[yellow]Contacts:[/] {escape(contacts['note'])}.")
    if reasons := departures(contacts):
        console.print(
            f"[yellow]Contacts not as planned:[/] {', '.join(reasons)}; the list is compared as it was drawn."
        )


def _show_groups(groups: list[dict[str, Any]], by: str) -> None:
    if not groups:
        return
    table = table_of(by, "treated", "held out", "kept of 1,000", "profit", "95 % interval", "proven")
    for group in groups:
        sizes = (escape(group[by]), f"{group['treated']:,}", f"{group['holdout']:,}")
        if "stayed" not in group:
            table.add_row(*sizes, "too few", "", "", "")
            continue
        proven = ", ".join(
            {"stayed": "kept", "profit": "profit"}[name] for name, is_proven in group["proven"].items() if is_proven
        )
        kept = f"{1000 * group['stayed']['value']:,.0f}"
        table.add_row(*sizes, kept, *_total(group["profit"], ",.2f"), proven or "nothing")
    console.print(table)


def _total(estimate: Mapping[str, float], form: str) -> tuple[str, str]:
    """An estimate and its interval."""
    return f"{estimate['value']:{form}}", f"{estimate['low']:{form}} to {estimate['high']:{form}}"
