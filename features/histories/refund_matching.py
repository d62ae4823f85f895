"""Match refunds without an order id to the orders they take back."""

import numpy as np
from numba import njit


def match_refunds(
    refunds: dict[str, np.ndarray], lines: dict[str, np.ndarray], *, by: tuple[str, ...], exact: bool
) -> np.ndarray:
    """For each refund the row of the earlier line it takes back, or -1; see `find_refunded_lines`.

    Both have at, known_at, cents, margin_micros and the columns `by` that a refund and its line share; these break
    ties, never the order of rows.
    """
    if not len(refunds["at"]) or not len(lines["at"]):
        return np.full(len(refunds["at"]), -1)
    together = [np.concatenate([refunds[name], lines[name]]) for name in by]
    by_key = np.lexsort(together[::-1])
    is_new = np.ones(len(by_key), bool)
    is_new[1:] = np.logical_or.reduce([column[by_key][1:] != column[by_key][:-1] for column in together])
    key = np.empty(len(by_key), np.int64)
    key[by_key] = np.cumsum(is_new)
    refund_key, line_key = key[: len(refunds["at"])], key[len(refunds["at"]) :]
    in_turn = np.lexsort((refunds["margin_micros"], refunds["cents"], refunds["at"], refunds["known_at"], refund_key))
    by_time = np.lexsort((lines["margin_micros"], lines["cents"], lines["known_at"], lines["at"], line_key))
    matches = find_refunded_lines(
        refund_key[in_turn],
        *(refunds[name][in_turn] for name in ("at", "known_at", "cents")),
        line_key[by_time],
        *(lines[name][by_time] for name in ("at", "known_at", "cents")),
        exact,
    )
    rows = np.empty(len(matches), np.int64)
    rows[in_turn] = np.where(matches >= 0, by_time[matches], -1)
    return rows


@njit(cache=True)
def find_refunded_lines(
    refund_key, refund_at, refund_known_at, refund_cents, line_key, line_at, line_known_at, line_cents, exact
):
    """For each refund the earlier line it takes back, or -1.

    Refunds stand by key, then by when they became known: each is matched then, for good, among the lines known by
    then, so that nothing learned later changes what was known. Lines stand by key, then time. Refund cents are
    negative, line cents positive. The latest line of exactly that amount is taken; failing that, and unless `exact`,
    the latest line with at least that amount left. A line is never refunded beyond its amount.
    """
    matches = np.full(len(refund_key), -1)
    left = line_cents.copy()
    first = 0
    for r in range(len(refund_key)):
        while first < len(line_key) and line_key[first] < refund_key[r]:
            first += 1
        best = -1
        best_whole = False
        i = first
        while i < len(line_key) and line_key[i] == refund_key[r] and line_at[i] <= refund_at[r]:
            whole = left[i] == line_cents[i] and line_cents[i] == -refund_cents[r]
            fits = whole or (not exact and not best_whole and left[i] >= -refund_cents[r])
            if fits and line_known_at[i] <= refund_known_at[r]:
                best = i
                best_whole = best_whole or whole
            i += 1
        if best >= 0:
            left[best] += refund_cents[r]
            matches[r] = best
    return matches
