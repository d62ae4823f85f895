"""Which order a refund belongs to, when the refund does not say."""

import numpy as np
from numba import njit


@njit(cache=True)
def find_lines(refund_key, refund_at, refund_cents, line_key, line_at, line_cents, exact):
    """For each refund the earlier order line it takes back, or -1.

    Refunds and lines are sorted by key (customer and product), then time; refund cents are negative, line cents
    positive. The latest line of exactly that amount is taken; failing that, and unless `exact`, the latest line
    with at least that amount left. A line is never refunded beyond its amount. Returns int64 rows of lines.
    """
    found = np.full(len(refund_key), -1)
    left = line_cents.copy()
    first = 0
    for r in range(len(refund_key)):
        while first < len(line_key) and line_key[first] < refund_key[r]:
            first += 1
        best = -1
        i = first
        while i < len(line_key) and line_key[i] == refund_key[r] and line_at[i] <= refund_at[r]:
            whole = left[i] == line_cents[i] and line_cents[i] == -refund_cents[r]
            best_whole = best >= 0 and left[best] == line_cents[best] and line_cents[best] == -refund_cents[r]
            if whole or (not exact and not best_whole and left[i] >= -refund_cents[r]):
                best = i
            i += 1
        if best >= 0:
            left[best] += refund_cents[r]
            found[r] = best
    return found
