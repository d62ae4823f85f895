"""The calm of lifetime values: how far the total of known customers has moved since the model was made.

    move = ln(Σ CLV now ÷ Σ CLV on the day the model was made),  the same customers, one model, the season of that day

Customers age and leave, so the total moves in quiet times too: it is compared with its move between pairs of earlier
days as far apart (pipelines/monitoring/usual_drift.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.scoring.scorer import PredictedRows, Scorer, predict_lifetime


@dataclass(frozen=True)
class LifetimeMove:
    """Moves of the total, on the log scale."""

    customers: int
    """Known on the day the model was made."""
    move: float
    usual: tuple[float, ...]
    """Between the pairs of earlier days."""

    @property
    def beyond_usual(self) -> float:
        """The move less the mean of the usual ones."""
        return self.move - float(np.mean(self.usual))

    @property
    def usual_spread(self) -> float:
        """The farthest that a usual move lies from the mean of them."""
        return float(np.abs(np.subtract(self.usual, np.mean(self.usual))).max())

    @property
    def content(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"beyond_usual": self.beyond_usual, "usual_spread": self.usual_spread}


def lifetime_move(
    rows: Mapping[date, pd.DataFrame],
    model: Scorer,
    *,
    made: date,
    as_of: date,
    usual: Sequence[tuple[date, date]],
    weights: Floats,
) -> LifetimeMove | None:
    """The move from the day the model was made to `as_of`; None where a total is nothing.

    rows: feature rows of all these days. usual: pairs of days. weights: how many customers each row of `as_of` stands
    for; those who left count as nobody's but their own.
    """
    predicted = {day: model.predict_frame(frame) for day, frame in rows.items() if len(frame)}
    moves = [_move(predicted, model, *pair, weights=None) for pair in usual]
    known = [move for move in moves if move is not None]
    move = _move(predicted, model, made, as_of, weights=pd.Series(weights, rows[as_of]["customer_id"]))
    return None if move is None or not known else LifetimeMove(len(rows[made]), move, tuple(known))


def _move(
    predicted: Mapping[date, PredictedRows], model: Scorer, first: date, last: date, *, weights: pd.Series | None
) -> float | None:
    """The move between two days; None where one of them has no rows, or nothing in total."""
    if not {first, last} <= predicted.keys():
        return None
    before, now = (_values(model, predicted[day], season_of=first) for day in (first, last))
    of_known = now.reindex(before.index, fill_value=0.0)
    counts = 1.0 if weights is None else weights.reindex(before.index, fill_value=1.0)
    totals = [float((counts * values).sum()) for values in (before, of_known)]
    return float(np.log(totals[1] / totals[0])) if min(totals) > 0 else None


def _values(model: Scorer, predicted: PredictedRows, *, season_of: date) -> pd.Series:
    """Lifetime values by customer_id, in the season of a day."""
    return pd.Series(predict_lifetime(model, predicted, season_of=season_of).value, predicted.rows.frame["customer_id"])
