"""The OpenAPI 3.1 description of the service, derived from the contract: complete enough to generate a client."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

REF = "#/components/schemas/{model}"
JSON = "application/json"
ERROR_STATUSES = {
    400: "the body breaks the contract, or the request is not valid HTTP",
    422: "the request is well-formed, but cannot be answered; `error` says why",
    503: "there is no model or no batch of scores yet",
}
"""Errors beside the refusals of the guard, by status."""
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "what is wrong, and what to do"},
        "detail": {
            "type": "array",
            "description": "with 400: each mistake, with its place `loc` and its description `msg`",
            "items": {"type": "object"},
        },
    },
}


class DocumentedRoute(NamedTuple):
    """A route of the description."""

    path: str
    summary: str
    request: type[BaseModel] | None
    """None for a GET."""
    response: type[BaseModel] | None
    """None for plain text."""
    is_open: bool = False
    """True if it needs no token."""


OPERATIONAL_ROUTES = (
    DocumentedRoute("/livez", "Liveness: answers if the process is alive.", None, None, is_open=True),
    DocumentedRoute("/readyz", "Readiness: 503 until there is a model or a batch of scores.", None, None),
    DocumentedRoute("/metrics", "Prometheus metrics.", None, None),
)


def openapi_document(routes: Iterable[DocumentedRoute], *, refusals: Mapping[int, str]) -> dict[str, Any]:
    """The document, ready for JSON. refusals: the guard's error texts by status."""
    schemas: dict[str, Any] = {"Error": ERROR}
    errors = {**refusals, **ERROR_STATUSES}
    paths = {route.path: _operation(route, schemas, errors) for route in (*routes, *OPERATIONAL_ROUTES)}
    title = "Stayworth: churn probabilities, customer values and retention plans"
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": "Money is in units of the model's currency."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": schemas},
    }


def _operation(route: DocumentedRoute, schemas: dict[str, Any], errors: Mapping[int, str]) -> dict[str, Any]:
    """The only operation of a path; adds the schemas of its request and response to `schemas`."""
    operation: dict[str, Any] = {"operationId": route.path.rpartition("/")[2], "summary": route.summary}
    operation["responses"] = {"200": {"description": "success", "content": _content(route.response, schemas)}}
    error = {JSON: {"schema": {"$ref": REF.format(model="Error")}}}
    if route.is_open:
        return {"get": operation | {"security": []}}
    operation["responses"] |= {
        str(status): {"description": errors[status], "content": error} for status in sorted(errors)
    }
    if route.request is None:
        return {"get": operation}
    return {"post": operation | {"requestBody": {"required": True, "content": _content(route.request, schemas)}}}


def _content(model: type[BaseModel] | None, schemas: dict[str, Any]) -> dict[str, Any]:
    if model is None:
        return {"text/plain": {"schema": {"type": "string"}}}
    schema = model.model_json_schema(ref_template=REF)
    schemas |= schema.pop("$defs", {}) | {model.__name__: schema | {"title": model.__name__}}
    return {JSON: {"schema": {"$ref": REF.format(model=model.__name__)}}}
