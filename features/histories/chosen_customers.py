"""Choose customers out of histories, and put two sets of customers together, copying whole segments of the columns."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from features.histories.columns import Columns, Histories

GROUPS = {
    "starts": ("at", "known_at", "amount_cents", "margin_cents", "discount_cents", "pieces", "channel"),
    "adjustment_starts": (
        "adjusted_order",
        "adjusted_at",
        "adjustment_known_at",
        "adjustment_cents",
        "adjustment_margin_cents",
    ),
    "line_starts": (
        "line_order",
        "line_at",
        "line_known_at",
        "line_product",
        "line_category",
        "line_discount_cents",
        "line_pieces",
    ),
    "interaction_starts": ("interaction_at", "interaction_known_at", "interaction_kind", "interaction_value"),
}
"""The columns that stand by each column of starts."""


class Chosen(NamedTuple):
    """Customers of some columns, and their places among the customers of the result."""

    columns: Columns
    customers: np.ndarray
    """Their numbers, ascending."""
    places: np.ndarray
    """Their numbers in the result, ascending."""


def take_customers(histories: Histories, customers: np.ndarray) -> Histories:
    """The histories of some customers of the same whole log, by number, ascending, as copies."""
    numbers = pa.array(customers)
    return replace(
        histories,
        customer_ids=histories.customer_ids.take(numbers),
        columns=combine([Chosen(histories.columns, customers, np.arange(len(customers)))], len(customers)),
        attributes={name: values.take(numbers) for name, values in histories.attributes.items()},
        left_us=None if histories.left_us is None else histories.left_us[customers],
        whole=(histories.first_day, histories.end),
    )


def combine(chosen: list[Chosen], customers: int) -> Columns:
    """The columns of `customers` customers, each of whom is in one of `chosen`."""
    made: dict[str, np.ndarray] = {"prompt": np.zeros(customers, bool)}
    for part in chosen:
        made["prompt"][part.places] = part.columns.prompt[part.customers]
    for group in GROUPS:
        lengths = np.zeros(customers, np.int64)
        for part in chosen:
            lengths[part.places] = np.diff(getattr(part.columns, group))[part.customers]
        made[group] = np.concatenate([[0], np.cumsum(lengths)])
    with ThreadPoolExecutor() as pool:
        columns = [(name, group) for group, names in GROUPS.items() for name in names]
        copied = list(pool.map(lambda of: _column(chosen, of[0], of[1], made[of[1]]), columns))
    made |= {name: column for (name, _), column in zip(columns, copied, strict=True)}
    made["adjusted_order"] = _renumbered(chosen, made)
    return Columns(**made)


def _column(chosen: list[Chosen], name: str, group: str, starts: np.ndarray) -> np.ndarray:
    """A column of the result; empty where the log does not have it."""
    sources = [getattr(part.columns, name) for part in chosen]
    if not any(map(len, sources)):
        return np.empty(0, sources[0].dtype)
    out = np.empty(starts[-1], sources[0].dtype)
    for part, source in zip(chosen, sources, strict=True):
        bounds = getattr(part.columns, group)
        copy_segments(source, bounds[part.customers], bounds[part.customers + 1], out, starts[part.places])
    return out


def _renumbered(chosen: list[Chosen], made: dict[str, np.ndarray]) -> np.ndarray:
    """`adjusted_order` with the rows that the orders have in the result."""
    rows = made["adjusted_order"]
    shift = np.zeros(len(made["prompt"]), np.int64)
    for part in chosen:
        shift[part.places] = made["starts"][part.places] - part.columns.starts[part.customers]
    customer = np.repeat(np.arange(len(shift)), np.diff(made["adjustment_starts"]))
    return np.where(rows < 0, rows, rows + shift[customer])


@njit(cache=True, nogil=True)
def copy_segments(source, begin, end, out, at):
    """Copy the rows `begin[i]:end[i]` of a column to the place `at[i]` of another, for every i."""
    for i in range(len(begin)):
        length = end[i] - begin[i]
        out[at[i] : at[i] + length] = source[begin[i] : end[i]]
