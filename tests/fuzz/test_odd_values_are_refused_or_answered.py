"""CHECKS 17: values that break arithmetic, parsers and calendars, one by one: refused with a reason, or answered."""

import json

import pytest

from tests.fuzz.judging import judged
from tests.serving.running import TOKEN

SIGNED = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
EARLY, LATE = "0001-01-01", "9999-12-31"
LONG = "x" * 10_000_000


def asked(service, path, body):
    """The status and the content; the service must live on."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = service.client.post(path, content=text, headers=SIGNED)
    judged(answer.status_code, answer.content)
    assert service.client.get("/readyz").status_code == 200
    return answer.status_code, answer.json()


def history(*orders, as_of="1998-04-02", **more):
    return {"as_of": as_of, "customers": [{"customer_id": "one", "orders": list(orders)} | more]}


def order(at="1998-03-01T12:00:00Z", amount=5.0, **more):
    return {"ordered_at": at, "amount": amount, "quantity": 1} | more


def scored(service, *orders, **more):
    status, content = asked(service, "/v1/score_histories", history(*orders, **more))
    assert status == 200, content
    return content


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e400", "9" * 5_000, "true", '"5"', "[]"]
)
@pytest.mark.parametrize("name", ["amount", "quantity", "cost", "discount"])
def test_a_number_that_is_none_or_too_large_is_refused(service, name, number):
    text = json.dumps(history(order() | {name: "HERE"})).replace('"HERE"', number)
    assert asked(service, "/v1/score_histories", text)[0] == 400


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "1e308", "0", "5e-324", "-1", "1e13", "null", "true", '"5"', "9" * 5_000]
)
def test_a_budget_that_is_none_is_refused(service, number):
    assert asked(service, "/v1/plan", f'{{"budget": {number}}}')[0] == 400


@pytest.mark.parametrize("number", ["0.5", "0", "-1", "1e10", "true", '"5"', "9" * 4_000])
def test_a_capacity_that_is_none_is_refused(service, number):
    assert asked(service, "/v1/plan", f'{{"budget": 100, "capacity": {number}}}')[0] == 400


@pytest.mark.parametrize("budget", [0.01, 1, 1e12])
def test_the_smallest_and_the_largest_budget_are_planned(service, budget):
    status, content = asked(service, "/v1/plan", {"budget": budget})
    assert status == 200
    assert sum(one["expected_cost"] for one in content["contacts"] if one["treated"]) <= budget


@pytest.mark.parametrize("amount", [1e12, -1e12, 1e10, -1e10, 0.0, -0.0, 1e-300, -1e-9, 0.004999, 10**12])
def test_the_largest_and_the_smallest_amounts_are_scored_or_refused(service, amount):
    asked(service, "/v1/score_histories", history(order(), order(amount=amount, cost=amount, discount=amount)))


@pytest.mark.parametrize(
    "at",
    [
        f"{EARLY}T00:00:00+23:59",
        f"{EARLY}T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "1998-03-01T12:00:00",
        "1998-02-30T12:00:00Z",
        "1998-03-01T25:00:00Z",
        "1998-03-01T12:00:00+24:00",
        "1998-03-01T12:00:60Z",
        "0000-00-00T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "12345678",
        "1998-W10-7",
        "١٩٩٨-٠٣-٠١T12:00:00Z",
        "1998-03-01T12:00:00Z\n",
        "1998-03-01T12:00:00Z\u0000",
    ],
)
def test_a_time_that_is_none_is_refused(service, at):
    assert asked(service, "/v1/score_histories", history(order(at=at)))[0] == 422


@pytest.mark.parametrize("at", [f"{LATE}T23:59:59-23:59", f"{LATE}T23:59:59Z", "1998-04-02T00:00:00Z"])
def test_orders_after_the_day_alone_are_nobody_s(service, at):
    assert scored(service, order(at=at)) == {"scores": [], "unknown": ["one"]}


@pytest.mark.parametrize("at", [f"{LATE}T23:59:59-23:59", "1998-04-02T00:00:00+00:00"])
def test_an_order_after_the_day_changes_nothing(service, at):
    assert scored(service, order(), order(at=at, amount=1e10)) == scored(service, order())


@pytest.mark.parametrize("as_of", [EARLY, LATE, "1900-01-01", "2262-04-12", "3000-02-28"])
def test_the_first_and_the_last_day_there_is(service, as_of):
    asked(service, "/v1/score_histories", history(order(), as_of=as_of))


@pytest.mark.parametrize(
    "as_of",
    [
        "10000-01-01",
        "0000-01-01",
        "1998-02-30",
        "1998-04-02T12:00:00",
        1e308,
        "",
        None,
        0,
        -1,
        891475200,
        "891475200",
        True,
    ],
)
def test_a_day_that_is_none_is_refused(service, as_of):
    assert asked(service, "/v1/score_histories", history(order(), as_of=as_of))[0] == 400


def test_refunds_alone_are_nobody_s_orders(service):
    assert scored(service, order(amount=-5.0), order(amount=-1e10)) == {"scores": [], "unknown": ["one"]}


def test_an_order_refunded_whole_leaves_a_customer_or_nobody(service):
    scored(service, order(order_id="7"), order(order_id="7", amount=-5.0))


def test_twenty_thousand_orders_are_as_many_as_one_may_have(service):
    many = [{"ordered_at": "1998-03-01T12:00:00Z", "amount": 5}] * 20_000
    short = [{"ordered_at": "1998-03-01", "amount": 5}] * 20_001
    assert asked(service, "/v1/score_histories", history(*short))[0] in {400, 413}
    assert asked(service, "/v1/score_histories", history(*many))[0] in {200, 413}


def test_as_many_interactions_kinds_and_attributes_as_one_may_have(service):
    events = [{"at": "1998-03-01", "kind": f"kind {number}"} for number in range(2_000)]
    asked(service, "/v1/score_histories", history(order(), interactions=events))
    one_kind = [{"at": "1998-03-01T00:00:00Z", "kind": "visit", "value": (-1) ** n * 1e12} for n in range(5_000)]
    scored(service, order(), interactions=one_kind)
    scored(service, order(), attributes={f"name {number}": number for number in range(256)})
    assert asked(service, "/v1/score_histories", history(order(), attributes={str(n): n for n in range(257)}))[0] == 400


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", "/v1/plan", "/v1/score_histories"])
@pytest.mark.parametrize(
    "body",
    [
        "null",
        "",
        "[]",
        "0",
        '"x"',
        "{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"\x00" * 1_000,
        "[" * 400_000,
        '{"a":' * 100_000,
        '{"customer_ids":' * 20_000,
        "9" * 900_000,
        "1e" + "9" * 900_000,
        '"' + "\\u0000" * 100_000 + '"',
        '{"customer_ids": ["\\ud800"], "budget": 1, "offers": ["\\ud800"]}',
    ],
    ids=range(16),
)
def test_a_body_that_is_no_request_is_refused(service, path, body):
    assert asked(service, path, body)[0] == 400


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", "/v1/plan", "/v1/score_histories"])
def test_ten_megabytes_of_text_are_refused_unread(service, path):
    assert asked(service, path, {"customer_ids": [LONG]})[0] == 413


@pytest.mark.parametrize(
    "customer_id", ["\u0000", "\u202e", "a\n{}", "=1+1", "../../etc/passwd", "NaN", "🙂" * 128, " "]
)
def test_odd_ids_come_back_as_they_were_sent(service, customer_id):
    assert asked(service, "/v1/score", {"customer_ids": [customer_id]})[1]["unknown"] == [customer_id]
    asked_for = history(order())
    asked_for["customers"][0]["customer_id"] = customer_id
    assert asked(service, "/v1/score_histories", asked_for)[1]["scores"][0]["customer_id"] == customer_id


def test_half_a_character_is_refused_wherever_text_stands(service):
    half = "\ud800"
    wrong = [
        history(order(order_id=half)),
        history(order(channel=half)),
        history(order(), attributes={half: 1}),
        history(order(), interactions=[{"at": "1998-03-01T00:00:00Z", "kind": half}]),
    ]
    for body in wrong:
        assert asked(service, "/v1/score_histories", body)[0] in {400, 422}


def test_of_a_key_told_twice_one_counts(service, batch):
    known = batch.scores["customer_id"].iloc[0]
    status, content = asked(service, "/v1/score", f'{{"customer_ids": ["nobody"], "customer_ids": ["{known}"]}}')
    assert status == 200
    assert len(content["scores"]) + len(content["unknown"]) == 1


def test_a_customer_told_twice_is_refused(service):
    twice = history(order())
    twice["customers"] *= 2
    status, content = asked(service, "/v1/score_histories", twice)
    assert status == 422
    assert "customer 1" in content["error"]
