"""Who can be saved and what saving them adds: two columns of the scores.

    savable    q = P(silent within the horizon, and alive): whom a contact can keep
    gain       g = E[1(silent, alive) · K − 1(silent) · later]: what one order within the horizon that would not have
               come otherwise adds to a customer's discounted lifetime margin, currency units

K: the lifetime value of a customer in that state who only just stayed; later: what the silent bring after the horizon
all the same. Both are one joint expectation. A product of a churn probability and a lifetime value is not: who is about
to leave is worth little, and who is worth much is not about to leave (docs/decisions/0016). Under a contract, to be
silent is to end it, and all who do so can be saved.

Those likeliest to leave are not those whom a contact keeps: Ascarza (2018), Retention Futility, Journal of Marketing
Research 55(1). The value that a contact changes: Lemmens & Gupta (2020), Managing Churn to Maximize Profits, Marketing
Science 39(5). Wrong where contacts change more than one order (models/keeping/fit_keeping.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from features.arrays import Floats
from models.keeping.worth_factor import CENTRE
from models.lifetime.lifetime_trees import raw
from models.trees import boosting

ONE_ORDER = "the log is too short to see what customers bring who only just stayed: a gain is the margin of one order"


@dataclass(frozen=True)
class Keeping:
    """Fitted trees of who can be saved, and of the gain."""

    savable: boosting.Booster
    """Trees of the log-odds of being silent within the horizon and alive."""
    gain: boosting.Booster
    """Trees of the gain in margins of one order."""
    most: float
    """The most that one saved customer adds, in margins of one order."""
    doubts: tuple[str, ...] = ()
    """What a reader of the gains should know, a sentence each."""

    def predict(
        self, data: boosting.Matrix, *, churn_probability: Floats, order_margin: Floats
    ) -> tuple[Floats, Floats]:
        """savable_probability, at most the churn probability, and gain, currency units of 0 or more; (rows,) each.

        order_margin: of one expected order, currency units.
        """
        savable, orders = self._limited(data, raw(self.gain, data), churn_probability)
        return savable, CENTRE * orders * np.maximum(order_margin, 0)

    def gain_contributions(
        self, data: boosting.Matrix, *, churn_probability: Floats, order_margin: Floats
    ) -> tuple[Floats, Floats]:
        """What each feature adds to the gain, (rows, features), and what the limits do, (rows,); currency units.

        The trees' exact contributions, times the margin of one order: with those of a customer with the same margin of
        whom nothing is known, they add up to the gain before it is limited to 0 and to what saving them can add.
        """
        parts = boosting.contributions(self.gain, data).astype(np.float64)
        unlimited = parts.sum(axis=1)
        money = CENTRE * np.maximum(order_margin, 0)
        limited = self._limited(data, unlimited, churn_probability)[1]
        return parts[:, :-1] * money[:, None], (limited - unlimited) * money

    def _limited(self, data: boosting.Matrix, gain: Floats, churn_probability: Floats) -> tuple[Floats, Floats]:
        """savable_probability, and the gain in margins of one order, at most what saving all who can be saved adds."""
        savable = np.minimum(expit(raw(self.savable, data)), churn_probability)
        return savable, np.clip(gain, 0, self.most * savable)


def one_order(
    *, alive: Floats, probability_of_order: Floats, churn_probability: Floats, order_margin: Floats
) -> tuple[Floats, Floats]:
    """The same without a fitted model: a saved customer adds the margin of one order.

    alive, probability_of_order: by a purchase model, now and within the horizon; under a contract 1 and that of
    staying.
    """
    savable = np.clip(alive - probability_of_order, 0, churn_probability)
    return savable, savable * np.maximum(order_margin, 0)
