"""The page of one customer: their scores and the reasons, their history, and the effect of one more order.

Scores and reasons come from the batch and are shown at once. The history is read from the log meanwhile: the page
requests it (`/data/history`) and a what-if (`/data/what-if`), and inserts the responses.
"""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.errors import InputError, StayworthError
from features.families.catalogue import value_in_words
from models.scoring.explain import LIMIT, RHYTHM
from retention.economics.profit import value_at_risk
from serving import access_log, settings
from serving.console import customer_charts, pages
from serving.console.customer_events import customer_events
from serving.console.history_reader import HistoryReader
from serving.console.what_if import with_order
from serving.contract import LARGEST_AMOUNT
from serving.responses import Unavailable

EVENTS_SHOWN = 50
"""Events in the table, the latest first."""
EFFECTS_SHOWN = 12
"""Reasons with a row of their own; the others are added up."""
EXPLAINED = ("churn_probability", "expected_value", "gain")
"""The scores that are split into contributions."""
LABELS = {
    RHYTHM: "the rhythm of orders as a whole",
    LIMIT: "value at risk is not negative, nor more than saving the customer can add",
}
"""Contributions that are no feature's."""
MEASURES = {
    "churn_probability": "Churn probability",
    "expected_orders": "Expected orders",
    "expected_value": "Expected value",
    "clv": "CLV",
}

router = APIRouter()


@router.get("/customers/{customer_id:path}")
def customer(request: Request, customer_id: str, id: str = "") -> HTMLResponse:
    """Render the page of one customer; ids that a path cannot hold are in the query."""
    customer_id = customer_id or id
    batch = settings.responses().scores.current
    if batch is None:
        return pages.render(request, "empty.html.j2", title="Customer")
    scores, _ = batch.find([customer_id])
    context: dict[str, Any] = {"batch": batch.info, "currency": batch.info.currency, "customer_id": customer_id}
    if not scores:
        return pages.render(request, "unknown_customer.html.j2", status=404, **context)
    access_log.note_answer(rows=1, model_version=batch.info.model_version)
    try:
        explanation, unexplained = explain_scores(customer_id), None
    except StayworthError as error:
        explanation, unexplained = None, ". ".join(line.strip() for line in str(error).splitlines())
    return pages.render(
        request,
        "customer.html.j2",
        score=scores[0],
        value_at_risk=value_at_risk(scores[0]),
        explanation=explanation,
        unexplained=unexplained,
        pictures=customer_charts.reason_charts(explanation, currency=batch.info.currency) if explanation else None,
        has_log=settings.order_log() is not None,
        **context,
    )


def explain_scores(customer_id: str) -> dict[str, Any]:
    """The explanation of `/v1/explain`, each reason in words with the customer's own number, the largest first."""
    responses = settings.responses()
    explanation = responses.explain([customer_id]).content["explanations"][0]
    batch = responses.scores.current
    row = batch.rows([customer_id])[0].iloc[0] if batch else {}
    parts = {name: explanation[name] for name in EXPLAINED}
    names = set().union(*(part["added"] for part in parts.values()))
    churn = parts["churn_probability"]["added"]
    effects = [
        {"label": LABELS.get(name) or value_in_words(name, row[name])}
        | {score: part["added"].get(name, 0.0) for score, part in parts.items()}
        for name in sorted(names, key=lambda name: (-abs(churn.get(name, 0.0)), name))
    ]
    rest = effects[EFFECTS_SHOWN:]
    others = {"count": len(rest)} | {score: sum(effect[score] for effect in rest) for score in EXPLAINED}
    return {
        **parts,
        "effects": effects[:EFFECTS_SHOWN],
        "others": others if rest else None,
        "next_order": (explanation["next_order_p10"], explanation["next_order_p90"]),
        "model_version": explanation["model_version"],
    }


@router.get("/data/history")
async def history(request: Request, id: str) -> HTMLResponse:
    """Render the customer's history, as a piece of the page."""
    histories = await _reader(request).history(id)
    as_of = _as_of()

    def respond() -> HTMLResponse:
        events = customer_events(histories, as_of=as_of) if histories else []
        return pages.render(
            request,
            "history.html.j2",
            events=events,
            latest=events[: -EVENTS_SHOWN - 1 : -1],
            with_values=any(event.value is not None for event in events),
            with_times=any(event.at.normalize() != event.at for event in events),
            pictures=customer_charts.history_charts(events, as_of=as_of, currency=_currency()) if events else None,
            as_of=as_of,
        )

    return await run_sync(respond)


@router.get("/data/what-if")
async def what_if(request: Request, id: str, amount: str) -> HTMLResponse:
    """Render the scores with and without one more order, as a piece of the page."""
    money = _amount(amount)
    reader = _reader(request)
    rows = await reader.rows(id)
    as_of, responses = _as_of(), settings.responses()

    def score(rows: Any) -> dict[str, Any]:
        histories = reader.parsed(rows)
        scores = responses.score_parsed(histories, as_of=as_of) if histories else []
        if not scores:
            raise InputError(f"the log has no order by this customer before {as_of}", where="what if")
        return scores[0]

    def respond() -> HTMLResponse:
        before, after = score(rows), score(with_order(reader.log, rows, amount=money, as_of=as_of))
        batch = responses.scores.current
        return pages.render(
            request,
            "what_if.html.j2",
            before=before,
            after=after,
            amount=money,
            measures=MEASURES,
            other_model=batch is not None and batch.info.model_version != before["model_version"],
        )

    return await run_sync(respond)


def _amount(text: str) -> float:
    """Parse the amount of an order."""
    try:
        amount = float(text.replace(",", ""))
    except ValueError:
        amount = float("nan")
    if not 0 < amount <= LARGEST_AMOUNT:
        raise InputError(
            f"'{text[:50]}' is not the amount of an order", where="what if", next="Enter a number such as 50."
        )
    return amount


def _reader(request: Request) -> HistoryReader:
    reader: HistoryReader | None = request.app.state.reader
    if reader is None:
        raise Unavailable("this console does not know where the order log is", next="Start it with stayworth console.")
    return reader


def _as_of() -> Any:
    return settings.responses().batch().info.as_of


def _currency() -> str:
    batch = settings.responses().scores.current
    return batch.info.currency if batch else ""
