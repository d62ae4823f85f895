"""CHECKS 1, 2 and 3: ids, money and refunds, from the file to the features."""

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.snapshots.snapshot import snapshot

DAY = date(2020, 6, 1)


def frame_of(histories, *, as_of):
    return snapshot(histories, as_of=as_of).to_pandas()


def by_what(ingested):
    return {entry.what: (entry.rows, entry.amount) for entry in ingested.account.orders}


def assert_adds_up(ingested):
    source, *parts = ingested.account.orders
    assert source.rows == sum(part.rows for part in parts)
    assert source.amount == sum(part.amount for part in parts)
    assert ingested.quarantine.num_rows == sum(part.rows for part in parts if part.what.startswith("quarantined"))


def test_ten_thousand_ids_come_through_unchanged(read, odd_ids, tmp_path):
    frame = pd.DataFrame({"customer_id": odd_ids, "ordered_at": "2020-01-01", "amount": "1.00"})
    frame.to_csv(tmp_path / "orders.csv", index=False)
    features = frame_of(read(tmp_path / "orders.csv").histories, as_of=[DAY])
    assert sorted(features["customer_id"]) == odd_ids


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "string"])
def test_whole_numbers_are_the_same_ids_in_whatever_type_they_are_stored(read, tmp_path, dtype):
    frame = pd.DataFrame({"customer_id": [13085, 7], "ordered_at": ["2020-01-01"] * 2, "amount": [1.0, 2.0]})
    frame["customer_id"] = frame["customer_id"].astype("Int64").astype(dtype)
    frame.to_parquet(tmp_path / "orders.parquet")
    assert read(tmp_path / "orders.parquet").histories.customer_ids.to_pylist() == ["13085", "7"]


def test_cdnow_reconciles_to_the_cent(cdnow, cdnow_path):
    assert_adds_up(cdnow)
    total = duckdb.sql(f"select count(*), sum(amount) from '{cdnow_path}'").fetchall()[0]
    assert by_what(cdnow)["order lines accepted"] == total == (69_659, Decimal("2500315.63"))
    assert cdnow.histories.columns.amount_cents.sum() == 250_031_563


def test_online_retail_reconciles_to_the_cent(online_retail, shared):
    assert_adds_up(online_retail)
    rows, total, nobody = duckdb.sql(
        "select count(*), sum(amount::decimal(24, 6)), count(*) filter (customer_id is null) "
        f"from '{shared}/online_retail_ii/transactions.parquet'"
    ).fetchall()[0]
    entries = by_what(online_retail)
    assert entries["source"] == (rows, total)
    assert entries["quarantined: no customer_id"][0] == nobody == 243_007
    histories = online_retail.histories
    kept = histories.columns.amount_cents.sum() + histories.columns.adjustment_cents.sum()
    orderless = entries["refunds whose order was not found"][1] * 100 - sum(
        cents
        for number, cents in zip(histories.columns.adjusted_order, histories.columns.adjustment_cents, strict=True)
        if number < 0
    )
    accepted = sum(
        entries[what][1]
        for what in (
            "order lines accepted",
            "refunds netted to their order",
            "refunds whose order was not found",
        )
    )
    assert kept + orderless == accepted * 100  # `orderless`: refunds of customers who never ordered


def test_the_doubled_days_of_online_retail_are_counted_once(read, shared):
    """Lines of the first sheet that stand again in the second; those without a customer fall out before."""
    repeated = duckdb.sql(f"""
        with numbered as (
            select *, row_number() over (
                partition by order_id, product_id, quantity, ts, unit_price, customer_id, sheet) as copy
            from '{shared}/online_retail_ii/transactions.parquet')
        select count(*) from (select * exclude (sheet, description) from numbered where sheet = '2009-2010'
                              intersect select * exclude (sheet, description) from numbered where sheet = '2010-2011')
        where customer_id is not null and not regexp_matches(product_id, '(?i)^test|^(amazonfee|bank charges)$')
    """).fetchall()[0][0]
    whole = read(
        shared / "online_retail_ii" / "transactions.parquet",
        mapping={"orders": {"ordered_at": "ts", "source": "sheet"}},
        timezone="Europe/London",
        currency="GBP",
        exclude_products=("TEST%", "AMAZONFEE", "BANK CHARGES"),
    )
    assert by_what(whole)["quarantined: stands in another file or export"][0] == repeated


def test_a_file_loaded_twice_or_shuffled_gives_the_same_rows(read, tmp_path, cdnow, cdnow_path):
    raw = pd.read_parquet(cdnow_path)
    raw.sample(frac=1, random_state=3).to_parquet(tmp_path / "one.parquet")
    raw.to_parquet(tmp_path / "two.parquet")
    twice = read(tmp_path)
    assert_adds_up(twice)
    assert by_what(twice)["quarantined: stands in another file or export"][0] == len(raw)
    day = [date(1998, 1, 1)]
    expected = frame_of(cdnow.histories, as_of=day)
    assert frame_of(twice.histories, as_of=day).equals(expected)
    assert frame_of(read(tmp_path / "one.parquet").histories, as_of=day).equals(expected)


def test_two_currencies_are_refused(read, log):
    mixed = log("ann 2020-01-01 5.00\nbob 2020-01-02 6.00").assign(currency=["USD", "EUR"])
    with pytest.raises(InputError, match="expected one currency, USD; found EUR in 1 rows, USD in 1 rows"):
        read(mixed)
    with pytest.raises(InputError, match="expected one currency, GBP; found USD in 2 rows"):
        read(mixed.assign(currency="USD"), currency="GBP")


def test_a_fully_refunded_order_leaves_no_trace_in_frequency(read, log):
    plain = read(log("ann 2020-01-01 5.00 a\nann 2020-03-01 6.00 c")).histories
    refunded = read(
        log("ann 2020-01-01 5.00 a\nann 2020-02-01 9.00 b\nann 2020-02-03 -9.00 b\nann 2020-03-01 6.00 c")
    ).histories
    rows = frame_of(refunded, as_of=[DAY])
    told = ["last_refund_days", "refunds", "refunds_last_180d", "refunds_last_365d", "refund_share"]
    assert rows[told].to_numpy().tolist() == [[119.0, 1.0, 1.0, 1.0, 0.45]]
    untold = [name for name in rows if name not in told]
    assert rows[untold].equals(frame_of(plain, as_of=[DAY])[untold])


def test_refunds_without_the_order_s_id_find_it_by_product_and_amount(read, log):
    ingested = read(
        log(
            """
            ann 2020-01-01 5.00 a mug
            ann 2020-01-05 5.00 b mug
            ann 2020-01-09 8.00 c mug
            ann 2020-02-01 -5.00 C1 mug
            ann 2020-02-02 -3.00 C2 mug
            ann 2020-02-03 -4.00 C3 hat
            bob 2020-02-03 -4.00 C4 hat
            """
        )
    )
    assert_adds_up(ingested)
    entries = by_what(ingested)
    assert entries["refunds netted to their order"] == (2, Decimal(-8))
    assert entries["refunds whose order was not found"] == (2, Decimal(-8))
    row = frame_of(ingested.histories, as_of=[DAY]).to_dict("records")
    assert len(row) == 1  # bob never ordered
    assert (row[0]["orders"], row[0]["spend_total"], row[0]["spend_mean"]) == (2, 6.0, 5.0)
    assert (row[0]["spend_first_order"], row[0]["spend_last_order"]) == (5.0, 5.0)


def test_a_refund_beyond_its_order_keeps_the_sum(read, log):
    histories = read(log("ann 2020-01-01 5.00 a\nann 2020-01-02 4.00 b\nann 2020-01-03 -6.00 b")).histories
    row = frame_of(histories, as_of=[DAY]).to_dict("records")[0]
    assert (row["orders"], row["spend_total"]) == (1, 3.0)


def test_lines_of_one_order_are_one_order_and_instants_without_ids_too(read, log):
    lines = read(log("ann 2020-01-01T10:00 5.00 a\nann 2020-01-01T10:00 2.00 a\nann 2020-01-01T10:00 1.00 b")).histories
    assert frame_of(lines, as_of=[DAY])["orders"].tolist() == [2.0]
    bare = read(log("ann 2020-01-01T10:00 5.00\nann 2020-01-01T10:00 2.00\nann 2020-01-01T10:01 1.00")).histories
    assert frame_of(bare, as_of=[DAY])["orders"].tolist() == [2.0]


def test_free_orders_count(read, log):
    row = frame_of(read(log("ann 2020-01-01 0.00\nann 2020-01-02 4.00")).histories, as_of=[DAY]).to_dict("records")[0]
    assert (row["orders"], row["spend_total"], row["spend_first_order"]) == (2, 4.0, 0.0)


def test_what_cannot_be_used_is_quarantined_with_a_reason(read, tmp_path):
    (tmp_path / "orders.csv").write_text(
        "customer_id,ordered_at,amount,product_id\n"
        "ann,2020-01-01,5.00,mug\n"
        ",2020-01-01,5.00,mug\n"
        "ann,,5.00,mug\n"
        "ann,yesterday,5.00,mug\n"
        "ann,2020-01-02,,mug\n"
        "ann,2020-01-02,five,mug\n"
        "ann,2020-01-02,5e12,mug\n"
        "ann,1820-01-02,5.00,mug\n"
        "ann,2020-01-03,5.00,POST\n"
        "ann,2020-01-03\n"
        "ann,2020-01-04,5.00,mug\n"
    )
    ingested = read(tmp_path / "orders.csv", exclude_products=("post",))
    assert_adds_up(ingested)
    assert sorted(ingested.quarantine["reason"].to_pylist()) == sorted(
        [
            "no customer_id",
            "no ordered_at",
            "ordered_at is not a time",
            "no amount",
            "amount is not a number",
            "amount too large",
            "ordered_at before 1900",
            "excluded product",
            "malformed line",
        ]
    )
    assert ingested.histories.columns.amount_cents.sum() == 1000


def test_unit_price_times_quantity_stands_in_for_amount_and_rounding_is_shown(read):
    frame = pd.DataFrame(
        {
            "customer_id": ["ann"] * 3,
            "ordered_at": ["2020-01-01"] * 3,
            "quantity": [3, 7, -1],
            "unit_price": [2.55, 0.001, 2.55],
        }
    )
    ingested = read(frame)
    assert_adds_up(ingested)
    assert by_what(ingested)["source"][1] == Decimal("5.107")
    assert by_what(ingested)["rounding to minor units"][1] == Decimal("-0.003")


def test_currencies_without_cents_keep_whole_units(read, log):
    row = frame_of(read(log("ann 2020-01-01 500"), currency="JPY").histories, as_of=[DAY]).to_dict("records")[0]
    assert row["spend_total"] == 500.0


line = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.integers(0, 40),
    st.integers(-2000, 3000),
    st.sampled_from(["a", "b", "c", "d", None]),
    st.sampled_from(["mug", "hat", None]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(line, min_size=1, max_size=60), seed=st.integers(0, 999))
def test_any_log_reconciles_and_its_order_of_rows_does_not_matter(read, lines, seed):
    frame = pd.DataFrame(lines, columns=["customer_id", "day", "cents", "order_id", "product_id"]).astype(
        {"order_id": "string", "product_id": "string"}
    )
    frame["ordered_at"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(frame.pop("day"), "D")
    frame["amount"] = frame.pop("cents") / 100
    if not (frame["amount"] >= 0).any():
        return
    ingested, shuffled = read(frame), read(frame.sample(frac=1, random_state=seed))
    assert_adds_up(ingested)
    days = [date(2020, 1, 15), date(2020, 3, 1)]
    table = frame_of(ingested.histories, as_of=days)
    assert frame_of(shuffled.histories, as_of=days).equals(table)
    last = table.query("as_of == @days[1]").set_index("customer_id")["spend_total"]
    whole = frame.groupby("customer_id")["amount"].sum().round(2)
    np.testing.assert_allclose(last, whole[last.index], atol=1e-9)


def test_a_frame_of_decimals_and_a_frame_of_mixed_types(read):
    frame = pd.DataFrame({"customer_id": ["a"] * 3000, "ordered_at": "2020-01-01", "amount": [Decimal("1.10")] * 3000})
    frame.loc[2000, "amount"] = Decimal("123456.78")
    assert read(frame).histories.columns.amount_cents.sum() == 110 * 2999 + 12_345_678
    with pytest.raises(InputError, match="mixes types"):
        read(pd.DataFrame({"customer_id": ["a", 1], "ordered_at": "2020-01-01", "amount": 1.0}))


def test_a_cost_or_a_recording_time_that_cannot_be_read_is_missing_and_costs_no_row(read, tmp_path):
    (tmp_path / "orders.csv").write_text(
        "customer_id,ordered_at,amount,cost,recorded_at\n"
        "nan,2020-01-01,5.00,2.00,2020-01-01\n"
        "ann,2020-01-01,5.00,two,2020-01-01\n"
        "ann,2020-01-01,5.00,9e18,2020-01-01\n"
        "ann,2020-01-01,5.00,2.00,later\n"
        "ann,2020-01-02,5.00,,\n"
    )
    ingested = read(tmp_path / "orders.csv", mapping={"orders": {"recorded_at": "recorded_at"}})
    assert_adds_up(ingested)
    assert ingested.histories.customer_ids.to_pylist() == ["ann", "nan"]
    assert ingested.quarantine.num_rows == 0
    assert ingested.histories.columns.margin_cents.tolist() == [200.0 + 200 + 300, 200.0, 300.0]
