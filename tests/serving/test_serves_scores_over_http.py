"""The real server, in a process of its own on a free port, asked over HTTP."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import psutil
import pytest

from models.prediction import NUMBERS
from serving.guard.guard import REFUSALS
from tests.serving.running import SECRET_ID, TOKEN


def thousands(ids):
    return [ids[first : first + 1_000] for first in range(0, len(ids), 1_000)]


def test_known_unknown_and_repeated_ids(service, batch):
    known = batch.scores["customer_id"].iloc[7]
    answer = service.client.post("/v1/score", json={"customer_ids": [known, "7", known]})
    assert answer.status_code == 200
    content = answer.json()
    assert content["unknown"] == ["7"]
    assert content["scores"][0] == content["scores"][1]
    told = batch.scores.iloc[7].to_dict()
    reasons = [told.pop(name) for name in ("reason_1", "reason_2", "reason_3")]
    reasons = [one for one in reasons if isinstance(one, str)]
    day = told.pop("next_order_at")
    days = {"as_of": "1998-04-02", "next_order_at": None if pd.isna(day) else str(day.date())}
    assert content["scores"][0] == told | days | {"reasons": reasons}


def test_every_customer_scores_the_same_in_batch_by_id_and_from_raw_history(service, batch):
    """CHECKS 16: nobody is missing, and no number differs by more than 1e-6."""
    ids = batch.scores["customer_id"].tolist()
    written = batch.scores.set_index("customer_id")
    by_id, raw = [], []
    orders = batch.orders.assign(
        amount=batch.orders["amount"].astype(float),
        ordered_at=pd.to_datetime(batch.orders["ordered_at"]).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    history = {
        customer_id: rows.drop(columns="customer_id").to_dict("records")
        for customer_id, rows in orders.groupby("customer_id")
    }
    for some in thousands(ids):
        answer = service.client.post("/v1/score", json={"customer_ids": some}).json()
        assert answer["unknown"] == []
        by_id += answer["scores"]
    for some in np.array_split(ids, 40):
        asked = {"as_of": "1998-04-02", "customers": [{"customer_id": one, "orders": history[one]} for one in some]}
        answer = service.client.post("/v1/score_histories", json=asked)
        assert answer.status_code == 200, answer.text[:500]
        assert answer.json()["unknown"] == []
        raw += answer.json()["scores"]
    assert [one["customer_id"] for one in by_id] == [one["customer_id"] for one in raw] == ids
    for name in NUMBERS:
        expected = written.loc[ids, name].to_numpy()
        assert np.array_equal([one[name] for one in by_id], expected)
        assert np.abs(np.array([one[name] for one in raw]) - expected).max() <= 1e-6
    days = [None if pd.isna(day) else str(day.date()) for day in written.loc[ids, "next_order_at"]]
    assert [one["next_order_at"] for one in by_id] == days
    assert np.mean([one["next_order_at"] == day for one, day in zip(raw, days, strict=True)]) > 0.999, "to the digit"
    for name in ("segment", "reasons", "model_version", "as_of", "horizon_days"):
        assert [one[name] for one in by_id] == [one[name] for one in raw]


def test_an_order_that_has_not_happened_can_be_asked_about(service, batch):
    customer_id = batch.scores["customer_id"].iloc[0]
    mine = batch.orders[batch.orders["customer_id"] == customer_id]
    orders = [
        {
            "ordered_at": f"{pd.Timestamp(one.ordered_at):%Y-%m-%d}T00:00:00Z",
            "amount": float(one.amount),
            "quantity": one.quantity,
        }
        for one in mine.itertuples()
    ]
    what_if = [*orders, {"ordered_at": "1998-04-01T12:00:00Z", "amount": 50.0, "quantity": 2}]
    risks = []
    for history in (orders, what_if):
        asked = {"as_of": "1998-04-02", "customers": [{"customer_id": "anyone", "orders": history}]}
        risks.append(service.client.post("/v1/score_histories", json=asked).json()["scores"][0]["churn_probability"])
    assert risks[1] < risks[0]


def test_who_has_not_ordered_yet_is_unknown(service):
    order = {"ordered_at": "1998-04-02T00:00:00Z", "amount": 5.0, "quantity": 1}
    asked = {"as_of": "1998-04-02", "customers": [{"customer_id": "new", "orders": [order]}]}
    assert service.client.post("/v1/score_histories", json=asked).json() == {"scores": [], "unknown": ["new"]}


def test_an_explanation_sums_to_the_score(service, batch):
    ids = batch.scores["customer_id"].head(100).tolist()
    content = service.client.post("/v1/explain", json={"customer_ids": [*ids[:99], "x"]}).json()
    assert (content["unknown"], content["currency"], len(content["explanations"])) == (["x"], "USD", 99)
    for told, score in zip(content["explanations"], batch.scores.head(99).to_dict("records"), strict=True):
        for name in ("churn_probability", "expected_value", "gain"):
            parts = told[name]
            assert parts["score"] == score[name]
            assert parts["base"] + sum(parts["added"].values()) == pytest.approx(score[name], abs=1e-9)
            sizes = [abs(one) for one in parts["added"].values()]
            assert sizes == sorted(sizes, reverse=True)


def test_a_plan_spends_no_more_than_the_budget(service):
    content = service.client.post("/v1/plan", json={"budget": 100, "capacity": 50}).json()
    treated = [one for one in content["contacts"] if one["treated"]]
    assert 0 < len(treated) <= 50
    assert sum(one["expected_cost"] for one in treated) <= 100
    assert content["summary"]["expected_profit"] == pytest.approx(sum(one["expected_profit"] for one in treated))
    assert content["left_out"] == 0


def test_an_offer_nobody_made_is_told(service):
    answer = service.client.post("/v1/plan", json={"budget": 100, "offers": ["voucher!"]})
    assert answer.status_code == 422
    assert "voucher" in answer.json()["error"]


def test_the_model_says_what_it_is(service, batch):
    told = service.client.get("/v1/model").json()
    assert told["version"] == batch.scores["model_version"].iloc[0] == told["scores_model_version"]
    assert told["hash"].startswith(told["version"])
    assert (told["as_of"], told["horizon_days"], told["customers"]) == ("1998-04-02", 90, len(batch.scores))


def test_metrics_count_and_name_nobody(service):
    service.client.post("/v1/score", json={"customer_ids": [SECRET_ID]})
    service.client.get(f"/{SECRET_ID}")
    text = service.client.get("/metrics").text
    assert 'stayworth_request_seconds_count{route="/v1/score",status="200"}' in text
    assert 'stayworth_request_seconds_count{route="other",status="404"}' in text
    assert "stayworth_scores_as_of_timestamp_seconds 8.914752e+08" in text
    assert SECRET_ID not in text


def test_the_openapi_is_enough_to_make_a_client_of(service):
    told = service.client.get("/docs.json").json()
    ways = {f"/v1/{name}" for name in ("score", "score_histories", "score_rows", "explain", "plan", "model")}
    assert ways | {"/livez", "/readyz", "/metrics"} == told["paths"].keys()
    schemas = told["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told))) == schemas.keys()
    assert told["security"] == [{name: []} for name in told["components"]["securitySchemes"]]
    asked = told["paths"]["/v1/score"]["post"]
    assert asked["requestBody"]["required"]
    assert {status for status, _ in REFUSALS.values()} | {200, 422, 503} == {int(one) for one in asked["responses"]}
    assert not any("{" in one["description"] for one in asked["responses"].values())
    assert schemas["Score"]["properties"]["churn_probability"]["maximum"] == 1
    assert len(schemas["HistoriesRequest"]["required"]) == 2
    assert all(one.get("title", name) == name for name, one in schemas.items())


CLIENT = """
import bentoml, json, sys
with bentoml.SyncHTTPClient(sys.argv[1], token=sys.argv[2]) as client:
    assert client.is_ready()
    print(json.dumps(client.score({"customer_ids": [sys.argv[3]]})))
"""


def test_bentoml_s_own_client_asks_too(service, batch):
    known = batch.scores["customer_id"].iloc[3]
    asked = [sys.executable, "-c", CLIENT, service.url, TOKEN, known]
    answer = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    assert answer["scores"][0]["customer_id"] == known


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "missing"),
        ("{", "json_invalid"),
        (f'{{"customer_ids": ["{SECRET_ID}"', "json_invalid"),
        ("NaN", "model_type"),
        ('["00007"]', "model_type"),
        ("{}", "missing"),
        ('{"customer_ids": null}', "list_type"),
        ('{"customer_ids": "00007"}', "list_type"),
        ('{"customer_ids": []}', "too_short"),
        ('{"customer_ids": [""]}', "string_too_short"),
        (f'{{"customer_ids": ["{SECRET_ID}", 7]}}', "string_type"),
        ('{"customer_ids": [NaN]}', "string_type"),
        ('{"customer_ids": [1e308]}', "string_type"),
        ('{"customer_ids": ["\\ud800"]}', "json_invalid"),
        (f'{{"customer_ids": ["{"x" * 129}"]}}', "string_too_long"),
        ('{"customer_ids": [' + ",".join(['"x"'] * 1_001) + "]}", "too_long"),
        ('{"customer_ids": ["00007"], "as_of": "2020-01-01"}', "extra_forbidden"),
        ('{"request": {"customer_ids": ["00007"]}}', "missing"),
        ("[" * 100_000, "json_invalid"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(service, body, says):
    answer = service.client.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"][0]["type"] == says
    assert answer.json()["error"].endswith("validation error for the body")
    assert SECRET_ID not in answer.text


def test_only_livez_is_open(service):
    for path in ("/", "/readyz", "/healthz", "/docs.json", "/schema.json", "/metrics", f"/v1/{SECRET_ID}"):
        assert service.client.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    assert service.client.get("/livez", headers={"Authorization": ""}).status_code == 200
    assert service.client.get("/readyz").status_code == 200
    assert service.client.post("/v1/score", json={}, headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401


def test_other_doors_are_shut(service):
    assert service.client.get("/livez", headers={"Host": "evil.example"}).status_code == 403
    assert service.client.post("/v1/score", data={"a": "b"}).status_code == 415
    assert service.client.get("/v1/score").status_code == 405
    assert service.client.get(f"/v1/{SECRET_ID}").status_code == 404
    assert service.client.get("/static_content/..%2f..%2f..%2fetc/passwd").status_code == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_refused_and_the_service_lives(service, chunked):
    body = b" " * 20_000_000
    content = (body[at : at + 65_536] for at in range(0, len(body), 65_536)) if chunked else body
    answer = service.client.post("/v1/score", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert service.client.get("/readyz").status_code == 200


def test_one_socket_listens_and_it_is_loopback(service):
    listening = [
        c.laddr for one in service.family for c in one.net_connections("all") if c.status == psutil.CONN_LISTEN
    ]
    assert [address.ip for address in listening] == ["127.0.0.1"]
