"""The day of the next order: the formula inverted by bisection, the scores it must agree with, and made-up shoppers
whose gaps are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import brentq

from models.btyd.bgnbd import BGNBD
from models.evaluation import next_order_metrics
from models.evaluation.next_order_metrics import NextOrderDays
from models.lifetime import next_order
from models.lifetime.next_order import Rhythm, median_day

PURCHASES = BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0)
RHYTHM = Rhythm(gap_days=40.0, variation=0.5)
SPAN = {"horizon_days": 90.0, "lifetime_days": 1095.0}


def frame_of(repeats, silent, age, std=np.nan):
    repeats, silent, age = (np.asarray(column, dtype=float) for column in (repeats, silent, age))
    return pd.DataFrame({"repeat_orders": repeats, "recency_days": silent, "tenure_days": age, "gap_std_days": std})


FRAME = frame_of([0, 1, 5, 40, 3], [30.0, 10, 4, 900, 0], [30.0, 60, 200, 1300, 30], [np.nan, np.nan, 12, 3, 2])
NO_ORDER = np.array([0.7, 0.45, 0.05, 0.98, 0.5])
NOTHING = np.array([0.4, 0.2, 0.01, 0.95, 0.5])


def probability(t, row, rhythm=RHYTHM):
    """Of an order within t, written out."""
    x, silent, age, std = FRAME.loc[row, ["repeat_orders", "recency_days", "tenure_days", "gap_std_days"]]
    gap = (age - silent + 2 * rhythm.gap_days) / (x + 2)
    weight = max(x - 1, 0) if np.isfinite(std) else 0
    own = std * x / (age - silent) if weight else 0.0
    variation = (weight * own**2 + 4 * rhythm.variation) / (weight + 4) * (1 + 1 / (x + 2))
    shape = np.clip(1 / variation, 0.3, 100)
    shape = min(shape, 500 * gap / (silent + 90))
    law = stats.gamma(shape, scale=gap / shape)
    w = [1 - law.sf(silent + days) / law.sf(silent) for days in (t, 90, 1095)]
    near, far = 1 - NO_ORDER[row], max(1 - NOTHING[row], 1 - NO_ORDER[row])
    return near * w[0] / w[1] if t <= 90 else near + (far - near) * (w[0] - w[1]) / max(w[2] - w[1], 1e-300)


def predicted(rhythm=RHYTHM, frame=FRAME, no_order=NO_ORDER, nothing=NOTHING, **more):
    return next_order.predict(rhythm, frame, PURCHASES, no_order=no_order, nothing=nothing, **SPAN, **more)


def test_each_day_is_that_of_the_formula():
    for share, days in zip((0.1, 0.5, 0.9), predicted(), strict=True):
        for row in range(len(FRAME)):
            if share > max(1 - NOTHING[row], 1 - NO_ORDER[row]):
                assert np.isnan(days[row])
            elif share < 1 - NO_ORDER[row]:
                expected = brentq(lambda t, row=row, share=share: probability(t, row) - share, 0, 90)
                assert days[row] == pytest.approx(expected, rel=1e-6, abs=1e-6)
            elif row != 3:  # of whom all that is left after the horizon is less than a bit
                expected = brentq(lambda t, row=row, share=share: probability(t, row) - share, 90, 1095)
                assert days[row] == pytest.approx(expected, rel=1e-6)


def test_the_median_lies_within_the_horizon_exactly_where_an_order_is_as_likely_as_not():
    rng = np.random.default_rng(2)
    count = 5000
    age = rng.uniform(1, 1500, count)
    frame = frame_of(rng.poisson(4, count), age * rng.random(count), age, rng.uniform(0, 60, count))
    no_order = np.where(rng.random(count) < 0.1, 0.5, rng.random(count))
    nothing = no_order * rng.random(count)
    for rhythm in (RHYTHM, Rhythm(3.0, 0.01), None):
        low, median, high = predicted(rhythm, frame, no_order, nothing)
        day = median_day(median, as_of=np.full(count, "2025-01-01", "datetime64[s]"))
        within = day < np.datetime64("2025-01-01") + 90
        np.testing.assert_array_equal(within, no_order <= 0.5)
        np.testing.assert_array_equal(np.isnat(day), nothing > 0.5)
        assert (low <= median)[~np.isnan(median)].all()
        assert (median <= high)[~np.isnan(high)].all()
        assert np.nanmin(low) >= 0
        assert np.nanmax(high) <= 1095


def test_customers_who_cannot_be_gapped_have_a_day_too():
    """Two orders at one moment, silence a thousandfold the gap, the clock's grain: finite, in order."""
    frame = frame_of([1, 9, 200, 0], [5.0, 4000, 0.001, 0], [5.0, 4001, 400, 0])
    nobody = np.full(4, 0.01)
    for rhythm in (RHYTHM, None):
        days = np.array(predicted(rhythm, frame, nobody + 0.04, nobody))
        assert np.isfinite(days).all()
        assert (np.diff(days, axis=0) >= 0).all()


def shoppers(seed, shape):
    """Who order at gamma gaps of their own mean, never leaving: what is known on a day, and the days until the next."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(3000):
        mean = rng.gamma(6, 7)
        times = np.cumsum(rng.gamma(shape, mean / shape, 200))
        now = rng.uniform(200, 400)
        past, after = times[times < now], times[times >= now]
        if len(past) and len(after):
            gaps = np.diff(past)
            std = gaps.std(ddof=1) if len(gaps) > 1 else np.nan
            rows.append((len(past) - 1, now - past[-1], now - past[0], std, after[0] - now))
    table = np.array(rows)
    return frame_of(*table.T[:4]), table[:, 4]


@pytest.mark.parametrize("shape", [1.0, 6.0])
def test_eight_of_ten_made_up_shoppers_order_within_their_interval(shape):
    known, came = shoppers(1, shape)
    rhythm = next_order.fit(known)
    last = known["tenure_days"] - known["recency_days"]
    assert rhythm.gap_days == pytest.approx(last.sum() / known["repeat_orders"].sum())
    assert rhythm.variation == pytest.approx(1 / shape, rel=0.35)
    frame, came = shoppers(2, shape)
    silence = np.full(len(frame), float((came >= 90).mean()))
    days = NextOrderDays(*predicted(rhythm, frame, silence, np.zeros(len(frame))), np.zeros(len(frame)))
    judged = next_order_metrics.judge(came, days, np.full(len(frame), 40.0))
    assert judged["expected"] == 1
    assert judged["coverage"]["inside"] == pytest.approx(0.8, abs=0.05)
    assert judged["coverage"]["below"] == pytest.approx(0.1, abs=0.04)
    assert judged["errors"]["stayworth"]["mean"] < judged["errors"]["last_plus_gap"]["mean"]


def test_who_is_regular_is_told_within_days_and_who_is_not_is_not():
    regular, irregular = (
        predicted(RHYTHM, frame_of([12], [10.0], [250.0], [std]), np.array([0.05]), np.array([0.01]))
        for std in (1.0, 20)
    )
    assert regular[1][0] == pytest.approx(20 * 0.8 - 6, abs=6)
    assert regular[2][0] - regular[0][0] < 0.75 * (irregular[2][0] - irregular[0][0])


def test_nobody_who_has_ordered_twice_is_no_rhythm():
    assert next_order.fit(frame_of([0, 0], [5.0, 9], [5.0, 9])) is None


def test_errors_and_coverage_by_hand():
    nan = np.nan
    days = NextOrderDays(
        np.array([5.0, 5, nan, 5]),
        np.array([20.0, 20, nan, 20]),
        np.array([60.0, nan, nan, 60]),
        np.array([0.05, 0.4, 0.7, 0]),
    )
    judged = next_order_metrics.judge(np.array([30.0, nan, 8, 2]), days, np.array([25.0, 1, 1, nan]))
    assert judged["expected"] == 0.75
    assert judged["coverage"] == pytest.approx({"below": 1 / 3, "inside": (1 + 0.75) / 3, "above": 0.25 / 3})
    assert judged["compared"] == 1
    assert judged["errors"]["stayworth"] == {"mean": 10, "median": 10}
    assert judged["errors"]["last_plus_gap"] == {"mean": 5, "median": 5}
    nobody = NextOrderDays(*np.full((3, 2), nan), np.ones(2))
    assert next_order_metrics.judge(np.array([1.0, nan]), nobody, np.ones(2))["coverage"]["inside"] is None
