"""Columns that say what became of an order: which of their values are no purchase, as a condition to keep rows."""

import re
from collections.abc import Iterable, Mapping

NAMES = re.compile(
    r"(?i)^(?:(?:order|financial|payment|fulfil?lment|transaction|invoice)[ _-]?)?(?:status|state)$"
    r"|^(?:etat|statut|estado|stato)$"
)
"""Names of columns of statuses."""
NOT_MONEY = re.compile(r"(?i)fulfil|ship|deliver|line")
"""Columns of statuses that say where the parcel is, not whether the order counts."""
NO_PURCHASE = re.compile(
    r"(?i)^(?:wc-)?(?:cancel\w*|fail\w*|void\w*|declined|denied|rejected|refused|expired|abandoned|draft|checkout-draft|trash"
    r"|error|unpaid|pending(?:[ _-]payment)?|payment[ _-]?pending|incomplete\w*|unavailable|chargeback|fraud\w*|blocked"
    r"|storniert\w*|annul\w*|anulad\w*|cancelad\w*|geannuleerd|test)$"
)
"""Values of orders that brought no money."""
GIVEN_BACK = re.compile(
    r"(?i)^(?:wc-)?(?:(?:fully[ _-]?)?refunded|returned|reversed|credited|erstattet|retournier\w*|rembours\w*)$"
)
"""Values of orders whose money was given back: no purchase either, unless a column says how much."""
TYPES = re.compile(
    r"(?i)^(?:(?:transaction|order|record|entry|document|event|line|payment)[ _-]?)?(?:type|kind)$"
    r"|^(?:art|belegart|tipo)$"
)
"""Names of columns that tell sales from refunds."""
REFUND_ROWS = re.compile(
    r"(?i)^(?:(?:partial|full)[ _-]?)?(?:refund(?:s|ed)?|returns?|returned|reversal|credit(?:[ _-]?(?:note|memo))?"
    r"|charge[ _-]?back|storno|gutschrift|retoure|avoir|remboursement)$"
)
"""Values of rows that give money back, which a ledger may write without a minus."""
MOST_VALUES = 40


def is_status(name: str) -> bool:
    """True for the name of a column that may say that an order is no purchase.

    >>> is_status("Financial Status"), is_status("Fulfillment Status"), is_status("state_tax")
    (True, False, False)
    """
    return NAMES.match(name.strip()) is not None and NOT_MONEY.search(name) is None


def is_type(name: str) -> bool:
    """True for the name of a column that may tell sales from refunds.

    >>> is_type("Transaction Type"), is_type("Payment Method")
    (True, False)
    """
    return TYPES.match(name.strip()) is not None


def no_purchases(values: Iterable[str], *, has_refunds: bool) -> list[str]:
    """The values that are no purchase, as they are written; has_refunds: a column says what was given back.

    >>> no_purchases(["completed", "cancelled", "refunded"], has_refunds=False)
    ['cancelled', 'refunded']
    """
    return [
        value
        for value in values
        if NO_PURCHASE.match(value.strip()) or (not has_refunds and GIVEN_BACK.match(value.strip()))
    ]


def condition(column: str, values: Iterable[str], *, may_be_empty: bool) -> str:
    """SQL that keeps the rows whose status is none of the values.

    >>> condition("status", ["cancelled"], may_be_empty=False)
    '"status" not in (\\'cancelled\\')'
    """
    name = '"' + column.replace('"', '""') + '"'
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"coalesce({name}, '') not in ({listed})" if may_be_empty else f"{name} not in ({listed})"


def conditions(statuses: Mapping[str, tuple[list[str], bool]]) -> str:
    """SQL of all columns together: name → its values that are no purchase, and whether it may be empty."""
    return " and ".join(condition(name, values, may_be_empty=empty) for name, (values, empty) in statuses.items())
