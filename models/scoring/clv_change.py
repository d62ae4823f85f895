"""What moves lifetime values without any news of the customers: the calendar, and another model.

    season   CLV of the customers of a day − CLV of the same customers, had the season of the earlier day held
    model    their CLV by the new model − that by the old one, on the same day

Features stay as they are on their day, with what the season made of recent orders taken out of them; only the season of
what lies ahead is another. As in models/scoring/score_change.py, the model is changed last: what customers did is
valued by the model that valued them before.
"""

from datetime import date
from typing import NamedTuple

import pandas as pd

from features.arrays import Floats
from models.scoring.scorer import Scorer, predict_lifetime


class ClvSteps(NamedTuple):
    """What is no news in the lifetime values of some customers, currency units, (rows,)."""

    season: Floats
    model: Floats


def clv_steps(old: Scorer, new: Scorer, rows: pd.DataFrame, *, since: date) -> ClvSteps:
    """The steps of season and model in feature rows of one day, since an earlier day that the old model scored."""
    predicted = old.predict_frame(rows)
    by_old = predict_lifetime(old, predicted).value
    season = by_old - predict_lifetime(old, predicted, season_of=since).value
    by_new = by_old if new is old else predict_lifetime(new, new.predict_frame(rows)).value
    return ClvSteps(season, by_new - by_old)
