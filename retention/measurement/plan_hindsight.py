"""Backtest of a plan of a past day against other lists of the same cost, now that the outcomes are known.

Nobody was contacted, so the effect of the list is not observed; who left and what the others brought is. Three
questions are answered: was the plan right about those it chose (leavers and margin, expected and realised), did it find
more of those who left, and of the margin that left with them, than simpler lists; and what would it have earned, if
what it assumes of its offers holds: the profit is that of retention/economics/profit.py with 1 for leavers and
0 for others in place of the churn probability. No history tests the save rate itself without randomisation.

Who of the silent could have been saved is not seen for certain, so the profit is bracketed: `profit` takes all of them
to have been alive, `profit_of_proven` only those who have ordered since. What each would add is as the plan took it;
retention/measurement/gain_bracket.py has it from what came.

The margin that left with a customer is what they brought in the window before. The other lists go from the top, each
customer with the offer that the plan would have found best for him, until the plan's cost is reached: the highest risk
first, the largest spender first, and in random order, for which the expectation is reported.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from features.errors import InputError
from models.evaluation.estimate import Z95
from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics import profit
from retention.economics.contact import contact_inputs, expected_costs, expected_profits, incentive_costs
from retention.economics.offers import Offer

RANDOM, RISK, SPENDER = "random", "highest risk first", "largest spender first"
LIST_OUTCOMES = ("contacted", "expected_cost", "leavers", "back", "lost_margin", "profit", "profit_of_proven")
"""The counts and sums of every list; money in currency units."""


def plan_hindsight(
    scores: pd.DataFrame,
    happened: pd.DataFrame,
    contacts: pd.DataFrame,
    offers: Sequence[Offer],
    *,
    worth: WorthFactor = PRIOR,
) -> dict[str, Any]:
    """The plan of one day in hindsight, as counts and sums (currency units).

    scores: those the plan was made of. happened, a row per scored customer: customer_id, churned and back (bools: left,
    and has ordered since), margin (after the day), margin_before (in as long before it) and spend (by which the largest
    spender is first). contacts: the treated of the plan, customer_id and offer. worth: what its gains were taken to be.
    """
    inputs = contact_inputs(scores, offers, worth=worth)
    inputs = inputs.merge(scores[["customer_id", "expected_value"]], on="customer_id")
    everyone = inputs.merge(happened, on="customer_id", how="left", validate="one_to_one")
    _check(everyone)
    left, back = (everyone[name].to_numpy(bool) for name in ("churned", "back"))
    costs, profits = (
        np.stack([amounts(everyone, offer) for offer in offers]) for amounts in (expected_costs, expected_profits)
    )
    realised = np.stack([_realised(everyone, offer, left, alive=left) for offer in offers])
    profits_of_proven = np.stack([_realised(everyone, offer, left, alive=left & back) for offer in offers])
    lost = np.where(left, np.maximum(everyone["margin_before"].to_numpy(float), 0), 0.0)
    listed = contacts.merge(
        pd.DataFrame({"customer_id": everyone["customer_id"], "row": np.arange(len(everyone))}), on="customer_id"
    )
    rows = listed["row"].to_numpy(np.int64)
    chosen = listed["offer"].map({offer.name: place for place, offer in enumerate(offers)}).to_numpy(np.int64)
    spent = float(costs[chosen, rows].sum())

    def reached(rows: Integers, chosen_offers: Integers) -> dict[str, float]:
        return {
            "contacted": float(len(rows)),
            "expected_cost": float(costs[chosen_offers, rows].sum()),
            "leavers": float(left[rows].sum()),
            "back": float(back[rows].sum()),
            "lost_margin": float(lost[rows].sum()),
            "profit": float(realised[chosen_offers, rows].sum()),
            "profit_of_proven": float(profits_of_proven[chosen_offers, rows].sum()),
        }

    best, all_ = profits.argmax(axis=0), np.arange(len(everyone))
    orders = {RISK: everyone["churn_probability"], SPENDER: everyone["spend"]}
    baselines = {
        name: reached(top, best[top])
        for name, by in orders.items()
        for top in [_until(np.argsort(-by.to_numpy(float), kind="stable"), costs[best, all_], spent)]
    }
    p = everyone["churn_probability"].to_numpy()[rows]
    spread = Z95 * float(np.sqrt((p * (1 - p)).sum()))
    return {
        "customers": len(everyone),
        "leavers": int(left.sum()),
        "lost_margin": float(lost.sum()),
        "plan": reached(rows, chosen)
        | {
            "expected_leavers": float(p.sum()),
            "expected_leavers_low": float(p.sum()) - spread,
            "expected_leavers_high": float(p.sum()) + spread,
            "expected_margin": float(everyone["expected_value"].to_numpy()[rows].sum()),
            "margin": float(everyone["margin"].to_numpy()[rows].sum()),
            "expected_profit": float(profits[chosen, rows].sum()),
        },
        "others": {RANDOM: _at_random(reached(all_, best), spent)} | baselines,
    }


def sum_of_days(days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums of several days' `hindsight`. Customers and windows of different days overlap."""
    total = {name: sum(day[name] for day in days) for name in ("customers", "leavers", "lost_margin")}
    plan = {name: sum(day["plan"][name] for day in days) for name in days[0]["plan"]}
    spread = float(
        np.hypot.reduce([day["plan"]["expected_leavers_high"] - day["plan"]["expected_leavers"] for day in days])
    )
    plan["expected_leavers_low"], plan["expected_leavers_high"] = (
        plan["expected_leavers"] + sign * spread for sign in (-1, 1)
    )
    others = {
        other: {name: sum(day["others"][other][name] for day in days) for name in LIST_OUTCOMES}
        for other in days[0]["others"]
    }
    return total | {"plan": plan, "others": others}


def shares_and_lifts(backtest: Mapping[str, Any]) -> dict[str, Any]:
    """The share of all leavers, and of all margin that left, that each list reached, and the plan's share divided by
    that of each other list (lift); None where the divisor is 0.
    """

    def share(reached: Mapping[str, float]) -> dict[str, float | None]:
        return {name: _ratio(reached[name], backtest[name]) for name in ("leavers", "lost_margin")}

    plan = backtest["plan"]
    return {
        "share": {"plan": share(plan)} | {name: share(other) for name, other in backtest["others"].items()},
        "lift": {
            name: {outcome: _ratio(plan[outcome], other[outcome]) for outcome in ("leavers", "lost_margin")}
            for name, other in backtest["others"].items()
        },
    }


def _realised(everyone: pd.DataFrame, offer: Offer, left: NDArray[np.bool_], *, alive: NDArray[np.bool_]) -> Floats:
    """The profit of contacting each customer, given who left and who of them could have been saved."""
    return profit.expected_profit(
        churn_probability=left.astype(float),
        kept_worth=everyone["kept_worth"].to_numpy(),
        clv=everyone["clv"].to_numpy(),
        effect=alive.astype(float) * offer.save_rate_mean,
        redeem_rate=offer.redeem_rate,
        incentive_cost=incentive_costs(everyone, offer),
        contact_cost=offer.contact_cost,
    )


def _until(order: Integers, costs: Floats, spent: float) -> Integers:
    """The top of an order, as far as it costs no more than was spent."""
    return order[: int(np.searchsorted(np.cumsum(costs[order]), spent * (1 + 1e-12), side="right"))]


def _at_random(of_all: Mapping[str, float], spent: float) -> dict[str, float]:
    """The expected outcomes of a random list of that cost: a part of those of contacting everyone."""
    part = min(spent / of_all["expected_cost"], 1.0) if of_all["expected_cost"] > 0 else 0.0
    return {name: part * amount for name, amount in of_all.items()}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _check(everyone: pd.DataFrame) -> None:
    needed = ["churned", "back", "margin", "margin_before", "spend"]
    without = int(everyone[needed].isna().any(axis=1).sum())
    if without:
        raise InputError(
            f"the outcome is not known for {without:,} of {len(everyone):,} scored customers",
            where="policy backtest",
            next="Label the very rows that were scored.",
        )
