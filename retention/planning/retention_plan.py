"""The retention plan: whom to contact with which offer, who is held out, and what it all earns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.evaluation.estimate import Z90
from retention.economics.contact import contact_inputs, expected_costs, expected_profit_sds, expected_profits
from retention.economics.individual_effects import has_individual_effects
from retention.economics.offers import Offer
from retention.planning import constraints
from retention.planning.assignment import ROUNDING
from retention.planning.holdout import random_ranks
from retention.planning.plan_totals import plan_totals
from retention.planning.selection import select_customers

NO_LIMIT = 1.0
"""A budget for contacts that are free: it limits nothing, however small the one that was given."""


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
    offers: Sequence[Offer],
    *,
    budget: float,
    capacity: int | None = None,
    capacities: Mapping[str, int] | None = None,
    excluded: Mapping[str, Collection[str]] | None = None,
    effects: pd.DataFrame | None = None,
    holdout_share: float,
    campaign: str,
    salt: str,
) -> Plan:
    """The plan that is expected to earn most with at most `budget` (currency units) and so many contacts.

    capacity: the most contacts in all; capacities: the most by channel; excluded: ids of whom not to contact, by the
    reason. A customer gets one offer at most, and only one with a positive expected profit; exactly
    round(n `holdout_share`) of the n chosen, drawn at random, are held out, as evenly over the offers as can be. The
    row order of `scores` does not matter, a rerun gives the same plan, and equals are taken in the order of their ids.
    The budget holds in expectation (`profit.expected_cost`). `summary["optimality_gap"]`: the share of its worth that
    a better list of the same length and cost could add at most.

    effects: customer_id, and a column for each offer whose effect is known customer by customer: what a contact adds to
    the customer's probability of staying, -1 to 1. The level of these effects is as uncertain as the offer's save rate.
    An offer without a column keeps its save rate of everyone's churn probability; without effects the plan is wrong
    where the save rate differs between customers, always where one customer's contact changes what another does.
    """
    capacities, excluded = capacities or {}, excluded or {}
    constraints.check_limits(offers, budget=budget, capacity=capacity, holdout_share=holdout_share, campaign=campaign)
    channels, most = constraints.channel_limits(offers, capacities)
    everyone = contact_inputs(scores, offers, effects)
    open_, left_alone = constraints.contactable_customers(everyone, excluded)
    costs, profits = (np.stack([told(open_, offer) for offer in offers]) for told in (expected_costs, expected_profits))
    pays = (profits > 0) & (costs <= budget * (1 + ROUNDING))
    paying = np.flatnonzero(pays.any(axis=0))
    asked = np.where(pays, costs, 0.0)[:, paying]
    found = select_customers(
        np.where(pays, profits, 0.0)[:, paying],
        asked,
        random_ranks(open_["customer_id"].iloc[paying].tolist(), campaign=campaign, salt=salt),
        budget=budget if asked.any() else NO_LIMIT,
        capacity=capacity,
        channels=channels,
        capacities=most,
        holdout_share=holdout_share,
    )
    rows = paying[found.rows]
    chosen = open_.iloc[rows].assign(
        offer=found.offers.astype(np.int64),
        treated=~found.held_out,
        cost=costs[found.offers, rows],
        profit=profits[found.offers, rows],
    )
    chosen = pd.concat([chosen[chosen["treated"]], chosen[~chosen["treated"]]], ignore_index=True)
    held_out = int(found.held_out.sum())
    summary = {
        "campaign": campaign,
        "customers": len(everyone),
        "excluded": left_alone,
        "chosen": len(rows),
        "treated": len(rows) - held_out,
        "holdout": held_out,
        "holdout_share": holdout_share,
        "budget": float(budget),
        "capacity": capacity,
        "capacities": dict(capacities),
        **plan_totals(everyone, chosen, offers),
        "marginal_return": found.price,
        "optimality_gap": found.gap,
        "note": "" if len(rows) else _why_nobody(open_, costs, profits, offers, budget=budget),
    }
    return Plan(frame=_frame(chosen, offers), summary=summary)


def _frame(chosen: pd.DataFrame, offers: Sequence[Offer]) -> pd.DataFrame:
    spread = np.zeros(len(chosen))
    for place, offer in enumerate(offers):
        mine = (chosen["offer"] == place).to_numpy()
        spread[mine] = Z90 * expected_profit_sds(chosen[mine], offer)
    treated = chosen["treated"]
    names = np.array([offer.name for offer in offers], dtype=object)[chosen["offer"]]
    return pd.DataFrame(
        {
            "customer_id": chosen["customer_id"],
            "offer": pd.Series(names, index=chosen.index, dtype="str"),
            "treated": treated,
            "expected_cost": chosen["cost"].where(treated, 0.0),
            "expected_profit": chosen["profit"].where(treated, 0.0),
            "profit_p10": (chosen["profit"] - spread).where(treated, 0.0),
            "profit_p90": (chosen["profit"] + spread).where(treated, 0.0),
            "rank": np.arange(1, len(chosen) + 1),
        }
    )


def _why_nobody(open_: pd.DataFrame, costs: Floats, profits: Floats, offers: Sequence[Offer], *, budget: float) -> str:
    pays = profits > 0
    if pays.any():
        return (
            f"Nobody is contacted: {int(pays.any(axis=0).sum()):,} customers would pay, but the cheapest contact is "
            f"expected to cost {costs[pays].min():,.2f} and the budget is {budget:,.2f}."
        )
    if any(has_individual_effects(open_, offer) for offer in offers):
        return (
            "Nobody is contacted: by the individual effects each offer is expected to cost more than it brings with "
            f"each of the {len(open_):,} customers."
        )
    rates = [offer.save_rate_mean for offer in offers]
    if len(offers) == 1:
        which = f"at a save rate of {rates[0]:.1%} the offer {offers[0].name!r} is"
    else:
        which = f"at save rates up to {max(rates):.1%} each of the {len(offers)} offers is"
    return (
        f"Nobody is contacted: {which} expected to cost more than it brings with each of the {len(open_):,} customers."
    )
