"""Look for the usual mistakes of exports in a log that was read; the order is that of their weight."""

from collections.abc import Iterator

import pyarrow as pa

from features.ingest.mistakes import cells, customer_ids, dates, joins, order_lines, unused_columns
from features.ingest.mistakes.customer_attributes import attribute_warnings
from features.ingest.mistakes.data_warning import DataWarning
from features.ingest.open_log import Reading

LOOKS = (
    cells.unread_amounts,
    cells.malformed_lines,
    order_lines.repeated_order_totals,
    order_lines.repeated_lines,
    unused_columns.statuses,
    unused_columns.refund_rows,
    unused_columns.refund_columns,
    order_lines.minor_unit_amounts,
    order_lines.lines_of_totals,
    order_lines.negative_quantities,
    order_lines.credit_notes,
    order_lines.mostly_negative,
    customer_ids.missing,
    customer_ids.nobodies,
    customer_ids.spellings,
    customer_ids.lost_digits,
    customer_ids.bought_once,
    dates.placeholders,
    dates.unread_times,
    dates.late_records,
    dates.gaps_and_jumps,
    dates.night_at_noon,
    unused_columns.currencies,
    cells.currency_words,
    cells.currency_signs,
    unused_columns.fee_columns,
    unused_columns.times_of_day,
    unused_columns.unmapped_names,
)


def find_mistakes(opened: Reading) -> list[DataWarning]:
    """The mistakes that the tables of the histories seem to have; opened with `keeps_unused`."""
    opened.db.execute("""
        create or replace temp table checked as
        select file, row, written_id, customer_id, order_id, product_id, at_us, micros, pieces_micros, reason
        from rows_orders""")
    return list(_found(opened))


def _found(opened: Reading) -> Iterator[DataWarning]:
    for look in LOOKS:
        yield from look(opened)
    yield from attribute_warnings(opened)
    for table in opened.types:
        yield from cells.unread_options(opened, table)
        yield from cells.notes(opened, table)
        if table != "orders":
            yield from joins.unmatched(opened, table, joins.of_reading(opened, table))


def find_unmatched(opened: Reading, table: str, rows: pa.Table) -> list[DataWarning]:
    """Whether the customers of a side table are those of the orders, after `find_mistakes`."""
    opened.db.register("side_rows", rows.select(["customer_id"]))
    return list(joins.unmatched(opened, table, "side_rows"))
