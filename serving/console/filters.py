"""Which customers somebody wants to see, and in which order: what the address of the list says, in every part optional.

segment=VIP            of this segment
reason=…               with a reason of this kind among their three
churn_from=50          churn probability in percent, from and to, both included
churn_to=90
least_at_risk=100      value at risk, currency units
least_clv=1000
id=000                 ids that begin so
sort=clv               one of ranking.KEYS; down, the largest first, unless direction=up
page=2
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from serving.console.customer_index import SORT_KEYS, CustomerIndex
from serving.store import id_index

PAGE_ROWS = 50
SCAN_ROWS = 250_000
"""Customers at once, until a page is full."""
NUMBER_FIELDS = {
    "churn_from": "The lowest churn probability",
    "churn_to": "The highest churn probability",
    "least_at_risk": "The value at risk",
    "least_clv": "The CLV",
}


@dataclass(frozen=True)
class Filters:
    """A selection, its numbers as they were written: a page shows them again."""

    segment: str = ""
    reason: str = ""
    churn_from: str = ""
    churn_to: str = ""
    least_at_risk: str = ""
    least_clv: str = ""
    id: str = ""
    sort: str = SORT_KEYS[0]
    direction: str = "down"
    page: int = 1

    def number(self, name: str) -> float | None:
        """One of `NUMBERS`; None where nothing is written."""
        text = getattr(self, name)
        return float(text.replace(",", "").replace("%", "")) if text else None

    def query(self, **changes: Any) -> str:
        """The address' end for this selection with changes; what is as usual is left out."""
        usual = asdict(Filters())
        told = {name: value for name, value in asdict(replace(self, **changes)).items() if value != usual[name]}
        return f"?{urlencode(told, errors='surrogatepass')}" if told else ""

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anybody out."""
        return bool(replace(self, sort=SORT_KEYS[0], direction="down", page=1) != Filters())


def parse_filters(query: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """A selection from the address, and what is wrong with it by the field; unknown parts are passed over."""
    known = {one.name for one in fields(Filters)}
    told: dict[str, Any] = {name: value.strip() for name, value in query.items() if name in known and value.strip()}
    if "id" in told:
        told["id"] = query["id"]
    wrong = {}
    for name, says in NUMBER_FIELDS.items():
        text = told.get(name, "0").replace(",", "").replace("%", "").strip()
        if not _is_number(text):
            wrong[name] = f"{says} is to be a number, such as {50 if name.startswith('churn') else 1000}."
        elif name.startswith("churn") and not 0 <= float(text) <= 100:
            wrong[name] = f"{says} is to be between 0 and 100 percent."
    if told.get("sort", SORT_KEYS[0]) not in SORT_KEYS or told.get("direction", "down") not in ("down", "up"):
        wrong["sort"] = f"The list can be sorted by {', '.join(SORT_KEYS)}, down or up."
        told.pop("sort", None), told.pop("direction", None)
    page = told.pop("page", "1")
    if page.isascii() and page.isdigit() and 1 <= len(page) <= 9 and int(page):
        told["page"] = int(page)
    else:
        wrong["page"] = "The page is to be a whole number from 1."
    return Filters(**told), wrong


@dataclass(frozen=True)
class Selection:
    """Who is meant."""

    mask: np.ndarray | None
    """Of all customers; None for all."""
    customers: int
    value_at_risk: float
    clv: float
    """Both in currency units."""
    leavers: float
    """How many of them are expected to leave within the horizon."""


def select_customers(ranking: CustomerIndex, asked: Filters) -> Selection:
    """Who is meant by a selection that has nothing wrong with it."""
    numbers, masks = ranking.numbers, []
    if asked.segment:
        masks.append(ranking.segments.of(asked.segment))
    if asked.reason:
        masks.append(ranking.reasons.of(asked.reason))
    if asked.id:
        first = np.frombuffer(asked.id.encode("utf-8", "surrogatepass"), np.uint8)
        masks.append(id_index.starts_with(ranking.store.heap, ranking.store.starts, first))
    for name, column, part in (
        ("churn_from", "churn_probability", 100.0),
        ("least_at_risk", "value_at_risk", 1.0),
        ("least_clv", "clv", 1.0),
    ):
        if (least := asked.number(name)) is not None:
            masks.append(numbers[column] >= least / part)
    if (most := asked.number("churn_to")) is not None:
        masks.append(numbers["churn_probability"] <= most / 100.0)
    columns = [numbers[name] for name in ("value_at_risk", "clv", "churn_probability")]
    if not masks:
        return Selection(None, ranking.store.customers, *(float(column.sum()) for column in columns))
    mask = masks[0]
    for other in masks[1:]:
        mask &= other
    ones = mask.astype(np.float64)  # a product takes a fraction of the time of picking out who is meant
    return Selection(mask, int(np.count_nonzero(mask)), *(float(np.dot(ones, column)) for column in columns))


def ordered_places(
    ranking: CustomerIndex, asked: Filters, selected: Selection, *, first: int | None = None
) -> np.ndarray:
    """The places of all who are meant, in the order that is wanted; first: no more than so many."""
    order = ranking.orders[asked.sort]
    order = order[::-1] if asked.direction == "up" else order
    if selected.mask is None:
        return order[:first]
    found, count = [order[:0]], 0
    for begin in range(0, len(order), SCAN_ROWS):
        if first is not None and count >= first:
            break
        part = order[begin : begin + SCAN_ROWS]
        found.append(part[selected.mask[part]])
        count += len(found[-1])
    return np.concatenate(found)[:first]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
