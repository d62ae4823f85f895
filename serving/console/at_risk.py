"""The first page: who is at risk, filtered, sorted and paged; every view of it has an address of its own."""

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
"""Kinds of reasons to choose from, the most frequent."""

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
    """The list that the address asks for."""
    ranked: CurrentIndex = request.app.state.customer_index
    ranking = ranked.current
    asked, wrong = parse_filters(request.query_params)
    if ranking is None:
        return pages.render(request, "empty.html.j2", room="At risk")
    shown = None if wrong else customer_page(ranking, asked)
    access_log.note_answer(rows=len(shown.rows) if shown else 0, model_version=ranking.store.info.model_version)
    return pages.render(
        request,
        "at_risk.html.j2",
        status=422 if wrong else 200,
        asked=asked,
        wrong=wrong,
        shown=shown,
        known=exact_match(ranking, asked),
        columns={key: (title, sort_address(asked, key)) for key, title in COLUMNS.items()},
        segments=list(zip(ranking.segments.texts, ranking.segments.counts, strict=True)),
        reasons=list(zip(ranking.reasons.texts, ranking.reasons.counts, strict=True))[:REASONS_SHOWN],
        batch=ranking.store.info,
        currency=ranking.store.info.currency,
    )


def customer_page(ranking: CustomerIndex, asked: Filters) -> CustomerPage:
    """The page of a selection; one beyond the last is empty."""
    chosen = select_customers(ranking, asked)
    begin = (asked.page - 1) * PAGE_ROWS
    found = customer_table(ranking.store, ordered_places(ranking, asked, chosen, first=begin + PAGE_ROWS)[begin:])
    return CustomerPage(
        customers=chosen.customers,
        leavers=chosen.leavers,
        value_at_risk=chosen.value_at_risk,
        clv=chosen.clv,
        rows=found.to_pylist(),
        first=begin + 1,
        pages=max(1, -(-chosen.customers // PAGE_ROWS)),
    )


def exact_match(ranking: CustomerIndex, asked: Filters) -> str | None:
    """The id that is asked for, if a customer has the whole of it."""
    if not asked.id:
        return None
    found, _ = ranking.store.find([asked.id])
    return asked.id if found else None


def sort_address(asked: Filters, key: str) -> str:
    """The address of the list sorted by this column, the other way round if it is already."""
    assert key in SORT_KEYS
    around = asked.sort == key and asked.direction == "down"
    return "/" + asked.query(sort=key, direction="up" if around else "down", page=1)
