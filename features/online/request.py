"""Build the Histories of one request: the same as `ingest` builds of these rows in frames, without its tens of ms.

A request is a list of customers as JSON has them, with the columns of features/ingest/schema.py:

    {"customer_id": "00123", "attributes": {"plan": "gold"},
     "orders": [{"ordered_at": "2011-10-17T18:05:00Z", "amount": 31.5, "order_id": "7", …}, …],
     "interactions": [{"at": "2011-11-02T09:30:00+01:00", "kind": "visit", "value": 3}, …]}

Nothing is set aside: a row that `ingest` would quarantine is refused here, by the number of its customer and row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from features.histories.assemble import NO_INTERACTIONS, assemble_orders, is_prompt, sort_interactions, sort_lines
from features.histories.attributes import AttributeKinds
from features.histories.columns import Columns, Histories
from features.histories.counting_sort import Arrays
from features.ingest.cleaning import LARGEST_CENTS
from features.ingest.schema import ORDERS, minor_units
from features.ingest.usable_rows import MAX_KINDS
from features.online.duckdb_text import HASHES, KINDS, WHOLE_NUMBERS
from features.online.request_attributes import attributes_of_request
from features.online.request_columns import BadRequest, RequestRows, is_text

Customer = Mapping[str, Any]
MICROS = 1_000_000
REQUIRED = {"customer_id", "ordered_at", "amount"}


def histories_of_request(
    customers: Sequence[Customer],
    *,
    currency: str,
    gross_margin: float,
    attributes: AttributeKinds | None = None,
    naive_is_utc: bool = False,
) -> Histories:
    """The histories of the customers who bought something; the others have none.

    gross_margin: the share of an amount that is margin where it has no cost. attributes: those wanted and what they
    hold; a missing one is null, and so is a name that is not known. naive_is_utc: a time without a zone is UTC, else
    it is refused.
    An id may not come twice; all rows of a customer are one export, so that identical rows are all kept. Raises
    BadRequest.
    """
    ids = _ids(customers)
    units = minor_units(currency)
    orders = RequestRows.of_each("order", [customer.get("orders") or () for customer in customers])
    events = RequestRows.of_each("interaction", [customer.get("interactions") or () for customer in customers])
    _refuse_other_currencies_and_sources(orders, currency)
    lines, channels = _lines(orders, gross_margin, units=units, naive_is_utc=naive_is_utc)
    interactions, kinds = _interactions(events, naive_is_utc=naive_is_utc)

    bought = np.array(orders.of, np.int64)[lines["cents"] >= 0]
    buyers = sorted(set(bought.tolist()), key=ids.__getitem__)
    place = np.full(len(ids), -1, np.int32)
    place[buyers] = np.arange(len(buyers))
    lines, interactions = _rows_of_buyers(place, orders, lines), _rows_of_buyers(place, events, interactions)
    rate = 1 if "margin_micros" in lines else round(gross_margin * MICROS)
    columns, _ = assemble_orders(*sort_lines(lines, len(buyers)), margin_micros=rate)
    columns |= sort_interactions(interactions, len(buyers))
    columns["prompt"] = is_prompt(columns)
    values, unseen = attributes_of_request(customers, buyers, attributes or {}, naive_is_utc=naive_is_utc)
    return Histories(
        customer_ids=pa.array([ids[buyer] for buyer in buyers], pa.string()),
        columns=Columns(**columns),
        minor_units=units,
        present=_present(customers, orders, events),
        channels=channels,
        kinds=kinds,
        attributes=values,
        attribute_kinds=dict(attributes or {}),
        unseen_names=unseen,
    )


def _ids(customers: Sequence[Customer]) -> list[str]:
    """The customers' ids, each once."""
    first: dict[str, int] = {}
    for place, customer in enumerate(customers):
        customer_id, where = customer.get("customer_id"), f"customer {place + 1}"
        if not is_text(customer_id):
            raise BadRequest("customer_id is not text" if customer_id is not None else "no customer_id", where=where)
        if not customer_id:
            raise BadRequest("no customer_id", where=where)
        if customer_id in first:
            raise BadRequest(
                f"has the customer_id of customer {first[customer_id] + 1}",
                where=where,
                next="Give each customer once, with all orders.",
            )
        first[customer_id] = place
    return list(first)


def _refuse_other_currencies_and_sources(orders: RequestRows, currency: str) -> None:
    if "currency" in orders.columns:
        names = orders.texts("currency")
        orders.refuse(names, lambda name: name and name.strip().upper() != currency, f"the currency is not {currency}")
    if "source" in orders.columns:
        next = "Give each order once, without `source`: only a log can be checked for overlapping exports."
        orders.refuse(orders.texts("source"), bool, "a request has one source", next=next)


def _lines(
    orders: RequestRows, gross_margin: float, *, units: int, naive_is_utc: bool
) -> tuple[Arrays, tuple[str, ...]]:
    """The columns that features/histories/assemble.py takes, except `customer`, and the names of the channels."""
    has, most = orders.columns, LARGEST_CENTS // units
    at = orders.instants("ordered_at", naive_is_utc=naive_is_utc)
    cents = _minor_units(_micros(orders.numbers("amount", most=most, required=True)), units)
    lines = {"at": at, "cents": cents}
    if "recorded_at" in has:
        recorded = orders.instants("recorded_at", naive_is_utc=naive_is_utc, otherwise=at)
        lines["known_at"] = np.maximum(at, recorded)
    if "cost" in has:
        cost = orders.numbers("cost", most=most)
        margin = cents * MICROS + np.where(cents < 0, 1, -1) * _micros(np.abs(cost)) * units
        lines["margin_micros"] = np.where(np.isnan(cost), cents * round(gross_margin * MICROS), margin)
    if "order_id" in has:
        lines["key"], lines["rank"] = _keys(orders, at)
    for name, column in (("product_id", "product"), ("category", "category")):
        if name in has:
            lines[column] = _hashes(orders.texts(name))
    if "discount" in has:
        lines["discount"] = _minor_units(_micros(np.abs(orders.numbers("discount", most=most))), units)
    if "quantity" in has:
        pieces = orders.numbers("quantity", most=LARGEST_CENTS)
        lines["pieces"] = np.where(np.isnan(pieces), MICROS, _micros(pieces))
    if "channel" not in has:
        return lines, ()
    channels = orders.texts("channel")
    names = sorted({channel for channel in channels if channel})
    lines["channel"] = np.array([names.index(channel) if channel else -1 for channel in channels], np.int32)
    return lines, tuple(names)


def _micros(amount: np.ndarray) -> np.ndarray:
    """Millionths, halves away from zero; 0 for NaN."""
    micros = np.nan_to_num(amount) * MICROS
    whole = np.trunc(micros)
    return (whole + np.sign(micros) * (np.abs(micros - whole) >= 0.5)).astype(np.int64)


def _minor_units(micros: np.ndarray, units: int) -> np.ndarray:
    """Millionths as minor units, halves away from zero."""
    step = MICROS // units
    return np.sign(micros) * ((np.abs(micros) + step // 2) // step)


def _keys(orders: RequestRows, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each line's order as a number, and the order's id as a whole number.

    Where two orders of a customer share an instant, they are the same as those of a log, since they then decide which
    comes first; elsewhere any numbers will do.
    """
    ids = orders.texts("order_id")
    texts = [order_id or f"@{us}" for order_id, us in zip(ids, at.tolist(), strict=True)]
    instants = list(zip(orders.of, at.tolist(), strict=True))
    if len(set(instants)) == len(set(zip(instants, texts, strict=True))):
        number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        return np.array([number[text] for text in texts], np.int64), np.zeros(len(texts), np.int64)
    ranks = iter(WHOLE_NUMBERS.of([order_id for order_id in ids if order_id]))
    rank = np.array([next(ranks) if order_id else 0 for order_id in ids], np.int64)
    return np.array(HASHES.of(texts), np.uint64).view(np.int64), rank


def _hashes(texts: list[str | None]) -> np.ndarray:
    """The hash of each text; 0 where there is none."""
    hashes = iter(HASHES.of([text for text in texts if text]))
    return np.array([max(next(hashes), 1) if text else 0 for text in texts], np.uint64).view(np.int64)


def _interactions(events: RequestRows, *, naive_is_utc: bool) -> tuple[Arrays, dict[str, int]]:
    """The columns of interactions; and their kinds, ascending, each with the time it was first known."""
    if not events.rows:
        return {name: column for name, column in NO_INTERACTIONS.items() if name != "customer"}, {}
    at = events.instants("at", naive_is_utc=naive_is_utc)
    names = KINDS.of([kind or "" for kind in events.texts("kind", required=True)])
    rows, known_at = {"at": at}, at
    if "recorded_at" in events.columns:
        recorded = events.instants("recorded_at", naive_is_utc=naive_is_utc, otherwise=at)
        rows["known_at"] = known_at = np.maximum(at, recorded)
    first: dict[str, int] = {}
    for name, us in zip(names, known_at.tolist(), strict=True):
        first[name] = min(us, first.get(name, us))
    if len(first) > MAX_KINDS:
        what = f"{len(first)} kinds of interaction, at most {MAX_KINDS} can be told apart"
        raise BadRequest(what, where="interactions", next="Give only those that the model knows.")
    place = {name: number for number, name in enumerate(sorted(first))}
    rows["kind"] = np.array([place[name] for name in names], np.int32)
    if "value" in events.columns:
        rows["value"] = events.numbers("value", most=np.finfo(np.float64).max)
    return rows, {name: first[name] for name in place}


def _rows_of_buyers(place: np.ndarray, rows: RequestRows, columns: Arrays) -> Arrays:
    """The columns of the rows whose customer has a place, and `customer`: the place."""
    customer = place[np.array(rows.of, np.int64)]
    kept = customer >= 0
    columns = columns | {"customer": customer}
    return columns if kept.all() else {name: column[kept] for name, column in columns.items()}


def _present(customers: Sequence[Customer], orders: RequestRows, events: RequestRows) -> frozenset[str]:
    """The columns given, even as None; all columns if there are no rows; `interactions` if every customer has them."""
    present = (orders.columns & ORDERS.keys()) | REQUIRED if orders.rows else {*ORDERS}
    if all(customer.get("interactions") is not None for customer in customers):
        present |= {"interactions", "value"} if "value" in events.columns or not events.rows else {"interactions"}
    return frozenset(present)
