"""What a campaign really earned: its treated customers against its random holdout.

Everything is the effect of being on the list of the treated, whoever was reached in the end;
retention/measurement/treatment_effect.py says how it is measured and how sure it is. Of every group two questions are
asked: did it keep customers, and did it pay? An answer counts as proven if it is sure enough for both at once
(retention/measurement/holm.py), and, in a breakdown, for those of all its groups: so many groups are bound to show
something. The intervals are plain 95 % intervals, each of one figure.
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

OUTCOMES = ("stayed", "orders", "margin", "clv_kept")
"""What is compared, per treated customer: whether they stayed (0 or 1), their orders, their margin, and the lifetime
value of those who stayed, as it was scored before; money in currency units."""
MIN_ARM_CUSTOMERS = 10
"""Fewer customers than this in one arm are not compared."""


def readout(customers: pd.DataFrame, *, scores: Sequence[str], expected_effect: float | None) -> dict[str, Any]:
    """The readout of a campaign, ready for JSON: of all its customers, by offer (of several), and by segment.

    customers: a row per chosen customer with treated (False = held out), offer, stayed, orders, margin, cost (what the
    contact cost in the end, 0 of the held-out), the columns named by `scores`, known before the campaign; perhaps
    clv_kept and segment. expected_effect: what the plan expected as the effect on staying, per treated customer.

    Raises Refusal where an arm has fewer than FEWEST customers.
    """
    refuse_small_arms(customers["treated"])
    whole = _group(customers, scores)
    _prove([whole])
    parts = {f"by_{name}": _breakdown(customers, name, scores) for name in ("offer", "segment") if name in customers}
    return whole | {"needs": _needs(whole, expected_effect)} | parts


def refuse_small_arms(treated: pd.Series) -> None:
    """Raise Refusal where one arm is too small to be compared with the other."""
    arms = {"treated": int(treated.sum()), "held out": int((~treated).sum())}
    for name, count in arms.items():
        if count < MIN_ARM_CUSTOMERS:
            more = (
                f"{ceil(len(treated) * (MIN_ARM_CUSTOMERS / count - 1)):,} more customers" if count else "more of them"
            )
            raise Refusal(
                f"not enough data: of {len(treated):,} customers {count:,} are {name}, a comparison takes "
                f"{MIN_ARM_CUSTOMERS}",
                where="readout",
                next=f"Plan with {more} or a larger share held out: [plan] holdout_share.",
            )


def _group(customers: pd.DataFrame, scores: Sequence[str]) -> dict[str, Any]:
    """The comparison within one group: each outcome per treated customer and in total, and what it earned."""
    treated = customers["treated"].to_numpy(bool)
    names = [name for name in OUTCOMES if name in customers]
    outcomes = customers[names].to_numpy(float)
    found = treatment_effects(outcomes, treated, customers[list(scores)].to_numpy(float))
    count, cost = int(treated.sum()), float(customers.loc[treated, "cost"].sum())
    content: dict[str, Any] = {"treated": count, "holdout": len(treated) - count}
    for name, column, effect in zip(names, outcomes.T, found, strict=True):
        figure, mean = Estimate(effect.value, *effect.interval()), float(column[treated].mean())
        content[name] = asdict(figure) | {"treated": mean, "without": mean - effect.value, "sd": effect.sd}
        content[name] |= {"total": asdict(figure.times(count)), "p_value": effect.p_value()}
    return content | _earned(found[names.index("margin")], count, cost)


def _earned(margin: Effect, treated: int, cost: float) -> dict[str, Any]:
    """What the campaign earned: the margin it brought in the window, less what it cost."""
    profit = Estimate(margin.value, *margin.interval()).times(treated).less(cost)
    return {
        "cost": cost,
        "profit": asdict(profit) | {"sd": margin.sd * treated, "p_value": margin.p_value(cost / treated)},
        "return_on_cost": asdict(profit.times(1 / cost)) if cost else None,
    }


def _prove(groups: list[dict[str, Any]]) -> None:
    """Say of each group whether it kept customers, and whether it paid, raised for the number of questions."""
    raised = iter(holm_adjusted([group[name]["p_value"] for group in groups for name in ("stayed", "profit")]))
    for group in groups:
        group["proven"] = {name: next(raised) <= MAX_PROVEN_P_VALUE for name in ("stayed", "profit")}


def _breakdown(customers: pd.DataFrame, name: str, scores: Sequence[str]) -> list[dict[str, Any]]:
    """The groups of a column, in their order; of a single one, none. Too small a group has its sizes alone."""
    groups = dict(iter(customers.groupby(name, sort=True)))
    if len(groups) < 2:
        return []
    told, compared = [], []
    for value, rows in groups.items():
        treated = int(rows["treated"].sum())
        group = {name: str(value), "treated": treated, "holdout": len(rows) - treated}
        if min(treated, len(rows) - treated) >= MIN_ARM_CUSTOMERS:
            group |= _group(rows, scores)
            compared.append(group)
        told.append(group)
    _prove(compared)
    return told


def _needs(whole: dict[str, Any], expected_effect: float | None) -> dict[str, Any]:
    """What these customers can tell from none, and how many more it takes where something is not proven.

    Of staying: to tell the effect that the plan expected. Of profit: to tell one as large as was measured, which is
    itself uncertain: a first guess, no promise.
    """
    customers, stayed, profit = whole["treated"] + whole["holdout"], whole["stayed"], whole["profit"]
    more: dict[str, int | None] = {"stayed": None, "profit": None}
    if expected_effect and not whole["proven"]["stayed"]:
        more["stayed"] = more_customers(expected_effect, sd=stayed["sd"], customers=customers)
    if profit["value"] and not whole["proven"]["profit"]:
        more["profit"] = more_customers(profit["value"], sd=profit["sd"], customers=customers)
    return {
        "power": POWER,
        "detectable_effect_on_staying": detectable_effect(stayed["sd"]),
        "expected_effect_on_staying": expected_effect,
        "detectable_profit": detectable_effect(profit["sd"]),
        "more_customers": more,
    }
