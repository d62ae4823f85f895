"""CHECKS 6: features as known on a day, from today's log, are bit for bit those of the log as it stood that day."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.clock import microseconds
from features.ingest.build_histories import histories_of
from features.ingest.log import Log
from features.ingest.reading import reading
from features.snapshots.snapshot import snapshot

DAYS = [(8, 8), (15, 5), (15, 15), (31, 31), (31, 16), (60, 40)]
"""Days of `as_of` and of `known_at`, from the start."""


def known_before(rows, at, *, day, known):
    """The rows that had happened before the one day and were recorded before the other."""
    recorded = np.maximum(rows[at], rows["recorded_at"].fillna(rows[at])) if "recorded_at" in rows else rows[at]
    start = pd.Timestamp("2020-01-01")
    return rows[(rows[at] < start + pd.Timedelta(day, "D")) & (recorded < start + pd.Timedelta(known, "D"))]


def assert_as_known_then(rows_of, orders, interactions, days):
    for day, known in days:
        rows = rows_of(orders, interactions, day=day, known=known)
        then = rows_of(
            known_before(orders, "ordered_at", day=day, known=known),
            known_before(interactions, "at", day=day, known=known),
            day=day,
            known=known,
        )
        assert len(rows) > 50
        assert rows.equals(then), f"as of day {day}, known at day {known}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_whatever_was_recorded_late(crowd, rows_of, seed):
    assert_as_known_then(rows_of, *crowd(seed), DAYS)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_refunds_of_late_lines_are_matched_by_product_as_they_were_then(crowd, rows_of, seed):
    """Without order ids, of one product or none, every refund looks for its line among many alike."""
    orders, interactions = crowd(100 + seed, products=("mug",) if seed else ("mug", "hat"))
    orders["order_id"] = orders["order_id"].where(np.random.default_rng(seed).random(len(orders)) < 0.2)
    assert_as_known_then(rows_of, orders, interactions, DAYS)


@pytest.mark.parametrize("column", ["order_id", "product_id"])
def test_refunds_of_late_lines_without_ids(crowd, rows_of, column):
    orders, interactions = crowd(200)
    assert_as_known_then(rows_of, orders.assign(**{column: pd.Series(pd.NA, dtype="string")}), interactions, DAYS)


def test_lines_and_refunds_on_later_days_without_recording_times(crowd, rows_of):
    orders, interactions = crowd(300, late=False)
    assert_as_known_then(rows_of, orders, interactions, [(8, 8), (15, 15), (15, 9), (31, 31)])


@pytest.mark.parametrize(("day", "known"), [(8, 20), (15, 31), (31, 60)])
def test_what_became_known_after_as_of_about_what_came_before_it(crowd, day, known):
    as_of, known_at = (date(2020, 1, 1) + timedelta(days=one) for one in (day, known))

    def rows_of(orders, interactions):
        log = Log(orders, interactions=interactions, currency="USD", gross_margin=0.4, timezone="UTC")
        with reading(log, now_us=None, before_us=microseconds(as_of)) as opened:
            histories, _ = histories_of(opened, "usable_orders", "usable_interactions")
        return snapshot(histories, as_of=[as_of], known_at=known_at).to_pandas()

    orders, interactions = crowd(day)
    then = rows_of(
        known_before(orders, "ordered_at", day=day, known=known),
        known_before(interactions, "at", day=day, known=known),
    )
    assert rows_of(orders, interactions).equals(then)
