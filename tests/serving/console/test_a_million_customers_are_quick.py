"""A million customers: every page is made in a blink, is small, and an export never holds all of them."""

import statistics

import numpy as np
import pandas as pd
import psutil
import pytest

from serving.store import score_store as store
from tests.serving.console.opened import logged_in, opened

CUSTOMERS = 1_000_000
PIECE = 250_000
ASKED = [
    "/",
    "/?segment=VIP",
    "/?segment=VIP&churn_from=50&least_clv=40&sort=clv",
    "/?reason=days+since+the+last+order&direction=up&sort=churn_probability",
    "/?id=0077&sort=expected_value",
    "/?page=20000",
]


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A console over a million made-up customers, and their values at risk."""
    folder = tmp_path_factory.mktemp("million")
    rng = np.random.default_rng(3)
    about = store.BatchInfo(pd.Timestamp("2026-03-01").date(), 90, "v", "EUR", 1.0, 1.0, 1.0, {"recency_days": None})
    risks = {}
    with store.writing(folder / "scores.store", about) as writer:
        for begin in range(0, CUSTOMERS, PIECE):
            churn, clv, days = rng.beta(2, 2, PIECE), rng.lognormal(4, 1, PIECE), rng.integers(2, 400, PIECE)
            ids = [f"{number:08d}" for number in range(begin, begin + PIECE)]
            scores = pd.DataFrame(
                {
                    "customer_id": ids,
                    "as_of": about.as_of,
                    "horizon_days": 90,
                    "churn_probability": churn,
                    "expected_orders": 1.0,
                    "expected_value": clv / 9,
                    "value_p10": 0.0,
                    "value_p90": clv / 2,
                    "clv": clv,
                    "clv_p10": 0.0,
                    "clv_p90": clv * 2,
                    "savable_probability": churn,
                    "gain": churn * clv,
                    "next_order_at": pd.Timestamp("2020-02-01"),
                    "segment": rng.choice(["VIP", "grow", "maintain", "let go"], PIECE),
                    "reason_1": [f"{day} days since the last order, usually {day // 3}" for day in days.tolist()],
                    "reason_2": np.where(days % 2, f"{begin} orders so far", None),
                    "reason_3": None,
                    "model_version": "v",
                }
            )
            writer.add(scores, pd.DataFrame({"customer_id": ids, "recency_days": days.astype(float)}))
            risks |= dict(zip(ids, (churn * clv).tolist(), strict=True))
    with opened(folder, scores=folder / "scores.store", model=folder / "none") as one:
        yield one, risks


@pytest.mark.slow
@pytest.mark.alone
def test_any_page_is_made_quickly_and_small(big):
    console, _ = big
    for path in ASKED:
        answers = [console.client.get(path) for _ in range(5)]
        assert {one.status_code for one in answers} == {200}
        assert statistics.median(one.elapsed.total_seconds() for one in answers) < 0.5, path
        assert len(answers[0].content) < 100_000


@pytest.mark.slow
@pytest.mark.alone
def test_the_list_is_paged_in_a_browser(big, browser):
    console, risks = big
    order = sorted(risks, key=lambda one: -risks[one])
    with logged_in(browser, console) as page:
        assert page.locator("#customers tbody th").all_inner_texts() == order[:50]
        page.get_by_role("link", name="Next →").click()
        assert page.locator("#customers tbody th").all_inner_texts() == order[50:100]
        assert page.get_by_text("Page 2 of 20,000").is_visible()
        page.goto(f"{console.url}/?page=20000")
        assert page.locator("#customers tbody th").all_inner_texts() == order[-50:]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_of_all_takes_little_memory(big, kind):
    console, _ = big
    process, before, sent = psutil.Process(console.process.pid), None, 0
    with console.client.stream("GET", f"/export/customers.{kind}") as answer:
        for part in answer.iter_bytes(1_000_000):
            before = before or process.memory_info().rss
            sent += len(part)
            assert process.memory_info().rss < before + 150_000_000
    assert sent > 50_000_000
