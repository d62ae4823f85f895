"""Columns that say what became of an order: which of their values are no purchase, as a condition to keep rows."""

import re
from collections.abc import Iterable

NAMES = re.compile(
    r"(?i)(?:^|[ _.-]|order|payment|invoice|sale|bestell|zahlungs)"
    r"(?:status|state|statut|etat|estado|stato|result|outcome)(?:[ _.-](?:code|name|text))?$|^zustand$|^situac"
)
"""Names of columns of statuses."""
NOT_MONEY = re.compile(r"(?i)fulfil|ship|deliver|line")
"""Columns of statuses that say where the parcel is, not whether the order counts."""
NO_PURCHASE = re.compile(
    r"(?i)^(?:wc-)?(?:cancel\w*|fail\w*|void\w*|declined|denied|rejected|refused|expired|abandoned|draft|checkout-draft|trash"
    r"|error|unpaid|on[ _-]?hold|pending(?:[ _-]payment)?|payment[ _-]?pending|incomplete\w*|unavailable|chargeback"
    r"|fraud\w*|blocked"
    r"|storniert\w*|annul\w*|anulad\w*|cancelad\w*|geannuleerd|test)$"
)
"""Values of orders that brought no money."""
CERTAINLY_NONE = re.compile(
    r"(?i)^(?:wc-)?(?:cancell?ed|voided|declined|failed|storniert\w*|annul(?:iert|l?ée?s?|lato)|anulad[oa]s?|cancelad[oa]s?"
    r"|geannuleerd)$"
)
"""Those that mean it in a column of any name."""
FLAGS = re.compile(
    r"(?i)^(?:(?:is|was|has been|has)[ _-]?)?(?:order[ _-]?)?"
    r"(?:cancell?ed|cancell?ation|void(?:ed)?|deleted|test(?:[ _-]?(?:order|mode))?|fraud\w*|charge[ _-]?back|rejected"
    r"|failed|declined|storn(?:o|iert)|annul\w*|cancelad[oa]|anulad[oa]|geannuleerd)(?:[ _-]?(?:flag|order|yn))?[ ?]*$"
)
"""Names of columns that are true for orders that brought no money."""
BACK_FLAGS = re.compile(
    r"(?i)^(?:(?:is|was)[ _-]?)?(?:fully[ _-]?)?(?:refunded|returned|erstattet|retourniert)(?:[ _-]?flag)?[ ?]*$"
)
"""The same for orders whose money was given back."""
PAID_FLAGS = re.compile(r"(?i)^(?:is[ _-]?)?(?:paid|captured|valid|success(?:ful)?|bezahlt|pagad[oa])[ ?]*$")
"""Names of columns that are false for orders that brought no money."""
ENDS = re.compile(
    r"(?i)^(?:order[ _-]?)?(?:cancell?(?:ed|ation)|voided|deleted|storn\w*)[ _-]?(?:at|on|date|time|datum)$"
)
"""Names of columns that say when an order ended without money; empty for all others."""
TRUE = {"true", "t", "yes", "y", "1", "1.0", "x", "ja", "j", "oui", "si", "sí", "sim"}
FALSE = {"false", "f", "no", "n", "0", "0.0", "nein", "non", "não", ""}
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
SIDE_NAMES = re.compile(
    r"(?i)^(?:d[ _/-]?c|[dc]r[ _/-]?[cd]r|debit[ _/-]?(?:or[ _-]?)?credit|credit[ _/-]?debit|soll[ _/-]?haben|shkzg"
    r"|sign|vorzeichen)"
    r"(?:[ _-]?(?:flag|ind(?:icator)?|kz|kennzeichen|code))?$"
)
"""Names of columns of the two sides of a ledger."""
SIDES = ({"d", "c"}, {"dr", "cr"}, {"debit", "credit"}, {"s", "h"}, {"soll", "haben"}, {"+", "-"})
CODES = re.compile(r"\d{1,4}(?:\.0)?")
"""Statuses that are numbers of a list elsewhere."""
MOST_VALUES = 40


def is_status(name: str) -> bool:
    """True for the name of a column that may say that an order is no purchase.

    >>> is_status("Financial Status"), is_status("Fulfillment Status"), is_status("state_tax")
    (True, False, False)
    """
    return NAMES.search(name.strip()) is not None and NOT_MONEY.search(name) is None


def are_statuses(name: str, values: list[str]) -> bool:
    """True for a column of few values, one of which says that an order was cancelled, whatever its name.

    >>> are_statuses("Stage", ["done", "cancelled"]), are_statuses("Fulfillment", ["cancelled"])
    (True, False)
    """
    is_short = len(values) <= MOST_VALUES and not NOT_MONEY.search(name)
    return is_short and any(CERTAINLY_NONE.match(value.strip()) for value in values)


def is_flag(name: str) -> bool:
    """True for the name of a column that marks orders which are no purchase, or those which are paid.

    >>> is_flag("is_cancelled"), is_flag("Cancelled at"), is_flag("Paid"), is_flag("Test score")
    (True, True, True, False)
    """
    return any(names.match(name.strip()) for names in (FLAGS, BACK_FLAGS, PAID_FLAGS, ENDS))


def is_refund_flag(name: str, values: Iterable[str]) -> bool:
    """True for a column that says whether money was given back, not how much.

    >>> is_refund_flag("refunded", ["true", "false"]), is_refund_flag("refunded", ["0", "12.50"])
    (True, False)
    """
    return BACK_FLAGS.match(name.strip()) is not None and {value.strip().lower() for value in values} <= TRUE | FALSE


def flag_condition(name: str, values: list[str], *, is_optional: bool, has_refunds: bool) -> str | None:
    """SQL that keeps the rows which a flag does not call no purchase; None if nothing would be left out.

    values: its values, at most MOST_VALUES and one more. is_optional: some cells are empty.

    >>> flag_condition("is_cancelled", ["false", "true"], is_optional=False, has_refunds=False)
    '"is_cancelled"::text not in (\\'true\\')'
    >>> flag_condition("Cancelled at", ["2026-01-01"], is_optional=True, has_refunds=False)
    'nullif("Cancelled at"::text, \\'\\') is null'
    """
    quoted = '"' + name.replace('"', '""') + '"::text'
    if ENDS.match(name.strip()):
        return f"nullif({quoted}, '') is null" if is_optional and values else None
    words = {value: value.strip().lower() for value in values}
    is_bad = FLAGS.match(name.strip()) or (BACK_FLAGS.match(name.strip()) and not has_refunds)
    if not (is_bad or PAID_FLAGS.match(name.strip())) or not set(words.values()) <= TRUE | FALSE:
        return None
    dropped = [value for value, word in words.items() if word and word in (TRUE if is_bad else FALSE)]
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in dropped)
    cell = f"coalesce({quoted}, '')" if is_optional else quoted
    return f"{cell} not in ({listed})" if dropped else None


def is_type(name: str) -> bool:
    """True for the name of a column that may tell sales from refunds.

    >>> is_type("Transaction Type"), is_type("Payment Method")
    (True, False)
    """
    return TYPES.match(name.strip()) is not None


def is_side(name: str) -> bool:
    """True for the name of a column that may tell the two sides of a ledger.

    >>> is_side("DC"), is_side("debit_credit_indicator"), is_side("discount")
    (True, True, False)
    """
    return SIDE_NAMES.match(name.strip()) is not None


def are_sides(values: Iterable[str]) -> bool:
    """True for both sides of a ledger, and nothing else.

    >>> are_sides(["D", "C"]), are_sides(["D"]), are_sides(["S", "H"])
    (True, False, True)
    """
    return {value.strip().lower() for value in values} in SIDES


def are_codes(values: Iterable[str]) -> bool:
    """True for several statuses, all of them numbers, which say nothing to somebody who lacks their list.

    >>> are_codes(["2", "5", "6"]), are_codes(["5"]), are_codes(["paid", "6"])
    (True, False, False)
    """
    known = list(values)
    return 1 < len(known) <= MOST_VALUES and all(CODES.fullmatch(value.strip()) for value in known)


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
