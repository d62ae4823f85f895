"""Expected value of a customer: orders and margin over the horizon, and the discounted lifetime value.

With ε and δ the rates of cooling and of leaving, x the share of ordering left while cooling, J(k) = ∫ season(t) e^(−kt)
over the span (season.py), an order expected per day of `ordering` λ:

    cooling now     λ x J(δ)
    engaged now     λ J(ε) + λ x ε / (δ − ε) · (J(ε) − J(δ))

since an engaged customer is cooling at t with probability ε / (δ − ε) (e^(−εt) − e^(−δt)), times the share who cool
rather than leave at once (worlds.py). Discounting adds its rate to every k. Under a contract the orders are payments
(contract_payments.py).

An order brings the customer's mean order times the margin of their basket, less the average refund of it. A lifetime
value is after the costs to serve: the delivery of each order, and service (service_costs.py).
"""

from math import log1p

import numpy as np

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS
from pipelines.simulator import parameters
from pipelines.simulator.contract_payments import expected_payments
from pipelines.simulator.customers import Customers
from pipelines.simulator.season import fading_season_integral
from pipelines.simulator.service_costs import service_cost

LAG_PLACES, LAG_WEIGHTS = np.polynomial.legendre.leggauss(4)


def expected_orders(
    customers: Customers, stage: Integers, *, day: float, days: float, annual_rate: float = 0.0
) -> Floats:
    """Orders of each customer in `[day, day + days)`, given their stage on `day`, discounted to it at a yearly rate."""
    world = customers.world
    if world.contract is not None:
        return expected_payments(customers, stage, day=day, days=days, annual_rate=annual_rate)
    falls = log1p(annual_rate) / YEAR_DAYS
    cooling, leaving = customers.cooling, customers.leaving_apart
    while_engaged, while_cooling = (
        fading_season_integral(day, days, rate + falls, swing=world.season_swing) for rate in (cooling, leaving)
    )
    turned = (1 - world.sudden) * (cooling / (leaving - cooling) * (while_engaged - while_cooling))
    by_stage = [
        while_engaged + parameters.COOL_ORDERS * turned,
        parameters.COOL_ORDERS * while_cooling,
        np.zeros(len(customers)),
    ]
    return customers.ordering * np.choose(stage, by_stage)


def order_margin(customers: Customers) -> Floats:
    """Expected margin of an order before refunds, in currency units."""
    rates = np.array([np.dot(kind.basket, parameters.MARGINS) for kind in customers.world.kinds])
    return customers.mean_order * rates[customers.kind]


def refunded(customers: Customers) -> Floats:
    """Average share of an order's margin that is refunded."""
    return customers.of_kind("refunded") * np.mean(parameters.REFUND_SHARE)


def expected_value(customers: Customers, stage: Integers, *, day: float, days: float) -> Floats:
    """Margin of the orders in `[day, day + days)`, net of their refunds before its end; not discounted.

    A refund comes evenly between two lags after its order, so those in time are of the orders up to that lag before the
    end: a mean over the lag, by Gauss and Legendre's rule.
    """
    soon, late = parameters.REFUND_LAG_DAYS
    lags = (soon + late) / 2 + (late - soon) / 2 * LAG_PLACES
    in_time = sum(
        weight / 2 * expected_orders(customers, stage, day=day, days=max(days - lag, 0.0))
        for weight, lag in zip(LAG_WEIGHTS, lags, strict=True)
    )
    return order_margin(customers) * (
        expected_orders(customers, stage, day=day, days=days) - refunded(customers) * in_time
    )


def lifetime_value(customers: Customers, stage: Integers, *, day: float, days: float) -> Floats:
    """Margin of the orders in `[day, day + days)`, net of all their refunds, less the costs to serve; discounted."""
    rate = parameters.ANNUAL_DISCOUNT_RATE
    brought = expected_orders(customers, stage, day=day, days=days, annual_rate=rate)
    served = service_cost(customers, stage, day=day, days=days, annual_rate=rate)
    return contribution(customers) * brought - served


def contribution(customers: Customers) -> Floats:
    """Expected margin of an order, net of all its refunds and of its delivery, in currency units."""
    return order_margin(customers) * (1 - refunded(customers)) - parameters.DELIVERY_COST
