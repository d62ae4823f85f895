"""The judgement of lifetime values: totals, ranking and bands recounted by hand."""

import numpy as np
import pytest

from models.evaluation.interval_places import IntervalPlaces, interval_places
from models.evaluation.lifetime_metrics import LifetimeEnds, bands, judge

RNG = np.random.default_rng(3)
CAME = RNG.gamma(0.3, 100, 500) * (RNG.random(500) < 0.6)
RISK, SILENT = RNG.random(500), RNG.integers(0, 1000, 500).astype(float)
TOLD = {"right": CAME.copy(), "twice": 2 * CAME, "blind": np.full(500, CAME.mean())}
ENDS = LifetimeEnds(np.where(RISK < 0.2, 5.0, 0.0), np.where(RISK < 0.9, 120.0, 0.0), np.clip(RISK, 0.05, 0.97))
HOW = {"ends": ENDS, "churn_probability": RISK, "recency_days": SILENT, "resamples": 50, "seed": 1, "confidence": 0.95}


@pytest.fixture(scope="module")
def judged():
    return judge(CAME, TOLD, **HOW)


def test_totals_and_ranking_are_those_of_the_definitions(judged):
    bias = {name: metrics["total_bias"]["value"] for name, metrics in judged["models"].items()}
    assert bias == pytest.approx({"right": 0, "twice": 1, "blind": 0}, abs=1e-12)
    assert judged["models"]["twice"]["normalized_gini"]["value"] == pytest.approx(1)
    assert judged["models"]["blind"]["normalized_gini"]["value"] == pytest.approx(0, abs=1e-12)
    assert judged["models"]["twice"]["mae"]["value"] == pytest.approx(CAME.mean())
    assert (judged["customers"], judged["came"]) == (500, pytest.approx(CAME.sum()))


def test_intervals_hold_the_spread_of_resampled_customers(judged):
    blind = judged["models"]["blind"]["total_bias"]
    draws = np.random.default_rng(9)
    means = [CAME.mean() / CAME[draws.integers(500, size=500)].mean() - 1 for _ in range(2000)]
    low, high = np.quantile(means, [0.025, 0.975])
    assert (blind["low"], blind["high"]) == (pytest.approx(low, abs=0.1), pytest.approx(high, abs=0.1))


@pytest.mark.parametrize(("by", "name"), [(RISK, "risk"), (SILENT, "silence")])
def test_bands_hold_every_customer_once(judged, by, name):
    rows = judged[name]
    assert sum(row["customers"] for row in rows) == 500
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    for row in rows:
        inside = (by >= row["from"]) & (by < (np.inf if row["to"] is None else row["to"]))
        assert row["customers"] == inside.sum()
        assert row["ratio"]["twice"] == pytest.approx(2)
        assert row["ratio"]["blind"] == pytest.approx(CAME.mean() * inside.sum() / CAME[inside].sum())


def test_coverage_is_that_of_all_and_of_the_customers_of_each_band(judged):
    places = interval_places(CAME, *ENDS)
    assert judged["coverage"] == pytest.approx({name: part.mean() for name, part in places._asdict().items()})
    assert sum(judged["coverage"].values()) == pytest.approx(1)
    for by, name in ((RISK, "risk"), (SILENT, "silence")):
        for row in judged[name]:
            inside = (by >= row["from"]) & (by < (np.inf if row["to"] is None else row["to"]))
            assert row["coverage"]["above"] == pytest.approx(places.above[inside].mean())


INSIDE = IntervalPlaces(np.zeros(3), np.ones(3), np.zeros(3))


def test_the_last_edge_is_inside_and_a_band_that_brought_nothing_has_no_ratio():
    rows = bands(np.array([0.0, 0.5, 1.0]), (0.0, 0.5, 1.0), np.array([1.0, 0.0, 0.0]), {"told": np.ones(3)}, INSIDE)
    assert [row["customers"] for row in rows] == [1, 2]
    assert [row["ratio"]["told"] for row in rows] == [1.0, None]
