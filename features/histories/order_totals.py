"""Sum the lines of each order."""

import numpy as np
from numba import njit

NEVER = np.iinfo(np.int64).max
LOOSE = -1
"""The order of a refund whose order id was not known."""


@njit(cache=True, nogil=True)
def sum_orders(starts, key, at, known_at, cents, margin_micros, discount, pieces, channel, rank):
    """Sum lines, sorted by customer and key, to orders by customer and time; also the order of each line (or LOOSE).

    An order consists of the lines known first; its time is the earliest of theirs. Ties of time are broken by rank,
    then by key. A refund belongs to the order of its key if that was known by then.
    """
    lines = len(at)
    order_of = np.empty(lines, np.int64)
    order_starts = np.zeros(len(starts), np.int64)
    o_key, o_rank = np.empty(lines, np.int64), np.zeros(lines, np.int64)
    o_at, o_known = np.empty(lines, np.int64), np.empty(lines, np.int64)
    o_cents, o_margin = np.zeros(lines, np.int64), np.zeros(lines, np.int64)
    o_discount, o_pieces = np.zeros(min(lines, len(discount)), np.int64), np.zeros(min(lines, len(pieces)), np.int64)
    o_channel = np.full(min(lines, len(channel)), -1, np.int32)
    n = 0
    for customer in range(len(starts) - 1):
        begin = n
        i, end = starts[customer], starts[customer + 1]
        is_sorted = True
        while i < end:
            first_known = NEVER
            j = i
            while j < end and key[j] == key[i]:
                if cents[j] >= 0:
                    first_known = min(first_known, known_at[j])
                j += 1
            if first_known == NEVER:
                order_of[i:j] = LOOSE
                i = j
                continue
            o_key[n], o_known[n], o_at[n] = key[i], first_known, NEVER
            if len(rank):
                o_rank[n] = rank[i]
            for line in range(i, j):
                order_of[line] = n if known_at[line] >= first_known else LOOSE
                if cents[line] < 0 or known_at[line] > first_known:
                    continue
                o_at[n] = min(o_at[n], at[line])
                o_cents[n] += cents[line]
                o_margin[n] += margin_micros[line]
                if len(discount):
                    o_discount[n] += discount[line]
                if len(pieces):
                    o_pieces[n] += pieces[line]
                if len(channel) and channel[line] >= 0 and (o_channel[n] < 0 or channel[line] < o_channel[n]):
                    o_channel[n] = channel[line]
            is_sorted &= n == begin or o_at[n - 1] < o_at[n]
            n += 1
            i = j
        if not is_sorted:
            place = np.argsort(o_key[begin:n], kind="mergesort")
            place = place[np.argsort(o_rank[begin:n][place], kind="mergesort")]
            place = place[np.argsort(o_at[begin:n][place], kind="mergesort")]
            for column in (o_known, o_at, o_cents, o_margin):
                column[begin:n] = column[begin:n][place]
            if len(discount):
                o_discount[begin:n] = o_discount[begin:n][place]
            if len(pieces):
                o_pieces[begin:n] = o_pieces[begin:n][place]
            if len(channel):
                o_channel[begin:n] = o_channel[begin:n][place]
            new = np.empty(n - begin, np.int64)
            new[place] = np.arange(begin, n)
            for line in range(starts[customer], end):
                if order_of[line] != LOOSE:
                    order_of[line] = new[order_of[line] - begin]
        order_starts[customer + 1] = n
    return (
        order_of,
        order_starts,
        o_at[:n].copy(),
        o_known[:n].copy(),
        o_cents[:n].copy(),
        o_margin[:n].copy(),
        o_discount[:n].copy(),
        o_pieces[:n].copy(),
        o_channel[:n].copy(),
    )
