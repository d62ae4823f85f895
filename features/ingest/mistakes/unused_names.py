"""Columns that an export has beside ours, by their names: those that `check` looks into."""

import re

from features.ingest.mistakes import export_statuses

PREFIX = "unused: "
"""What stands before the name of such a column in `raw_orders`."""
REFUNDS = re.compile(
    r"(?i)refund|returned[ _-]?(?:amount|value)|erstatt|rembours|gutschrift|chargeback"
    r"|credit(?:ed)?[ _-]?(?:amount|value|note)"
)
CURRENCIES = re.compile(r"(?i)curr|ccy|w(?:ä|ae)hrung|devise|monn?eda|valuta|^waer[sk]$")
"""Names of columns of currencies."""
NO_MONEY = re.compile(r"(?i)date|at$|status|state|reason|id$|count|qty|quantity|method|by$|type")
FEES = re.compile(r"(?i)(?:^|[ _-])fees?$|^fees?(?:[ _-]|$)|commission|processing[ _-]?cost")


TIMES_OF_DAY = re.compile(
    r"(?i)(?:^|[ _.-])(?:time(?: ?of ?day)?|hour|uhrzeit|zeit|heure|hora|ora|tijd(?:stip)?|tid|klokkeslett|erzet)"
    r"(?:$|[ _.(-])"
    r"|[a-z]Time$"
)
NOT_ORDERED = re.compile(r"(?i)zone|deliver|ship|duration|spent|lead|update|modif|ends?\b|close|pickup|refund|cancel")


def is_time_of_day(name: str) -> bool:
    """True for the name of a column that may hold the time of day of the orders.

    >>> is_time_of_day("Time"), is_time_of_day("Time Zone"), is_time_of_day("Delivery time")
    (True, False, False)
    """
    return TIMES_OF_DAY.search(name.strip()) is not None and NOT_ORDERED.search(name) is None


def is_refund(name: str) -> bool:
    """True for the name of a column of money that was given back.

    >>> is_refund("Amount Refunded"), is_refund("refunded_at")
    (True, False)
    """
    return REFUNDS.search(name) is not None and NO_MONEY.search(name) is None


def is_worth_a_look(name: str) -> bool:
    """True for the name of a column that changes what counts."""
    return (
        export_statuses.is_status(name)
        or export_statuses.is_type(name)
        or export_statuses.is_flag(name)
        or export_statuses.is_side(name)
        or is_refund(name)
        or FEES.search(name) is not None
        or is_time_of_day(name)
        or CURRENCIES.search(name) is not None
        or name in ("recorded_at", "source")
    )
