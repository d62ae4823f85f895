"""CHECKS 5 and 6: nothing at or after `as_of` moves a feature, and what was known then can be rebuilt."""

from datetime import date

import numpy as np
import pandas as pd

from features.clock import DAY, microseconds
from features.snapshots.snapshot import snapshot

AS_OF = date(1997, 10, 1)


def frame_of(histories, *, as_of):
    return snapshot(histories, as_of=as_of).to_pandas()


def test_a_thousand_poisoned_futures_leave_features_bit_equal(read, cdnow_path):
    """Orders and refunds of 1,000 customers at or after `as_of`, changed, added or removed."""
    raw = pd.read_parquet(cdnow_path).astype({"amount": float, "ordered_at": "datetime64[us]"})
    raw = raw[raw["customer_id"].astype(int) % 10 == 0].reset_index(drop=True)
    clean = frame_of(read(raw).histories, as_of=[AS_OF])
    rng = np.random.default_rng(5)
    late = raw.index[raw["ordered_at"] >= pd.Timestamp(AS_OF)]
    poisoned = raw.copy()
    changed = rng.choice(late, 400, replace=False)
    poisoned.loc[changed, "amount"] = rng.uniform(-1e6, 1e6, 400)
    poisoned = poisoned.drop(rng.choice(np.setdiff1d(late, changed), 200, replace=False))
    added = raw.sample(400, random_state=5).assign(
        ordered_at=lambda rows: pd.Timestamp(AS_OF) + pd.to_timedelta(rng.integers(0, 270 * 86_400, len(rows)), "s"),
        amount=lambda rows: -rows["amount"],
    )
    poisoned = pd.concat([poisoned, added]).sample(frac=1, random_state=5)
    assert frame_of(read(poisoned).histories, as_of=[AS_OF]).equals(clean)


def test_an_order_at_the_very_midnight_of_as_of_is_not_known(read, log):
    histories = read(log("ann 2020-01-01T00:00:00 5.00\nann 2020-02-01T00:00:00 7.00")).histories
    assert frame_of(histories, as_of=[date(2020, 2, 1)])["orders"].tolist() == [1.0]
    assert frame_of(histories, as_of=[date(2020, 2, 2)])["orders"].tolist() == [2.0]


def test_a_customer_alone_equals_the_same_customer_in_a_batch(read, online_retail, shared):
    batch = frame_of(online_retail.histories, as_of=[date(2011, 6, 12)])
    raw = pd.read_parquet(shared / "online_retail_ii" / "transactions.parquet").dropna(subset="customer_id")
    for customer in batch["customer_id"].tolist()[::500]:
        own = raw[raw["customer_id"] == int(customer)]
        alone = read(
            own,
            mapping={"orders": {"ordered_at": "ts", "source": "sheet"}},
            timezone="Europe/London",
            currency="GBP",
            exclude_products=("TEST%", "AMAZONFEE", "BANK CHARGES"),
        )
        expected = batch[batch["customer_id"] == customer].reset_index(drop=True)
        assert frame_of(alone.histories, as_of=[date(2011, 6, 12)]).equals(expected)


def test_a_refund_counts_from_the_day_it_is_given(read, log):
    histories = read(log("ann 2020-01-01 5.00 a\nann 2020-01-10 9.00 b\nann 2020-03-01 -9.00 b")).histories
    before, after = (
        frame_of(histories, as_of=[day]).to_dict("records")[0] for day in (date(2020, 3, 1), date(2020, 3, 2))
    )
    assert (before["orders"], before["spend_total"]) == (2, 14.0)
    assert (after["orders"], after["spend_total"], after["spend_last_order"]) == (1, 5.0, 5.0)


def test_a_row_recorded_late_is_unknown_until_then_and_the_old_features_come_back(read, log):
    on_time = log("ann 2020-01-01 5.00 a\nann 2020-01-20 6.00 b")
    late = pd.DataFrame(
        {
            "customer_id": ["ann", "ann"],
            "ordered_at": ["2020-01-10", "2020-01-20"],
            "amount": ["7.00", "1.00"],
            "order_id": ["c", "b"],
            "recorded_at": ["2020-02-05", "2020-02-05"],
        }
    )
    then = read(on_time).histories
    now = read(pd.concat([on_time.assign(recorded_at=on_time["ordered_at"]), late])).histories
    day = date(2020, 2, 5)
    assert frame_of(now, as_of=[day]).equals(frame_of(then, as_of=[day]))
    known = frame_of(now, as_of=[date(2020, 2, 6)]).to_dict("records")[0]
    assert (known["orders"], known["spend_total"], known["spend_last_order"]) == (3, 19.0, 7.0)


def test_a_slice_never_reaches_as_of(cdnow):
    """The slice itself, for every customer: its last order lies before the cut-off."""
    from features.kernel.code_generation import compile_pass

    day = microseconds(AS_OF)
    for customer in range(0, cdnow.histories.customers, 97):
        orders, _, _ = compile_pass(()).known(cdnow.histories.columns, customer, day, day)
        assert orders.at[-1] <= day - DAY
