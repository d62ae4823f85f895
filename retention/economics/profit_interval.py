"""The 80 % interval of the profit of contacts: quantiles of what the plan does not know.

    profit = Σ over offers  S (κ W − I) − F

W: what the kept add, Σ τ w; I: the incentives of the kept, Σ τ d; F: what is spent in any case, Σ (1 − p) r d + c; all
as expected. S: the true save rate of an offer ÷ the assumed one, whose belief is a Beta distribution; κ: the true gain
÷ the expected one, log-normal on either side of its median, of mean 1 and as spread as it is believed to be
(models/keeping/worth_factor.py), common to all customers and offers, so that it does not average out. S and κ are taken
to be independent, and so are the S of different offers. Quantiles by Latin hypercube draws (McKay, Beckman & Conover
1979, Technometrics 21(2)), always the same ones.

Not in it: who of the contacted happens to leave, and a churn probability that is wrong for all.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from features.arrays import Floats
from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics.offers import Offer

DRAWS = 4096
SEED = 0
LOW, HIGH = 0.1, 0.9
GRID = 65


def interval(
    gross: Floats, incentives: Floats, fixed: Floats, offers: Sequence[Offer], *, worth: WorthFactor = PRIOR
) -> tuple[Floats, Floats]:
    """p10 and p90 of the profit of several lists, (lists,) each; the arguments are sums by list and offer.

    gross, incentives and fixed: W, I and F, currency units, shape (lists, offers).
    """
    saved = np.stack([_save_factors(offer, place) for place, offer in enumerate(offers)])
    profits = (gross @ saved) * _worth_factors(worth) - incentives @ saved - fixed.sum(axis=1, keepdims=True)
    low, high = np.quantile(profits, (LOW, HIGH), axis=1)
    return low, high


def interval_each(
    gross: Floats, incentives: Floats, fixed: Floats, offer: Offer, *, worth: WorthFactor = PRIOR
) -> tuple[Floats, Floats]:
    """p10 and p90 of the expected profit of each customer who is contacted with one offer, (customers,) each.

    Of all customers alike in I ÷ (W + I), looked up on a grid of it.
    """
    whole = gross + incentives
    share = np.divide(incentives, whole, out=np.zeros(len(whole)), where=whole > 0)
    at = np.linspace(0, 1, GRID)[:, None]
    ends = np.quantile(_save_factors(offer, 0) * (_worth_factors(worth) * (1 - at) - at), (LOW, HIGH), axis=1)
    low, high = (whole * np.interp(share, at[:, 0], end) - fixed for end in ends)
    return low, high


def _worth_factors(worth: WorthFactor) -> Floats:
    """Draws of κ, whose mean is 1."""
    normal = stats.norm.ppf(_levels(0))
    factors = np.exp(normal * np.where(normal < 0, worth.spread_below, worth.spread_above))
    return np.asarray(factors / factors.mean())


def _save_factors(offer: Offer, place: int) -> Floats:
    """Draws of the true save rate ÷ the assumed one; 1 where the save rate is 0 or 1 for certain."""
    belief = offer.save_rate_belief
    if belief is None:
        return np.ones(DRAWS)
    return np.asarray(stats.beta.ppf(_levels(place + 1), belief.alpha, belief.beta) / offer.save_rate_mean)


def _levels(number: int) -> Floats:
    """The middles of equal parts of (0, 1), in an order of their own for each number."""
    return (np.random.default_rng([SEED, number]).permutation(DRAWS) + 0.5) / DRAWS
