"""The rows of the lattice, recounted: orders and margin of each window, and the same customer a year later."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from models.lifetime.lattice import YEARLY_FROM, lattice_of
from pipelines.training import lifetime_rows as module
from pipelines.training.lifetime_rows import lifetime_rows

AS_OF = date(2025, 1, 1)
FEATURES = ["recency_days", "orders", "spend_total"]


def shop(days: int, customers: int = 300, seed: int = 1) -> pd.DataFrame:
    """Orders of customers who join all the time, a day each."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day = rng.integers(0, days - 1)
        while day < days:
            amount = round(float(rng.gamma(2, 10)) + 1, 2)
            rows.append((f"c{number:04d}", AS_OF - timedelta(days=int(days - day)), amount))
            day += 1 + int(rng.exponential(40))
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    frame.loc[0, "ordered_at"] = AS_OF - timedelta(days=days)
    return frame


@pytest.mark.parametrize("days", [730, YEARLY_FROM * 31])
def test_windows_and_the_year_later_are_recounted(read, days):
    orders = shop(days)
    histories = read(orders).histories
    rows = lifetime_rows(histories, as_of=AS_OF, features=FEATURES)
    assert rows is not None
    lattice, frame = rows.lattice, rows.frame
    assert lattice.window_months == (3 if days == 730 else 12)
    at = pd.to_datetime(orders["ordered_at"])
    places = orders.groupby("customer_id").groups
    by_customer = {customer_id: (at[place], orders["amount"][place]) for customer_id, place in places.items()}
    for row in np.random.default_rng(2).choice(len(frame), 300, replace=False).tolist():
        back = int(rows.months_back[row])
        day = lattice.day(back)
        assert frame["as_of"][row].date() == day == AS_OF - timedelta(days=round(back * 365 / 12))
        times, amounts = by_customer[frame["customer_id"][row]]
        for window in range(lattice.near_windows):
            first = lattice.day(back - window * lattice.window_months)
            last = lattice.day(back - (window + 1) * lattice.window_months)
            if last > AS_OF:
                assert np.isnan(rows.orders[row, window])
                continue
            inside = (times >= pd.Timestamp(first)) & (times < pd.Timestamp(last))
            assert rows.orders[row, window] == inside.sum()
            assert rows.margin[row, window] == pytest.approx(0.4 * amounts[inside].sum(), abs=0.01)
        later = int(rows.year_later[row])
        if back < 12:
            assert later == -2
        else:
            assert frame["customer_id"][later] == frame["customer_id"][row]
            assert rows.months_back[later] == back - 12


def test_nothing_after_the_day_is_read(read):
    orders = shop(900)
    early = AS_OF - timedelta(days=170)
    whole = lifetime_rows(read(orders).histories, as_of=early, features=FEATURES)
    cut = orders[pd.to_datetime(orders["ordered_at"]) < pd.Timestamp(early)]
    alone = lifetime_rows(read(cut).histories, as_of=early, features=FEATURES)
    assert whole is not None
    assert alone is not None
    pd.testing.assert_frame_equal(whole.frame, alone.frame)
    np.testing.assert_array_equal(whole.orders, alone.orders)


def test_of_many_customers_some_are_drawn_with_all_their_cut_offs(read, monkeypatch):
    histories = read(shop(730, customers=400)).histories
    whole = lifetime_rows(histories, as_of=AS_OF, features=FEATURES)
    monkeypatch.setattr(module, "MOST_ROWS", 2_000)
    drawn = lifetime_rows(histories, as_of=AS_OF, features=FEATURES)
    assert whole is not None
    assert drawn is not None
    assert 1_000 < len(drawn.frame) < 3_000
    counts = whole.frame["customer_id"].value_counts()
    assert drawn.frame["customer_id"].value_counts().eq(counts).dropna().sum() == drawn.frame["customer_id"].nunique()


def test_a_short_log_a_small_one_and_a_single_cohort_have_none(read):
    assert lifetime_rows(read(shop(400)).histories, as_of=AS_OF, features=FEATURES) is None
    assert lifetime_rows(read(shop(730, customers=20)).histories, as_of=AS_OF, features=FEATURES) is None
    orders = shop(730)
    times = pd.to_datetime(orders["ordered_at"])
    shifted = times - times.groupby(orders["customer_id"]).transform("min") + times.min()
    cohort = orders.assign(ordered_at=shifted.dt.date)
    assert lifetime_rows(read(cohort).histories, as_of=AS_OF, features=FEATURES) is None


def test_the_lattice_has_months_windows_and_a_least_length():
    assert lattice_of(AS_OF - timedelta(days=540), as_of=AS_OF) is None
    lattice = lattice_of(AS_OF - timedelta(days=640), as_of=AS_OF)
    assert lattice is not None
    assert (lattice.window_months, lattice.near_windows, lattice.months_back) == (3, 4, 17)
    assert lattice.day(12) == AS_OF - timedelta(days=365)
    assert lattice.day(-12) == AS_OF + timedelta(days=365)
    long = lattice_of(AS_OF - timedelta(days=3650), as_of=AS_OF)
    assert long is not None
    assert (long.window_months, long.near_windows) == (12, 3)
