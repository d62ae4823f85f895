"""The store: every score, reason and feature as it was written, to the last bit, for every id and no other."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serving.contract import ScoreResponse
from serving.store import score_store as store
from serving.store.score_store import BatchInfo

DAY, NEXT = date(2024, 7, 1), date(2024, 8, 9)
FEATURES = {"recency_days": None, "orders": None, "channel": ["shop", "web"], "spend_total": None}
ABOUT = BatchInfo(DAY, 90, "7", "EUR", current_cut=12.5, future_cut=1 / 3, gain_cut=float("inf"), features=FEATURES)


def scores(ids, **changed):
    columns = {
        "customer_id": pd.Series(ids, dtype=object),
        "as_of": pd.Timestamp(DAY),
        "horizon_days": 90,
        "churn_probability": np.linspace(0, 1, len(ids)),
        "expected_orders": np.arange(len(ids)) / 3,
        "expected_value": 0.1 + 0.2,
        "value_p10": -0.5,
        "value_p90": 20.0,
        "clv": 1e300,
        "clv_p10": 0.0,
        "clv_p90": 1.5e300,
        "savable_probability": 0.25,
        "gain": 7.5,
        "next_order_at": pd.Timestamp(NEXT),
        "segment": "loyal",
        "reason_1": pd.Series([f"{number % 3} orders" for number in range(len(ids))], dtype=object),
        "reason_2": "only one order so far",
        "reason_3": None,
        "model_version": "7",
    }
    return pd.DataFrame(columns | changed)


def rows(ids, **changed):
    columns = {
        "customer_id": pd.Series(ids, dtype=object),
        "as_of": pd.Timestamp(DAY),
        "recency_days": np.arange(len(ids)) + 0.25,
        "orders": 1.0,
        "channel": pd.Series(["web", "shop", None, "market"] * len(ids), dtype=object)[: len(ids)],
        "spend_total": np.nan,
    }
    return pd.DataFrame(columns | changed)


@pytest.fixture
def kept(tmp_path):
    def write(*chunks, about=ABOUT):
        path = tmp_path / "latest.store"
        with store.writing(path, about) as writer:
            for chunk in chunks:
                writer.add(*chunk)
        return store.open_store(path)

    return write


IDS = ["00123", "123", "é 😀", "x" * 128, "😀" * 128, "0"]


def test_scores_come_back_in_the_order_asked_to_the_last_bit(kept):
    latest = kept((scores(IDS[:4]), rows(IDS[:4])), (scores(IDS[4:]), rows(IDS[4:])))
    found, unknown = latest.find(["é 😀", "00123", "é 😀"])
    assert unknown == []
    assert found[0] == found[2]
    assert found[1] == {
        "customer_id": "00123",
        "as_of": DAY,
        "horizon_days": 90,
        "churn_probability": 0.0,
        "expected_orders": 0.0,
        "expected_value": 0.1 + 0.2,
        "value_p10": -0.5,
        "value_p90": 20.0,
        "clv": 1e300,
        "clv_p10": 0.0,
        "clv_p90": 1.5e300,
        "savable_probability": 0.25,
        "gain": 7.5,
        "next_order_at": NEXT,
        "segment": "loyal",
        "reasons": ["0 orders", "only one order so far"],
        "model_version": "7",
    }
    assert found[0]["reasons"] == ["2 orders", "only one order so far"]
    assert latest.customers == 6
    assert latest.info == ABOUT


def test_the_answer_survives_the_wire(kept):
    found, unknown = kept((scores(IDS), rows(IDS))).find([*IDS, "nobody"])
    answer = ScoreResponse.model_validate({"scores": found, "unknown": unknown})
    assert ScoreResponse.model_validate_json(answer.model_dump_json()) == answer


def test_unknown_ids_are_listed_as_asked(kept):
    latest = kept((scores(IDS), rows(IDS)))
    strangers = ["0123", "", "é", "é 😀 ", "x" * 127, "x" * 100_000, "\ud800", "00123\0"]
    found, unknown = latest.find([strangers[0], "123", *strangers])
    assert [one["customer_id"] for one in found] == ["123"]
    assert unknown == [strangers[0], *strangers]
    assert latest.rows(strangers)[1] == strangers
    assert latest.find([]) == ([], [])


def test_a_store_of_nobody_knows_nobody(kept):
    for latest in (kept(), kept((scores([]), rows([])))):
        assert latest.find(["123"]) == ([], ["123"])
        assert len(latest.rows(["123"])[0]) == len(latest.scores()) == latest.customers == 0


def test_feature_rows_are_as_trees_see_them(kept):
    spent = [0.1, np.nan, 1e-300, -0.0, 3e38, 255.0]
    latest = kept((scores(IDS), rows(IDS, spend_total=spent)))
    found, unknown = latest.rows([*IDS, "nobody"])
    assert unknown == ["nobody"]
    assert list(found.columns) == ["customer_id", "as_of", *FEATURES]
    assert found["customer_id"].tolist() == IDS
    assert (found["as_of"] == pd.Timestamp(DAY)).all()
    assert found["spend_total"].dtype == np.float64
    np.testing.assert_array_equal(found["spend_total"], np.float32(spent))
    np.testing.assert_array_equal(np.signbit(found["spend_total"][3]), True)
    assert found["channel"].tolist() == ["web", "shop", None, None, "web", "shop"]


def test_what_scores_all_gives_is_what_find_gives(kept):
    latest = kept((scores(IDS, segment=["a", "b", "a", "c", "b", "b"]), rows(IDS)))
    everybody = latest.scores()
    for row, one in zip(everybody.to_dict("records"), latest.find(IDS)[0], strict=True):
        days = {name: row[name].date() for name in ("as_of", "next_order_at")}
        assert row | days == {name: one[name] for name in row}
    assert everybody["customer_id"].tolist() == IDS


def test_ids_may_come_as_categories(kept):
    """As `snapshot.chunks` hands them out."""
    ids = pd.Series(IDS, dtype="category")
    latest = kept((scores(IDS, customer_id=ids), rows(IDS, customer_id=ids)))
    assert latest.scores()["customer_id"].tolist() == IDS


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
bits = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 0x80000000, 0x7FC00000, 0x3F800000]))


def _bits(values):
    """With one NaN for all: which one it was is lost in float64."""
    return np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32))


PROPERTY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@PROPERTY
@given(ids=st.lists(texts, min_size=1, max_size=50, unique=True), data=st.data())
def test_any_id_and_any_float32_come_back(kept, ids, data):
    """Held against a plain dict."""
    drawn = data.draw(arrays(np.uint32, (len(ids), 7), elements=bits)).view(np.float32)
    drawn[np.isinf(drawn)] = 0
    drawn[:, 5] = drawn[:, 2]
    features = [f"f{number}" for number in range(7)]
    about = BatchInfo(DAY, 90, "7", "EUR", 0.0, 0.0, 0.0, dict.fromkeys(features))
    frame = pd.DataFrame(drawn, columns=features)
    frame["customer_id"] = pd.Series(ids, dtype=object)
    cut = data.draw(st.integers(0, len(ids)))
    given_scores = scores(ids)
    latest = kept((given_scores[:cut], frame[:cut]), (given_scores[cut:], frame[cut:]), about=about)
    asked = data.draw(st.lists(st.one_of(st.sampled_from(ids), texts), max_size=20))
    oracle = {one: row for row, one in enumerate(ids)}
    found, unknown = latest.rows(asked)
    assert unknown == [one for one in asked if one not in oracle]
    places = [oracle[one] for one in asked if one in oracle]
    np.testing.assert_array_equal(_bits(found[features].to_numpy(np.float32)), _bits(drawn[places]))
    assert [one["churn_probability"] for one in latest.find(asked)[0]] == [
        given_scores["churn_probability"][place] for place in places
    ]


def test_many_customers_find_themselves(kept):
    """Of 30,000 a table of slots has long runs; each piece that is packed at once has its own offsets."""
    ids = [f"C{number:07d}" for number in range(30_000)]
    latest = kept((scores(ids), rows(ids)))
    found, unknown = latest.find(ids)
    assert unknown == []
    assert [one["expected_orders"] for one in found] == (np.arange(30_000) / 3).tolist()
    np.testing.assert_array_equal(latest.rows(ids)[0]["recency_days"], np.arange(30_000) + 0.25)
    assert latest.find([f"D{number:07d}" for number in range(30_000)])[0] == []


def test_the_file_does_not_depend_on_the_process(kept, tmp_path):
    kept((scores(IDS), rows(IDS)))
    code = (
        "import sys; from pathlib import Path; from serving.store import score_store as store;"
        "found = store.open_store(Path(sys.argv[1]));"
        "print(found.hash, found.find(['00123', 'nobody'])[1])"
    )
    path = tmp_path / "latest.store"
    answers = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert answers == {f"{store.open_store(path).hash} ['nobody']\n"}


def test_the_same_customers_make_the_same_file(kept):
    assert kept((scores(IDS), rows(IDS))).hash == kept((scores(IDS), rows(IDS))).hash
    assert kept((scores(IDS), rows(IDS))).hash != kept((scores(IDS, clv=1.0), rows(IDS))).hash


def test_a_reason_may_be_long_and_there_may_be_many(kept, monkeypatch):
    monkeypatch.setattr("serving.store.shared_texts.WRITER_CACHE", 10)
    ids = [str(number) for number in range(100)]
    said = pd.Series([f"{number // 2} é 😀" * 1_000 for number in range(100)], dtype=object)
    chunks = [
        (scores(ids[at : at + 5], reason_1=said[at : at + 5].tolist()), rows(ids[at : at + 5]))
        for at in range(0, 100, 5)
    ]
    found, _ = kept(*chunks).find(ids)
    assert [one["reasons"][0] for one in found] == said.tolist()
