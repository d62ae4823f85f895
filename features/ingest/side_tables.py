"""Read a side table, `treatments` or `costs`: every row is accepted or quarantined with a reason.

No feature is made of it, and its customers need not have an order.
"""

from dataclasses import dataclass

import pyarrow as pa

from features.errors import InputError
from features.ingest.log import Log
from features.ingest.open_log import Reading
from features.ingest.reading import reading
from features.ingest.reconciliation import ReconciliationLine, reconcile_side_table
from features.ingest.schema import SIDE_TABLES, minor_units

WRITTEN = {"treatments": ("campaign", "offer", "treated", "cost"), "costs": ("kind", "amount")}
"""The columns that the quarantine shows beside customer and time."""


@dataclass(frozen=True)
class SideTable:
    """The rows of a side table."""

    rows: pa.Table
    """The accepted rows by time: customer_id, at, the other columns of the schema, and recorded_at (not before `at`).

    Times are UTC, money is in currency units: costs rounded to minor units, each contact's cost as it was booked.
    """
    account: list[ReconciliationLine]
    """The reconciliation of its rows and money: the source first; the lines after it add up to it."""
    quarantine: pa.Table
    """The rows that cannot be used: file, row, reason, and the columns as written."""


def read_side_table(log: Log, table: str, *, now_us: int | None) -> SideTable:
    """Read a side table. now_us: rows after it are in the future (None: not checked).

    Raises InputError where the log has no such table, where it cannot be used, and where it contradicts itself.
    """
    if table not in log.books:
        required = ", ".join(name for name, column in SIDE_TABLES[table].items() if column.required)
        raise InputError(
            f"the config names no {table}",
            where=f"[data] {table}",
            next=f'Name a file, folder, glob or database with {required}: {table} = "{table}.csv".',
        )
    with reading(log, now_us=now_us, side_table=table) as opened:
        if table == "treatments":
            _refuse_both(opened)
            rows = _treatments(opened)
        else:
            _refuse_mostly_negative(opened)
            rows = _costs(opened)
        return SideTable(rows, reconcile_side_table(opened.counted(), table), _quarantine(opened, table))


def _treatments(opened: Reading) -> pa.Table:
    return _in_utc(
        opened.db.sql("""
            select customer_id, at_us as "at", campaign, offer, treated, micros::double / 1e6 as cost,
                   known_us as recorded_at
            from rows_treatments where reason is null
            order by at_us, campaign, customer_id, offer, treated, known_us, cost""").to_arrow_table()
    )


def _costs(opened: Reading) -> pa.Table:
    return _in_utc(
        opened.db.sql(f"""
            select customer_id, at_us as "at", kind, cents::double / {minor_units(opened.log.currency)} as amount,
                   known_us as recorded_at
            from rows_costs where reason is null
            order by at_us, kind, customer_id, known_us, amount""").to_arrow_table()
    )


def _in_utc(rows: pa.Table) -> pa.Table:
    """Turn columns of microseconds into times."""
    for name in ("at", "recorded_at"):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows[name].cast(pa.timestamp("us", "UTC")))
    return rows


def _quarantine(opened: Reading, table: str) -> pa.Table:
    written = ", ".join(f"written_{name} as {name}" for name in WRITTEN[table])
    return opened.db.sql(f"""
        select file, row, reason, written_id as customer_id, written_at as "at", {written}
        from rows_{table} where reason is not null
        union all by name select file, row, reason from malformed_{table}
        order by file, row""").to_arrow_table()


def _refuse_both(opened: Reading) -> None:
    """Raise InputError where a customer is both treated and held out by one offer of a campaign."""
    count, example, campaign, offer, file, row = opened.rows("""
        with conflicts as (
            select customer_id, campaign, offer, min((file, row)) filter (treated) as yes,
                   min((file, row)) filter (not treated) as no
            from rows_treatments where reason is null group by all
            having bool_or(treated) and not bool_and(treated)
        )
        select count(*), min_by(customer_id, first), min_by(campaign, first), min_by(offer, first),
               min(first)[1], min(first)[2]
        from (select *, greatest(yes, no) as first from conflicts)""")[0]
    if count:
        raise InputError(
            f"{count:,} customer{'s' * (count > 1)} both treated and held out by one offer of a campaign, first "
            f"'{example}' in '{campaign}', offer '{offer}'",
            where=f"{file}, row {row}",
            next="Leave one of the two rows: a customer who was contacted in the end was treated.",
        )


def _refuse_mostly_negative(opened: Reading) -> None:
    """Raise InputError where more than half of the amounts are negative: a ledger that writes costs that way."""
    usable = [group for group in opened.judged["costs"] if group.reason is None]
    if usable and usable[0].refunds * 2 > usable[0].rows:
        raise InputError(
            f"amount is negative in {usable[0].refunds:,} of {usable[0].rows:,} rows",
            where=opened.where("costs"),
            next="Write costs as positive amounts; negative is a cost given back.",
        )
