"""The OpenAPI 3.1 description of the service, made of the contract itself: enough to generate a client from."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

REF = "#/components/schemas/{model}"
JSON = "application/json"
ERROR_STATUSES = {
    400: "the body breaks the contract, or this is no proper HTTP",
    422: "the request is well-formed, but cannot be answered; `error` says why",
    503: "no model or no batch of scores yet",
}
"""What is answered beside the refusals of the guard, by status."""
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "what is wrong, and what to do"},
        "detail": {
            "type": "array",
            "description": "with 400: each mistake, `loc` its place, `msg` what it is",
            "items": {"type": "object"},
        },
    },
}


class DocumentedRoute(NamedTuple):
    """A way to ask."""

    path: str
    says: str
    request: type[BaseModel] | None
    """None: it is asked with GET."""
    answer: type[BaseModel] | None
    """None: a text."""
    is_open: bool = False
    """Whether it takes no token."""


OPERATIONAL_ROUTES = (
    DocumentedRoute("/livez", "Whether the process answers.", None, None, is_open=True),
    DocumentedRoute("/readyz", "Whether it has a model or scores to answer with; 503 before.", None, None),
    DocumentedRoute("/metrics", "Prometheus metrics.", None, None),
)


def openapi_document(routes: Iterable[DocumentedRoute], *, refusals: Mapping[int, str]) -> dict[str, Any]:
    """The document, ready for JSON. refusals: what the guard says before any route is reached, by status."""
    schemas: dict[str, Any] = {"Error": ERROR}
    nos = {**refusals, **ERROR_STATUSES}
    paths = {one.path: _operation(one, schemas, nos) for one in (*routes, *OPERATIONAL_ROUTES)}
    title = "Stayworth: who is about to leave, and what they are worth"
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": "Money is in units of the model's currency."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": schemas},
    }


def _operation(route: DocumentedRoute, schemas: dict[str, Any], nos: Mapping[int, str]) -> dict[str, Any]:
    """A path's only operation; the models that it takes and gives join `schemas`."""
    told: dict[str, Any] = {"operationId": route.path.rpartition("/")[2], "summary": route.says}
    told["responses"] = {"200": {"description": "answered", "content": _content(route.answer, schemas)}}
    error = {JSON: {"schema": {"$ref": REF.format(model="Error")}}}
    if route.is_open:
        return {"get": told | {"security": []}}
    told["responses"] |= {str(status): {"description": nos[status], "content": error} for status in sorted(nos)}
    if route.request is None:
        return {"get": told}
    return {"post": told | {"requestBody": {"required": True, "content": _content(route.request, schemas)}}}


def _content(model: type[BaseModel] | None, schemas: dict[str, Any]) -> dict[str, Any]:
    if model is None:
        return {"text/plain": {"schema": {"type": "string"}}}
    schema = model.model_json_schema(ref_template=REF)
    schemas |= schema.pop("$defs", {}) | {model.__name__: schema | {"title": model.__name__}}
    return {JSON: {"schema": {"$ref": REF.format(model=model.__name__)}}}
