"""The at-risk list: its numbers are those of the batch, its filters and orders those of pandas on the same scores."""

import re
from html import unescape
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest

from serving.console.at_risk import customer_page
from serving.console.customer_index import SORT_KEYS, build_index
from serving.console.customer_table import customer_table
from serving.console.filters import PAGE_ROWS, Filters, ordered_places, parse_filters, select_customers
from serving.store import score_store as store
from tests.serving.console.conftest import HOSTILE


def oracle(scores: pd.DataFrame, asked: Filters) -> pd.DataFrame:
    """The selection by pandas; scores in the order of the batch."""
    found = scores.assign(value_at_risk=scores["gain"])
    reasons = ["reason_1", "reason_2", "reason_3"]
    if asked.segment:
        found = found[found["segment"] == asked.segment]
    if asked.reason:
        kinds = found[reasons].map(lambda one: isinstance(one, str) and asked.reason in one)
        found = found[kinds.any(axis=1)]
    if asked.id:
        found = found[found["customer_id"].str.startswith(asked.id)]
    if asked.churn_from:
        found = found[found["churn_probability"] >= float(asked.churn_from) / 100]
    if asked.churn_to:
        found = found[found["churn_probability"] <= float(asked.churn_to) / 100]
    if asked.least_at_risk:
        found = found[found["value_at_risk"] >= float(asked.least_at_risk)]
    if asked.least_clv:
        found = found[found["clv"] >= float(asked.least_clv)]
    found = found.sort_values(asked.sort, ascending=False, kind="stable")
    return found[::-1] if asked.direction == "up" else found


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A store of 3,000 random customers with many ties, and their scores as they were written."""
    rng = np.random.default_rng(11)
    count = 3_000
    ids = [*rng.permutation([f"{number:05d}" for number in range(count - 2)]).tolist(), "é", "=1+1"]
    days = rng.integers(2, 9, count)
    scores = pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": pd.Timestamp("2026-03-01"),
            "horizon_days": 90,
            "churn_probability": rng.integers(0, 101, count) / 100,
            "expected_orders": rng.random(count),
            "expected_value": rng.integers(0, 50, count) / 1.0,
            "value_p10": 0.0,
            "value_p90": 60.0,
            "clv": rng.integers(0, 300, count) / 2.0,
            "clv_p10": 0.0,
            "clv_p90": 300.0,
            "savable_probability": 0.2,
            "gain": 3.0,
            "next_order_at": pd.Timestamp("2020-02-01"),
            "segment": rng.choice(["VIP", "grow", "<b>"], count),
            "reason_1": [f"{day} days since the last order, usually {day + 1}" for day in days],
            "reason_2": np.where(days % 2, "1 refund in the last year", None),
            "reason_3": np.where(days % 3, None, "acquired by: <advert>"),
            "model_version": "abc",
        }
    )
    path = tmp_path_factory.mktemp("many") / "scores.store"
    about = store.BatchInfo(pd.Timestamp("2026-03-01").date(), 90, "abc", "EUR", 1.0, 1.0, 1.0, {"recency_days": None})
    with store.writing(path, about) as writer:
        for begin in range(0, count, 1_000):
            part = scores.iloc[begin : begin + 1_000]
            writer.add(part, pd.DataFrame({"customer_id": part["customer_id"], "recency_days": 1.0}))
    return build_index(store.open_store(path)), scores


ASKED = [
    Filters(),
    *(Filters(sort=key, direction=direction) for key in SORT_KEYS for direction in ("down", "up")),
    Filters(segment="VIP"),
    Filters(segment="<b>", sort="clv"),
    Filters(segment="nobody's"),
    Filters(reason="days since the last order"),
    Filters(reason="acquired by: <advert>", segment="grow", direction="up"),
    Filters(reason="no such reason"),
    Filters(churn_from="30", churn_to="70"),
    Filters(churn_from="70", churn_to="30"),
    Filters(churn_to="0"),
    Filters(churn_from="100"),
    Filters(least_clv="75.5", sort="expected_value"),
    Filters(least_at_risk="12.25", least_clv="20", segment="grow", churn_from="10"),
    Filters(id="001"),
    Filters(id="00123"),
    Filters(id="é"),
    Filters(id="="),
    Filters(id="000000"),
    Filters(id="0", segment="VIP", reason="days since the last order", churn_from="50", sort="clv", direction="up"),
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_filters_orders_and_totals_are_those_of_pandas(many, asked):
    made, scores = many
    expected = oracle(scores, asked)
    chosen = select_customers(made, asked)
    found = customer_table(made.store, ordered_places(made, asked, chosen)).to_pandas()
    assert found["customer_id"].tolist() == expected["customer_id"].tolist()
    assert chosen.customers == len(expected)
    assert chosen.value_at_risk == pytest.approx(expected["value_at_risk"].sum())
    assert chosen.clv == pytest.approx(expected["clv"].sum())
    assert chosen.leavers == pytest.approx(expected["churn_probability"].sum())
    for name in ("churn_probability", "expected_value", "clv", "value_at_risk", "segment", "reason_1", "reason_3"):
        pd.testing.assert_series_equal(
            found[name].astype(object).where(found[name].notna(), None),
            expected[name].astype(object).where(expected[name].notna(), None).reset_index(drop=True),
            check_names=False,
        )


def test_pages_hold_everybody_once_and_in_order(many):
    made, scores = many
    asked = Filters(segment="VIP", sort="clv")
    last = customer_page(made, asked).pages
    seen = [
        one["customer_id"]
        for page in range(1, last + 1)
        for one in customer_page(made, Filters(**vars(asked) | {"page": page})).rows
    ]
    assert seen == oracle(scores, asked)["customer_id"].tolist()
    assert customer_page(made, Filters(segment="VIP", page=last + 1)).rows == []
    assert len(customer_page(made, asked).rows) == PAGE_ROWS


def test_an_address_says_the_selection_it_came_from():
    for asked in ASKED:
        again, wrong = parse_filters(dict(parse_qsl(asked.query()[1:])))
        assert (again, wrong) == (asked, {})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"churn_from": "x"}, "churn_from"),
        ({"churn_to": "101"}, "churn_to"),
        ({"churn_from": "-1"}, "churn_from"),
        ({"least_clv": "nan"}, "least_clv"),
        ({"least_at_risk": "inf"}, "least_at_risk"),
        ({"least_at_risk": "1e"}, "least_at_risk"),
        ({"sort": "customer_id"}, "sort"),
        ({"direction": "sideways"}, "sort"),
        ({"page": "0"}, "page"),
        ({"page": "-1"}, "page"),
        ({"page": "٣"}, "page"),
        ({"page": "9" * 30}, "page"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_is_shown(console, query, field):
    assert list(parse_filters(query)[1]) == [field]
    answer = console.client.get("/", params=query)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert "<tbody>" not in answer.text


def test_numbers_may_be_written_as_people_do():
    asked, wrong = parse_filters({"least_clv": "1,000", "churn_from": "12.5 %", "unknown": "x"})
    assert wrong == {}
    assert (asked.number("least_clv"), asked.number("churn_from")) == (1000, 12.5)


def cells(text: str) -> list[list[str]]:
    body = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    return [
        [
            unescape(re.sub(r"<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    ]


def test_the_page_shows_the_numbers_of_the_batch(console, shop):
    expected = oracle(shop.scores, Filters(sort="clv"))
    answer = console.client.get("/?sort=clv")
    assert answer.status_code == 200
    found = cells(answer.text)
    assert len(found) == min(PAGE_ROWS, len(expected))
    for row, (_, score) in zip(found, expected.iterrows(), strict=False):
        assert row[0] == score["customer_id"].replace("\u202e", "\\u202e")
        assert row[5] == score["segment"]
        assert row[1] == f"{score['value_at_risk']:,.2f}".replace("-", "−")
        assert row[2] == f"{score['churn_probability']:.1%}"
        assert row[3] == f"{score['clv']:,.2f}".replace("-", "−")
        assert row[4] == f"{score['expected_value']:,.2f}".replace("-", "−")
        assert row[6] == "; ".join(one for one in score[["reason_1", "reason_2", "reason_3"]] if isinstance(one, str))
    totals = re.search(r'data-customers="(\d+)" data-at-risk="(.*?)" data-leavers="(.*?)"', answer.text)
    assert int(totals[1]) == len(expected)
    assert float(totals[2]) == pytest.approx(expected["value_at_risk"].sum())
    assert float(totals[3]) == pytest.approx(expected["churn_probability"].sum())


def test_an_id_that_is_somebodys_leads_to_their_page(console):
    answer = console.client.get("/", params={"id": HOSTILE})
    assert "There is a customer with exactly this id" in answer.text
    assert "There is a customer with exactly this id" not in console.client.get("/", params={"id": "00"}).text


def test_nobody_found_is_said(console):
    answer = console.client.get("/", params={"id": "no such id"})
    assert answer.status_code == 200
    assert "No customer matches these filters" in answer.text
