"""The compiled pass: each customer's slice as known before each cut-off, handed to every feature.

`known` builds the slice and is the only way to a row: features and labels both go through it. numba compiles
what is here; features/kernel.py adds `fill`, the calls of all features, and keeps the compiled code on disk.
"""

import numpy as np
from numba import njit

from features.feature import Orders


@njit(nogil=True)
def netted(columns, first, end, a_first, a_last, as_of):
    """The slow way of `known`: copies of the rows `first:end` with the adjustments `a_first:a_last` applied."""
    at = columns.at[first:end].copy()
    cents = columns.amount_cents[first:end].copy()
    margin = columns.margin_cents[first:end].copy()
    refunded_at = np.full(end - first, np.iinfo(np.int64).min)
    refund_at = np.empty(a_last - a_first, np.int64)
    refund_cents = np.empty(a_last - a_first, np.int64)
    refund_margin = np.empty(a_last - a_first, np.float64)
    refunds = 0
    for j in range(a_first, a_last):
        if columns.adjustment_known_at[j] >= as_of:
            continue
        i = columns.adjusted_order[j] - first
        if columns.adjusted_order[j] < 0:
            refund_at[refunds] = columns.adjusted_at[j]
            refund_cents[refunds] = columns.adjustment_cents[j]
            refund_margin[refunds] = columns.adjustment_margin_cents[j]
            refunds += 1
        elif i < len(at):
            cents[i] += columns.adjustment_cents[j]
            margin[i] += columns.adjustment_margin_cents[j]
            if columns.adjustment_cents[j] < 0:
                refunded_at[i] = max(refunded_at[i], columns.adjusted_at[j])
    kept = 0
    for i in range(len(at)):
        if columns.known_at[first + i] >= as_of:
            continue
        refunded = refunded_at[i] > np.iinfo(np.int64).min
        if refunded and cents[i] <= 0:
            if cents[i] < 0:  # it took more than the order brought
                refund_at[refunds] = refunded_at[i]
                refund_cents[refunds] = cents[i]
                refund_margin[refunds] = margin[i]
                refunds += 1
            continue
        at[kept], cents[kept], margin[kept] = at[i], cents[i], margin[i]
        kept += 1
    return Orders(
        at[:kept],
        cents[:kept],
        margin[:kept],
        refund_at[:refunds],
        refund_cents[:refunds],
        refund_margin[:refunds],
    )


@njit(nogil=True)
def known(columns, customer, as_of):
    """The customer's orders as known before `as_of`: rows that happened and were recorded before it.

    Refunds known by then are taken off their orders; an order refunded in full is gone; what a refund takes
    beyond its order stands among the refunds without one.
    """
    first, last = columns.starts[customer], columns.starts[customer + 1]
    a_first, a_last = columns.adjustment_starts[customer], columns.adjustment_starts[customer + 1]
    end = first + np.searchsorted(columns.at[first:last], as_of)
    late = False
    for i in range(first, end):
        late |= columns.known_at[i] >= as_of
    if not late and a_first == a_last:  # nothing to take off: a view is enough
        return Orders(
            columns.at[first:end],
            columns.amount_cents[first:end],
            columns.margin_cents[first:end],
            columns.adjusted_at[a_first:a_last],
            columns.adjustment_cents[a_first:a_last],
            columns.adjustment_margin_cents[a_first:a_last],
        )
    return netted(columns, first, end, a_first, a_last, as_of)


@njit(nogil=True)
def fill(orders, as_of, row):
    """Write one row of features; features/kernel.py puts the calls of the whole catalogue in its place."""


@njit(nogil=True)
def walk(columns, as_of, out, row_customer, row_as_of):
    """Fill one row per customer and cut-off at which the customer has an order; return the number of rows.

    as_of: ascending microseconds. out: (rows at most, features) float64. Rows come by customer, then cut-off.
    """
    row = 0
    for customer in range(len(columns.starts) - 1):
        for day in as_of:
            orders = known(columns, customer, day)
            if len(orders.at) == 0:
                continue
            fill(orders, day, out[row])
            row_customer[row] = customer
            row_as_of[row] = day
            row += 1
    return row


@njit(nogil=True)
def walk_period(columns, row_customer, start, end, orders_out, margin_out):
    """Per row, the customer's orders and margin (minor units) in `[start, end)`, as known before `end`.

    Refunds without an order count on the day they happened.
    """
    for row in range(len(row_customer)):
        orders = known(columns, row_customer[row], end[row])
        begin = np.searchsorted(orders.at, start[row])
        orders_out[row] = len(orders.at) - begin
        margin = orders.margin_cents[begin:].sum()
        for j in range(len(orders.refund_at)):
            if orders.refund_at[j] >= start[row]:
                margin += orders.refund_margin_cents[j]
        margin_out[row] = margin
