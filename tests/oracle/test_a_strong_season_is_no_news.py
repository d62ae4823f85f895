"""A simulated shop whose orders rise and fall by 60 % with the season, valued by one model on five days.

The lifetime is half a year, so that lifetime values swing with the season too. Known are the simulator's season, and
that its customers leave at a steady pace: what is left of the swing without the season is that pace.
"""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from features.ingest.build_histories import ingest
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring.clv_change import clv_steps
from models.scoring.scorer import predict
from models.trees import boosting
from pipelines.config import load
from pipelines.simulate import simulate
from pipelines.simulator.scenario import Scenario
from pipelines.simulator.season import season_integral
from pipelines.training.training_set import fit_model, training_set

pytestmark = pytest.mark.slow

END = date(2025, 1, 1)
DAYS = [date(2024, 1, 1), date(2024, 4, 1), date(2024, 7, 1), date(2024, 10, 1), END]
TERMS = Terms(horizon_days=90, currency="EUR", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=182)


def season_ahead(day):
    """The simulator's season over the half-year after a day, as a multiple of the yearly mean."""
    first = (day - date(1970, 1, 1)) / timedelta(days=1)
    return float(season_integral(first, first + 182, swing=0.6)) / 182


def test_the_season_takes_the_swing_and_leaves_a_steady_pace(tmp_path):
    shop = Scenario(customers=4000, days=730, seed=5, as_of=END, world_name="strong-season")
    simulate(tmp_path / "shop", shop, chunk_size=10_000, say=lambda _: None)
    histories = ingest(load(tmp_path / "shop" / "stayworth.toml").log, now_us=None).histories
    few = boosting.defaults(5000) | {"rounds": 40}
    model = fit_model(training_set(histories, TERMS, as_of=END), TERMS, Recipe(few, few, kind="gamma", seed=7))
    rows = {day: snapshot(histories, as_of=[day]).to_pandas(date_as_object=False) for day in DAYS}
    moves, news, ahead = [], [], []
    for first, last in pairwise(DAYS):
        before, now = (predict(model, rows[day]).set_index("customer_id")["clv"] for day in (first, last))
        is_known = rows[last]["customer_id"].isin(before.index).to_numpy()
        total = now.to_numpy()[is_known].sum()
        season = clv_steps(model, model, rows[last], since=first).season[is_known].sum()
        moves.append(np.log(total / before.sum()))
        news.append(np.log((total - season) / before.sum()))
        ahead.append(np.log(season_ahead(last) / season_ahead(first)))
    assert np.ptp(moves) > 0.5
    assert np.ptp(news) < 0.25 * np.ptp(moves)
    assert max(news) < 0
    assert np.subtract(moves, news) == pytest.approx(ahead, abs=0.2)
