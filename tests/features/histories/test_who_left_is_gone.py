"""Contractual churn: who left is no row, leaving is the label, and nobody knows of it before it happens (CHECKS 5)."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.clock import microseconds
from features.errors import InputError
from features.histories.columns import NEVER
from features.histories.contract_ends import count_leaving
from features.history_store.open_histories import open_histories
from features.ingest.build_histories import histories_of
from features.ingest.log import Log
from features.ingest.reading import reading
from features.snapshots.labels import has_left, with_labels
from features.snapshots.snapshot import snapshot

START = pd.Timestamp("2020-01-01")
DAYS = [date(2020, 3, 1), date(2020, 6, 1), date(2020, 9, 1)]
FEW = ["recency_days", "orders"]
TERMS = {"currency": "USD", "gross_margin": 0.4, "timezone": "UTC"}


def shop_of(seed, people=400):
    """Orders of people who join and often leave, also at midnight; some are not in the table, some order on."""
    rng = np.random.default_rng(seed)
    joined = START + pd.to_timedelta(rng.integers(0, 240, people), "D")
    left_at = joined + pd.to_timedelta(rng.integers(0, 24 * 400, people), "h")
    left_at = left_at.where(rng.random(people) < 0.5, left_at.normalize())
    left_at = pd.Series(left_at).mask(rng.random(people) < 0.3)
    ids = np.array([f"{one:04d}" for one in range(people)])
    who = rng.integers(0, people, 12 * people)
    at = pd.Series(joined)[who].reset_index(drop=True) + pd.to_timedelta(rng.integers(0, 365 * 24, len(who)), "h")
    kept = (at < left_at[who].reset_index(drop=True).fillna(pd.Timestamp("2100-01-01"))) | (rng.random(len(who)) < 0.05)
    orders = pd.DataFrame(
        {"customer_id": ids[who], "ordered_at": at, "amount": rng.integers(100, 9999, len(who)) / 100}
    )
    customers = pd.DataFrame(
        {"customer_id": ids, "joined_at": joined, "left_at": left_at, "town": np.resize(["x", "y"], len(ids))}
    )
    return orders[kept].reset_index(drop=True), customers[rng.random(people) < 0.95].reset_index(drop=True)


@pytest.fixture(scope="module")
def shop():
    return shop_of(1)


def expected(orders, customers, *, day, horizon):  # noqa: ARG001  (DuckDB reads them by name)
    """The population and labels of a day, told by SQL over the raw tables."""
    window = f"ordered_at >= date '{day}' and ordered_at < date '{day + timedelta(days=horizon)}'"
    return duckdb.sql(f"""
        select customer_id, count(distinct ordered_at) filter ({window}) as orders,
               coalesce(sum(amount) filter ({window}), 0) * 0.4 as value,
               coalesce(any_value(left_at) < date '{day + timedelta(days=horizon)}', false) as churned
        from orders left join customers using (customer_id)
        group by customer_id
        having min(ordered_at) < date '{day}' and coalesce(any_value(left_at) >= date '{day}', true)
        order by customer_id""").df()


def test_population_and_labels_equal_sql_for_every_customer_and_day(read, shop):
    orders, customers = shop
    histories = read(orders, customers=customers).histories
    assert histories.contractual
    table = snapshot(histories, as_of=DAYS, features=FEW)
    rows = with_labels(histories, table, horizon_days=45).to_pandas()
    assert rows.columns.tolist()[4:7] == ["churned", "bought", "future_orders"]
    for day in DAYS:
        of_day = rows[rows["as_of"] == day]
        told = expected(orders, customers, day=day, horizon=45)
        assert of_day["customer_id"].tolist() == told["customer_id"].tolist()
        assert of_day["churned"].tolist() == told["churned"].tolist()
        assert of_day["bought"].tolist() == (told["orders"] > 0).tolist()
        assert of_day["future_orders"].tolist() == told["orders"].tolist()
        np.testing.assert_allclose(of_day["future_value"], told["value"], atol=1e-9)
    assert 0.05 < rows["churned"].mean() < 0.5
    assert (rows["churned"] & rows["bought"]).any()
    assert (~rows["churned"] & ~rows["bought"]).any()


def test_who_leaves_at_the_very_midnight_is_there_that_day_and_gone_the_next(read, log):
    orders = log("ann 2020-01-01 5.00\nbob 2020-01-01 5.00\nbob 2020-06-01 5.00")
    customers = pd.DataFrame({"customer_id": ["ann"], "left_at": [pd.Timestamp("2020-02-01")]})
    histories = read(orders, customers=customers).histories
    days = [date(2020, 1, 31), date(2020, 2, 1), date(2020, 2, 2)]
    rows = with_labels(histories, snapshot(histories, as_of=days, features=FEW), horizon_days=1).to_pandas()
    ann = rows[rows["customer_id"] == "ann"]
    assert ann["as_of"].tolist() == days[:2]
    assert ann["churned"].tolist() == [False, True]


def test_without_left_at_churn_is_silence(read, shop):
    orders, customers = shop
    histories = read(orders, customers=customers.drop(columns="left_at")).histories
    assert not histories.contractual
    rows = with_labels(histories, snapshot(histories, as_of=DAYS, features=FEW), horizon_days=45).to_pandas()
    assert (rows["churned"] == ~rows["bought"]).all()
    assert len(rows) == sum(
        (orders.groupby("customer_id")["ordered_at"].min() < pd.Timestamp(day)).sum() for day in DAYS
    )
    for ask in (
        lambda: count_leaving(histories),
        lambda: has_left(histories, snapshot(histories, as_of=DAYS), horizon_days=9),
    ):
        with pytest.raises(ValueError, match="does not say who left"):
            ask()


def test_a_shop_that_nobody_left_is_contractual_all_the_same(read, log):
    orders = log("ann 2020-01-01 5.00\nann 2020-06-01 5.00")
    for nothing in ([None], [np.nan], [pd.NaT], [""], pd.array([pd.NA], "Int64")):
        customers = pd.DataFrame({"customer_id": ["ann"], "left_at": nothing})
        histories = read(orders, customers=customers).histories
        assert histories.left_us.tolist() == [NEVER]
        rows = with_labels(histories, snapshot(histories, as_of=DAYS[:1], features=FEW), horizon_days=30).to_pandas()
        assert rows["churned"].tolist() == [False]


@pytest.mark.parametrize("day", DAYS)
def test_a_left_at_of_the_future_changes_no_cell_and_no_row(read, shop, day):
    orders, customers = shop
    clean = snapshot(read(orders, customers=customers, attributes=("town",)).histories, as_of=[day]).to_pandas()
    rng = np.random.default_rng(9)
    for _ in range(8):
        poisoned = customers.copy()
        is_later = ~(poisoned["left_at"] < pd.Timestamp(day))
        other = pd.Timestamp(day) + pd.to_timedelta(rng.integers(0, 24 * 900, len(poisoned)), "h")
        other = pd.Series(other).mask(rng.random(len(poisoned)) < 0.3)
        poisoned["left_at"] = poisoned["left_at"].where(~is_later, other)
        assert (poisoned["left_at"] != customers["left_at"]).sum() > 100
        histories = read(orders, customers=poisoned, attributes=("town",)).histories
        assert snapshot(histories, as_of=[day]).to_pandas().equals(clean)


def test_leaving_is_known_when_it_happens_and_not_where_the_log_is_cut(read, log):
    orders = log("ann 2020-01-01 5.00\nbob 2020-01-01 5.00\nann 2020-06-01 5.00")
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "left_at": pd.to_datetime(["2020-02-10", "2020-04-01"])})
    day, known_at = date(2020, 3, 1), date(2020, 2, 1)
    histories = read(orders, customers=customers).histories
    assert snapshot(histories, as_of=[day], features=FEW)["customer_id"].to_pylist() == ["bob"]
    rows = snapshot(histories, as_of=[day], known_at=known_at, features=FEW)
    assert rows["customer_id"].to_pylist() == ["ann", "bob"]
    with reading(Log(orders, customers=customers, **TERMS), now_us=None, before_us=microseconds(day)) as opened:
        cut, _ = histories_of(opened, "usable_orders", "usable_interactions")
    assert cut.left_us.tolist() == [microseconds(date(2020, 2, 10)), NEVER]


def test_who_leaves_after_now_has_not_left(read, log):
    orders = log("ann 2020-01-01 5.00\nbob 2020-01-01 5.00\nbob 2020-06-01 5.00")
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "left_at": ["2020-12-31", "9999-12-31"]})
    histories = read(orders, customers=customers, now_us=microseconds(date(2020, 6, 2))).histories
    rows = with_labels(histories, snapshot(histories, as_of=DAYS[:1], features=FEW), horizon_days=92).to_pandas()
    assert rows["churned"].tolist() == [False, False]
    assert count_leaving(histories).leave_later == 2


def test_orders_that_contradict_left_at_are_counted_and_nothing_is_refused(read, log):
    orders = log(
        """
        ann 2020-01-01 5.00
        ann 2020-03-01T15:00:00 5.00
        bob 2020-01-01 5.00
        bob 2020-03-02T00:00:01 5.00
        cat 2020-05-01 5.00
        dan 2020-05-01 5.00
        eve 2020-05-01 5.00
        """
    )
    customers = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "cat", "dan", "fay", ""],
            "left_at": ["2020-03-01", "2020-03-01", "2020-04-01", None, "2020-01-01", "2020-01-01"],
        }
    )
    ingested = read(orders, customers=customers)
    told = count_leaving(ingested.histories)
    assert (told.left, told.leave_later, told.last_left) == (3, 0, date(2020, 4, 1))
    assert (told.ordered_after, told.left_before_first_order) == (2, 1)
    assert [(one.what, one.rows) for one in ingested.account.customers] == [
        ("source", 6),
        ("with an order", 4),
        ("of somebody without an order", 1),
        ("quarantined: no customer_id", 1),
    ]
    assert ingested.quarantine.select(["row", "reason", "left_at"]).to_pylist() == [
        {"row": 6, "reason": "no customer_id", "left_at": "2020-01-01"}
    ]
    assert snapshot(ingested.histories, as_of=[date(2020, 5, 2)])["customer_id"].to_pylist() == ["dan", "eve"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_are_read_as_those_of_orders_are(read, log, zone):
    orders = log("ann 01/02/2020 5.00\nbob 01/02/2020 5.00")
    customers = pd.DataFrame({"customer_id": ["ann", "bob"], "gone": ["01/03/2020", ""]})
    mapping = {"customers": {"left_at": "gone"}}
    histories = read(orders, customers=customers, mapping=mapping, timezone=zone, time_format="%d/%m/%Y").histories
    midnight = pd.Timestamp("2020-03-01", tz=zone).value // 1000
    assert histories.left_us.tolist() == [midnight, NEVER]


REFUSED = {
    "not a time": (["2020-05-01", "soon", None], {}, r"row 2: left_at is not a time after 1900 in 1 of the 2 rows"),
    "a placeholder": (["0000-00-00", "1899-12-30", None], {}, r"row 1: .* in 2 of the 2 rows .* first '0000-00-00'"),
    "numbers": ([5, 6, 7], {}, r"expected dates or times in left_at, found BIGINT"),
    "no zone": (["2020-05-01", None, ""], {"timezone": None}, r"1 time in left_at carries no zone"),
    "an attribute": (["2020-05-01", None, None], {"attributes": ("left_at",)}, r"left_at says who left"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_left_at_that_cannot_be_used_is_refused(read, log, why):
    left_at, changes, message = REFUSED[why]
    orders = log("ann 2020-01-01T00:00:00Z 5.00\nann 2020-06-01T00:00:00Z 5.00")
    customers = pd.DataFrame({"customer_id": ["ann", "bob", "cat"], "left_at": left_at})
    with pytest.raises(InputError, match=message):
        read(orders, customers=customers, **changes)


def test_left_at_under_another_name_is_no_attribute_either(read, log):
    customers = pd.DataFrame({"customer_id": ["ann"], "closed": ["2020-02-01"]})
    with pytest.raises(InputError, match=r"closed says who left.*\n  Take closed out of features.attributes"):
        read(
            log("ann 2020-01-01 5.00"),
            customers=customers,
            attributes=("closed",),
            mapping={"customers": {"left_at": "closed"}},
        )


def test_rows_made_in_small_chunks_are_the_same(read, shop, monkeypatch):
    orders, customers = shop
    histories = read(orders, customers=customers, attributes=("town",)).histories
    whole = snapshot(histories, as_of=DAYS, features=[*FEW, "town"]).to_pandas()
    monkeypatch.setattr("features.snapshots.snapshot.CHUNK_CELLS", 100)
    assert snapshot(histories, as_of=DAYS, features=[*FEW, "town"]).to_pandas().equals(whole)


def test_a_row_of_nobody_is_set_aside(read, log):
    customers = pd.DataFrame({"customer_id": [7.0, 7.5, np.nan], "left_at": ["2020-02-01", "2020-02-01", None]})
    ingested = read(log("7 2020-01-01 5.00"), customers=customers)
    assert ingested.histories.left_us.tolist() == [microseconds(date(2020, 2, 1))]
    assert ingested.quarantine.select(["row", "reason"]).to_pylist() == [
        {"row": 2, "reason": "customer_id is not a whole number"},
        {"row": 3, "reason": "no customer_id"},
    ]


def test_a_log_split_on_disk_has_the_same_rows_and_labels(read, shop, monkeypatch):
    orders, customers = shop
    log = Log(orders, customers=customers, attributes=("town",), **TERMS)
    whole = read(orders, customers=customers, attributes=("town",))
    rows = snapshot(whole.histories, as_of=DAYS, features=[*FEW, "town"])
    rows = with_labels(whole.histories, rows, horizon_days=45).to_pandas()
    # A log of a few thousand rows is taken for a large one.
    monkeypatch.setattr("features.history_store.parts.ROW_BYTES", 100_000)
    monkeypatch.setattr("features.history_store.stored_log.CUSTOMERS_AT_ONCE", 50)
    stored = open_histories(log, home=None, now_us=None, memory_bytes=100_000_000)
    parts = []
    for histories in stored.parts():
        part = snapshot(histories, as_of=DAYS, features=[*FEW, "town"])
        parts.append(with_labels(histories, part, horizon_days=45).to_pandas())
    assert len(parts) > 3
    assert pd.concat(parts, ignore_index=True).equals(rows)
    assert stored.account == whole.account
