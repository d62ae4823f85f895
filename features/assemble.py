"""Lines and interactions as arrays → the columns of histories.

Everything here is numbers. Ids have become numbers before: customers by their place in the alphabet, orders,
products and categories by a 64-bit hash that only has to tell apart those of one customer.
"""

import numpy as np

from features import netting
from features.sorting import Arrays, by_customer, number_by_first, reordered, sort_within
from features.summing import LOOSE, sum_orders


def lines_of(rows: Arrays, customers: int) -> tuple[np.ndarray, Arrays]:
    """Lines sorted by customer, order and product, and the start of each customer's.

    rows: customer, at, cents and, where the log has them, known_at, margin_micros, key (of the order), rank (among
    orders of one instant), product, category, discount, pieces, channel. Those it has not come out empty, or as `at`.
    """
    for name, kind in LINE_COLUMNS.items():
        rows.setdefault(name, np.empty(0, kind))
    for name in ("known_at", "key"):
        rows.setdefault(name, rows["at"])
    starts, rows = by_customer(rows, customers)
    return starts, reordered(rows, sort_within(starts, rows["key"], rows["product"]))


LINE_COLUMNS = {
    "product": np.int64,
    "category": np.int64,
    "discount": np.int64,
    "rank": np.int64,
    "pieces": np.float64,
    "channel": np.int32,
}
"""The types of the columns that a log may lack."""


def orders_of(starts: np.ndarray, lines: Arrays) -> tuple[Arrays, tuple[int, int]]:
    """The columns of orders, adjustments and lines; how many refunds were netted, and their minor units."""
    names = ("key", "at", "known_at", "cents", "margin_micros", "discount", "pieces", "channel", "rank")
    order_of, order_starts, at, known_at, cents, margin, discount, pieces, channel = sum_orders(
        starts, *(lines[name] for name in names)
    )
    if lines["known_at"] is lines["at"] and lines["key"] is lines["at"]:
        known_at = at
    customer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    orders = {"customer": np.repeat(np.arange(len(starts) - 1), np.diff(order_starts)), "at": at}
    orders |= {"known_at": known_at, "cents": cents}
    adjusted = lines["cents"] < 0
    if known_at is not at:
        is_late = order_of != LOOSE
        is_late[is_late] = lines["known_at"][is_late] > known_at[order_of[is_late]]
        adjusted |= is_late
    changes = {name: lines[name][adjusted] for name in ("at", "known_at", "cents", "margin_micros")}
    changes |= {"order": order_of[adjusted], "customer": customer[adjusted]}
    if (changes["order"] == LOOSE).any():
        _find_orders(starts, changes, adjusted, lines, order_of, orders)
    turn = np.lexsort([changes[one] for one in ("cents", "order", "at", "known_at", "customer")])
    changes = {name: column[turn] for name, column in changes.items()}
    matched = (changes["cents"] < 0) & (changes["order"] != LOOSE)
    columns = {
        "starts": order_starts,
        "at": at,
        "known_at": known_at,
        "amount_cents": cents,
        "margin_cents": margin / 1e6,
        "discount_cents": discount,
        "pieces": pieces,
        "channel": channel,
        "adjustment_starts": np.searchsorted(changes["customer"], np.arange(len(starts))),
        "adjusted_order": changes["order"],
        "adjusted_at": changes["at"],
        "adjustment_known_at": changes["known_at"],
        "adjustment_cents": changes["cents"],
        "adjustment_margin_cents": changes["margin_micros"] / 1e6,
        **_items(customer, lines, order_of, order_starts),
    }
    return columns, (int(matched.sum()), int(changes["cents"][matched].sum()))


def _find_orders(
    starts: np.ndarray, changes: Arrays, adjusted: np.ndarray, lines: Arrays, order_of: np.ndarray, orders: Arrays
) -> None:
    """Write the order of each loose refund into `changes`, where one is found by product, or whole by amount."""
    customer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    loose = changes["order"] == LOOSE
    has_product = len(lines["product"]) > 0
    product = lines["product"][adjusted] if has_product else np.zeros(len(loose), np.int64)
    theirs = np.zeros(len(starts) - 1, bool)
    theirs[changes["customer"][loose]] = True
    for is_product in (True, False):
        of = loose & ((product != 0) == is_product)
        if not of.any():
            continue
        refunds = {name: changes[name][of] for name in ("customer", "at", "known_at", "cents")}
        if is_product:
            rows = np.flatnonzero((lines["cents"] > 0) & theirs[customer] & (lines["product"] != 0))
            held = {name: lines[name][rows] for name in ("at", "known_at", "cents", "product")}
            held["customer"], number = customer[rows], order_of[rows]
            refunds["product"] = product[of]
        else:
            number = np.flatnonzero((orders["cents"] > 0) & theirs[orders["customer"]])
            held = {name: column[number] for name, column in orders.items()}
        by = ("customer", "product") if is_product else ("customer",)
        found = netting.match(refunds, held, by=by, exact=not is_product)
        changes["order"][of] = np.where(found >= 0, number[found] if len(number) else LOOSE, LOOSE)


def _items(customer: np.ndarray, lines: Arrays, order_of: np.ndarray, order_starts: np.ndarray) -> Arrays:
    """The columns of lines; empty if no feature looks at single lines."""
    wanted = {name: lines[name] for name in ("product", "category", "discount", "pieces") if len(lines[name])}
    if not wanted:
        none = {f"line_{name}": column for name, column in NO_LINES.items()}
        return {"line_starts": np.zeros(len(order_starts), np.int64), **none}
    bought = np.flatnonzero(lines["cents"] >= 0)
    bought = bought[np.argsort(order_of[bought], kind="stable")]
    starts = np.searchsorted(customer[bought], np.arange(len(order_starts)))
    columns = {"order": order_of[bought] - order_starts[customer[bought]], "at": lines["at"][bought]}
    columns["known_at"] = columns["at"] if lines["known_at"] is lines["at"] else lines["known_at"][bought]
    for name in ("product", "category"):
        has = name in wanted
        columns[name] = number_by_first(starts, wanted[name][bought]) if has else np.full(len(bought), -1)
    for name, theirs in (("discount_cents", "discount"), ("pieces", "pieces")):
        columns[name] = wanted[theirs][bought] if theirs in wanted else NO_LINES[name]
    return {"line_starts": starts, **{f"line_{name}": column for name, column in columns.items()}}


NO_LINES: Arrays = {
    **{name: np.empty(0, np.int64) for name in ("order", "at", "known_at", "product", "category", "discount_cents")},
    "pieces": np.empty(0),
}
"""The columns of lines in a log where no feature looks at them."""


def interactions_of(rows: Arrays, customers: int) -> Arrays:
    """The columns of interactions. rows: customer, at, kind and, where the log has them, known_at and value."""
    rows.setdefault("known_at", rows["at"])
    rows.setdefault("value", np.empty(0))
    starts, rows = by_customer(rows, customers)
    rows = reordered(rows, sort_within(starts, rows["at"], rows["value"].view(np.int64)))
    return {"interaction_starts": starts, **{f"interaction_{name}": column for name, column in rows.items()}}


NO_INTERACTIONS: Arrays = {
    "at": np.empty(0, np.int64),
    "customer": np.empty(0, np.int32),
    "kind": np.empty(0, np.int32),
}
"""The rows of a log without interactions."""


def prompt(columns: Arrays) -> np.ndarray:
    """Whether all of a customer's rows were known when they happened and no order changed; bool per customer."""
    is_prompt = np.diff(columns["adjustment_starts"]) == 0
    for prefix, starts in (("", "starts"), ("interaction_", "interaction_starts")):
        at, known_at = columns[f"{prefix}at"], columns[f"{prefix}known_at"]
        if known_at is not at:
            late = np.flatnonzero(known_at > at)
            is_prompt[np.searchsorted(columns[starts], late, "right") - 1] = False
    return is_prompt
