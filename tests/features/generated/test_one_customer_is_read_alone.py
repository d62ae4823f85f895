"""One customer's rows, taken out of a log and read alone, are the same customer of the whole log, bit for bit."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.clock import microseconds
from features.errors import InputError
from features.ingest.build_histories import histories_of
from features.ingest.log import Log
from features.ingest.reading import reading
from features.online.one_customer import count_events, customer_history, read_customer_rows
from features.snapshots.snapshot import snapshot
from tests.features.generated.conftest import FULL, START, day_of

WHEN = [(9, 9, False), (20, 12, False), (15, 31, True)]
"""Days of `as_of` and `known_at`, and whether the log is cut at the first."""


def log_of(orders, interactions, folder, kind):
    """The same log as frames, as two Parquet files of which one row is in both, or as CSV."""
    if kind == "files":
        for name, part in {"a": orders[: len(orders) // 2], "b": orders[len(orders) // 2 - 1 :]}.items():
            (folder / "orders").mkdir(exist_ok=True)
            part.to_parquet(folder / "orders" / f"{name}.parquet", index=False)
        interactions.to_csv(folder / "visits.csv", index=False)
        orders, interactions = str(folder / "orders"), str(folder / "visits.csv")
    return Log(orders, interactions=interactions, currency="USD", gross_margin=0.4, timezone="UTC")


@pytest.mark.parametrize("kind", ["frames", "files"])
def test_every_cell_is_that_of_the_whole_log(crowd, tmp_path, kind):
    log = log_of(*crowd(5, customers=60), tmp_path, kind)
    for day, known, is_cut in WHEN:
        before_us = microseconds(day_of(day)) if is_cut else None
        asked = {"as_of": [day_of(day)], "known_at": day_of(known), "features": FULL}
        with reading(log, now_us=None, before_us=before_us) as opened:
            whole = snapshot(histories_of(opened, "usable_orders", "usable_interactions")[0], **asked).to_pandas()
        assert len(whole) > 20
        for customer in whole["customer_id"][::18]:
            alone = customer_history(log, read_customer_rows(log, customer), now_us=None, before_us=before_us)
            expected = whole[whole["customer_id"] == customer].reset_index(drop=True)
            pd.testing.assert_frame_equal(snapshot(alone, **asked).to_pandas(), expected, check_exact=True)


def test_who_has_no_order_has_no_history(crowd):
    log = log_of(*crowd(5), None, "frames")
    assert customer_history(log, read_customer_rows(log, "nobody"), now_us=None) is None


def test_ids_are_text_whatever_holds_them():
    orders = pd.DataFrame({"customer_id": [7.0, 8.0], "ordered_at": "2020-01-01", "amount": 5.0})
    log = Log(orders, currency="USD", gross_margin=0.4, timezone="UTC")
    assert customer_history(log, read_customer_rows(log, "7"), now_us=None).customer_ids.to_pylist() == ["7"]
    assert customer_history(log, read_customer_rows(log, "7.0"), now_us=None) is None
    assert customer_history(log, read_customer_rows(log, "' or 1 = 1 --"), now_us=None) is None


def test_a_log_that_is_not_there_is_one_clear_error(tmp_path):
    log = Log(str(tmp_path / "none.csv"), currency="USD", gross_margin=0.4, timezone="UTC")
    with pytest.raises(InputError, match="no such file"):
        read_customer_rows(log, "7")


def test_events_are_those_that_sql_counts(crowd):
    """Lines of one instant are one order here, so that SQL need not know late lines."""
    orders, interactions = crowd(9, customers=40)
    orders = orders.drop(columns=["order_id", "recorded_at"]).drop_duplicates(["customer_id", "ordered_at"])
    log = log_of(orders, interactions, None, "frames")
    first, last = (START + pd.Timedelta(one, "D") for one in (8, 20))
    window = f">= timestamp '{first}' and {{0}} < timestamp '{last}'"
    compared = 0
    for customer in sorted(orders["customer_id"].unique())[::4]:
        history = customer_history(log, read_customer_rows(log, customer), now_us=None)
        if history is None:
            continue
        found = count_events(history, at=(int(first.value // 1000), int(last.value // 1000)))
        count, spend, refunds, refunded = duckdb.sql(f"""
            select count(*) filter (cents >= 0), coalesce(sum(cents) filter (cents >= 0), 0) / 100,
                   count(*) filter (cents < 0), coalesce(-sum(cents) filter (cents < 0), 0) / 100
            from (select *, (amount::decimal(9, 2) * 100)::int as cents from orders)
            where customer_id = '{customer}' and ordered_at {window.format("ordered_at")}""").fetchall()[0]
        kinds = duckdb.sql(f"""
            select kind, count(*) from interactions
            where customer_id = '{customer}' and "at" {window.format('"at"')} group by kind""").fetchall()
        assert (found.orders, found.refunds) == (count, refunds)
        assert np.allclose([found.spend, found.refunded], [spend, refunded])
        assert found.interactions == dict(kinds)
        compared += count + refunds + len(kinds)
    assert compared > 20
