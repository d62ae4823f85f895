"""What all customers brought a year before the coming window, where a log is too short to have learned its season."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from features.arrays import Integers
from features.clock import DAY, YEAR_DAYS, microseconds
from features.histories.columns import NEVER, Histories
from features.snapshots.labels import orders_and_margin
from models.ensemble.year_ago_level import LONGEST, SHORT_DAYS, SHORTEST, STEP_DAYS, WindowTotal, YearAgoTotals

SLACK_DAYS = 7
"""A log that begins so many days after the window a year ago still tells of it."""
YOUNG_DAYS = 182
"""A cut-off earlier in its log than this has not seen the season as later ones will: by then the log knows frequent
customers only, whose level is not that of the base to come."""

STANDING, AFTER_MONTHS = 2.0, 5
"""A shop stood before its log began if the first month has so many times the new customers of the months after it."""


def year_ago_totals(
    histories: Histories, *, as_of: date, horizon_days: int, first_cut_off: date
) -> YearAgoTotals | None:
    """Totals of windows that closed by `as_of`; None where cut-offs of an older log cover the season, the log has no
    year, or the shop began with it.

    first_cut_off: the earliest whose window has closed.
    """
    year_ago, horizon = as_of - timedelta(days=YEAR_DAYS), timedelta(days=horizon_days)
    first_day = histories.first_day
    is_seen = first_cut_off <= year_ago and first_day + timedelta(days=YOUNG_DAYS) <= year_ago
    is_known = is_seen or histories.contractual
    is_short = first_day > year_ago + timedelta(days=SLACK_DAYS) or horizon_days > YEAR_DAYS
    if is_known or is_short or _is_launch(histories):
        return None
    step, short = timedelta(days=STEP_DAYS), timedelta(days=SHORT_DAYS)
    coming = [year_ago + k * step for k in range(YEAR_DAYS // STEP_DAYS + 1)]
    closed = [as_of - horizon - k * step for k in range(YEAR_DAYS // STEP_DAYS + 1)]
    long = {*coming, *closed, *(day - horizon for day in closed)}
    brief = {day - ahead for day in (as_of, *closed) for ahead in (short, horizon)}
    first_known = _first_known(histories)
    overlap = min((year_ago - first_day).days, LONGEST)
    growth = None
    if overlap >= SHORTEST:
        latest, before = (
            _total(histories, first_known, day - timedelta(days=overlap), overlap) for day in (as_of, year_ago)
        )
        growth = latest, before
    return YearAgoTotals(
        as_of,
        horizon_days,
        long=_totals(histories, first_known, long, horizon_days, as_of=as_of),
        short=_totals(histories, first_known, brief, SHORT_DAYS, as_of=as_of),
        growth=growth,
        growth_days=overlap,
    )


def _is_launch(histories: Histories) -> bool:
    """True if the shop began with its log: one that was there before shows its customers as new in the first month.

    A launch grows as no season does, and its totals of a year ago say little of those to come.
    """
    columns = histories.columns
    has_orders = columns.starts[1:] > columns.starts[:-1]
    first = columns.at[columns.starts[:-1][has_orders]]
    month = (first - first.min()) // (SHORT_DAYS * DAY)
    new = np.bincount(month, minlength=AFTER_MONTHS + 1)
    return bool(new[0] < STANDING * new[1 : AFTER_MONTHS + 1].mean())


def _totals(
    histories: Histories, first_known: Integers, days: Iterable[date], length: int, *, as_of: date
) -> dict[date, WindowTotal]:
    """Of the windows that the log covers and that have closed, by their first day."""
    earliest = histories.first_day - timedelta(days=SLACK_DAYS)
    return {
        day: _total(histories, first_known, day, length)
        for day in sorted(days)
        if day >= earliest and day + timedelta(days=length) <= as_of
    }


def _total(histories: Histories, first_known: Integers, day: date, length: int) -> WindowTotal:
    """What came of all customers within so many days from one on, and of those known on that day."""
    rows = pa.table({"customer_id": histories.customer_ids, "as_of": pa.repeat(day, histories.customers)})
    orders, margin = orders_and_margin(histories, rows, from_days=0, to_days=length)
    known = first_known < microseconds(day)
    ordered = orders > 0
    return WindowTotal(*map(float, (ordered.sum(), margin.sum(), ordered[known].sum(), margin[known].sum())))


def _first_known(histories: Histories) -> Integers:
    """When each customer's first order was known, microseconds."""
    columns, first = histories.columns, np.full(histories.customers, NEVER)
    known_at = columns.known_at[columns.starts[0] : columns.starts[-1]]
    np.minimum.at(first, np.repeat(np.arange(histories.customers), np.diff(columns.starts)), known_at)
    return first
