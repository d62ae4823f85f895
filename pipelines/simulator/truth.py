"""True values of each customer on a day, given all there is to know: their rates, their stage, their mean order.

    stay               p = P(no order in the horizon)                                       silence.py
    value              margin expected in the horizon                                       worth.py
    clv                discounted margin expected in the lifetime, after costs to serve     worth.py
    kept_value         clv of one who orders in the horizon, less clv of one who does not:
                       W = (clv − R) / (1 − p) − R / p, R = E[clv after the horizon; silent in it],
                       or what else the kept do                                             kept_value.py
    gain               p W for those who are not gone: what saving them would add           models/keeping/keeping.py
    effect of an offer τ = p · s, s the probability that it keeps a would-be leaver         contact_response.py
    profit of an offer τ (W − d) − (1 − p) r d − c, with incentive d, contact c, r redeems

Under a contract (contract_payments.py) p = P(leaves in the horizon), W is the clv of one who does not leave in it less
that of one who does, R = E[what they pay until they leave; leave in the horizon], and the rest is the same.

Otherwise R is the sum over the stages at the end of the horizon of P(silent, stage) times the value of the rest of the
lifetime from that stage, discounted, less what serving the silent costs in the horizon (service_costs.py). The formula
of the profit is that of `retention.economics.profit` with W for the customer's CLV: the value of keeping a customer is
not their CLV, which counts the chance that they leave already, and counts as lost what a silent customer buys later.
"""

import numpy as np
import pandas as pd

from features.arrays import Integers
from pipelines.simulator import parameters
from pipelines.simulator.contact_response import keeps, redeems
from pipelines.simulator.customers import Customers
from pipelines.simulator.kept_value import kept_value, leaving
from pipelines.simulator.lifetimes import GONE, STAGE_NAMES
from pipelines.simulator.worth import expected_orders, expected_value, lifetime_value


def truth(customers: Customers, stage: Integers, *, day: float) -> pd.DataFrame:
    """A row per customer, in their order: kind, stage, alive, churn_probability, expected_orders, expected_value, clv,
    savable_probability, kept_value and gain (0 for those who are gone), responsive, and of each offer keeps_, redeems_,
    effect_ and profit_.

    Money in currency units over the horizon and lifetime of `parameters`.
    """
    horizon, lifetime = parameters.HORIZON_DAYS, parameters.LIFETIME_DAYS
    p, leavers_value = leaving(customers, stage, day=day)
    clv = lifetime_value(customers, stage, day=day, days=lifetime)
    alive = stage != GONE
    savable = np.where(alive, p, 0.0)
    kept = kept_value(customers, stage, day=day, p=p, clv=clv, leavers_value=leavers_value)
    values = {
        "kind": np.array([kind.name for kind in customers.world.kinds])[customers.kind],
        "stage": np.array(STAGE_NAMES)[stage],
        "alive": alive,
        "churn_probability": p,
        "expected_orders": expected_orders(customers, stage, day=day, days=horizon),
        "expected_value": expected_value(customers, stage, day=day, days=horizon),
        "clv": clv,
        "savable_probability": savable,
        "kept_value": kept,
        "gain": savable * kept,
        "responsive": customers.responsive,
    }
    for offer in parameters.OFFERS:
        saved, redeemed = keeps(customers, stage, offer), redeems(customers, stage, offer)
        effect = savable * saved
        values |= {
            f"keeps_{offer.name}": saved,
            f"redeems_{offer.name}": redeemed,
            f"effect_{offer.name}": effect,
            f"profit_{offer.name}": effect * (kept - offer.incentive_cost)
            - (1 - p) * redeemed * offer.incentive_cost
            - offer.contact_cost,
        }
    return pd.DataFrame(values)
