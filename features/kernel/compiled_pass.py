"""The compiled pass: each customer's slices as known before each cut-off, handed to every feature.

`known` builds the slices of orders and is the only way to a row: features and labels both go through it. numba
compiles what is here; features/kernel/code_generation.py writes the calls of all features into `fill`, in place of the
comments that begin with "generated:", and keeps the compiled code on disk.

A cut-off is two instants: what happened before `as_of` and was known before `known_at`.
"""

import numpy as np
from numba import njit

from features.kernel.numba_views import borrowed
from features.kernel.slices import Events, Items, Orders, Refunds, Slices

# generated: the features

LONG_AGO, NEVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@njit(nogil=True, cache=True)
def known(columns, customer, as_of, known_at):
    """The customer's orders, refunds and items that happened before `as_of` and were recorded before `known_at`.

    Refunds known by then are taken off their orders; an order refunded in full is left out; the part of a refund
    that exceeds its order stands among the refunds without an order.
    """
    first, last = columns.starts[customer], columns.starts[customer + 1]
    end = first + np.searchsorted(columns.at[first:last], as_of)
    if not columns.prompt[customer] or known_at < as_of:
        return netted(columns, customer, first, end, as_of, known_at)
    none = columns.at[:0]
    l_first = columns.line_starts[customer]
    l_end = l_first + np.searchsorted(columns.line_order[l_first : columns.line_starts[customer + 1]], end - first)
    orders = Orders(
        columns.at[first:end],
        columns.amount_cents[first:end],
        columns.margin_cents[first:end],
        columns.discount_cents[first:end],
        columns.pieces[first:end],
        columns.channel[first:end],
        none,
        columns.amount_cents[:0],
        columns.margin_cents[:0],
    )
    items = Items(
        columns.line_order[l_first:l_end], columns.line_product[l_first:l_end], columns.line_category[l_first:l_end]
    )
    return orders, Refunds(none, columns.amount_cents[:0]), items


@njit(nogil=True, cache=True)
def netted(columns, customer, first, end, as_of, known_at):
    """The slow path of `known`: copies of the orders `first:end` with the adjustments known by then applied."""
    a_first, a_last = columns.adjustment_starts[customer], columns.adjustment_starts[customer + 1]
    cents = columns.amount_cents[first:end].copy()
    margin = columns.margin_cents[first:end].copy()
    refunded_at = np.full(end - first, LONG_AGO)
    most = a_last - a_first + end - first
    loose_at, loose_cents, loose_margin = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    all_at, all_cents = np.empty(a_last - a_first, np.int64), np.empty(a_last - a_first, np.int64)
    loose = refunds = 0
    for j in range(a_first, a_last):
        if columns.adjusted_at[j] >= as_of or columns.adjustment_known_at[j] >= known_at:
            continue
        change = columns.adjustment_cents[j]
        if change < 0:
            place = refunds
            while place > 0 and all_at[place - 1] > columns.adjusted_at[j]:
                all_at[place], all_cents[place] = all_at[place - 1], all_cents[place - 1]
                place -= 1
            all_at[place], all_cents[place] = columns.adjusted_at[j], change
            refunds += 1
        i = columns.adjusted_order[j] - first
        if columns.adjusted_order[j] < 0:
            loose_at[loose] = columns.adjusted_at[j]
            loose_cents[loose] = change
            loose_margin[loose] = columns.adjustment_margin_cents[j]
            loose += 1
        elif i < end - first:
            cents[i] += change
            margin[i] += columns.adjustment_margin_cents[j]
            if change < 0:
                refunded_at[i] = max(refunded_at[i], columns.adjusted_at[j])
    place_of = np.full(end - first, -1)
    rows = np.empty(end - first, np.int64)
    kept = 0
    for i in range(end - first):
        if columns.known_at[first + i] >= known_at:
            continue
        if refunded_at[i] > LONG_AGO and cents[i] <= 0:
            if cents[i] < 0:  # refunded by more than its amount
                loose_at[loose] = refunded_at[i]
                loose_cents[loose] = cents[i]
                loose_margin[loose] = margin[i]
                loose += 1
            continue
        place_of[i], rows[kept] = kept, i
        kept += 1
    rows = rows[:kept]
    discount, pieces, items = lines_known(columns, customer, place_of, kept, as_of, known_at)
    channel = columns.channel[first:end]
    orders = Orders(
        columns.at[first:end][rows],
        cents[rows],
        margin[rows],
        discount,
        pieces,
        channel[rows] if len(channel) else channel,
        loose_at[:loose],
        loose_cents[:loose],
        loose_margin[:loose],
    )
    return orders, Refunds(all_at[:refunds], all_cents[:refunds]), items


@njit(nogil=True, cache=True)
def lines_known(columns, customer, place_of, orders, as_of, known_at):
    """Discount and pieces per order, and the items, of the known lines; place_of: each order's, -1 if left out."""
    first, last = columns.line_starts[customer], columns.line_starts[customer + 1]
    has_discount, has_pieces = len(columns.line_discount_cents) > 0, len(columns.line_pieces) > 0
    discount = np.zeros(orders if has_discount else 0, np.int64)
    pieces = np.zeros(orders if has_pieces else 0, np.int64)
    order = np.empty(last - first, np.int64)
    product, category = np.empty(last - first, np.int64), np.empty(last - first, np.int64)
    product_number, category_number = np.full(last - first, -1), np.full(last - first, -1)
    products = categories = kept = 0
    for line in range(first, last):
        i = columns.line_order[line]
        is_known = i < len(place_of) and columns.line_at[line] < as_of and columns.line_known_at[line] < known_at
        if not is_known or place_of[i] < 0:
            continue
        if has_discount:
            discount[place_of[i]] += columns.line_discount_cents[line]
        if has_pieces:
            pieces[place_of[i]] += columns.line_pieces[line]
        order[kept] = place_of[i]
        product[kept] = category[kept] = -1
        code = columns.line_product[line]
        if code >= 0:
            if product_number[code] < 0:
                product_number[code] = products
                products += 1
            product[kept] = product_number[code]
        code = columns.line_category[line]
        if code >= 0:
            if category_number[code] < 0:
                category_number[code] = categories
                categories += 1
            category[kept] = category_number[code]
        kept += 1
    return discount, pieces / 1e6, Items(order[:kept], product[:kept], category[:kept])


@njit(nogil=True, cache=True)
def interactions_known(columns, customer, as_of, known_at):
    """The customer's interactions before `as_of`, recorded before `known_at`, and their kinds."""
    first, last = columns.interaction_starts[customer], columns.interaction_starts[customer + 1]
    end = first + np.searchsorted(columns.interaction_at[first:last], as_of)
    at, kind = columns.interaction_at[first:end], columns.interaction_kind[first:end]
    value = columns.interaction_value[first:end]
    if not columns.prompt[customer] or known_at < as_of:
        is_known = columns.interaction_known_at[first:end] < known_at
        at, kind = at[is_known], kind[is_known]
        value = value[is_known] if len(value) else value
    return Events(at, value), kind


@njit(nogil=True, cache=True)
def sort_by_kind(events, kind, kinds):
    """Sort interactions into `kinds` by kind, then time: a stable counting sort."""
    kinds.starts[:] = 0
    for code in kind:
        kinds.starts[code] += 1
    for i in range(1, len(kinds.starts)):
        kinds.starts[i] += kinds.starts[i - 1]
    for i in range(len(kind) - 1, -1, -1):
        kinds.starts[kind[i]] -= 1
        kinds.at[kinds.starts[kind[i]]] = events.at[i]
        if len(events.value):
            kinds.value[kinds.starts[kind[i]]] = events.value[i]


@njit(nogil=True, cache=True)
def events_of(kinds, kind, as_of):
    """The events of one kind before `as_of`; empty for a kind that the log does not have (-1)."""
    if kind < 0:
        return Events(kinds.at[:0], kinds.value[:0])
    first, last = kinds.starts[kind], kinds.starts[kind + 1]
    end = first + np.searchsorted(kinds.at[first:last], as_of)
    return Events(kinds.at[first:end], kinds.value[first:end])


@njit(nogil=True, cache=True)
def fill(slices, as_of, layout, minor_units, row):
    """Write one row of features."""
    # generated: calls of the features


@njit(nogil=True, cache=True)
def walk(columns, cut_offs, layout, kinds, minor_units, output):
    """Fill one row per customer and cut-off at which the customer has an order; return the number of rows.

    columns, cut_offs, layout, output: see `Columns`, `CutOffs`, `Layout`, `PassOutput`. kinds: room for the
    interactions of any customer, empty if no kind is wanted. Rows come by customer, then cut-off.
    """
    columns, cut_offs, layout = borrowed(columns), borrowed(cut_offs), borrowed(layout)
    kinds, output = borrowed(kinds), borrowed(output)
    row = 0
    for customer in range(len(columns.starts) - 1):
        grouped = False
        for cut_off in range(len(cut_offs.as_of)):
            as_of, known_at = cut_offs.as_of[cut_off], cut_offs.known_at[cut_off]
            if columns.at[columns.starts[customer]] >= as_of:
                continue
            orders, refunds, items = known(columns, customer, as_of, known_at)
            if len(orders.at) == 0:
                continue
            interactions, kind = interactions_known(columns, customer, as_of, known_at)
            if len(kinds.starts) and not grouped:
                grouped = columns.prompt[customer] and known_at >= as_of
                if grouped:  # once for all cut-offs, each of which is cut again in events_of
                    sort_by_kind(*interactions_known(columns, customer, NEVER, NEVER), kinds)
                else:
                    sort_by_kind(interactions, kind, kinds)
            slices = Slices(orders, refunds, items, interactions, kinds)
            fill(slices, as_of, layout, minor_units, output.values[:, row])
            output.customer[row] = customer
            output.as_of[row] = as_of
            row += 1
    return row


@njit(nogil=True, cache=True)
def walk_period(columns, row_customer, start, end, orders_out, margin_out):
    """Per row, the customer's orders and margin (minor units) in `[start, end)`, as known before `end`.

    Refunds without an order count on the day they happened.
    """
    for row in range(len(row_customer)):
        orders, _, _ = known(columns, row_customer[row], end[row], end[row])
        begin = np.searchsorted(orders.at, start[row])
        orders_out[row] = len(orders.at) - begin
        margin = orders.margin_cents[begin:].sum()
        for j in range(len(orders.refund_at)):
            if orders.refund_at[j] >= start[row]:
                margin += orders.refund_margin_cents[j]
        margin_out[row] = margin
