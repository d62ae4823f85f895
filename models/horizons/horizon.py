"""Other horizons than the one a model is made for, each derived from its neighbour, so that none contradicts another.

The opinion of the main horizon H stays as it is. From H outwards, horizon h follows from its neighbour h':

    h < h'    P(order in h) = P(order in h') · s(x)           E(value in h) = E(value in h') · r(x)
    h > h'    P(none in h)  = P(none in h') · (1 − e(x))      E(value in h) = E(value in h') / r(x)

s, e and r lie in (0, 1) and are trees: of an order within h among those who ordered within h'; of one within h among
those who had not within h'; and of the shorter window's share of what the longer one brought, weighted by the latter
(fractional logistic regression: Papke & Wooldridge 1996, Journal of Applied Econometrics 11). They learn what is left
when BG/NBD or Pareto/NBD has said its part, which knows ages that no closed window has seen, and the season of the
cut-off its own (models/horizons/share_trees.py). So for every customer the probability of no order never rises with
the horizon, the expected value never falls with it, and the value given an order is one divided by the other. Under a
contract the probability of its end follows like that of an order.

Where the windows of h have not closed at enough cut-offs, or too few customers tell, the log-odds and ln of value are
moved by as much as BG/NBD or Pareto/NBD moves between h' and h for that customer; the end of a contract then has
the hazard it has within h'.

Limits: season and trend are those of H (models/ensemble/seasonal_calibration.py), and s, e and r know a season only by halves
and after a year of cut-offs: thirty quiet days have nearly their usual share of the ninety around them. Longer horizons
have the spread of H at the same probability of ordering, since none of their windows had closed when the rehearsal was
judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from features.arrays import Floats
from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble.baselines import history
from models.ensemble.intervals import Intervals
from models.ensemble.stacking import CERTAIN, LogPrediction
from models.horizons import share_trees
from models.horizons.share_trees import Share
from models.trees import boosting

ORDER, VALUE, LEAVING = "order", "value", "leaving"

Shape = BGNBD | ParetoNBD
Past = tuple[Floats, Floats, Floats]
"""Frequency, recency and T in days, as BG/NBD and Pareto/NBD know a customer; shape (rows,) each."""


class Foreseen(NamedTuple):
    """What is said of each customer over one horizon, shape (rows,) each."""

    said: LogPrediction
    orders: Floats
    """Expected orders: no less than the probability of one."""
    leaving: Floats | None
    """The probability that the contract ends within the horizon; None without contracts."""
    low: Floats
    """value_p10, currency units."""
    high: Floats
    """value_p90."""


@dataclass(frozen=True)
class Horizon:
    """How one horizon follows from its neighbour."""

    days: int
    beside: int
    """The neighbour, in days: the next one on the way to the main horizon."""
    how: str
    """What it was learnt from, in words for people who decide."""
    shares: Mapping[str, Share]
    """`order` and `value`, or neither where counting moves them; `leaving` under a contract, if it could be learnt."""
    spread: Intervals

    @property
    def is_shorter(self) -> bool:
        """Whether it lies within its neighbour."""
        return self.days < self.beside

    def follow(self, before: Foreseen, data: boosting.Matrix, days: Floats, past: Past, shape: Shape) -> Foreseen:
        """From the neighbour's; data: the rows' features, days: their days since 1970."""
        counted = count(self.days, self.beside, past, shape)
        if ORDER in self.shares:
            share = self.shares[VALUE].of(data, counted.share, days)
            chance = self.shares[ORDER].of(data, counted.event, days)
            order, none = self._carried(expit(-before.said.log_odds), before.said.no_order, chance)
            log_odds = np.log(none) - np.log(order)
        else:
            share, log_odds = expit(counted.share), before.said.log_odds + counted.shift
        ratio = share if self.is_shorter else 1 / share
        order = expit(-log_odds)
        said = LogPrediction(log_odds, np.log(before.said.expected_value * ratio) - np.log(order))
        low, high = self.spread.interval(said)
        towards = np.minimum if self.is_shorter else np.maximum
        return Foreseen(
            said,
            orders=np.maximum(before.orders * ratio, order),
            leaving=None if before.leaving is None else self._leaving(before.leaving, data, days),
            low=towards(low, before.low),
            high=towards(high, before.high),
        )

    def _carried(self, event: Floats, none: Floats, chance: Floats) -> tuple[Floats, Floats]:
        """The probabilities of an event within h and of none, from those of the neighbour and s or e."""
        if self.is_shorter:
            return event * chance, none + event * (1 - chance)
        return event + none * chance, none * (1 - chance)

    def _leaving(self, before: Floats, data: boosting.Matrix, days: Floats) -> Floats:
        if LEAVING in self.shares:
            return self._carried(before, 1 - before, self.shares[LEAVING].of(data, np.zeros(len(days)), days))[0]
        return -np.expm1(np.log1p(-before) * self.days / self.beside)


class Counted(NamedTuple):
    """What BG/NBD or Pareto/NBD says of h beside its neighbour h', shape (rows,) each."""

    event: Floats
    """The log-odds of s, or of e where h is the longer."""
    share: Floats
    """The log-odds of r: expected orders within the shorter over those within the longer."""
    shift: Floats
    """What is added to the log-odds of no order: 0 or more for a shorter h, 0 or less for a longer one."""


def count(days: int, beside: int, past: Past, shape: Shape) -> Counted:
    """Over `days` beside `beside`."""
    frequency, _, age = past
    near, far = sorted((days, beside))
    within, ever = (np.clip(shape.probability_of_order(span, *past), CERTAIN, 1 - CERTAIN) for span in (near, far))
    shift = np.maximum(logit(ever) - logit(within), 0)
    fewer, more = (shape.expected_orders_if_alive(span, frequency, age) for span in (near, far))
    event = within / ever if days < beside else (ever - within) / (1 - within)
    event, share = (logit(np.clip(part, CERTAIN, 1 - CERTAIN)) for part in (event, fewer / more))
    return Counted(event, share, shift if days < beside else -shift)


def outwards(main_days: int, days: Sequence[int]) -> list[tuple[int, int]]:
    """Each other horizon with its neighbour, nearest to the main one first: (days, beside).

    >>> outwards(90, [365, 30, 7, 90, 180])
    [(30, 90), (7, 30), (180, 90), (365, 180)]
    """
    shorter = sorted({one for one in days if one < main_days}, reverse=True)
    longer = sorted({one for one in days if one > main_days})
    return [(day, beside) for way in (shorter, longer) for beside, day in pairwise([main_days, *way])]


def follow(
    horizons: Sequence[Horizon],
    main: Foreseen,
    rows: pd.DataFrame,
    inputs: boosting.Inputs,
    *,
    main_days: int,
    shape: Shape,
    data: boosting.Matrix | None = None,
) -> dict[int, Foreseen]:
    """What is said of the rows over each horizon, by its days; the main one first.

    data: the rows as trees take them, if they are at hand; no other prediction may be made of it.
    """
    known = {main_days: main}
    if not horizons:
        return known
    past, days = history(rows), share_trees.days(rows)
    data = boosting.matrix(rows, inputs) if data is None else data
    for one in horizons:
        known[one.days] = one.follow(known[one.beside], data, days, past, shape)
    return known
