"""A readout in words: what the campaign changed, how sure that is, and how many customers it takes to know."""

from collections.abc import Mapping
from typing import Any

from retention.presentation.formatting import counted


def findings(readout: Mapping[str, Any], *, currency: str, days: int) -> list[str]:
    """Sentences about a whole campaign (`retention.measurement.campaign_readout.readout`), the most important first.

    currency: of the money; days: the length of the window.
    """
    sentences = [_kept_customers(readout), _profit(readout, currency, days)]
    if not (readout["proven"]["stayed"] or readout["proven"]["profit"]):
        sentences.insert(0, "Whether the campaign changed anything cannot be told.")
    return [*sentences, *_more_data(readout, currency), *_worth_factor(readout)]


def _kept_customers(readout: Mapping[str, Any]) -> str:
    """The effect on staying, of 1,000 treated customers."""
    value, low, high = (round(1000 * readout["stayed"][name]) for name in ("value", "low", "high"))
    change = f"{abs(value):,} {'more' if value > 0 else 'fewer'} stayed than" if value else "as many stayed as"
    return (
        f"Of 1,000 treated customers, {change} without the campaign (95% interval: {_interval(low, high)}): "
        f"{_proven(readout, 'stayed')}."
    )


def _profit(readout: Mapping[str, Any], currency: str, days: int) -> str:
    profit, amount = readout["profit"], round(readout["profit"]["value"])
    outcome = f"{'earned' if amount > 0 else 'lost'} {abs(amount):,} {currency}" if amount else "broke even"
    return (
        f"In {counted(days, 'day')} the campaign {outcome} (95% interval: {_interval(profit['low'], profit['high'])}) "
        f"after costs of {_money(readout['cost'])} {currency}: {_proven(readout, 'profit')}."
    )


def _more_data(readout: Mapping[str, Any], currency: str) -> list[str]:
    """Say what more customers would show, with the same share of them held out; empty where all is proven."""
    needs, sentences = readout["needs"], []
    more, power, profit = needs["more_customers"], round(10 * needs["power"]), readout["profit"]["value"]
    if more["stayed"]:
        sentences.append(
            f"Not enough data: {counted(more['stayed'], 'more customer')}, with the same share held out, would prove "
            f"in {power} of 10 campaigns that the offer keeps the expected {_expected(needs)} of 1,000 customers."
        )
    if more["stayed"] == 0:
        sentences.append(
            f"An offer that keeps the expected {_expected(needs)} of 1,000 customers would have been proven to work in "
            f"more than {power} of 10 such campaigns: this one probably keeps fewer."
        )
    if more["profit"]:
        amount = _money(abs(profit)) if abs(profit) >= 1 else "less than 1"
        sentences.append(
            f"If the true {'profit' if profit > 0 else 'loss'} is {amount} {currency}, proving it takes "
            f"{counted(more['profit'], 'more customer')}."
        )
    return sentences


def _worth_factor(readout: Mapping[str, Any]) -> list[str]:
    """Say what the margin of the window tells of gains; empty where it tells nothing of them."""
    moved = readout.get("worth_factor")
    if not moved:
        return []
    before, after = moved["before"], moved["after"]
    readouts = "this readout" if after["readouts"] == 1 else f"{after['readouts']} readouts"
    return [
        f"By {readouts}, keeping a customer adds {after['median']:.2f} times what comparable customers show (80% "
        f"interval: {after['low']:.2f} to {after['high']:.2f}); before this one it was {before['median']:.2f} "
        f"({before['low']:.2f} to {before['high']:.2f}). The next plan takes gains × {after['times_scored']:.2f}."
    ]


def _expected(needs: Mapping[str, Any]) -> str:
    """The customers that the plan expected to keep, of 1,000 treated."""
    customers = 1000 * needs["expected_effect_on_staying"]
    return f"{customers:,.0f}" if customers >= 1 else f"{customers:.1g}"


def _proven(readout: Mapping[str, Any], question: str) -> str:
    return "proven" if readout["proven"][question] else "not proven"


def _interval(low: float, high: float) -> str:
    return f"{_money(low)} to {_money(high)}"


def _money(amount: float) -> str:
    return f"{round(amount):,}".replace("-", "−")
