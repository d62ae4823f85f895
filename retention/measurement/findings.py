"""A readout in words: what it found, how sure that is, and what it would take to know."""

from collections.abc import Mapping
from typing import Any


def findings(readout: Mapping[str, Any], *, currency: str, days: int) -> list[str]:
    """Sentences about a whole campaign (`retention.measurement.campaign_readout.readout`), the most important first.

    currency: of the money; days: the length of the window.
    """
    said = [_kept(readout), _paid(readout, currency, days)]
    if not (readout["proven"]["stayed"] or readout["proven"]["profit"]):
        said.insert(0, "No effect is proven.")
    return [*said, *_more_data(readout, currency)]


def _kept(readout: Mapping[str, Any]) -> str:
    """How many more of 1,000 treated customers stayed."""
    value, low, high = (round(1000 * readout["stayed"][name]) for name in ("value", "low", "high"))
    told = f"{value:,} more" if value >= 0 else f"{-value:,} fewer"
    return (
        f"Of 1,000 treated, {told} stayed than without the campaign [{_span(low, high)}]: {_proven(readout, 'stayed')}."
    )


def _paid(readout: Mapping[str, Any], currency: str, days: int) -> str:
    profit, cost = readout["profit"], readout["cost"]
    earned = f"earned {_money(profit['value'])}" if profit["value"] >= 0 else f"lost {_money(-profit['value'])}"
    span = _span(profit["low"], profit["high"])
    return (
        f"In {days} days the campaign {earned} {currency} [{span}] after costs of {_money(cost)}: "
        f"{_proven(readout, 'profit')}."
    )


def _more_data(readout: Mapping[str, Any], currency: str) -> list[str]:
    """What more customers would show, each with as large a holdout; nothing where all is proven."""
    needs, said = readout["needs"], []
    more, of_ten, profit = needs["more_customers"], round(10 * needs["power"]), readout["profit"]["value"]
    if more["stayed"]:
        expected = 1000 * needs["expected_effect_on_staying"]
        said.append(
            f"Not enough data: {more['stayed']:,} more customers, as large a share of them held out, would prove in "
            f"{of_ten} of 10 campaigns that the offer keeps the expected {expected:,.0f} of 1,000."
        )
    if more["stayed"] == 0:
        said.append(
            f"An offer that keeps the expected {1000 * needs['expected_effect_on_staying']:,.0f} of 1,000 would have "
            f"been proven in more than {of_ten} of 10 such campaigns: this one probably keeps fewer."
        )
    if more["profit"]:
        said.append(
            f"A {'profit' if profit > 0 else 'loss'} of {_money(abs(profit))} {currency}, if that is what it is, takes "
            f"{more['profit']:,} more customers to prove."
        )
    return said


def _proven(readout: Mapping[str, Any], question: str) -> str:
    return "proven" if readout["proven"][question] else "not proven"


def _span(low: float, high: float) -> str:
    return f"{_money(low)}, {_money(high)}"


def _money(amount: float) -> str:
    return f"{amount:,.0f}".replace("-", "−")
