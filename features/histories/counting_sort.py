"""Sort rows by customer: a counting sort, in time linear in their number."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

Arrays = dict[str, np.ndarray]
MIN_PARALLEL_ROWS = 10_000
"""Fewer rows are sorted sooner than threads would start."""
ODD = 0x9E3779B97F4A7C15 - 2**64
"""A factor that mixes numbers well: 2^64 over the golden ratio."""


def sort_by_customer(
    rows: Arrays, customers: int, *, then: tuple[str, str], ties: Sequence[str]
) -> tuple[np.ndarray, Arrays]:
    """Sort rows by their column `customer`, which is removed, and the two columns `then`.

    Also returns the start of each customer's rows. The second of `then` may be empty; empty columns stay as they are,
    and a column given under two names stays one. ties: columns of whole numbers that decide between rows that are equal
    in all this, in an arbitrary order that does not depend on the order of the rows.
    """
    starts, order = _count(rows.pop("customer"), customers)
    sort_within(starts, order, rows[then[0]], rows[then[1]], _mixed([rows[name] for name in ties], len(order)))
    columns = {id(column): column for column in rows.values() if len(column)}
    if len(order) < MIN_PARALLEL_ROWS:
        ordered = {key: column[order] for key, column in columns.items()}
    else:
        with ThreadPoolExecutor() as pool:
            ordered = dict(zip(columns, pool.map(lambda column: _take(column, order), columns.values()), strict=True))
    return starts, {name: ordered.get(id(column), column) for name, column in rows.items()}


def _mixed(columns: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """One number for the values of each row in several columns; empty ones are left out."""
    mixed = np.zeros(rows, np.int64)
    for column in columns:
        if len(column):
            mixed *= ODD
            mixed += column
    return mixed


@njit(cache=True, nogil=True)
def _take(column, order):
    """`column[order]`, without the lock that numpy holds."""
    out = np.empty_like(column)
    for row in range(len(order)):
        out[row] = column[order[row]]
    return out


@njit(cache=True, nogil=True)
def _count(customer, customers):
    """A stable counting sort: the start of each customer's rows, and the rows in that order."""
    starts = np.zeros(customers + 1, np.int64)
    for number in customer:
        starts[number + 1] += 1
    starts = np.cumsum(starts)
    place = starts[:-1].copy()
    order = np.empty(len(customer), np.int64)
    for row in range(len(customer)):
        order[place[customer[row]]] = row
        place[customer[row]] += 1
    return starts, order


@njit(cache=True, nogil=True)
def sort_within(starts, order, first, second, third):
    """Sort the rows of each customer, given by their numbers in `order`, by (first, second, third) in place.

    Equal rows keep their order; second may be empty.
    """
    for customer in range(len(starts) - 1):
        begin, end = starts[customer], starts[customer + 1]
        for i in range(begin + 1, end):
            row, before = order[i], order[i - 1]
            if first[row] > first[before]:
                continue
            is_tied = first[row] == first[before]
            if is_tied and len(second):
                if second[row] > second[before]:
                    continue
                is_tied = second[row] == second[before]
            if not is_tied or third[row] < third[before]:
                rows = order[begin:end].copy()
                if len(second):
                    rows = rows[np.argsort(second[rows], kind="mergesort")]
                order[begin:end] = rows[np.argsort(first[rows], kind="mergesort")]
                _sort_ties(order[begin:end], first, second, third)
                break


@njit(cache=True, nogil=True)
def _sort_ties(order, first, second, third):
    """Sort rows that are equal in first and second, and stand beside each other, by third."""
    begin = 0
    for i in range(1, len(order) + 1):
        if i < len(order):
            row, before = order[i], order[i - 1]
            if first[row] == first[before] and (len(second) == 0 or second[row] == second[before]):
                continue
        if i - begin > 1:
            rows = order[begin:i].copy()
            order[begin:i] = rows[np.argsort(third[rows], kind="mergesort")]
        begin = i


@njit(cache=True)
def number_by_first(starts, key):
    """Number each customer's keys 0, 1, … as they first occur; -1 for the key 0. By an open-addressed table."""
    numbers = np.full(len(key), -1, np.int64)
    size = 16
    table, number = np.zeros(size, np.int64), np.empty(size, np.int64)
    for customer in range(len(starts) - 1):
        begin, end = starts[customer], starts[customer + 1]
        while size < 2 * (end - begin):
            size *= 2
        if size > len(table):
            table, number = np.zeros(size, np.int64), np.empty(size, np.int64)
        slots = 16
        while slots < 2 * (end - begin):
            slots *= 2
        table[:slots] = 0
        numbered = 0
        for i in range(begin, end):
            if key[i] == 0:
                continue
            slot = key[i] & (slots - 1)
            while table[slot] != 0 and table[slot] != key[i]:
                slot = (slot + 1) & (slots - 1)
            if table[slot] == 0:
                table[slot], number[slot] = key[i], numbered
                numbered += 1
            numbers[i] = number[slot]
    return numbers
