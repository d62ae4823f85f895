"""Exports: all rows of the selection in its order, safe for a spreadsheet, sent in pieces, each with its audit line."""

import io
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from models.prediction import DATES, NUMBERS
from serving.console import export
from tests.serving.console.conftest import HOSTILE
from tests.serving.console.opened import opened

COLUMNS = [
    *("customer_id", "as_of", "horizon_days", *NUMBERS, *DATES, "value_at_risk", "segment"),
    *("reason_1", "reason_2", "reason_3", "model_version"),
]


def expected(shop, asked: str = "value_at_risk") -> pd.DataFrame:
    found = shop.scores.assign(value_at_risk=shop.scores["gain"])
    return found.sort_values(asked, ascending=False, kind="stable")[COLUMNS].reset_index(drop=True)


def read(console, path: str) -> pd.DataFrame:
    answer = console.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="customers-1998-04-02.')
    if "csv" in path:
        return pd.read_csv(
            io.BytesIO(answer.content),
            dtype={"customer_id": "str"},
            keep_default_na=False,
            na_values={name: [""] for name in ("reason_1", "reason_2", "reason_3")},
        )
    return pq.read_table(io.BytesIO(answer.content)).to_pandas()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_has_every_customer_and_the_columns_of_the_scores(console, shop, kind):
    found, oracle = read(console, f"/export/customers.{kind}?sort=clv"), expected(shop, "clv")
    assert found.columns.tolist() == COLUMNS
    assert found["customer_id"].tolist() == oracle["customer_id"].tolist()
    assert found["segment"].tolist() == oracle["segment"].tolist()
    for name in (*NUMBERS, "value_at_risk"):
        assert found[name].tolist() == oracle[name].tolist(), "to the last digit"
    for name in DATES:
        told, right = (
            pd.to_datetime(frame[name].replace("", None)).astype("datetime64[ms]") for frame in (found, oracle)
        )
        assert told.isna().any()
        pd.testing.assert_series_equal(told, right, check_dtype=False)
    for name in ("reason_1", "reason_2", "reason_3"):
        told = ["'" + one if kind == "csv" and one.startswith("-") else one for one in oracle[name].fillna("")]
        assert found[name].fillna("").tolist() == told
    assert set(found["as_of"].astype(str)) == {"1998-04-02"}


def test_an_export_is_the_selection_and_no_page_of_it(console, shop):
    oracle = expected(shop)
    oracle = oracle[(oracle["segment"] == "VIP") & (oracle["churn_probability"] >= 0.25)]
    assert len(oracle) > 50
    found = read(console, "/export/customers.csv?segment=VIP&churn_from=25&page=2")
    assert found["customer_id"].tolist() == oracle["customer_id"].tolist()


def test_an_export_of_nobody_has_its_columns(console):
    for kind in ("csv", "parquet"):
        found = read(console, f"/export/customers.{kind}?id=no+such+id")
        assert (len(found), found.columns.tolist()) == (0, COLUMNS)


def test_what_a_spreadsheet_would_run_is_text(many_kinds):
    console, ids = many_kinds
    found = read(console, "/export/customers.csv?sort=clv")
    assert sorted(found["customer_id"]) == sorted("'" + one if one[0] in "=+-@\t\r" else one for one in ids)
    assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for one in found["segment"])
    parquet = read(console, "/export/customers.parquet")
    assert sorted(parquet["customer_id"]) == sorted(ids), "where nothing is run nothing is changed"


@pytest.fixture(scope="module")
def many_kinds(shop, tmp_path_factory):
    """A console over customers with the ids that spreadsheets and pages stumble over."""
    from serving.store import score_store as store

    folder = tmp_path_factory.mktemp("kinds")
    ids = ["=1+1", "+7", "-2", "@x", "\tx", "00123", 'a"b', "a,b", "a\nb", HOSTILE, "é", "'", "x" * 128]
    scores = shop.scores.head(len(ids)).assign(customer_id=ids, segment="=cmd()")
    version = scores["model_version"].iloc[0]
    about = store.BatchInfo(
        pd.Timestamp("1998-04-02").date(), 90, version, "USD", 1.0, 1.0, 1.0, {"recency_days": None}
    )
    with store.writing(folder / "scores.store", about) as writer:
        writer.add(scores, pd.DataFrame({"customer_id": ids, "recency_days": 1.0}))
    with opened(folder, scores=folder / "scores.store", model=shop.folder / "bundle") as one:
        yield one, ids


def test_every_export_leaves_a_line_and_only_exports_do(shop, tmp_path):
    with opened(tmp_path, scores=shop.folder / "scores.store", model=shop.folder / "bundle") as one:
        one.client.get("/?segment=VIP")
        one.client.get("/export/customers.csv", headers={"authorization": "Bearer x"})
        one.client.get("/export/customers.csv?sort=x")
        one.client.get("/export/customers.xlsx")
        assert not (one.folder / "audit.jsonl").exists()
        one.client.get("/export/customers.csv?segment=VIP")
        one.client.get("/export/customers.parquet")
    lines = [json.loads(line) for line in (one.folder / "audit.jsonl").read_text().splitlines()]
    assert [line | {"at": ""} for line in lines] == [
        {
            "at": "",
            "who": "default",
            "what": "export",
            "kind": kind,
            "customers": count,
            "selection": selection,
            "scores": lines[0]["scores"],
            "as_of": "1998-04-02",
        }
        for kind, count, selection in (
            ("csv", int((shop.scores["segment"] == "VIP").sum()), "?segment=VIP"),
            ("parquet", len(shop.scores), ""),
        )
    ]
    told = [line for line in one.journal if line.get("route") == "/export/…" and line["status"] == 200]
    assert [line["rows"] for line in told] == [lines[0]["customers"], lines[1]["customers"]]


@pytest.mark.slow
def test_nothing_is_exported_that_cannot_be_written_down(shop, tmp_path):
    with opened(tmp_path, scores=shop.folder / "scores.store", model=shop.folder / "bundle") as one:
        (one.folder / "audit.jsonl").mkdir()
        answer = one.client.get("/export/customers.csv")
        assert answer.status_code == 422
        assert "Nothing is exported without its audit line" in answer.json()["error"]


def test_an_export_is_made_piece_by_piece(monkeypatch):
    made = []
    monkeypatch.setattr(
        export, "customer_table", lambda _, places: made.append(len(places)) or export.pa.table({"id": places})
    )
    monkeypatch.setattr(export, "CHUNK_ROWS", 10)
    chosen = pd.RangeIndex(35).to_numpy()
    for as_file in (export.as_csv, export.as_parquet):
        made.clear()
        sent = as_file(None, chosen)
        next(sent)
        assert sum(made) <= 10, "only what is sent is made"
        rest = list(sent)
        assert made == [0, 10, 10, 10, 5]
        assert len(rest) >= 4
