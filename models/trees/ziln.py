"""The zero-inflated lognormal loss: a purchase and its amount, as three outputs of one model.

Wang, Liu & Miao (2019), arXiv:1912.07753, equation 3: the log loss of buying, and for those who bought the negative
log-likelihood of a lognormal. The outputs are the log-odds of buying, mu, and a free number from which sigma follows,
kept between two bounds where the paper only has the lower one: without an upper bound a single outlier makes
exp(sigma² / 2) explode.
"""

import numpy as np
from scipy.special import expit, logit

from models.trees.boosting import Objective

MIN_SIGMA, MAX_SIGMA = 0.1, 2.5
MIN_CURVATURE = 1e-6
"""The second derivatives are at least this: trees divide by their sum."""


def objective(target: np.ndarray) -> Objective:
    """The loss for targets of 0 (no purchase) or a positive amount; it starts at their overall share, mu and sigma."""
    bought = target > 0
    logs = np.log(target[bought])
    share = np.clip(bought.mean(), 1e-3, 1 - 1e-3)
    spread = np.clip(logs.std(), MIN_SIGMA + 0.1, MAX_SIGMA - 0.1)
    free = logit((spread - MIN_SIGMA) / (MAX_SIGMA - MIN_SIGMA))
    return Objective(gradient, (float(logit(share)), float(logs.mean()), float(free)))


def sigma(free: np.ndarray) -> np.ndarray:
    """Sigma of the third output: between `MIN_SIGMA` and `MAX_SIGMA`, rising.

    >>> float(sigma(np.array(0.0)).round(9))
    1.3
    """
    return MIN_SIGMA + (MAX_SIGMA - MIN_SIGMA) * expit(free)


def mean(outputs: np.ndarray) -> np.ndarray:
    """The expected amount of a buyer: exp(mu + sigma² / 2)."""
    return np.exp(outputs[:, 1] + sigma(outputs[:, 2]) ** 2 / 2)


def mean_slope(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Mean slope of sigma² / 2 between two values of the third output; where they are equal, its slope there."""
    step = end - start
    small = np.abs(step) < 1e-6
    free = expit(start)
    local_slope = sigma(start) * (MAX_SIGMA - MIN_SIGMA) * free * (1 - free)
    return np.where(small, local_slope, (sigma(end) ** 2 - sigma(start) ** 2) / 2 / np.where(small, 1.0, step))


def loss(outputs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Negative log-likelihood of each row, up to the term ln(target) + ln(2 pi) / 2, constant in the outputs."""
    bought = target > 0
    log_odds, mu, spread = outputs[:, 0], outputs[:, 1], sigma(outputs[:, 2])
    off = np.log(np.where(bought, target, 1.0)) - mu
    return np.logaddexp(0, log_odds) - bought * log_odds + bought * (np.log(spread) + off**2 / (2 * spread**2))


def gradient(outputs: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First derivatives of `loss`, and its expected second ones (Fisher information), which are never negative."""
    outputs, bought = outputs.astype(np.float64), target > 0
    chance, free = expit(outputs[:, 0]), expit(outputs[:, 2])
    spread = sigma(outputs[:, 2])
    slope = (MAX_SIGMA - MIN_SIGMA) * free * (1 - free)
    off = np.where(bought, np.log(np.where(bought, target, 1.0)) - outputs[:, 1], 0.0)
    first = np.column_stack([chance - bought, -off / spread**2, bought * (1 - off**2 / spread**2) * slope / spread])
    second = np.column_stack([chance * (1 - chance), bought / spread**2, bought * 2 * (slope / spread) ** 2])
    return first.astype(np.float32), np.maximum(second, MIN_CURVATURE).astype(np.float32)
