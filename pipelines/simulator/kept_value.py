"""What a kept customer adds, by what the kept do next (`parameters.KEPT`): in the lifetime and in the horizon.

With clv and R = E[clv; leaves in the horizon] given the stage on the day, and p the probability to leave in it:

    another-future   (clv − R) / (1 − p) − R / p          one who stays, less one who leaves
    fresh-start      (clv' − R') / (1 − p') − R / p       ' is of the same customer, engaged on the day
    one-order        the contribution of one order, discounted from a day of the horizon: the rest comes anyway
"""

from math import log1p

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS
from pipelines.simulator import parameters
from pipelines.simulator.contract_payments import leavers_payments, leaving_probability, payments_due
from pipelines.simulator.customers import Customers
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE
from pipelines.simulator.parameters import FRESH_START, ONE_ORDER
from pipelines.simulator.service_costs import leavers_service_cost
from pipelines.simulator.silence import silence
from pipelines.simulator.worth import (
    contribution,
    expected_orders,
    expected_value,
    lifetime_value,
    order_margin,
    refunded,
)


def leaving(customers: Customers, stage: Integers, *, day: float) -> tuple[Floats, Floats]:
    """p and R of each customer: the probability of churn in the horizon, and E[clv; churn in it] in currency units."""
    horizon, lifetime = parameters.HORIZON_DAYS, parameters.LIFETIME_DAYS
    rate = parameters.ANNUAL_DISCOUNT_RATE
    served = leavers_service_cost(customers, stage, day=day, days=horizon, annual_rate=rate)
    if customers.world.contract is not None:
        p = leaving_probability(customers, stage, day=day, days=horizon)
        paid = leavers_payments(customers, stage, day=day, days=horizon, annual_rate=rate)
        return p, contribution(customers) * paid - served
    silent = silence(customers, stage, day=day, days=horizon)
    discount = (1 + rate) ** (-horizon / YEAR_DAYS)
    later = -served
    for then, likely in ((ENGAGED, silent.engaged), (COOLING, silent.cooling)):
        worth = lifetime_value(customers, np.full(len(customers), then), day=day + horizon, days=lifetime - horizon)
        later += discount * likely * worth
    return silent.total, later


def kept_value(
    customers: Customers, stage: Integers, *, day: float, p: Floats, clv: Floats, leavers_value: Floats
) -> Floats:
    """The discounted lifetime margin that each customer adds if kept; 0 for those who are gone.

    p, leavers_value: of `leaving`; clv: after costs to serve, currency units.
    """
    alive = stage != GONE
    if customers.world.kept == ONE_ORDER:
        span = log1p(parameters.ANNUAL_DISCOUNT_RATE) * parameters.HORIZON_DAYS / YEAR_DAYS
        return np.where(alive, contribution(customers) * (1 - np.exp(-span)) / span, 0.0)
    stays, stayers_value = 1 - p, clv - leavers_value
    if customers.world.kept == FRESH_START:
        engaged = np.full(len(customers), ENGAGED)
        leaves, left_value = leaving(customers, engaged, day=day)
        stays = 1 - leaves
        stayers_value = lifetime_value(customers, engaged, day=day, days=parameters.LIFETIME_DAYS) - left_value
    return _ratio(stayers_value, stays, alive) - _ratio(leavers_value, p, alive)


def kept_in_horizon(customers: Customers, true: pd.DataFrame, *, day: float) -> tuple[Floats, Floats]:
    """Orders and margin that each customer adds in the horizon if kept; any number for those who are gone.

    true: of truth.py. Who stays brings E[orders] / (1 − p) where leavers bring nothing. Under a contract who stays
    makes all n payments, and a leaver (E[payments] − (1 − p) n) / p of them: a difference of (n − E[payments]) / p.
    """
    days = parameters.HORIZON_DAYS
    if customers.world.kept == ONE_ORDER:
        in_time = 1 - np.mean(parameters.REFUND_LAG_DAYS) / days
        return np.ones(len(customers)), order_margin(customers) * (1 - refunded(customers) * in_time)
    p, alive = true["churn_probability"].to_numpy(), true["alive"].to_numpy()
    orders, margin = true["expected_orders"].to_numpy(), true["expected_value"].to_numpy()
    if customers.world.contract is not None:
        missed = (payments_due(customers, day=day, days=days) - orders) / p
        return missed, order_margin(customers) * missed
    if customers.world.kept == FRESH_START:
        engaged = np.full(len(customers), ENGAGED)
        p = silence(customers, engaged, day=day, days=days).total
        orders, margin = (
            expected(customers, engaged, day=day, days=days) for expected in (expected_orders, expected_value)
        )
    return _ratio(orders, 1 - p, alive), _ratio(margin, 1 - p, alive)


def _ratio(above: Floats, below: Floats, where: NDArray[np.bool_]) -> Floats:
    return np.divide(above, below, out=np.zeros(len(above)), where=where)
