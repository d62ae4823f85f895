"""The whole model: feature rows in, probabilities and money out. What a bundle holds and a service serves.

members     trees, and BG/NBD or Pareto/NBD with Gamma-Gamma: each an opinion of every customer
blend       one opinion of them, its weights learnt on a cut-off that none of them was fitted on
level       moved to where the season and the trend put all customers of a day
intervals   the spread around it, learnt on that same cut-off
tail        how it fades beyond the horizon
horizons    the same over other horizons, derived so that none contradicts another
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from models.ensemble.base_learners import BaseLearners
from models.ensemble.baselines import history
from models.ensemble.business_terms import Terms
from models.ensemble.intervals import Intervals
from models.ensemble.seasonal_calibration import Level
from models.ensemble.stacking import Blend, LogPrediction
from models.horizons import horizon
from models.horizons.horizon import Foreseen, Horizon
from models.lifetime import clv as lifetime
from models.trees import boosting
from models.trees.churn import Churn
from models.trees.feature_matrix import Given, given


@dataclass(frozen=True)
class Example:
    """Rows of nobody, and what they scored when the model was made (models/scoring/self_test.py)."""

    as_of: str
    rows: dict[str, list[float | None]]
    """By feature; None where it is undefined."""
    scores: dict[str, list[float]]


@dataclass(frozen=True)
class Scorer:
    """A fitted model with all that it takes to score a row."""

    terms: Terms
    inputs: boosting.Inputs
    """Feature columns in the order the trees take them, with the names learnt where they are names."""
    members: BaseLearners
    blend: Blend
    level: Level
    intervals: Intervals
    tail: lifetime.Tail
    """The shape of buying beyond the horizon, for `clv`."""
    leaving: Churn | None = None
    """Under a contract, trees for its end; else who orders nothing has churned."""
    centre: tuple[float, float] = (0.0, 0.0)
    """The average log-odds of no order and ln of value, features and level taken off: where reasons begin."""
    horizons: tuple[Horizon, ...] = ()
    """The other horizons it is asked for, nearest to that of the terms first."""
    example: Example | None = None
    version: str = "unsaved"
    """The first digits of the bundle's hash."""

    def opinion(self, rows: pd.DataFrame) -> LogPrediction:
        """The blended opinion of each row at the level of its day."""
        return self.look_at(rows).said

    def look_at(self, rows: pd.DataFrame) -> View:
        """`view` of the rows of a frame with the features and `as_of`."""
        return self.view(given(rows, self.inputs))

    def view(self, these: Given) -> View:
        """The rows, their matrix and the opinion of each, for whoever needs all of them."""
        data = these.matrix(self.inputs)
        said = self.blend.of(self.members.opinions(these.rows, self.inputs, self.blend.members, data=data))
        return View(these, data, self.level.moved(said, as_of=these.as_of))


class View(NamedTuple):
    """Some rows, and what is said of them."""

    given: Given
    data: boosting.Matrix
    said: LogPrediction
    """At the level of each row's day."""


def predict(scorer: Scorer, rows: pd.DataFrame, *, horizon_days: int | None = None) -> pd.DataFrame:
    """The numbers of the scores, without reasons, over one horizon: that of the terms, or one of `Scorer.horizons`.

    Probabilities in (0, 1); expected_orders in orders; expected_value, value_p10, value_p90 and clv are margin in
    currency units, over the horizon and, the same for all horizons, the lifetime.
    """
    days = horizon_days or scorer.terms.horizon_days
    known = [scorer.terms.horizon_days, *(one.days for one in scorer.horizons)]
    if days not in known:
        raise InputError(
            f"the model looks {', '.join(str(one) for one in sorted(known))} days ahead, not {days}",
            where="horizon_days",
            next="Train it with this horizon among time.horizons.",
        )
    return by_horizon(scorer, scorer.look_at(rows), scorer.horizons if days != known[0] else ())[days]


def by_horizon(scorer: Scorer, view: View, others: Sequence[Horizon]) -> dict[int, pd.DataFrame]:
    """By horizon in days: that of the terms first, then the others from the shortest on."""
    rows = view.given.rows
    told = {"customer_id": rows["customer_id"], "as_of": rows["as_of"]}
    return {
        days: pd.DataFrame(told | {"horizon_days": np.full(len(rows), days, np.int32)} | numbers)
        for days, numbers in foreseen(scorer, view, others).items()
    }


def foreseen(scorer: Scorer, view: View, others: Sequence[Horizon]) -> dict[int, dict[str, Floats]]:
    """The numbers of `predict` by horizon in days, in the order of `by_horizon`; shape (rows,) each."""
    these, data, said = view
    terms, inputs, rows = scorer.terms, scorer.inputs, these.rows
    main = Foreseen(
        said,
        (1 - said.no_order) * scorer.members.value.orders_of(data),
        scorer.leaving.of(data) if scorer.leaving else None,
        *scorer.intervals.interval(said),
    )
    frequency, recency, age = history(rows)
    clv = lifetime.clv(
        said.expected_value,
        horizon_days=terms.horizon_days,
        lifetime_days=terms.lifetime_days,
        annual_discount_rate=terms.annual_discount_rate,
        tail=scorer.tail,
        frequency=frequency,
        recency=recency,
        T=age,
    )
    known = horizon.follow(
        others,
        main,
        rows.assign(as_of=these.as_of) if others else rows,
        inputs,
        main_days=terms.horizon_days,
        shape=scorer.tail.shape,
        data=these.matrix(inputs) if others else None,
    )
    return {
        days: {
            "churn_probability": one.said.no_order if one.leaving is None else one.leaving,
            "expected_orders": one.orders,
            "expected_value": one.said.expected_value,
            "value_p10": one.low,
            "value_p90": one.high,
            "clv": clv,
        }
        for days, one in sorted(known.items(), key=lambda item: (item[0] != terms.horizon_days, item[0]))
    }
