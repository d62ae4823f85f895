"""The retention plan: whom to contact with an offer under a budget, who is held out, and what it all earns."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError
from retention import profit
from retention.choose import choose
from retention.economics import economics
from retention.holdout import lots, smallest
from retention.offers import Offer


@dataclass(frozen=True)
class Plan:
    """Whom to contact, and what it comes to.

    `frame` has a row per chosen customer: customer_id, offer, treated (False = held out: costs and earns
    nothing), expected_cost, expected_profit, profit_p10 and profit_p90 in currency units, and rank (1 = first to
    contact; the held-out come last). `summary` has the totals, ready for JSON: what is undefined is None.
    """

    frame: pd.DataFrame
    summary: dict[str, Any]


def plan(
    scores: pd.DataFrame,
    offer: Offer,
    *,
    budget: float,
    capacity: int | None = None,
    holdout_share: float,
    campaign: str,
    salt: str,
) -> Plan:
    """The plan that is expected to earn most with at most `budget` (currency units) and `capacity` contacts.

    Only customers with a positive expected profit are chosen; exactly round(n `holdout_share`) of them, drawn at
    random, are held out. The row order of `scores` does not matter, a rerun gives the same plan, and equals are
    taken in the order of their ids. The budget holds in expectation (`profit.expected_cost`).

    Wrong where one customer's contact changes what another does, or the save rate differs between customers.
    """
    _check(budget=budget, capacity=capacity, holdout_share=holdout_share, campaign=campaign)
    everyone = economics(scores, offer)
    paying = everyone[everyone["profit"] > 0]
    places = lots(paying["customer_id"].tolist(), campaign=campaign, salt=salt)
    rows, marginal_return = choose(
        paying["profit"].to_numpy(),
        paying["cost"].to_numpy(),
        places,
        budget=budget,
        capacity=capacity,
        holdout_share=holdout_share,
    )
    held_out = smallest(places[rows], share=holdout_share)
    treated = paying.iloc[rows[~held_out]]
    summary = {
        "offer": offer.name,
        "campaign": campaign,
        "customers": len(everyone),
        "chosen": len(rows),
        "treated": len(treated),
        "holdout": int(held_out.sum()),
        "budget": float(budget),
        "capacity": capacity,
        **_totals(everyone, treated, offer),
        "marginal_return": marginal_return,
        "note": "" if len(rows) else _why_nobody(everyone, paying, offer, budget=budget),
    }
    return Plan(frame=_frame(treated, paying.iloc[rows[held_out]], offer), summary=summary)


def profit_curve(scores: pd.DataFrame, offer: Offer, *, points: int) -> pd.DataFrame:
    """What each of `points` budgets would earn, from 0 to the least that reaches every customer who pays.

    Columns: budget, expected_profit, profit_p10, profit_p90 (currency units) and customers (contacted). Best
    profit per unit of cost first, without capacity and holdout. A larger budget than the last earns no more.
    """
    everyone = economics(scores, offer)
    paying = everyone[everyone["profit"] > 0]
    with np.errstate(divide="ignore"):
        paying = paying.iloc[np.argsort(-paying["profit"] / paying["cost"], kind="stable")]
    spent, earned = _running_total(paying["cost"]), _running_total(paying["profit"])
    budgets = np.unique(np.linspace(0, spent[-1], points))
    reached = np.searchsorted(spent, budgets, side="right") - 1
    mean = _running_total(paying["churn_probability"] * (paying["clv"] - offer.incentive_cost))
    sd = np.sqrt(_running_total((paying["churn_probability"] * paying["clv_sd"]) ** 2))
    spread = profit.Z90 * profit.product_sd(offer.save_rate_mean, offer.save_rate_sd, mean, sd)
    return pd.DataFrame(
        {
            "budget": budgets,
            "expected_profit": earned[reached],
            "profit_p10": (earned - spread)[reached],
            "profit_p90": (earned + spread)[reached],
            "customers": reached,
        }
    )


def _frame(treated: pd.DataFrame, held_out: pd.DataFrame, offer: Offer) -> pd.DataFrame:
    chosen = pd.concat([treated, held_out], ignore_index=True)
    contacted = chosen.index < len(treated)
    spread = profit.Z90 * chosen["profit_sd"]
    return pd.DataFrame(
        {
            "customer_id": chosen["customer_id"],
            "offer": pd.Series(offer.name, index=chosen.index, dtype="str"),
            "treated": contacted,
            "expected_cost": chosen["cost"].where(contacted, 0.0),
            "expected_profit": chosen["profit"].where(contacted, 0.0),
            "profit_p10": (chosen["profit"] - spread).where(contacted, 0.0),
            "profit_p90": (chosen["profit"] + spread).where(contacted, 0.0),
            "rank": np.arange(1, len(chosen) + 1),
        }
    )


def _totals(everyone: pd.DataFrame, treated: pd.DataFrame, offer: Offer) -> dict[str, float | None]:
    """What the treated cost and earn together, and what of the value at risk they are expected to save."""
    p, v = treated["churn_probability"].to_numpy(), treated["clv"].to_numpy()
    cost, earned = float(treated["cost"].sum()), float(treated["profit"].sum())
    spread = profit.Z90 * profit.total_profit_sd(
        churn_probability=p,
        clv=v,
        clv_sd=treated["clv_sd"].to_numpy(),
        save_rate=offer.save_rate_mean,
        save_rate_sd=offer.save_rate_sd,
        incentive_cost=offer.incentive_cost,
    )
    break_even = profit.break_even_save_rate(
        churn_probability=p,
        clv=v,
        redeem_rate=offer.redeem_rate,
        incentive_cost=offer.incentive_cost,
        contact_cost=offer.contact_cost,
    )
    at_risk = profit.value_at_risk(churn_probability=everyone["churn_probability"], clv=everyone["clv"])
    saved = offer.save_rate_mean * profit.value_at_risk(churn_probability=p, clv=v)
    return {
        "expected_cost": cost,
        "expected_profit": earned,
        "profit_p10": earned - spread,
        "profit_p90": earned + spread,
        "return_on_cost": earned / cost if cost else None,
        "save_rate": offer.save_rate_mean,
        "break_even_save_rate": break_even if isfinite(break_even) else None,
        "value_at_risk": at_risk,
        "value_at_risk_after": at_risk - saved,
    }


def _why_nobody(everyone: pd.DataFrame, paying: pd.DataFrame, offer: Offer, *, budget: float) -> str:
    if paying.empty:
        return (
            f"Nobody is contacted: at a save rate of {offer.save_rate_mean:.1%} the offer {offer.name!r} is "
            f"expected to cost more than it brings with each of the {len(everyone):,} customers."
        )
    return (
        f"Nobody is contacted: {len(paying):,} customers would pay, but the cheapest contact is expected to "
        f"cost {paying['cost'].min():,.2f} and the budget is {budget:,.2f}."
    )


def _check(*, budget: float, capacity: int | None, holdout_share: float, campaign: str) -> None:
    if not (isfinite(budget) and budget > 0):
        raise InputError(
            f"a budget above 0 is expected, found {budget}",
            where="plan",
            next="Give what the campaign may spend, in currency units: --budget 2000.",
        )
    if capacity is not None and capacity < 1:
        raise InputError(
            f"a capacity of at least 1 is expected, found {capacity}",
            where="plan",
            next="Give the highest number of contacts, or leave --capacity out where there is no limit.",
        )
    if not 0 <= holdout_share <= 0.5:
        raise InputError(
            f"a holdout share from 0 to 0.5 is expected, found {holdout_share}",
            where="plan",
            next="0.1 holds out one chosen customer in ten; with 0 the effect cannot be measured.",
        )
    if not campaign:
        raise InputError(
            "the campaign has no name",
            where="plan",
            next="Name it: the name decides who is held out, and the readout finds the campaign by it.",
        )


def _running_total(values: pd.Series) -> NDArray[np.float64]:
    """The sums of the first 0, 1, … n values."""
    return np.concatenate([[0.0], np.cumsum(values)])
