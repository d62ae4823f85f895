"""The ratios between two neighbouring horizons that BG/NBD or Pareto/NBD implies for each customer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logit

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel
from models.btyd.recency_frequency import History
from models.ensemble.stacking import PROBABILITY_CLIP


class NeighbourRatios(NamedTuple):
    """The ratios of a horizon h to its neighbour h', in the symbols of models/horizons/horizon.py; shape (rows,)."""

    event: Floats
    """The log-odds of s, or of e where h is the longer."""
    value_share: Floats
    """The log-odds of r: expected orders within the shorter over those within the longer."""
    log_odds_shift: Floats
    """Added to the log-odds of no order: 0 or more for a shorter h, 0 or less for a longer one."""


def neighbour_ratios(
    days: int, neighbour_days: int, history: History, purchase_model: PurchaseModel
) -> NeighbourRatios:
    """Compute the ratios of a horizon of `days` to one of `neighbour_days`."""
    frequency, _, age = history
    near, far = sorted((days, neighbour_days))
    within_near, within_far = (
        np.clip(purchase_model.probability_of_order(span, *history), PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
        for span in (near, far)
    )
    shift = np.maximum(logit(within_far) - logit(within_near), 0)
    orders_near, orders_far = (purchase_model.expected_orders_if_alive(span, frequency, age) for span in (near, far))
    event = within_near / within_far if days < neighbour_days else (within_far - within_near) / (1 - within_near)
    event, share = (
        logit(np.clip(part, PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)) for part in (event, orders_near / orders_far)
    )
    return NeighbourRatios(event, share, shift if days < neighbour_days else -shift)
