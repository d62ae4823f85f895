"""CHECKS 17: requests that schemathesis makes from the service's own OpenAPI: none ends in a status 5xx.

Half of them are right by the schema and half are wrong. Half know customers and write true times, since text made by
chance is never the id of a customer and hardly ever a time.
"""

import copy
from collections import Counter

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as some
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.fuzz.judging import judged
from tests.serving.running import TOKEN

ASKED = ("/v1/score", "/v1/score_histories", "/v1/explain", "/v1/plan")
CASES = dict.fromkeys(ASKED, 1_240) | {"/v1/score_histories": 1_000}
"""Of each route; a history takes much longer to make than any other request."""
GOT = ("/healthz", "/livez", "/readyz", "/metrics", "/v1/model", "/docs.json", "/schema.json", "/")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD")


@pytest.fixture(scope="module")
def asking():
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        yield session


@pytest.fixture(scope="module")
def contracts(service, batch):
    """The OpenAPI as it is, and with known customers and true times."""
    told = service.client.get("/docs.json").json()
    del told["security"]  # the session has the token; schemathesis would make some up
    informed = copy.deepcopy(told)
    known = batch.scores["customer_id"].head(50).tolist()
    schemas = informed["components"]["schemas"]
    for asked in ("ScoreRequest", "ExplainRequest"):
        ids = schemas[asked]["properties"]["customer_ids"]
        ids["items"] = {"anyOf": [{"enum": known}, ids["items"]]}
    time = {"type": "string", "pattern": "^19(8[0-9]|9[0-8])-0[1-9]-[12][0-8]T12:00:00Z$"}
    for table, at in (("Order", "ordered_at"), ("Interaction", "at")):
        schemas[table]["properties"] |= {at: time, "recorded_at": {"anyOf": [time, {"type": "null"}]}}
    schemas["Order"]["required"].append("quantity")
    return [schemathesis.openapi.from_dict(one) for one in (told, informed)]


def fuzzed(contracts, asking, url, path, *, cases):
    """How often each status came back."""
    found = Counter()
    for contract in contracts:
        for mode in GenerationMode:

            @seed(17)
            @settings(
                max_examples=cases // (2 * len(contracts)),
                phases=[Phase.generate],
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(contract[path]["POST"].as_strategy(generation_mode=mode))
            def ask(case):
                answer = case.call(base_url=url, session=asking)
                found[answer.status_code] += 1
                ids = case.body.get("customer_ids") if isinstance(case.body, dict) else None
                judged(answer.status_code, answer.content, asked=ids)
                if answer.status_code == 200:
                    case.validate_response(answer, checks=[response_schema_conformance])

            ask()
    return found


def fuzzed_lines(asking, url, *, cases):
    """The same of methods and paths, which the OpenAPI knows only the right ones of."""
    found = Counter()
    paths = some.sampled_from(GOT + ASKED) | some.text(max_size=200).map("/".__add__)
    texts = some.text(some.characters(min_codepoint=33, max_codepoint=126), max_size=50)

    @seed(17)
    @settings(max_examples=cases, phases=[Phase.generate], database=None)
    @given(some.sampled_from(METHODS), paths, some.dictionaries(texts, texts, max_size=3), some.binary(max_size=50))
    def ask(method, path, query, body):
        headers = {"Content-Type": "application/json"} if body else {}
        answer = asking.request(method, url + path, params=query, data=body, headers=headers, allow_redirects=False)
        found[answer.status_code] += 1
        judged(answer.status_code, answer.content)

    ask()
    return found


def answered_and_refused(found):
    assert found[200] > 0
    assert found[400] > 0


@pytest.mark.parametrize("path", [path for path in ASKED if path != "/v1/score_histories"])
def test_some_requests_of_each_route_are_answered_or_refused(service, asking, contracts, path):
    """Of histories, which take long to make, below."""
    answered_and_refused(fuzzed(contracts, asking, service.url, path, cases=60))


def test_some_lines_of_chance_are_answered_or_refused(service, asking):
    assert fuzzed_lines(asking, service.url, cases=60)[404] > 0


@pytest.mark.slow
def test_of_five_thousand_requests_none_makes_it_fail(service, asking, contracts):
    found = fuzzed_lines(asking, service.url, cases=400)
    for path, cases in CASES.items():
        of_route = fuzzed(contracts, asking, service.url, path, cases=cases)
        answered_and_refused(of_route)
        found += of_route
    assert found.total() >= 5_000
    assert max(found) < 500
    assert service.client.get("/readyz").status_code == 200
