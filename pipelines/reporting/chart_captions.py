"""One sentence under each picture of an evaluation that reads it aloud, with its figures, for people who decide."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models import STAYWORTH
from pipelines.reporting.evaluation_charts import churn_rate
from pipelines.training.baseline_comparison import MODELS

Metrics = Mapping[str, Any]


def captions(metrics: Metrics) -> dict[str, str]:
    """By the name of the picture, for those that `pictures.evaluation` draws of Stayworth; plain text."""
    says: dict[str, Callable[[Metrics], str]] = {"calibration": _calibration}
    if STAYWORTH in metrics["models"]:
        says |= {"churn-gains": _churn_gains, "churn-lift": _churn_lift, "gains": _gains, "lift": _lift}
    if STAYWORTH in metrics["deciles"]:
        says["deciles"] = _deciles
    if STAYWORTH in metrics["coverage"]:
        says["coverage"] = _coverage
    if "profit" in metrics:
        says["campaign-profit"] = _campaign_profit
    return {name: sentence(metrics) for name, sentence in says.items()}


def _calibration(metrics: Metrics) -> str:
    reading = (
        "Below the line fewer left than predicted, above it more; "
        f"the whiskers are {metrics['confidence']:.0%} intervals."
    )
    bins = metrics["calibration"].get(STAYWORTH)
    if not bins:
        return reading
    far = max(bins, key=lambda one: abs(one["predicted"] - one["observed"]))
    return (
        f"Stayworth is furthest off with the tenth to which it gave {far['predicted']:.0%} to leave: "
        f"{far['observed']:.0%} of it left ({far['low']:.0%} to {far['high']:.0%}). {reading}"
    )


def _churn_gains(metrics: Metrics) -> str:
    held, rate = metrics["churn_gains"][STAYWORTH], churn_rate(metrics)
    if held[2] is None:
        return "Nobody left."
    perfect = min(0.1 / rate, 1)
    return f"The 10% most at risk hold {held[2]:.0%} of the leavers; a perfect ranking would put {perfect:.0%} there."


def _churn_lift(metrics: Metrics) -> str:
    held, rate = metrics["churn_gains"][STAYWORTH], churn_rate(metrics)
    if held[2] is None:
        return "Nobody left."
    return (
        f"The 10% most at risk leave {held[2] / 0.1:.2f} times as often as the average customer. As {rate:.0%} leave "
        f"anyway, no ranking could be above {min(1 / rate, 10):.2f}."
    )


def _gains(metrics: Metrics) -> str:
    held, rivals = metrics["gains"][STAYWORTH], _rivals(metrics["gains"], at=4)
    if held[4] is None:
        return "Nobody brought anything."
    said = f"The 20% ranked on top by Stayworth brought {held[4]:.0%} of the value that came"
    if not rivals:
        return said + "."
    best = max(rivals, key=lambda name: rivals[name])
    return f"{said}; of {MODELS.get(best, best)}, the best of its opponents here, {rivals[best]:.0%}."


def _lift(metrics: Metrics) -> str:
    held = metrics["gains"][STAYWORTH]
    if held[2] is None:
        return "Nobody brought anything."
    return f"The 10% ranked on top by Stayworth brought {held[2] / 0.1:.1f} times as much as the average customer."


def _deciles(metrics: Metrics) -> str:
    first, currency = metrics["deciles"][STAYWORTH][0], metrics["currency"]
    return (
        f"The best tenth was expected to bring {first['predicted']:,.2f} {currency} a customer and brought "
        f"{first['realised']:,.2f} ({first['low']:,.2f} to {first['high']:,.2f}). "
        "The diamond should sit on top of the bar."
    )


def _coverage(metrics: Metrics) -> str:
    table = metrics["coverage"][STAYWORTH]
    apart = [
        f"{table[name]['value']:.0%} of those who brought {name}"
        for name in ("nothing", "something")
        if table[name]["value"] is not None
    ]
    return (
        f"Meant for 80% (dashed), the intervals held {table['overall']['value']:.0%} of all customers: "
        f"{' and '.join(apart)}. Above the line they are wider than they need be, below it they promise too much."
    )


def _campaign_profit(metrics: Metrics) -> str:
    offer, models, currency = metrics["profit"]["offer"], metrics["profit"]["models"], metrics["currency"]
    assumed = (
        f"Assumed: a contact costs {offer['contact_cost']:,.2f}, the incentive {offer['incentive_cost']:,.2f} "
        f"{currency}, and it keeps {offer['save_rate']:.0%} of would-be leavers."
    )
    if STAYWORTH not in models:
        return assumed
    best, own = models[STAYWORTH]["best"], models[STAYWORTH]["own"]
    if best["customers"] == 0:
        return f"With the offer “{offer['name']}” no cut of Stayworth’s ranking would have earned anything. {assumed}"
    return (
        f"With the offer “{offer['name']}”, to contact Stayworth’s top {best['share']:.0%} would have earned most, "
        f"{best['profit']:,.0f} {currency}; that cut is known only afterwards. To contact everyone of whom it expected "
        f"a profit, {own['share']:.0%}, would have earned {own['profit']:,.0f}. {assumed}"
    )


def _rivals(gains: Mapping[str, Sequence[float | None]], *, at: int) -> dict[str, float]:
    return {name: part for name, held in gains.items() if name != STAYWORTH and (part := held[at]) is not None}
