"""True effect of a campaign, which no shop ever sees: the same customers with and without it."""

from dataclasses import replace
from typing import Any

import numpy as np

from features.arrays import Floats, Integers
from pipelines.simulator import buying, parameters
from pipelines.simulator.contact_response import ContactResponse
from pipelines.simulator.customers import Customers
from pipelines.simulator.kept_value import kept_in_horizon
from pipelines.simulator.lifetimes import Lifetimes
from pipelines.simulator.refunds import refunds
from pipelines.simulator.truth import truth

COUNTS = ("treated", "would_leave", "kept", "redeemed", "orders")
SUMS = (
    *COUNTS,
    "cost",
    "margin",
    "expected_kept",
    "expected_orders",
    "expected_margin",
    "expected_lifetime_profit",
)


def offer_totals(
    customers: Customers, done: ContactResponse, offer: Integers, *, seed: int, day: float
) -> dict[str, Floats]:
    """Totals over the treated customers of each offer, by the names of `SUMS`; money in currency units.

    offer: the place of each customer's offer, or `contact_response.NO_OFFER`. orders and margin are what the kept
    customers bought in the horizon, net of refunds in it, less what they would have bought in it without a contact:
    nothing, or under a contract what they pay until they leave. No other customer changed. The expected totals average
    over all that could have happened from the day on; `expected_lifetime_profit` is of the whole lifetime.
    """
    stage = done.lifetimes.take(np.arange(len(customers))).stage(day)
    true = truth(customers, stage, day=day)
    alive = true["alive"].to_numpy()
    more_orders, more_margin = kept_in_horizon(customers, true, day=day)
    orders, margin = horizon_totals(customers, done, seed=seed, day=day)
    without = replace(done, lifetimes=_uncontacted(done, len(customers)))
    orders_without, margin_without = horizon_totals(customers, without, seed=seed, day=day)
    totals = {name: np.zeros(len(parameters.OFFERS)) for name in SUMS}
    for place, true_offer in enumerate(parameters.OFFERS):
        is_offered = offer == place
        effect = true[f"effect_{true_offer.name}"].to_numpy()
        by_customer = {
            "treated": np.ones(len(customers)),
            "would_leave": alive & ~done.stays,
            "kept": done.kept,
            "redeemed": done.redeemed,
            "cost": done.cost,
            "orders": np.where(done.kept, orders - orders_without, 0.0),
            "margin": np.where(done.kept, margin - margin_without, 0.0),
            "expected_kept": effect,
            "expected_orders": effect * more_orders,
            "expected_margin": effect * more_margin,
            "expected_lifetime_profit": true[f"profit_{true_offer.name}"].to_numpy(),
        }
        for name in SUMS:
            totals[name][place] = by_customer[name][is_offered].sum()
    return totals


def _uncontacted(done: ContactResponse, customers: int) -> Lifetimes:
    """The lifetime that each customer would have had without a contact."""
    return replace(done.lifetimes.take(np.arange(customers)), until=np.full(customers, np.inf))


def horizon_totals(customers: Customers, done: ContactResponse, *, seed: int, day: float) -> tuple[Floats, Floats]:
    """Orders of each customer in the horizon, and their margin net of refunds before its end, in currency units."""
    end = day + parameters.HORIZON_DAYS
    placed = buying.orders(customers, done.lifetimes.ended(end), seed=seed)
    bought = buying.lines(customers, done.lifetimes, placed, seed=seed)
    back = refunds(customers, done.lifetimes, placed, bought, seed=seed)
    in_time = back.at < end
    cents = np.bincount(bought.order, bought.margin_cents, minlength=len(placed))
    cents -= np.bincount(bought.order[back.line[in_time]], back.margin_cents[in_time], minlength=len(placed))
    in_horizon = placed.at >= day
    customer = done.lifetimes.customer[placed.lifetime[in_horizon]]
    orders = np.bincount(customer, minlength=len(customers)).astype(float)
    margin = np.bincount(customer, cents[in_horizon] / 100, minlength=len(customers))
    return orders, margin.astype(float)


def totals_as_json(totals: dict[str, Floats]) -> dict[str, Any]:
    """The totals as JSON: of the whole campaign, and by offer. profit: margin less cost."""

    def group(values: dict[str, float]) -> dict[str, Any]:
        return values | {
            **{name: int(values[name]) for name in COUNTS},
            "profit": values["margin"] - values["cost"],
            "expected_profit": values["expected_margin"] - values["cost"],
        }

    by_offer = [
        {"offer": offer.name} | group({name: float(totals[name][place]) for name in SUMS})
        for place, offer in enumerate(parameters.OFFERS)
    ]
    return group({name: float(totals[name].sum()) for name in SUMS}) | {"by_offer": by_offer}
