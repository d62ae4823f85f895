"""Whether an answer is one the service may give: a refusal that says why, or scores that are possible."""

import json
import math

from tests.serving.running import TOKEN

REFUSED = {400, 404, 405, 413, 415, 422}


def judged(status: int, body: bytes, *, asked: list[str] | None = None) -> None:
    """Fail unless the answer is a refusal with a reason, or right; `asked`: the ids, all of which must come back."""
    assert status == 200 or status in REFUSED, (status, body[:300])
    assert TOKEN.encode() not in body
    if status in {400, 413, 415, 422}:
        assert {"error", "detail"} & set(json.loads(body)), body[:300]
    if status != 200 or not body.startswith(b"{"):
        return
    content = json.loads(body, parse_constant=_never)
    for one in content.get("scores", []):
        assert 0 <= one["churn_probability"] <= 1, one
        assert one["expected_orders"] >= 0, one
        assert one["value_p10"] <= one["value_p90"], one
        numbers = [value for value in one.values() if isinstance(value, float)]
        assert all(math.isfinite(value) for value in numbers), one
    if asked is not None and "scores" in content:
        found = [one["customer_id"] for one in content["scores"]] + content["unknown"]
        assert sorted(found) == sorted(asked)


def _never(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
