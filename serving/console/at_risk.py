"""The first page: customers at risk, filtered, sorted and paged; every view of it has an address of its own."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from serving import access_log
from serving.console import pages
from serving.console.customer_index import SORT_KEYS, CurrentIndex, CustomerIndex
from serving.console.customer_table import customer_table
from serving.console.filters import PAGE_ROWS, Filters, ordered_places, parse_filters, select_customers

COLUMNS = {
    "value_at_risk": "Value at risk",
    "churn_probability": "Churn probability",
    "clv": "CLV",
    "expected_value": "Expected value",
}
REASONS_SHOWN = 200
"""Reason topics offered in the filter, the most frequent ones."""

router = APIRouter()


@dataclass(frozen=True)
class CustomerPage:
    """One page of a selection."""

    customers: int
    leavers: float
    value_at_risk: float
    clv: float
    rows: list[dict[str, Any]]
    first: int
    """The number of the first row, counted from 1."""
    pages: int


@router.get("/")
def at_risk(request: Request) -> HTMLResponse:
    """Render the list that the address asks for."""
    current: CurrentIndex = request.app.state.customer_index
    index = current.current
    filters, mistakes = parse_filters(request.query_params)
    if index is None:
        return pages.render(request, "empty.html.j2", title="At risk")
    shown = None if mistakes else customer_page(index, filters)
    access_log.note_answer(rows=len(shown.rows) if shown else 0, model_version=index.store.info.model_version)
    return pages.render(
        request,
        "at_risk.html.j2",
        status=422 if mistakes else 200,
        filters=filters,
        mistakes=mistakes,
        shown=shown,
        exact_match=exact_match(index, filters),
        columns={key: (title, sort_address(filters, key)) for key, title in COLUMNS.items()},
        segments=list(zip(index.segments.texts, index.segments.counts, strict=True)),
        reasons=list(zip(index.reasons.texts, index.reasons.counts, strict=True))[:REASONS_SHOWN],
        batch=index.store.info,
        currency=index.store.info.currency,
    )


def customer_page(index: CustomerIndex, filters: Filters) -> CustomerPage:
    """One page of the selected customers; a page beyond the last is empty."""
    selection = select_customers(index, filters)
    begin = (filters.page - 1) * PAGE_ROWS
    rows = customer_table(index.store, ordered_places(index, filters, selection, first=begin + PAGE_ROWS)[begin:])
    return CustomerPage(
        customers=selection.customers,
        leavers=selection.leavers,
        value_at_risk=selection.value_at_risk,
        clv=selection.clv,
        rows=rows.to_pylist(),
        first=begin + 1,
        pages=max(1, -(-selection.customers // PAGE_ROWS)),
    )


def exact_match(index: CustomerIndex, filters: Filters) -> str | None:
    """The id in the filters, if a customer has exactly this id."""
    if not filters.id:
        return None
    scores, _ = index.store.find([filters.id])
    return filters.id if scores else None


def sort_address(filters: Filters, key: str) -> str:
    """The address of the list sorted by this column; in reverse, if it is sorted by it already."""
    assert key in SORT_KEYS
    is_reversed = filters.sort == key and filters.direction == "down"
    return "/" + filters.query(sort=key, direction="up" if is_reversed else "down", page=1)
