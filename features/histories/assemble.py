"""Turn arrays of order lines and interactions into the columns of histories.

Everything here is numbers. Ids have been numbered before: customers by their place in the alphabet, orders,
products and categories by a 64-bit hash, which only has to tell apart those of one customer.
"""

import numpy as np

from features.histories import refund_matching
from features.histories.counting_sort import Arrays, number_by_first, sort_by_customer
from features.histories.order_totals import LOOSE, sum_orders


def sort_lines(rows: Arrays, customers: int) -> tuple[np.ndarray, Arrays]:
    """Sort lines by customer and order; also returns the start of each customer's lines.

    rows: customer, at, cents and, where the log has them, known_at, margin_micros, key (of the order), rank (among
    orders of one instant), product, category, discount, pieces (millionths), channel. A missing column comes out
    empty, or as a copy of the column that stands in for it.
    """
    for name, kind in LINE_COLUMNS.items():
        rows.setdefault(name, np.empty(0, kind))
    for name, standing_in in (("known_at", "at"), ("key", "at"), ("margin_micros", "cents")):
        rows.setdefault(name, rows[standing_in])
    # The lines of an order are sorted by their content, so that the order of rows changes nothing.
    both = len(rows["product"]) and len(rows["category"])
    rows["content"] = (
        rows["product"] + 31 * rows["category"] if both else rows["product" if len(rows["product"]) else "category"]
    )
    return sort_by_customer(rows, customers, then=("key", "content"), ties=LINE_TIES)


LINE_COLUMNS = {
    "product": np.int64,
    "category": np.int64,
    "discount": np.int64,
    "rank": np.int64,
    "pieces": np.int64,
    "channel": np.int32,
}
"""The types of the columns that a log may lack."""
LINE_TIES = ("at", "known_at", "cents", "margin_micros", "category", "discount", "pieces", "channel")


def assemble_orders(starts: np.ndarray, lines: Arrays, *, margin_micros: int) -> tuple[Arrays, tuple[int, int]]:
    """The columns of orders, adjustments and lines; the number of refunds netted, and their minor units.

    margin_micros: the margin in one minor unit, millionths of it; 1 where the lines have their own margins.
    """
    names = ("key", "at", "known_at", "cents", "margin_micros", "discount", "pieces", "channel", "rank")
    order_of, order_starts, at, known_at, cents, margin, discount, pieces, channel = sum_orders(
        starts, *(lines[name] for name in names)
    )
    if lines["known_at"] is lines["at"] and lines["key"] is lines["at"]:
        known_at = at
    changes = _changes(
        starts, lines, order_of, order_starts, {"at": at, "known_at": known_at, "cents": cents, "margin_micros": margin}
    )
    matched = (changes["cents"] < 0) & (changes["order"] != LOOSE)
    columns = {
        "starts": order_starts,
        "at": at,
        "known_at": known_at,
        "amount_cents": cents,
        "margin_cents": margin * margin_micros / 1e6,
        "discount_cents": discount,
        "pieces": pieces / 1e6,
        "channel": channel,
        "adjustment_starts": np.searchsorted(changes["customer"], np.arange(len(starts))),
        "adjusted_order": changes["order"],
        "adjusted_at": changes["at"],
        "adjustment_known_at": changes["known_at"],
        "adjustment_cents": changes["cents"],
        "adjustment_margin_cents": changes["margin_micros"] * margin_micros / 1e6,
        **_items(starts, lines, order_of, order_starts),
    }
    return columns, (int(matched.sum()), int(changes["cents"][matched].sum()))


def _changes(
    starts: np.ndarray, lines: Arrays, order_of: np.ndarray, order_starts: np.ndarray, orders: Arrays
) -> Arrays:
    """The lines that change an order after it was first known, by customer and by the time they were known."""
    changes_it = lines["cents"] < 0
    if orders["known_at"] is not orders["at"]:
        is_late = order_of != LOOSE
        is_late[is_late] = lines["known_at"][is_late] > orders["known_at"][order_of[is_late]]
        changes_it |= is_late
    rows = np.flatnonzero(changes_it)
    changes = {name: lines[name][rows] for name in ("at", "known_at", "cents", "margin_micros")}
    changes |= {"order": order_of[rows], "customer": np.searchsorted(starts, rows, "right") - 1}
    changes["product"] = lines["product"][rows] if len(lines["product"]) else np.zeros(len(rows), np.int64)
    if (changes["order"] == LOOSE).any():
        _find_orders(starts, changes, lines, order_of, order_starts, orders)
    keys = ("margin_micros", "cents", "order", "at", "known_at", "customer")
    order = np.lexsort([changes[key] for key in keys])
    return {name: column[order] for name, column in changes.items()}


def _find_orders(
    starts: np.ndarray,
    changes: Arrays,
    lines: Arrays,
    order_of: np.ndarray,
    order_starts: np.ndarray,
    orders: Arrays,
) -> None:
    """Write the order of each loose refund into `changes`, by its product, or if it has none by its full amount."""
    loose = changes["order"] == LOOSE
    has_loose = np.zeros(len(starts) - 1, bool)
    has_loose[changes["customer"][loose]] = True
    for is_product in (True, False):
        sought = loose & ((changes["product"] != 0) == is_product)
        if not sought.any():
            continue
        refunds = {name: column[sought] for name, column in changes.items()}
        if is_product:
            candidates = np.repeat(has_loose, np.diff(starts)) & (lines["cents"] > 0) & (lines["product"] != 0)
            rows = np.flatnonzero(candidates)
            refundable = {name: lines[name][rows] for name in ("at", "known_at", "cents", "product", "margin_micros")}
            refundable["customer"], number = np.searchsorted(starts, rows, "right") - 1, order_of[rows]
        else:
            number = np.flatnonzero(np.repeat(has_loose, np.diff(order_starts)) & (orders["cents"] > 0))
            refundable = {name: orders[name][number] for name in ("at", "known_at", "cents", "margin_micros")}
            refundable["customer"] = np.searchsorted(order_starts, number, "right") - 1
        by = ("customer", "product") if is_product else ("customer",)
        matches = refund_matching.match_refunds(refunds, refundable, by=by, exact=not is_product)
        changes["order"][sought] = np.where(matches >= 0, number[matches] if len(number) else LOOSE, LOOSE)


def _items(starts: np.ndarray, lines: Arrays, order_of: np.ndarray, order_starts: np.ndarray) -> Arrays:
    """The columns of lines; empty if no feature looks at single lines."""
    wanted = {name: lines[name] for name in ("product", "category", "discount", "pieces") if len(lines[name])}
    if not wanted:
        none = {f"line_{name}": column for name, column in NO_LINES.items()}
        return {"line_starts": np.zeros(len(order_starts), np.int64), **none}
    bought = np.flatnonzero(lines["cents"] >= 0)
    bought = bought[np.argsort(order_of[bought], kind="stable")]
    customer = np.searchsorted(starts, bought, "right") - 1
    line_starts = np.searchsorted(customer, np.arange(len(order_starts)))
    columns = {"order": order_of[bought] - order_starts[customer], "at": lines["at"][bought]}
    columns["known_at"] = columns["at"] if lines["known_at"] is lines["at"] else lines["known_at"][bought]
    for name in ("product", "category"):
        has = name in wanted
        columns[name] = number_by_first(line_starts, wanted[name][bought]) if has else np.full(len(bought), -1)
    for name, column in (("discount_cents", "discount"), ("pieces", "pieces")):
        columns[name] = wanted[column][bought] if column in wanted else NO_LINES[name]
    return {"line_starts": line_starts, **{f"line_{name}": column for name, column in columns.items()}}


NO_LINES: Arrays = {
    **{
        name: np.empty(0, np.int64)
        for name in ("order", "at", "known_at", "product", "category", "discount_cents", "pieces")
    }
}
"""The columns of lines in a log where no feature looks at them."""


def sort_interactions(rows: Arrays, customers: int) -> Arrays:
    """Sort interactions by customer and time. rows: customer, at, kind; known_at and value where the log has them."""
    rows.setdefault("known_at", rows["at"])
    rows.setdefault("value", np.empty(0))
    bits = rows["value"].view(np.int64)
    rows["value_bits"] = bits ^ (bits >> 63 & np.iinfo(np.int64).max)  # sorts as the values do
    starts, rows = sort_by_customer(rows, customers, then=("at", "value_bits"), ties=("kind", "known_at"))
    del rows["value_bits"]
    return {"interaction_starts": starts, **{f"interaction_{name}": column for name, column in rows.items()}}


NO_INTERACTIONS: Arrays = {
    "at": np.empty(0, np.int64),
    "customer": np.empty(0, np.int32),
    "kind": np.empty(0, np.int32),
}
"""The rows of a log without interactions."""


def is_prompt(columns: Arrays) -> np.ndarray:
    """True for customers whose rows were all known when they happened and whose orders never changed; bool each."""
    prompt = np.diff(columns["adjustment_starts"]) == 0
    for prefix, starts in (("", "starts"), ("interaction_", "interaction_starts")):
        at, known_at = columns[f"{prefix}at"], columns[f"{prefix}known_at"]
        if known_at is not at:
            late = np.flatnonzero(known_at > at)
            prompt[np.searchsorted(columns[starts], late, "right") - 1] = False
    return prompt
