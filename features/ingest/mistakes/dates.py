"""Mistakes in times: placeholders, days without orders, a day with too many, late records, a zone that is wrong."""

from collections.abc import Iterator
from itertools import pairwise

from features.ingest.csv_checks import quoted
from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.open_log import Reading
from features.ingest.table_checks import FUTURE

DAY_US = 86_400_000_000
FEWEST_DAYS = 60
"""Days with orders from which a rhythm can be told."""
GAP_FACTOR, GAP_DAYS = 8, 14
"""A gap this many times longer than nearly all others, and at least so many days."""
JUMP_FACTOR, JUMP_SHARE = 25, 0.05
"""A day with so many times the lines of a usual day, and this share of all lines."""
LATE_DAYS = 7
QUIET_HOURS = 6
QUIET_SHARE = 0.08
"""The share of orders in the quietest hours below which they are the night."""
DAYTIME = range(9, 16)
"""Local hours in which the night cannot begin."""
FEWEST_TIMES = 500


def placeholders(opened: Reading) -> Iterator[DataWarning]:
    """Dates that stand for a missing one, and dates in the future, which were set aside."""
    for group in opened.judged["orders"]:
        if group.reason and "placeholder" in group.reason:
            yield DataWarning(
                "placeholder_dates",
                f"{plural(group.rows, 'row')} worth {group.micros / 1e6:,.2f} set aside: {group.reason}, not a day.",
                "orders",
                "ordered_at",
                group.rows,
                "Export the true date, or leave it empty.",
            )
        elif group.reason == FUTURE["orders"]:
            yield DataWarning(
                "future_dates",
                f"{plural(group.rows, 'row')} worth {group.micros / 1e6:,.2f} set aside: dated after now.",
                "orders",
                "ordered_at",
                group.rows,
                "Correct the dates; if all are some hours ahead, time.timezone is wrong.",
            )


UNREAD = ("no ordered_at", "ordered_at is not a time", "ordered_at before 1900")
"""The reasons of rows whose time is missing or cannot be true."""


def unread_times(opened: Reading) -> Iterator[DataWarning]:
    """Rows set aside because their time is missing, cannot be read, or lies before 1900; and times that lost digits."""
    for group in opened.judged["orders"]:
        if group.reason in UNREAD:
            example = opened.rows(f"select min(written_at) from rows_orders where reason = {quoted(group.reason)}")[0][
                0
            ]
            yield DataWarning(
                "unread_times",
                f"{plural(group.rows, 'row')} worth {group.micros / 1e6:,.2f} set aside: {group.reason}"
                + (f", such as '{example}'." if example else "."),
                "orders",
                "ordered_at",
                group.rows,
                read_line("orders", 'time_format = "%d/%m/%Y %H:%M"') + ", or export the true date.",
            )
    rows, example = opened.rows("""
        select count(*), any_value(written_at) from rows_orders
        where reason is null and regexp_full_match(written_at, '\\d(?:[.,]\\d+)?[eE][+]?\\d+')""")[0]
    if rows:
        yield DataWarning(
            "times_lost_digits",
            f"{plural(rows, 'time')} are written as a spreadsheet shows long numbers, such as '{example}': they are "
            "right to hours or days only.",
            "orders",
            "ordered_at",
            rows,
            "Export the times as text; do not open and save the file in a spreadsheet.",
        )


def gaps_and_jumps(opened: Reading) -> Iterator[DataWarning]:
    """Spans without an order in a log that has some nearly every day, and days that got far too many."""
    days = opened.rows(f"""
        select at_us // {DAY_US} as day, count(*) from checked where reason is null group by 1 order by 1""")
    if len(days) < FEWEST_DAYS:
        return
    gaps = [(later - day, day) for (day, _), (later, _) in pairwise(days)]
    usual = sorted(gap for gap, _ in gaps)[int(len(gaps) * 0.95)]
    longest, begin = max(gaps)
    if longest > max(GAP_DAYS, GAP_FACTOR * usual):
        first = opened.rows(f"select make_timestamp({(begin + 1) * DAY_US})::date::text")[0][0]
        yield DataWarning(
            "gap_in_days",
            f"No order for {longest - 1:,} days from {first} on, where {usual} is usual: is a file missing?",
            "orders",
            "ordered_at",
            0,
            "Add the missing export, or begin the log after the gap.",
        )
    middle = sorted(lines for _, lines in days)[len(days) // 2]
    total = sum(lines for _, lines in days)
    day, most = max(days, key=lambda item: item[1])
    if most > JUMP_FACTOR * middle and most > JUMP_SHARE * total:
        name = opened.rows(f"select make_timestamp({day * DAY_US})::date::text")[0][0]
        yield DataWarning(
            "jump_in_days",
            f"{plural(most, 'row')}, {most / total:.0%} of all, are of {name}, where a day has {middle:,}: the day of "
            "a migration, or a default?",
            "orders",
            "ordered_at",
            most,
            "Map the column of the true date: [columns.orders] ordered_at.",
        )


def late_records(opened: Reading) -> Iterator[DataWarning]:
    """Rows that became known long after they happened, as where recorded_at is the time of a later change or load."""
    for table in ("orders", "interactions"):
        if "recorded_at" not in opened.types.get(table, {}):
            continue
        rows, late, days = opened.rows(f"""
            select count(*), count(*) filter (known_us - at_us > {LATE_DAYS * DAY_US}),
                   coalesce(median(known_us - at_us), 0) / {DAY_US}
            from rows_{table} where reason is null""")[0]
        if rows and late * 2 > rows:
            yield DataWarning(
                "late_recorded_at",
                f"{late:,} of {plural(rows, 'row')} became known more than {LATE_DAYS} days after they happened, half "
                f"after {days:,.0f} days: recorded_at looks like the time of a load or of a later change.",
                table,
                "recorded_at",
                late,
                f"Take recorded_at out of [columns.{table}], unless the rows truly were not known before.",
            )


def night_at_noon(opened: Reading) -> Iterator[DataWarning]:
    """A time zone in which the quietest hours of the shop fall into the day."""
    zone = opened.log.timezone or "UTC"
    hours = dict(
        opened.rows(f"""
            select hour(timezone({quoted(zone)}, make_timestamptz(at_us))) as hour, count(*)
            from checked where reason is null and at_us % {DAY_US} != 0 group by 1""")
    )
    total = sum(hours.values())
    if total < FEWEST_TIMES or opened.rows("select count(*) from checked where reason is null")[0][0] > 2 * total:
        return
    quiet = {begin: sum(hours.get((begin + step) % 24, 0) for step in range(QUIET_HOURS)) for begin in range(24)}
    begin = min(quiet, key=lambda hour: quiet[hour])
    if quiet[begin] < QUIET_SHARE * total and begin in DAYTIME:
        yield DataWarning(
            "night_at_noon",
            f"In {zone}, the quietest hours of the shop are {begin}:00 to {(begin + QUIET_HOURS) % 24}:00, with "
            f"{quiet[begin] / total:.1%} of the orders: is the time zone wrong?",
            "orders",
            "ordered_at",
            total,
            '[time] timezone = "ZONE"',
        )
