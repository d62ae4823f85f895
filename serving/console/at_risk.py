"""The first page: who is at risk, filtered, sorted and paged; every view of it has an address of its own."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from serving import access_log
from serving.console import pages
from serving.console.customer_index import KEYS, Ranked, Ranking
from serving.console.customer_table import rows
from serving.console.filters import PAGE, Wanted, places, select, wanted

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
    ranked: Ranked = request.app.state.ranked
    ranking = ranked.current
    asked, wrong = wanted(request.query_params)
    if ranking is None:
        return pages.render(request, "empty.html.j2", room="At risk")
    shown = None if wrong else show(ranking, asked)
    access_log.note(rows=len(shown.rows) if shown else 0, model_version=ranking.store.about.model_version)
    return pages.render(
        request,
        "at_risk.html.j2",
        status=422 if wrong else 200,
        asked=asked,
        wrong=wrong,
        shown=shown,
        known=known(ranking, asked),
        columns={key: (title, turned(asked, key)) for key, title in COLUMNS.items()},
        segments=list(zip(ranking.segments.texts, ranking.segments.counts, strict=True)),
        reasons=list(zip(ranking.reasons.texts, ranking.reasons.counts, strict=True))[:REASONS_SHOWN],
        batch=ranking.store.about,
        currency=ranking.store.about.currency,
    )


def show(ranking: Ranking, asked: Wanted) -> CustomerPage:
    """The page of a selection; one beyond the last is empty."""
    chosen = select(ranking, asked)
    begin = (asked.page - 1) * PAGE
    found = rows(ranking.store, places(ranking, asked, chosen, first=begin + PAGE)[begin:])
    return CustomerPage(
        customers=chosen.customers,
        leavers=chosen.leavers,
        value_at_risk=chosen.value_at_risk,
        clv=chosen.clv,
        rows=found.to_pylist(),
        first=begin + 1,
        pages=max(1, -(-chosen.customers // PAGE)),
    )


def known(ranking: Ranking, asked: Wanted) -> str | None:
    """The id that is asked for, if a customer has the whole of it."""
    if not asked.id:
        return None
    found, _ = ranking.store.find([asked.id])
    return asked.id if found else None


def turned(asked: Wanted, key: str) -> str:
    """The address of the list sorted by this column, the other way round if it is already."""
    assert key in KEYS
    around = asked.sort == key and asked.direction == "down"
    return "/" + asked.query(sort=key, direction="up" if around else "down", page=1)
