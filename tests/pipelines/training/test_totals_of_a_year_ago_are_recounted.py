"""What all customers brought in windows of the last year, and those known when a window began, recounted by pandas."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pipelines.training.year_ago_totals import year_ago_totals

AS_OF, FIRST = date(2024, 12, 1), date(2023, 11, 1)


@pytest.fixture(scope="module")
def orders():
    rng = np.random.default_rng(5)
    days = rng.integers(0, (AS_OF - FIRST).days + 60, 900)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 200, 900).astype(str),
            "ordered_at": [FIRST, *(FIRST + timedelta(days=int(day)) for day in days[1:])],
            "amount": rng.integers(100, 9900, 900) / 100,
        }
    )


def recounted(orders, day, length):
    at = pd.to_datetime(orders["ordered_at"]).dt.date
    inside = orders[(at >= day) & (at < day + timedelta(days=length))]
    known = inside[inside["customer_id"].isin(orders.loc[at < day, "customer_id"])]
    margins = [0.4 * rows["amount"].sum() for rows in (inside, known)]
    return inside["customer_id"].nunique(), margins[0], known["customer_id"].nunique(), margins[1]


def test_windows_are_recounted_and_none_is_open(read, orders):
    totals = year_ago_totals(read(orders).histories, as_of=AS_OF, horizon_days=60, first_cut_off=date(2024, 1, 1))
    assert AS_OF - timedelta(days=365) in totals.long
    assert AS_OF - timedelta(days=60) in totals.long
    for windows, length in ((totals.long, 60), (totals.short, 30)):
        assert max(windows) + timedelta(days=length) <= AS_OF
        for day, total in windows.items():
            assert total == pytest.approx(recounted(orders, day, length), abs=0.1)
    latest, before = totals.growth
    assert latest == pytest.approx(
        recounted(orders, AS_OF - timedelta(days=totals.growth_days), totals.growth_days), abs=0.1
    )
    assert totals.growth_days == 31, "the log begins so long before the same days last year"
    year_ago = AS_OF - timedelta(days=365 + totals.growth_days)
    assert before == pytest.approx(recounted(orders, year_ago, totals.growth_days), abs=0.1)


def test_a_shop_that_began_with_its_log_is_left_to_its_own_level(read):
    """Its customers come at a steady rate; in the other log most of them were there before."""
    rng = np.random.default_rng(6)
    joined = rng.integers(0, 390, 400)
    at = np.concatenate([joined, *(joined + rng.integers(0, 60, 400) for _ in range(3))])
    log = pd.DataFrame({"customer_id": np.tile(np.arange(400), 4).astype(str), "amount": 10.0})
    log["ordered_at"] = [FIRST + timedelta(days=int(day)) for day in at]
    log.loc[0, "ordered_at"] = FIRST
    terms = {"as_of": AS_OF, "horizon_days": 60, "first_cut_off": date(2024, 1, 1)}
    assert year_ago_totals(read(log).histories, **terms) is None


@pytest.mark.parametrize(
    ("as_of", "first_cut_off"),
    [(FIRST + timedelta(days=365 + 182), date(2024, 1, 1)), (date(2024, 9, 1), date(2024, 1, 1))],
    ids=["a cut-off has seen the season", "the log has no year"],
)
def test_nothing_is_told_where_it_is_known_or_cannot_be(read, orders, as_of, first_cut_off):
    histories = read(orders).histories
    assert year_ago_totals(histories, as_of=as_of, horizon_days=60, first_cut_off=first_cut_off) is None


def test_a_cut_off_of_a_young_log_has_not_seen_the_season(read, orders):
    """The customers known in the first months of a log order more often than those known later."""
    histories, early = read(orders).histories, date(2023, 12, 1)
    for days, is_told in ((181, True), (182, False)):
        as_of = FIRST + timedelta(days=365 + days)
        totals = year_ago_totals(histories, as_of=as_of, horizon_days=60, first_cut_off=early)
        assert (totals is not None) == is_told, days
