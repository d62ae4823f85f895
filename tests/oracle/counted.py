"""Costs to serve of futures, counted event by event."""

import numpy as np

from features.clock import YEAR_DAYS
from pipelines.simulator import parameters
from pipelines.simulator.interaction_events import KINDS, interactions

SERVED = [KINDS.index(kind) for kind in ("complaint", "support_ticket")]


def discount(after):
    """What is left of money so many days later."""
    return (1 + parameters.ANNUAL_DISCOUNT_RATE) ** (-after / YEAR_DAYS)


def service_costs(customers, lived, shop):
    """The discounted cost of the complaints and tickets of each lifetime."""
    asked = interactions(customers, lived.ended(shop.day + parameters.LIFETIME_DAYS), seed=shop.seed)
    served = np.isin(asked.kind, SERVED)
    cost = parameters.SERVICE_COST * discount(asked.at[served] - shop.day)
    return np.bincount(asked.lifetime[served], cost, minlength=len(lived))
