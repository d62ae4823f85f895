"""The histories of a request are those that `ingest` makes of the same rows, column by column, to the bit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.families.catalogue import catalogue
from features.histories.attributes import AttributeKind
from features.histories.columns import Columns
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.online import duckdb_text as texts
from features.online.feature_rows import compute_feature_rows
from features.online.request import histories_of_request
from features.online.request_columns import BadRequest
from features.snapshots.snapshot import snapshot

START = datetime(2020, 1, 1, tzinfo=UTC)
TERMS = {"currency": "USD", "gross_margin": 0.4}
KINDS = ("campaign_contact", "campaign_response", "complaint", "visit", "never_seen")
often = settings(max_examples=25, derandomize=True)

moments = st.builds(
    lambda hours, zone: (START + timedelta(hours=hours)).astimezone(timezone(timedelta(minutes=zone))),
    st.integers(0, 12).map(lambda one: 6 * one) | st.integers(0, 700),
    st.sampled_from([0, 0, 330, -180]),
)
instants = st.builds(
    lambda moment, written: written(moment),
    moments,
    st.sampled_from(
        [datetime.isoformat, lambda one: one.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.25Z"), lambda one: one]
    ),
)
money = st.sampled_from([0, 3, 5, 5.0, -5, -5.0, -3, 12.34, 0.005, -0.005, 1.005, 2.675, -2.675]) | st.floats(-1e5, 1e5)
orders = st.fixed_dictionaries(
    {"ordered_at": instants, "amount": money},
    optional={
        "order_id": st.sampled_from(["a", "b", "7", "12", "012", "", "Ω"]) | st.none(),
        "product_id": st.sampled_from(["mug", "hat", ""]) | st.none(),
        "category": st.sampled_from(["x", "y"]) | st.none(),
        "quantity": st.sampled_from([1, 2, 0.1, 0.2, 0.3]) | st.none(),
        "cost": st.sampled_from([0.1003, 0.5, 1.2, 2.0007, 7, -1]) | st.none(),
        "discount": st.sampled_from([0, 0.5, 1.255, -0.3]) | st.none(),
        "channel": st.sampled_from(["web", "shop", "äpp"]) | st.none(),
        "currency": st.sampled_from(["USD", " usd"]) | st.none(),
        "recorded_at": instants | st.none(),
    },
)
interactions = st.fixed_dictionaries(
    {"at": instants, "kind": st.sampled_from(["visit", "Visit!", "complaint", "E-Mail öffnen", "campaign contact"])},
    optional={"value": st.floats(-100, 100) | st.none(), "recorded_at": instants | st.none()},
)
customers = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["a", "B", "10", "9", "09", "ä", "漢", " a", "🙂"]),
            "orders": st.lists(orders, max_size=9),
            "interactions": st.lists(interactions, max_size=6),
            "attributes": st.fixed_dictionaries(
                {},
                optional={"plan": st.sampled_from(["gold", "tin"]) | st.none(), "age": st.integers(18, 99) | st.none()},
            ),
        }
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda one: one["customer_id"],
)
ATTRIBUTES = {"plan": AttributeKind("names", ("gold", "tin")), "age": AttributeKind("number")}


def frame(request, table):
    """The rows of a table as a frame with a type for each column."""
    rows = [{"customer_id": one["customer_id"]} | row for one in request for row in one[table]]
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    made = {}
    for name, values in columns.items():
        if name in {"amount", "quantity", "cost", "discount", "value"}:
            made[name] = pd.Series(values, dtype=float)
        else:
            texts = [one.isoformat() if isinstance(one, datetime) else one for one in values]
            made[name] = pd.Series(texts, dtype="string")
    return pd.DataFrame(made)


def of_log(request, **terms):
    """What `ingest` makes of the rows; None where nobody bought anything."""
    described = [{"customer_id": one["customer_id"], "plan": None, "age": None} | one["attributes"] for one in request]
    people = pd.DataFrame(described).astype({"plan": "string", "age": float})
    told = frame(request, "interactions")
    log = Log(
        frame(request, "orders"),
        interactions=None if told.empty else told,
        customers=people,
        attributes=tuple(ATTRIBUTES),
        attribute_kinds=ATTRIBUTES,
        **(TERMS | terms),
    )
    return ingest(log, now_us=None).histories


def bought(request):
    return any(order["amount"] > -0.005 for one in request for order in one["orders"])


def assert_equal(request, **terms):
    ours = histories_of_request(request, attributes=ATTRIBUTES, **(TERMS | terms))
    if not bought(request):
        assert ours.customers == 0
        return
    theirs = of_log(request, **terms)
    for name in Columns._fields:
        one, other = getattr(ours.columns, name), getattr(theirs.columns, name)
        assert one.dtype == other.dtype, name
        np.testing.assert_array_equal(one, other, err_msg=name)
    assert ours.customer_ids.equals(theirs.customer_ids)
    for name in ("minor_units", "channels", "kinds", "before_us", "left_us"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert list(ours.kinds) == list(theirs.kinds)
    assert {name: one.to_pylist() for name, one in ours.attributes.items()} == {
        name: one.to_pylist() for name, one in theirs.attributes.items()
    }
    told = {"interactions", "value"} if not any(one["interactions"] for one in request) else set()
    assert ours.present == theirs.present | told


@often
@given(request=customers)
def test_every_column(request):
    assert_equal(request)


@settings(often, max_examples=10)
@given(request=customers, currency=st.sampled_from(["JPY", "KWD"]))
def test_every_column_in_currencies_of_no_and_of_three_digits(request, currency):
    for one in request:
        one["orders"] = [{name: of for name, of in row.items() if name != "currency"} for row in one["orders"]]
    assert_equal(request, currency=currency)


@settings(often, max_examples=25)
@given(request=customers, day=st.integers(1, 40))
def test_features_are_those_of_a_snapshot(request, day):
    """By the way for few customers, of the same histories."""
    assume(bought(request))
    made = histories_of_request(request, **TERMS)
    features = tuple(catalogue(made.present, KINDS))
    as_of = date(2020, 1, 1) + timedelta(days=day)
    expected = snapshot(made, as_of=[as_of], features=features)
    found = compute_feature_rows(made, features, as_of=as_of)
    assert made.customer_ids.take(pa.array(found.customers)).to_pylist() == expected["customer_id"].to_pylist()
    for place, name in enumerate(features):
        if pa.types.is_floating(expected[name].type):
            np.testing.assert_array_equal(found.values[:, place], expected[name].to_numpy(), err_msg=name)
        else:
            codes = [made.channels[int(one)] if one >= 0 else None for one in found.values[:, place]]
            assert codes == expected[name].to_pylist()


def test_orders_of_one_instant_come_in_the_order_of_a_log():
    """It is that of DuckDB's hashes: nothing in the rows says which of them is the first."""
    ids = [f"order {one}" for one in range(50)]
    rows = [{"ordered_at": "2020-01-01", "amount": float(n), "order_id": one} for n, one in enumerate(ids)]
    request = [{"customer_id": "ann", "orders": rows}]
    ours = histories_of_request(request, naive_is_utc=True, **TERMS)
    theirs = ingest(Log(pd.DataFrame(rows).assign(customer_id="ann"), timezone="UTC", **TERMS), now_us=None).histories
    np.testing.assert_array_equal(ours.columns.amount_cents, theirs.columns.amount_cents)
    assert ours.columns.amount_cents.tolist() != sorted(ours.columns.amount_cents)


def order(**changes):
    return {"ordered_at": "2020-01-05T12:00:00Z", "amount": 5.0} | changes


def told(**changes):
    return {"at": "2020-01-05T12:00:00Z", "kind": "visit"} | changes


SECRET = "4711 Smith"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"orders": [order(), order(amount=SECRET)]}, "customer 2, order 2: amount is not a number"),
        ({"orders": [order(amount=None)]}, "customer 2, order 1: no amount"),
        ({"orders": [order(amount=True)]}, "amount is not a number"),
        ({"orders": [order(amount=float("nan"))]}, "amount is not a number"),
        ({"orders": [order(amount=float("inf"))]}, "amount too large"),
        ({"orders": [order(amount=10**400)]}, "amount too large"),
        ({"orders": [order(amount=1e11)]}, "amount too large"),
        ({"orders": [order(), {"amount": 5}]}, "customer 2, order 2: no ordered_at"),
        ({"orders": [order(ordered_at=SECRET)]}, "ordered_at is not a time"),
        ({"orders": [order(ordered_at=1577836800)]}, "ordered_at is not a time"),
        ({"orders": [order(ordered_at="2020-02-30")]}, "ordered_at is not a time"),
        ({"orders": [order(ordered_at="2020-01-05T12:00:00")]}, "ordered_at has no zone"),
        ({"orders": [order(ordered_at="1899-12-31T23:59:59Z")]}, "ordered_at before 1900"),
        ({"orders": [order(recorded_at="soon")]}, "recorded_at is not a time"),
        ({"orders": [order(order_id=7)]}, "order_id is not text"),
        ({"orders": [order(product_id="\ud800")]}, "product_id is not text"),
        ({"orders": [order(cost="1")]}, "cost is not a number"),
        ({"orders": [order(quantity=1e300)]}, "quantity too large"),
        ({"orders": [order(currency="EUR")]}, "the currency is not USD"),
        ({"orders": [order(source="web")]}, "a request has one source"),
        ({"interactions": [told(), told(kind="")]}, "customer 2, interaction 2: no kind"),
        ({"interactions": [told(at=None)]}, "interaction 1: no at"),
        ({"interactions": [told(value="7")]}, "value is not a number"),
        ({"interactions": [told(kind=f"kind {one}") for one in range(41)]}, "41 kinds of interaction"),
        ({"customer_id": "ann"}, "customer 2: has the customer_id of customer 1"),
        ({"customer_id": ""}, "customer 2: no customer_id"),
        ({"customer_id": 7}, "customer 2: customer_id is not text"),
        ({"attributes": {"age": SECRET}}, "customer 2: the attribute age is not a number"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place_and_never_shown(bad, words):
    bob = {"customer_id": SECRET, "orders": [order()], "interactions": []} | bad
    with pytest.raises(BadRequest) as refused:
        histories_of_request([{"customer_id": "ann", "orders": [order()]}, bob], attributes=ATTRIBUTES, **TERMS)
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


def test_the_first_of_several_bad_rows_is_named_and_all_are_counted():
    rows = [order(), order(amount="x"), order(amount="y")]
    with pytest.raises(BadRequest, match=r"customer 1, order 2: .* in 2 of 3 orders"):
        histories_of_request([{"customer_id": "ann", "orders": rows}], **TERMS)


def test_a_time_without_zone_is_utc_only_if_that_is_said():
    request = [{"customer_id": "ann", "orders": [order(ordered_at="2020-01-05 12:00"), order(ordered_at="2020-01-06")]}]
    made = histories_of_request(request, naive_is_utc=True, **TERMS)
    assert made.columns.at.tolist() == [1578225600000000, 1578268800000000]


def test_a_column_that_no_row_has_is_missed_by_name_and_one_of_nothing_is_not():
    features, as_of = ("products", "visit_value_mean"), date(2020, 2, 1)
    with pytest.raises(InputError, match="reads interactions, product_id, value, which are not given"):
        compute_feature_rows(
            histories_of_request([{"customer_id": "ann", "orders": [order()]}], **TERMS), features, as_of=as_of
        )
    request = [{"customer_id": "ann", "orders": [order(product_id=None)], "interactions": []}]
    found = compute_feature_rows(histories_of_request(request, **TERMS), features, as_of=as_of).values
    np.testing.assert_array_equal(found, [[0, np.nan]])


def test_texts_are_forgotten_before_they_fill_the_memory_and_threads_may_share_them(monkeypatch):
    monkeypatch.setattr(texts, "MAX_REMEMBERED_TEXTS", 20)
    lengths = texts.TextExpression("length(text)")
    asked = [[f"{'x' * (one % 7)}{one}" for one in range(some, some + 15)] for some in range(0, 400, 5)]
    with ThreadPoolExecutor(4) as pool:
        for words, found in zip(asked, pool.map(lengths.of, asked), strict=True):
            assert found == [len(one) for one in words]
    assert len(lengths.known) <= 20 + 15
