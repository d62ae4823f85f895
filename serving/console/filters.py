"""Filters and order of the customer list, parsed from the query of its address; every part is optional.

segment=VIP            customers of this segment
reason=…               customers with a reason on this topic among their three
churn_from=50          least churn probability in percent, included
churn_to=90            largest churn probability in percent, included
least_at_risk=100      least value at risk, currency units
least_clv=1000         least CLV, currency units
id=000                 ids that begin with these characters
sort=clv               one of customer_index.SORT_KEYS; the largest first, unless direction=up
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
"""Customers scanned at a time, until a page is full."""
NUMBER_FIELDS = {
    "churn_from": "The lowest churn probability",
    "churn_to": "The highest churn probability",
    "least_at_risk": "The value at risk",
    "least_clv": "The CLV",
}


@dataclass(frozen=True)
class Filters:
    """Filters as they were typed: the page shows numbers again as they were written."""

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
        """The number in one of `NUMBER_FIELDS`; None if the field is empty."""
        text = getattr(self, name)
        return float(text.replace(",", "").replace("%", "")) if text else None

    def query(self, *, page: int | None = None, sort: str | None = None, direction: str | None = None) -> str:
        """The query of the address for these filters, with changes where given; default values are left out."""
        default = asdict(Filters())
        changes = {"page": page or self.page, "sort": sort or self.sort, "direction": direction or self.direction}
        changed = {name: value for name, value in (asdict(self) | changes).items() if value != default[name]}
        return f"?{urlencode(changed, errors='surrogatepass')}" if changed else ""

    @property
    def is_narrow(self) -> bool:
        """True if the filters leave out any customer."""
        return bool(replace(self, sort=SORT_KEYS[0], direction="down", page=1) != Filters())


def parse_filters(query: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """Parse the filters of a query; also returns the mistakes by field. Unknown parts are ignored."""
    names = {field.name for field in fields(Filters)}
    values: dict[str, Any] = {name: value.strip() for name, value in query.items() if name in names and value.strip()}
    if "id" in values:
        values["id"] = query["id"]
    mistakes = {}
    for name, label in NUMBER_FIELDS.items():
        text = values.get(name, "0").replace(",", "").replace("%", "").strip()
        if not _is_number(text):
            mistakes[name] = f"{label} must be a number, such as {50 if name.startswith('churn') else 1000}."
        elif name.startswith("churn") and not 0 <= float(text) <= 100:
            mistakes[name] = f"{label} must be between 0 and 100 percent."
    if values.get("sort", SORT_KEYS[0]) not in SORT_KEYS or values.get("direction", "down") not in ("down", "up"):
        mistakes["sort"] = f"The list can be sorted by {', '.join(SORT_KEYS)}, in the direction down or up."
        values.pop("sort", None), values.pop("direction", None)
    page = values.pop("page", "1")
    if page.isascii() and page.isdigit() and 1 <= len(page) <= 9 and int(page):
        values["page"] = int(page)
    else:
        mistakes["page"] = "The page must be a whole number from 1."
    return Filters(**values), mistakes


@dataclass(frozen=True)
class FilteredCustomers:
    """The selected customers, and their totals."""

    mask: np.ndarray | None
    """True for each selected customer of the batch; None if all are selected."""
    customers: int
    value_at_risk: float
    clv: float
    """Both in currency units."""
    leavers: float
    """Expected number of them who leave within the horizon."""


def select_customers(index: CustomerIndex, filters: Filters) -> FilteredCustomers:
    """Select the customers that pass filters without mistakes."""
    numbers, masks = index.numbers, []
    if filters.segment:
        masks.append(index.segments.mask(filters.segment))
    if filters.reason:
        masks.append(index.reasons.mask(filters.reason))
    if filters.id:
        first = np.frombuffer(filters.id.encode("utf-8", "surrogatepass"), np.uint8)
        masks.append(id_index.starts_with(index.store.heap, index.store.starts, first))
    for name, column, part in (
        ("churn_from", "churn_probability", 100.0),
        ("least_at_risk", "value_at_risk", 1.0),
        ("least_clv", "clv", 1.0),
    ):
        if (least := filters.number(name)) is not None:
            masks.append(numbers[column] >= least / part)
    if (most := filters.number("churn_to")) is not None:
        masks.append(numbers["churn_probability"] <= most / 100.0)
    columns = [numbers[name] for name in ("value_at_risk", "clv", "churn_probability")]
    if not masks:
        return FilteredCustomers(None, index.store.customers, *(float(column.sum()) for column in columns))
    mask = masks[0]
    for further in masks[1:]:
        mask &= further
    ones = mask.astype(np.float64)  # a product takes a fraction of the time that picking out the customers takes
    return FilteredCustomers(mask, int(np.count_nonzero(mask)), *(float(np.dot(ones, column)) for column in columns))


def ordered_places(
    index: CustomerIndex, filters: Filters, selection: FilteredCustomers, *, first: int | None = None
) -> np.ndarray:
    """The places of the selected customers in the order of the list; first: at most this many."""
    order = index.orders[filters.sort]
    order = order[::-1] if filters.direction == "up" else order
    if selection.mask is None:
        return order[:first]
    parts, count = [order[:0]], 0
    for begin in range(0, len(order), SCAN_ROWS):
        if first is not None and count >= first:
            break
        part = order[begin : begin + SCAN_ROWS]
        parts.append(part[selection.mask[part]])
        count += len(parts[-1])
    return np.concatenate(parts)[:first]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
