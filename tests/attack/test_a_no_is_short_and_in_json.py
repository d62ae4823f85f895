"""Whatever is asked wrongly, the answer is a short JSON that says so: no request makes the service write megabytes."""

import json

import pytest

KEYS = "{" + ",".join(f'"{number:x}": 1' for number in range(80_000)) + "}"
NO_ORDERS = [{"customer_id": str(number), "orders": [{}] * 20_000} for number in range(15)]
ATTRIBUTES = {"attributes": {str(number): [] for number in range(256)}}
ORDER = {"ordered_at": "1998-01-01T00:00:00Z", "amount": 1}


def histories(customers):
    return json.dumps({"as_of": "1998-04-02", "customers": customers}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("path", "body", "first"),
    [
        ("/v1/score", KEYS, "80001 mistakes are too many to name"),
        ("/v1/score", json.dumps({"customer_ids": [1] * 1_000}), ["customer_ids", 0]),
        ("/v1/explain", json.dumps({"customer_ids": [1] * 100}), ["customer_ids", 0]),
        ("/v1/plan", f'{{"budget": 1, "x": {KEYS}}}', ["x"]),
        ("/v1/score_histories", histories(NO_ORDERS), ["customers", 0, "orders", 0, "ordered_at"]),
        ("/v1/score_histories", histories([{"customer_id": "a", "orders": [ORDER]} | ATTRIBUTES]), "768 mistakes"),
    ],
)
def test_as_many_mistakes_as_fit_are_told_in_few_words(service, path, body, first):
    answer = service.client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    told = answer.json()["detail"][0]
    assert told["loc"] == first if isinstance(first, list) else told["msg"].startswith(first)
    assert len(answer.content) < 4_000
    assert answer.elapsed.total_seconds() < 2


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nowhere", 404, "no such route"),
        ("GET", "/v1/nowhere", 404, "no such route"),
        ("GET", "/v1/score", 405, "does not accept GET"),
        ("OPTIONS", "/readyz", 405, "does not accept OPTIONS"),
        ("POST", "/v1/model", 405, "does not accept POST"),
    ],
)
def test_a_route_that_is_none_is_said_like_every_other_no(service, method, path, status, says):
    answer = service.client.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert "/docs.json" in answer.json()["error"]
