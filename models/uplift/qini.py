"""The Qini curve: the effect of treating the customers ranked highest, by the share of customers treated.

G(φ) is the sum over the best-scored share φ of the customers' effects (`Experiment.effects`), per customer of the
whole population and in units of the outcome. So G(1) is the mean effect, and treating as many at random gives φ G(1).

    Qini = ∫ (G(φ) - φ G(1)) dφ

Source: Radcliffe (2007), Using Control Groups to Target on Predicted Lift, Direct Marketing Analytics Journal. His
counts of treated and control responses become sums weighted by the known propensities, and the area is left in units
of the outcome: his division by the area of a perfect ranking has no meaning for amounts. The area is that by
trapezoids. Customers with equal scores share their places, so that treating everybody, or nobody, is 0 exactly.
`weights` is how often each customer counts (1 if None), or a stack of such rows; results then have a row for each.
"""

from __future__ import annotations

import numpy as np

from features.arrays import Floats
from models.evaluation.ranking import captured_totals, ranked_totals


def qini(effects: Floats, score: Floats, weights: Floats | None = None) -> Floats:
    """The area between the curve and the diagonal: above 0 if customers with high scores gain most."""
    customers, held = ranked_totals(score, weights, np.ones_like(score), effects)
    everyone = customers.sum(-1, keepdims=True)
    place = (np.cumsum(customers, -1) - customers / 2) / everyone
    return np.asarray((held * (0.5 - place)).sum(-1) / everyone[..., 0])


def mean_effect(effects: Floats, weights: Floats | None = None) -> Floats:
    """The effect of treating everybody, per customer: G(1)."""
    w = np.ones_like(effects) if weights is None else weights
    return np.asarray(w @ effects / w.sum(-1))


def qini_curve(effects: Floats, score: Floats, shares: Floats, weights: Floats | None = None) -> Floats:
    """G at each share (0 … 1) of the customers."""
    _, held = captured_totals(score, weights, shares, effects)
    everyone = len(score) if weights is None else weights.sum(-1)[..., None]
    return held / everyone
