"""Captions of an evaluation's pictures: one sentence each, with its numbers, for people who decide."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models import STAYWORTH
from pipelines.reporting.evaluation_charts import churn_rate
from pipelines.training.baseline_comparison import MODELS
from retention.presentation.formatting import with_minus_sign

Metrics = Mapping[str, Any]


def captions(metrics: Metrics) -> dict[str, str]:
    """Caption by the name of the picture, for those that `evaluation_charts` draws of Stayworth; plain text."""
    writers: dict[str, Callable[[Metrics], str]] = {"calibration": _calibration}
    if STAYWORTH in metrics["models"]:
        writers |= {"churn-gains": _churn_gains, "churn-lift": _churn_lift, "gains": _gains, "lift": _lift}
    if STAYWORTH in metrics["deciles"]:
        writers["deciles"] = _deciles
    if STAYWORTH in metrics["coverage"]:
        writers["coverage"] = _coverage
    if "profit" in metrics:
        writers["campaign-profit"] = _campaign_profit
    return {name: write(metrics) for name, write in writers.items()}


def _calibration(metrics: Metrics) -> str:
    reading = (
        "Below the diagonal fewer customers left than predicted, above it more; "
        f"the whiskers are {metrics['confidence']:.0%} intervals."
    )
    bins = metrics["calibration"].get(STAYWORTH)
    if not bins:
        return reading
    worst = max(bins, key=lambda tenth: abs(tenth["predicted"] - tenth["observed"]))
    return (
        f"Stayworth is furthest off for the tenth with a predicted churn rate of {worst['predicted']:.0%}: "
        f"{worst['observed']:.0%} of it left ({worst['low']:.0%} to {worst['high']:.0%}). {reading}"
    )


def _churn_gains(metrics: Metrics) -> str:
    shares, rate = metrics["churn_gains"][STAYWORTH], churn_rate(metrics)
    if shares[2] is None:
        return "No customer left."
    perfect = min(0.1 / rate, 1)
    return f"The 10% most at risk hold {shares[2]:.0%} of the leavers; a perfect ranking would put {perfect:.0%} there."


def _churn_lift(metrics: Metrics) -> str:
    shares, rate = metrics["churn_gains"][STAYWORTH], churn_rate(metrics)
    if shares[2] is None:
        return "No customer left."
    return (
        f"The 10% most at risk leave {shares[2] / 0.1:.2f} times as often as the average customer. Since {rate:.0%} of "
        f"all customers leave, no ranking could exceed {min(1 / rate, 10):.2f}."
    )


def _gains(metrics: Metrics) -> str:
    shares, baselines = metrics["gains"][STAYWORTH], _baselines(metrics["gains"], at=4)
    if shares[4] is None:
        return "No customer brought anything."
    text = f"The 20% that Stayworth ranked highest brought {shares[4]:.0%} of the realised value"
    if not baselines:
        return text + "."
    best = max(baselines, key=lambda name: baselines[name])
    return f"{text}; the 20% of {MODELS.get(best, best)}, the best baseline here, brought {baselines[best]:.0%}."


def _lift(metrics: Metrics) -> str:
    shares = metrics["gains"][STAYWORTH]
    if shares[2] is None:
        return "No customer brought anything."
    return f"The 10% that Stayworth ranked highest brought {shares[2] / 0.1:.1f} times as much as the average customer."


def _deciles(metrics: Metrics) -> str:
    first, currency = metrics["deciles"][STAYWORTH][0], metrics["currency"]
    predicted, realised, low, high = (
        with_minus_sign(f"{first[name]:,.2f}") for name in ("predicted", "realised", "low", "high")
    )
    return (
        f"The tenth ranked highest was expected to bring {predicted} {currency} per customer and brought {realised} "
        f"({low} to {high}). Each diamond should sit on top of its bar."
    )


def _coverage(metrics: Metrics) -> str:
    table = metrics["coverage"][STAYWORTH]
    sides = [f"{table[side]['value']:.0%} lay {side} theirs" for side in ("below", "above") if side in table]
    outside = f" {' and '.join(sides)}, where 10% each are meant to lie." if sides else ""
    return (
        f"Meant to cover 80% of the customers (dashed line), the intervals covered {table['overall']['value']:.0%}."
        f"{outside} Above the line they are wider than necessary, below it too narrow. Where an interval begins or "
        "ends at 0, a customer who brought nothing counts in part: as far as the probability of no order lies between "
        "the 10% and the 90% point."
    )


def _campaign_profit(metrics: Metrics) -> str:
    offer, models, currency = metrics["profit"]["offer"], metrics["profit"]["models"], metrics["currency"]
    assumptions = (
        f"Assumptions: a contact costs {offer['contact_cost']:,.2f} {currency}, the incentive costs "
        f"{offer['incentive_cost']:,.2f} {currency}, and the offer keeps {offer['save_rate']:.0%} of the customers "
        "who can be saved."
    )
    if STAYWORTH not in models:
        return assumptions
    best, own = models[STAYWORTH]["best"], models[STAYWORTH]["own"]
    if best["customers"] == 0:
        return (
            f"With the offer “{offer['name']}” no cut of Stayworth’s ranking would have earned anything. {assumptions}"
        )
    own_profit = with_minus_sign(f"{own['profit']:,.0f}")
    return (
        f"With the offer “{offer['name']}”, contacting Stayworth’s top {best['share']:.0%} would have earned most, "
        f"{best['profit']:,.0f} {currency}, but that cut is known only afterwards. Contacting everyone of whom it "
        f"expected a profit, {own['share']:.0%}, would have earned {own_profit} {currency}. {assumptions}"
    )


def _baselines(gains: Mapping[str, Sequence[float | None]], *, at: int) -> dict[str, float]:
    """Gain of each model except Stayworth at one point of its curve, where it has one."""
    return {name: part for name, shares in gains.items() if name != STAYWORTH and (part := shares[at]) is not None}
