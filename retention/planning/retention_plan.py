"""The retention plan: the customers to contact, their offers, the holdout, and the expected profit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics.contact import contact_inputs, expected_costs, expected_profits, profit_parts
from retention.economics.individual_effects import has_individual_effects
from retention.economics.offers import Offer
from retention.economics.profit_interval import interval_each
from retention.planning import constraints
from retention.planning.assignment import ROUNDING
from retention.planning.holdout import random_ranks
from retention.planning.plan_totals import plan_totals
from retention.planning.selection import CustomerSelection, select_customers
from retention.presentation.formatting import counted

NO_LIMIT = 1.0
"""The budget where contacts are free: it limits nothing, however small the given one."""
COLUMNS = (
    *("customer_id", "offer", "treated", "expected_cost", "expected_profit", "profit_p10", "profit_p90"),
    *("rank", "gain"),
)
"""The columns of a plan, in their order."""


@dataclass(frozen=True)
class Plan:
    """A list of customers to contact, and its totals.

    `frame` has a row per chosen customer: customer_id, offer, treated (False = held out: costs and earns
    nothing), expected_cost, expected_profit, profit_p10 and profit_p90 in currency units, rank (1 = first to contact;
    the held-out come last), and gain as scored (currency units). `summary` has the totals, ready for JSON: what is
    undefined is None.
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
    worth: WorthFactor = PRIOR,
    holdout_share: float,
    campaign: str,
    salt: str,
) -> Plan:
    """The plan with the highest expected profit within `budget` (currency units) and the limits on contacts.

    capacity: the most contacts in all; capacities: the most by channel; excluded: ids not to contact, by the
    reason. A customer gets one offer at most, and only one with a positive expected profit; exactly
    round(n `holdout_share`) of the n chosen, drawn at random, are held out, as evenly over the offers as can be. The
    row order of `scores` does not matter, a rerun gives the same plan, and equals are taken in the order of their ids.
    The budget holds in expectation (`profit.expected_cost`). `summary["optimality_gap"]`: the share of its worth that
    a better list of the same length and cost could add at most.

    effects: customer_id, and a column for each offer whose effect is known customer by customer: what a contact adds to
    the customer's probability of staying, -1 to 1. The level of these effects is as uncertain as the offer's save rate.
    An offer without a column keeps its save rate, a share of each probability to be savable; without effects the plan
    is wrong where the save rate differs between customers, always where one customer's contact changes what another
    does.

    worth: what readouts so far say of gains (`retention.measurement.save_rate_store.believed_worth_factor`).
    """
    capacities, excluded = capacities or {}, excluded or {}
    constraints.check_limits(offers, budget=budget, capacity=capacity, holdout_share=holdout_share, campaign=campaign)
    channels, channel_capacities = constraints.channel_limits(offers, capacities)
    everyone = contact_inputs(scores, offers, effects, worth=worth)
    contactable, exclusions = constraints.contactable_customers(everyone, excluded)
    costs = np.stack([expected_costs(contactable, offer) for offer in offers])
    profits = np.stack([expected_profits(contactable, offer) for offer in offers])
    pays = (profits > 0) & (costs <= budget * (1 + ROUNDING))
    paying = np.flatnonzero(pays.any(axis=0))
    paying_costs = np.where(pays, costs, 0.0)[:, paying]
    selection = select_customers(
        np.where(pays, profits, 0.0)[:, paying],
        paying_costs,
        random_ranks(contactable["customer_id"].iloc[paying].tolist(), campaign=campaign, salt=salt),
        budget=budget if paying_costs.any() else NO_LIMIT,
        capacity=capacity,
        channels=channels,
        capacities=channel_capacities,
        holdout_share=holdout_share,
    )
    chosen = _chosen_rows(contactable, paying[selection.rows], selection, costs, profits)
    held_out = int(selection.held_out.sum())
    summary = {
        "campaign": campaign,
        "customers": len(everyone),
        "excluded": exclusions,
        "chosen": len(chosen),
        "treated": len(chosen) - held_out,
        "holdout": held_out,
        "holdout_share": holdout_share,
        "budget": float(budget),
        "capacity": capacity,
        "capacities": dict(capacities),
        **plan_totals(everyone, chosen, offers, worth=worth),
        "marginal_return": selection.price,
        "optimality_gap": selection.gap,
        "note": "" if len(chosen) else _why_nobody(contactable, costs, profits, offers, budget=budget),
    }
    return Plan(frame=_plan_frame(chosen, offers, worth), summary=summary)


def _chosen_rows(
    contactable: pd.DataFrame, rows: Integers, selection: CustomerSelection, costs: Floats, profits: Floats
) -> pd.DataFrame:
    """The chosen customers, the treated first, with offer (its place), treated, cost and profit.

    rows: their places among the contactable customers, best first.
    """
    chosen = contactable.iloc[rows].assign(
        offer=selection.offers.astype(np.int64),
        treated=~selection.held_out,
        cost=costs[selection.offers, rows],
        profit=profits[selection.offers, rows],
    )
    return pd.concat([chosen[chosen["treated"]], chosen[~chosen["treated"]]], ignore_index=True)


def _plan_frame(chosen: pd.DataFrame, offers: Sequence[Offer], worth: WorthFactor) -> pd.DataFrame:
    low, high = np.zeros(len(chosen)), np.zeros(len(chosen))
    for place, offer in enumerate(offers):
        with_offer = (chosen["offer"] == place).to_numpy()
        low[with_offer], high[with_offer] = interval_each(*profit_parts(chosen[with_offer], offer), offer, worth=worth)
    treated = chosen["treated"]
    names = np.array([offer.name for offer in offers], dtype=object)[chosen["offer"]]
    values = (
        chosen["customer_id"],
        pd.Series(names, index=chosen.index, dtype="str"),
        treated,
        chosen["cost"].where(treated, 0.0),
        chosen["profit"].where(treated, 0.0),
        np.where(treated, low, 0.0),
        np.where(treated, high, 0.0),
        np.arange(1, len(chosen) + 1),
        chosen["scored_gain"],
    )
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _why_nobody(
    contactable: pd.DataFrame, costs: Floats, profits: Floats, offers: Sequence[Offer], *, budget: float
) -> str:
    """The note of a plan without customers: a sentence about the reason."""
    pays = profits > 0
    if contactable.empty:
        return "Nobody is contacted: there are no customers."
    if pays.any():
        return (
            f"Nobody is contacted: {counted(int(pays.any(axis=0).sum()), 'customer')} would be worth contacting, but "
            f"the cheapest contact is expected to cost {costs[pays].min():,.2f} and the budget is {budget:,.2f}."
        )
    customers = "the only customer" if len(contactable) == 1 else f"each of the {len(contactable):,} customers"
    if any(has_individual_effects(contactable, offer) for offer in offers):
        return (
            "Nobody is contacted: by the individual effects each offer is expected to cost more than it brings with "
            f"{customers}."
        )
    rates = [offer.save_rate_mean for offer in offers]
    if len(offers) == 1:
        offers_are = f"at a save rate of {rates[0]:.1%} the offer {offers[0].name!r} is"
    else:
        offers_are = f"at save rates up to {max(rates):.1%} each of the {len(offers)} offers is"
    return f"Nobody is contacted: {offers_are} expected to cost more than it brings with {customers}."
