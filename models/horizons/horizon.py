"""Other horizons than the one a model is made for, each derived from its neighbour, so that none contradicts another.

The prediction of the main horizon H stays as it is. From H outwards, horizon h follows from its neighbour h':

    h < h'    P(order in h) = P(order in h') · s(x)           E(value in h) = E(value in h') · r(x)
    h > h'    P(none in h)  = P(none in h') · (1 − e(x))      E(value in h) = E(value in h') / r(x)

s, e and r lie in (0, 1) and are trees: of an order within h among those who ordered within h'; of one within h among
those who had not within h'; and of the shorter window's share of the longer one's value, weighted by the latter
(fractional logistic regression: Papke & Wooldridge 1996, Journal of Applied Econometrics 11). They learn what BG/NBD or
Pareto/NBD, which knows ages that no closed window has reached, and the season of the cut-off leave unexplained
(models/horizons/share_trees.py). So for every customer the probability of no order never rises with the horizon, the
expected value never falls with it, and the value given an order is one divided by the other. Under a contract the
probability of its end follows like that of an order.

Where the windows of h have not closed at enough cut-offs, or too few customers had either outcome, the log-odds and ln
of value are shifted by as much as BG/NBD or Pareto/NBD shifts them between h' and h for that customer; the end of a
contract then has the hazard it has within h'.

Limits: season and trend are those of H (models/ensemble/seasonal_calibration.py), and s, e and r know a season only by
halves and after a year of cut-offs: thirty quiet days have nearly their usual share of the ninety around them. Longer
horizons have the intervals of H at the same probability of ordering, since none of their windows had closed by the
validation fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel
from models.btyd.recency_frequency import History
from models.ensemble.baselines import purchase_history
from models.ensemble.intervals import Intervals
from models.ensemble.stacking import LogPrediction
from models.horizons.neighbour_ratios import neighbour_ratios
from models.horizons.share_trees import ShareTrees, days_since_1970
from models.trees import boosting

ORDER, VALUE, LEAVING = "order", "value", "leaving"


class HorizonPrediction(NamedTuple):
    """The prediction for each customer over one horizon, shape (rows,) each."""

    log_prediction: LogPrediction
    expected_orders: Floats
    """No less than the probability of one."""
    contract_end: Floats | None
    """The probability that the contract ends within the horizon; None without contracts."""
    value_p10: Floats
    """Currency units."""
    value_p90: Floats


@dataclass(frozen=True)
class Horizon:
    """One horizon and its derivation from its neighbour."""

    days: int
    neighbour_days: int
    """The next horizon on the way to the main one."""
    derivation: str
    """In words for people who decide: learned from how many cut-offs, or extended by which model."""
    shares: Mapping[str, ShareTrees]
    """`order` and `value`, or neither where the purchase model shifts them; `leaving` under a contract, if learned."""
    intervals: Intervals

    @property
    def is_shorter(self) -> bool:
        """True if it lies within its neighbour."""
        return self.days < self.neighbour_days

    def predict(
        self,
        neighbour: HorizonPrediction,
        data: boosting.Matrix,
        days: Floats,
        history: History,
        purchase_model: PurchaseModel,
    ) -> HorizonPrediction:
        """Predict from the neighbour's prediction; data: the rows' features, days: their days since 1970."""
        ratios = neighbour_ratios(self.days, self.neighbour_days, history, purchase_model)
        before = neighbour.log_prediction
        if ORDER in self.shares:
            share = self.shares[VALUE].predict(data, ratios.value_share, days)
            chance = self.shares[ORDER].predict(data, ratios.event, days)
            order, none = self._extend(expit(-before.log_odds), before.no_order, chance)
            log_odds = np.log(none) - np.log(order)
        else:
            share, log_odds = expit(ratios.value_share), before.log_odds + ratios.log_odds_shift
        ratio = share if self.is_shorter else 1 / share
        order = expit(-log_odds)
        prediction = LogPrediction(log_odds, np.log(before.expected_value * ratio) - np.log(order))
        low, high = self.intervals.interval(prediction)
        bound = np.minimum if self.is_shorter else np.maximum
        return HorizonPrediction(
            prediction,
            expected_orders=np.maximum(neighbour.expected_orders * ratio, order),
            contract_end=None if neighbour.contract_end is None else self._end(neighbour.contract_end, data, days),
            value_p10=bound(low, neighbour.value_p10),
            value_p90=bound(high, neighbour.value_p90),
        )

    def _extend(self, event: Floats, none: Floats, chance: Floats) -> tuple[Floats, Floats]:
        """The probabilities of an event within h and of none, from those of the neighbour and s or e."""
        if self.is_shorter:
            return event * chance, none + event * (1 - chance)
        return event + none * chance, none * (1 - chance)

    def _end(self, neighbour_end: Floats, data: boosting.Matrix, days: Floats) -> Floats:
        """The probability that the contract ends, from the neighbour's."""
        if LEAVING in self.shares:
            chance = self.shares[LEAVING].predict(data, np.zeros(len(days)), days)
            return self._extend(neighbour_end, 1 - neighbour_end, chance)[0]
        return -np.expm1(np.log1p(-neighbour_end) * self.days / self.neighbour_days)


def predict_horizons(
    horizons: Sequence[Horizon],
    main: HorizonPrediction,
    rows: pd.DataFrame,
    inputs: boosting.Inputs,
    *,
    main_days: int,
    purchase_model: PurchaseModel,
    data: boosting.Matrix | None = None,
) -> dict[int, HorizonPrediction]:
    """Predict the rows over each horizon, by its days; the main one first.

    data: the matrix of the rows, if it is at hand; no other prediction may be made from it.
    """
    predictions = {main_days: main}
    if not horizons:
        return predictions
    history, days = purchase_history(rows), days_since_1970(rows)
    data = boosting.matrix(rows, inputs) if data is None else data
    for horizon in horizons:
        neighbour = predictions[horizon.neighbour_days]
        predictions[horizon.days] = horizon.predict(neighbour, data, days, history, purchase_model)
    return predictions
