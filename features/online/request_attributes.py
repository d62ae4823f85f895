"""The attributes in a request, read as those of the table `customers` are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from features.histories.attributes import AttributeKind, AttributeKinds, group_names
from features.ingest.notation.attribute_styles import NO, YES
from features.ingest.notation.number_style import is_null_word
from features.online.request_columns import EXAMPLE, BadRequest, is_number, is_text, microseconds_of, moment_of

SAYS = {"number": "a number", "yes_no": "true or false", "day": "a day or a time", "names": "text"}


def attributes_of_request(
    customers: Sequence[Mapping[str, Any]], buyers: Sequence[int], kinds: AttributeKinds, *, naive_is_utc: bool
) -> tuple[dict[str, pa.Array], dict[str, Counter[str]]]:
    """The attributes of some customers of a request, and the names that are not known, which count as missing.

    buyers: their places in the request. Days and, if naive_is_utc, times without a zone are UTC. Raises BadRequest.
    """
    values: dict[str, pa.Array] = {}
    unseen: dict[str, Counter[str]] = {}
    for name, kind in kinds.items():
        cells = [_cell(customers[place], name, kind, place, naive_is_utc=naive_is_utc) for place in buyers]
        if kind.is_text:
            cells, counts = group_names(cells, kind)
            unseen |= {name: counts} if counts else {}
        values[name] = pa.array(cells, pa.string() if kind.is_text else pa.float64())
    return values, unseen


def _cell(customer: Mapping[str, Any], name: str, kind: AttributeKind, place: int, *, naive_is_utc: bool) -> Any:
    """One attribute of one customer, None where it is missing; raises BadRequest for what cannot be one."""
    value = (customer.get("attributes") or {}).get(name)
    if value is None or (isinstance(value, str) and is_null_word(value)):
        return None
    is_truth = isinstance(value, bool)
    if kind.is_text and is_text(value):
        return value.strip()
    if kind.kind in ("number", "yes_no") and (is_truth or is_number(value)):
        number = float(value)
        return number if np.isfinite(number) and (kind.kind == "number" or number in (0.0, 1.0)) else None
    if kind.kind == "yes_no" and is_text(value):
        word = value.strip().lower()
        if word in YES + NO:
            return float(word in YES)
    if kind.kind == "day" and is_text(value):
        moment = moment_of(value.strip())
        if moment is not None and (moment.tzinfo is not None or naive_is_utc or len(value.strip()) == 10):
            return float(microseconds_of(moment))
    example = f" {EXAMPLE}" if kind.kind == "day" else ""
    raise BadRequest(
        f"the attribute {name} is not {SAYS[kind.kind]}", where=f"customer {place + 1}", next=example.strip()
    )
