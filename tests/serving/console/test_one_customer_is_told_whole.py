"""The page of one customer: the numbers of `score` and `/v1/explain`, the events of the log, what an order changes."""

import re
from html import unescape
from urllib.parse import quote

import pandas as pd
import pytest

from models.artifacts import bundle
from models.scoring.batch_scores import score_orders
from serving.console.pages import customer_address
from tests.serving.console.conftest import HOSTILE
from tests.serving.running import running


def table(text: str, name: str) -> list[list[str]]:
    """The cells of a table's body as text."""
    whole = re.search(rf'<table id="{name}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    return [
        [
            unescape(re.sub(r"<[^>]*>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", whole[1], re.DOTALL)
    ]


def minus(number: str) -> str:
    return number.replace("-", "−")


@pytest.fixture(scope="module")
def someone(shop):
    """A customer with several orders."""
    counts = shop.orders["customer_id"].value_counts()
    return counts[counts > 4].index.sort_values()[0]


def test_scores_are_those_of_the_batch(console, shop, someone):
    score = shop.scores.set_index("customer_id").loc[someone]
    text = console.client.get(customer_address(someone)).text
    said = {
        name: unescape(re.sub("<.*?>", "", re.search(rf'id="{name}">(.*?)<', text)[1]))
        for name in (
            "churn_probability",
            "value_at_risk",
            "clv",
            "clv_interval",
            "expected_value",
            "interval",
            "expected_orders",
            "segment",
        )
    }

    def money(amount):
        return minus(f"{amount:,.{0 if abs(amount) >= 100 else 2}f}\u00a0USD")

    assert said["churn_probability"] == f"{score['churn_probability']:.1%}"
    assert said["value_at_risk"] == money(score["gain"])
    assert said["clv"] == money(score["clv"])
    assert said["clv_interval"] == f"{money(score['clv_p10'])[:-4]} to {money(score['clv_p90'])}"
    assert said["expected_value"] == money(score["expected_value"])
    assert said["interval"] == f"{money(score['value_p10'])[:-4]} to {money(score['value_p90'])}"
    assert said["expected_orders"] == f"{score['expected_orders']:,.2f}"
    assert said["segment"] == score["segment"]


def test_reasons_are_those_of_v1_explain_and_sum_to_the_scores(console, shop, someone, tmp_path):
    with running(shop.folder, tmp_path) as service:
        answer = service.client.post("/v1/explain", json={"customer_ids": [someone]}).json()
    told = answer["explanations"][0]
    rows = table(console.client.get(customer_address(someone)).text, "reasons")
    first, *effects, last = rows
    for row, part in ((first, "base"), (last, "score")):
        amounts = [minus(f"{told[name][part]:,.2f}") for name in ("expected_value", "gain")]
        assert row[1:] == [f"{told['churn_probability'][part] * 100:.1f}", *amounts]
    churn = [f"{added * 100:+.1f}" for added in told["churn_probability"]["added"].values()]
    shown = [row[1] for row in effects if not re.fullmatch(r"\d+ other reasons?", row[0])]
    assert shown == [minus(one) for one in churn[: len(shown)]]
    assert abs(sum(float(row[1].replace("−", "-")) for row in rows[:-1]) - float(last[1])) < 0.1 * len(rows)
    for place, name in ((2, "expected_value"), (3, "gain")):
        amount = sum(float(row[place].replace("−", "-").replace(",", "")) for row in rows[:-1])
        assert amount == pytest.approx(told[name]["score"], abs=0.01 * len(rows))


def test_history_is_every_event_of_the_log_newest_first(console, shop, someone):
    orders = shop.orders[shop.orders["customer_id"] == someone]
    by_instant = orders.assign(amount=orders["amount"].astype(float)).groupby("ordered_at", sort=True)["amount"].sum()
    rows = table(console.client.get("/data/history", params={"id": someone}).text, "events")
    assert [row[0].split()[0] for row in rows] == [str(pd.Timestamp(day).date()) for day in by_instant.index[::-1]]
    assert [float(row[2].replace(",", "")) for row in rows] == pytest.approx(by_instant.tolist()[::-1])
    assert float(rows[0][3].replace(",", "")) == pytest.approx(by_instant.sum())
    later = [" later" in row[0] for row in rows]
    assert later == [pd.Timestamp(day) >= pd.Timestamp("1998-04-02") for day in by_instant.index[::-1]]


def test_what_if_is_the_score_of_the_log_with_that_order_in_it(console, shop, someone):
    scorer = bundle.read(shop.folder / "bundle")
    orders = shop.orders[shop.orders["customer_id"] == someone]
    orders = orders.assign(ordered_at=pd.to_datetime(orders["ordered_at"]), amount=orders["amount"].astype(float))
    more = orders.iloc[[0]].assign(ordered_at=pd.Timestamp("1998-04-01 12:00"), amount=75.0)
    more = more.assign(**{name: None for name in more if name not in ("customer_id", "ordered_at", "amount")})
    day = pd.Timestamp("1998-04-02").date()
    before = score_orders(scorer, orders, as_of=day).iloc[0]
    after = score_orders(scorer, pd.concat([orders, more]), as_of=day).iloc[0]
    answer = console.client.get("/data/what-if", params={"id": someone, "amount": "75"})
    rows = table(answer.text, "compared")
    assert rows[0][1:3] == [f"{before['churn_probability']:.1%}", f"{after['churn_probability']:.1%}"]
    for row, name in zip(rows[1:4], ("expected_orders", "expected_value", "clv"), strict=True):
        assert row[1:3] == [f"{before[name]:,.2f}", f"{after[name]:,.2f}"]
        assert row[3] == minus(f"{after[name] - before[name]:+,.2f}")
    batch = shop.scores.set_index("customer_id").loc[someone]
    assert rows[3][1] == f"{batch['clv']:,.2f}"


@pytest.mark.parametrize("amount", ["", "x", "-5", "0", "nan", "inf", "1e13"])
def test_an_amount_that_is_none_is_refused_in_words(console, someone, amount):
    answer = console.client.get("/data/what-if", params={"id": someone, "amount": amount})
    assert answer.status_code == 422
    assert "amount" in answer.json()["error"]


def test_a_hostile_id_has_a_page_like_any_other(console):
    assert customer_address(HOSTILE).startswith("/customers/?id=")  # it holds a "..", and what no eye can see
    answer = console.client.get(customer_address(HOSTILE))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(" in answer.text
    assert console.client.get("/data/history", params={"id": HOSTILE}).status_code == 200


@pytest.mark.parametrize(
    "customer_id", ["nobody", "a/b", "..", ".", "a//b", "<b>", "x\ny", "\x00", "é ?&#%25", " ", "=1+1"]
)
def test_an_unknown_id_is_said_whatever_it_is_and_can_be_searched_for(console, customer_id):
    answer = console.client.get(customer_address(customer_id))
    assert answer.status_code == 404
    assert "There is no customer with this id" in answer.text
    field = re.search(r'name="id" type="search" value="(.*?)"', answer.text, re.DOTALL)
    assert unescape(field[1]) == customer_id


def test_an_id_may_be_written_into_the_address(console, someone):
    assert console.client.get(f"/customers/{quote(someone, safe='')}").status_code == 200
    assert console.client.get(f"/customers/{someone}").status_code == 200
