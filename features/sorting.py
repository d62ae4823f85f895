"""Rows in any order → rows by customer: sorted by counting, in time linear in their number."""

import numpy as np
from numba import njit

Arrays = dict[str, np.ndarray]


def by_customer(rows: Arrays, customers: int) -> tuple[np.ndarray, Arrays]:
    """The rows sorted by their column `customer`, which is taken out; with the start of each customer's rows."""
    starts, order = _count(rows.pop("customer"), customers)
    return starts, reordered(rows, order)


def reordered(rows: Arrays, order: np.ndarray) -> Arrays:
    """Every column in a new order, empty ones as they are; a column given under two names stays one."""
    done = {id(column): column[order] if len(column) else column for column in rows.values()}
    return {name: done[id(column)] for name, column in rows.items()}


@njit(cache=True)
def _count(customer, customers):
    """A stable counting sort: the start of each customer's rows, and the rows in that order."""
    starts = np.zeros(customers + 1, np.int64)
    for one in customer:
        starts[one + 1] += 1
    starts = np.cumsum(starts)
    place = starts[:-1].copy()
    order = np.empty(len(customer), np.int64)
    for row in range(len(customer)):
        order[place[customer[row]]] = row
        place[customer[row]] += 1
    return starts, order


@njit(cache=True)
def sort_within(starts, first, second):
    """The rows of each customer by (first, second), those alike in the order they stood; second may be empty."""
    order = np.arange(len(first))
    for customer in range(len(starts) - 1):
        begin, end = starts[customer], starts[customer + 1]
        sorted_already = True
        for i in range(begin + 1, end):
            if first[i] < first[i - 1] or (len(second) and first[i] == first[i - 1] and second[i] < second[i - 1]):
                sorted_already = False
                break
        if sorted_already:
            continue
        if len(second):
            order[begin:end] = order[begin:end][np.argsort(second[begin:end], kind="mergesort")]
        order[begin:end] = order[begin:end][np.argsort(first[order[begin:end]], kind="mergesort")]
    return order


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
        seen = 0
        for i in range(begin, end):
            if key[i] == 0:
                continue
            slot = key[i] & (slots - 1)
            while table[slot] != 0 and table[slot] != key[i]:
                slot = (slot + 1) & (slots - 1)
            if table[slot] == 0:
                table[slot], number[slot] = key[i], seen
                seen += 1
            numbers[i] = number[slot]
    return numbers
