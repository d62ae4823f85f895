"""Readout of a campaign: its treated customers against its random holdout.

Everything is the effect of being on the list of the treated, whoever was reached in the end;
retention/measurement/treatment_effect.py says how it is measured and how sure it is. Two questions are asked about
every group: did it keep customers, and did it pay? An answer counts as proven if it is sure enough for both at once
(retention/measurement/holm.py), and, in a breakdown, for those of all its groups: so many groups are bound to show
something. The intervals are plain 95 % intervals, each of one estimate.
"""

from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from typing import Any

import pandas as pd

from features.errors import Refusal
from models.evaluation.estimate import Estimate
from retention.measurement.holm import MAX_PROVEN_P_VALUE, holm_adjusted
from retention.measurement.power import POWER, detectable_effect, more_customers
from retention.measurement.treatment_effect import Effect, treatment_effects
from retention.presentation.formatting import counted

OUTCOMES = ("stayed", "orders", "margin", "lifetime_gain")
"""The outcomes compared, per treated customer: whether they stayed (0 or 1), their orders, their margin, and for those
who stayed what keeping them adds to their lifetime margin, as it was scored before; money in currency units."""
MIN_ARM_CUSTOMERS = 10
"""The fewest customers in either arm that are compared."""


def readout(customers: pd.DataFrame, *, scores: Sequence[str], expected_effect: float | None) -> dict[str, Any]:
    """The readout of a campaign, ready for JSON: of all its customers, by offer (of several), and by segment.

    customers: a row per chosen customer with treated (False = held out), offer, stayed, orders, margin, cost (what the
    contact cost in the end, 0 of the held-out), the columns named by `scores`, known before the campaign; perhaps
    lifetime_gain and segment. expected_effect: the effect on staying that the plan expected, per treated customer.

    Raises Refusal where an arm has fewer than FEWEST customers.
    """
    refuse_small_arms(customers["treated"])
    campaign = _compare(customers, scores)
    _add_proven([campaign])
    breakdowns = {
        f"by_{name}": _breakdown(customers, name, scores) for name in ("offer", "segment") if name in customers
    }
    return campaign | {"needs": _needs(campaign, expected_effect)} | breakdowns


def refuse_small_arms(treated: pd.Series) -> None:
    """Raise Refusal where one arm is too small to be compared with the other."""
    arms = {"treated": int(treated.sum()), "held out": int((~treated).sum())}
    for name, count in arms.items():
        if count < MIN_ARM_CUSTOMERS:
            missing = ceil(len(treated) * (MIN_ARM_CUSTOMERS / count - 1)) if count else 0
            raise Refusal(
                f"not enough data: {count:,} of {len(treated):,} customers {'is' if count == 1 else 'are'} {name}, "
                f"and a comparison needs {MIN_ARM_CUSTOMERS}",
                where="readout",
                next=f"Plan with {counted(missing, 'more customer') if count else 'more customers'} or a larger share "
                "held out: [plan] holdout_share.",
            )


def _compare(customers: pd.DataFrame, scores: Sequence[str]) -> dict[str, Any]:
    """The comparison within one group: each outcome per treated customer and in total, and what it earned."""
    treated = customers["treated"].to_numpy(bool)
    names = [name for name in OUTCOMES if name in customers]
    outcomes = customers[names].to_numpy(float)
    measured = treatment_effects(outcomes, treated, customers[list(scores)].to_numpy(float))
    count, cost = int(treated.sum()), float(customers.loc[treated, "cost"].sum())
    content: dict[str, Any] = {"treated": count, "holdout": len(treated) - count}
    for name, column, effect in zip(names, outcomes.T, measured, strict=True):
        estimate, mean = Estimate(effect.value, *effect.interval()), float(column[treated].mean())
        content[name] = asdict(estimate) | {"treated": mean, "without": mean - effect.value, "sd": effect.sd}
        content[name] |= {"total": asdict(estimate.times(count)), "p_value": effect.p_value()}
    return content | _earned(measured[names.index("margin")], count, cost)


def _earned(margin: Effect, treated: int, cost: float) -> dict[str, Any]:
    """The profit of the campaign: the margin it brought in the window, less its cost."""
    profit = Estimate(margin.value, *margin.interval()).times(treated).less(cost)
    return {
        "cost": cost,
        "profit": asdict(profit) | {"sd": margin.sd * treated, "p_value": margin.p_value(cost / treated)},
        "return_on_cost": asdict(profit.times(1 / cost)) if cost else None,
    }


def _add_proven(groups: list[dict[str, Any]]) -> None:
    """Add to each group whether it is proven that it kept customers, and that it paid, adjusted for all questions."""
    adjusted = iter(holm_adjusted([group[name]["p_value"] for group in groups for name in ("stayed", "profit")]))
    for group in groups:
        group["proven"] = {name: next(adjusted) <= MAX_PROVEN_P_VALUE for name in ("stayed", "profit")}


def _breakdown(customers: pd.DataFrame, name: str, scores: Sequence[str]) -> list[dict[str, Any]]:
    """The groups of a column, in their order; empty for a single group. Too small a group has only its sizes."""
    groups = dict(iter(customers.groupby(name, sort=True)))
    if len(groups) < 2:
        return []
    entries, compared = [], []
    for value, rows in groups.items():
        treated = int(rows["treated"].sum())
        group = {name: str(value), "treated": treated, "holdout": len(rows) - treated}
        if min(treated, len(rows) - treated) >= MIN_ARM_CUSTOMERS:
            group |= _compare(rows, scores)
            compared.append(group)
        entries.append(group)
    _add_proven(compared)
    return entries


def _needs(campaign: dict[str, Any], expected_effect: float | None) -> dict[str, Any]:
    """The effects these customers can detect, and how many more it takes where something is not proven.

    For staying: to detect the effect that the plan expected. For profit: to detect one as large as was measured, which
    is itself uncertain: a first guess, no promise.
    """
    customers, stayed, profit = campaign["treated"] + campaign["holdout"], campaign["stayed"], campaign["profit"]
    more: dict[str, int | None] = {"stayed": None, "profit": None}
    if expected_effect and not campaign["proven"]["stayed"]:
        more["stayed"] = more_customers(expected_effect, sd=stayed["sd"], customers=customers)
    if profit["value"] and not campaign["proven"]["profit"]:
        more["profit"] = more_customers(profit["value"], sd=profit["sd"], customers=customers)
    return {
        "power": POWER,
        "detectable_effect_on_staying": detectable_effect(stayed["sd"]),
        "expected_effect_on_staying": expected_effect,
        "detectable_profit": detectable_effect(profit["sd"]),
        "more_customers": more,
    }
