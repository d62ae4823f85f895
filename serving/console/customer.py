"""The page of one customer: what is expected of them and why; what they did; what an order more would change.

Scores and reasons come from the batch and stand there at once. The history is read from the log meanwhile: the page
asks for it (`/data/history`) and for a what-if (`/data/what-if`), and puts in what it gets.
"""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.errors import InputError, StayworthError
from features.families.catalogue import words
from models.scoring.explain import RHYTHM
from retention.economics.profit import value_at_risk
from serving import access_log, settings
from serving.console import customer_charts, pages
from serving.console.customer_events import customer_events
from serving.console.history_reader import HistoryReader
from serving.console.what_if import with_order
from serving.contract import LARGEST_AMOUNT
from serving.responses import Unavailable

EVENTS_SHOWN = 50
"""Shown in the table, the latest first."""
EFFECTS_SHOWN = 12
"""Reasons with a line of their own; the others are added up."""
MEASURES = {
    "churn_probability": "Churn probability",
    "expected_orders": "Expected orders",
    "expected_value": "Expected value",
    "clv": "CLV",
}

router = APIRouter()


@router.get("/customers/{customer_id:path}")
def customer(request: Request, customer_id: str, id: str = "") -> HTMLResponse:
    """One customer; ids that no path can hold stand in the query."""
    customer_id = customer_id or id
    answers = settings.responses()
    batch = answers.scores.current
    if batch is None:
        return pages.render(request, "empty.html.j2", room="Customer")
    found, _ = batch.find([customer_id])
    about: dict[str, Any] = {"batch": batch.info, "currency": batch.info.currency, "customer_id": customer_id}
    if not found:
        return pages.render(request, "unknown_customer.html.j2", status=404, **about)
    access_log.note_answer(rows=1, model_version=batch.info.model_version)
    try:
        told, unexplained = explained(customer_id), None
    except StayworthError as error:
        told, unexplained = None, str(error)
    return pages.render(
        request,
        "customer.html.j2",
        score=found[0],
        value_at_risk=value_at_risk(found[0]),
        told=told,
        unexplained=unexplained,
        pictures=customer_charts.reason_charts(told, currency=batch.info.currency) if told else None,
        has_log=settings.order_log() is not None,
        **about,
    )


def explained(customer_id: str) -> dict[str, Any]:
    """What `/v1/explain` says of a customer, each reason with their own number in words, the largest first."""
    answers = settings.responses()
    told = answers.explain([customer_id]).content["explanations"][0]
    batch = answers.scores.current
    row = batch.rows([customer_id])[0].iloc[0] if batch else {}
    churn, value = told["churn_probability"], told["expected_value"]
    names = sorted(churn["added"].keys() | value["added"].keys(), key=lambda one: -abs(churn["added"].get(one, 0.0)))
    effects = [
        {
            "says": "the rhythm of orders as a whole" if name == RHYTHM else words(name, row[name]),
            "churn_probability": churn["added"].get(name, 0.0),
            "expected_value": value["added"].get(name, 0.0),
        }
        for name in names
    ]
    rest = effects[EFFECTS_SHOWN:]
    others = {
        "count": len(rest),
        "churn_probability": sum(one["churn_probability"] for one in rest),
        "expected_value": sum(one["expected_value"] for one in rest),
    }
    return {
        "churn_probability": churn,
        "expected_value": value,
        "effects": effects[:EFFECTS_SHOWN],
        "others": others if rest else None,
        "model_version": told["model_version"],
    }


@router.get("/data/history")
async def history(request: Request, id: str) -> HTMLResponse:
    """What the customer did, as a piece of the page."""
    reader = _reader(request)
    rows = await reader.rows(id)
    as_of = _as_of()

    def told() -> HTMLResponse:
        found = reader.history(rows)
        happened = customer_events(found, as_of=as_of) if found else []
        return pages.render(
            request,
            "history.html.j2",
            happened=happened,
            latest=happened[: -EVENTS_SHOWN - 1 : -1],
            with_values=any(one.value is not None for one in happened),
            with_times=any(one.at.normalize() != one.at for one in happened),
            pictures=customer_charts.history_charts(happened, as_of=as_of, currency=_currency()) if happened else None,
            as_of=as_of,
        )

    return await run_sync(told)


@router.get("/data/what-if")
async def what_if(request: Request, id: str, amount: str) -> HTMLResponse:
    """The scores with an order more beside those without, as a piece of the page."""
    money = _amount(amount)
    reader = _reader(request)
    rows = await reader.rows(id)
    as_of, answers = _as_of(), settings.responses()

    def scored(rows: Any) -> dict[str, Any]:
        found = reader.history(rows)
        scores = answers.score_parsed(found, as_of=as_of) if found else []
        if not scores:
            raise InputError(f"the log has no order of theirs known before {as_of}", where="what if")
        return scores[0]

    def told() -> HTMLResponse:
        before, after = scored(rows), scored(with_order(reader.log, rows, amount=money, as_of=as_of))
        batch = answers.scores.current
        return pages.render(
            request,
            "what_if.html.j2",
            before=before,
            after=after,
            amount=money,
            measures=MEASURES,
            other_model=batch is not None and batch.info.model_version != before["model_version"],
        )

    return await run_sync(told)


def _amount(text: str) -> float:
    """The amount of an order, as somebody wrote it."""
    try:
        amount = float(text.replace(",", ""))
    except ValueError:
        amount = float("nan")
    if not 0 < amount <= LARGEST_AMOUNT:
        raise InputError(f"'{text[:50]}' is no amount of an order", where="what if", next="Write a number such as 50.")
    return amount


def _reader(request: Request) -> HistoryReader:
    reader: HistoryReader | None = request.app.state.reader
    if reader is None:
        raise Unavailable("this console was not told where the log is", next="Start it with stayworth console.")
    return reader


def _as_of() -> Any:
    return settings.responses().batch().info.as_of


def _currency() -> str:
    batch = settings.responses().scores.current
    return batch.info.currency if batch else ""
