"""Columns of the orders that change what counts, and that the config does not use."""

import re
from collections.abc import Iterator

from features.ingest.column_sql import is_number
from features.ingest.csv_checks import identifier
from features.ingest.mistakes import export_statuses
from features.ingest.mistakes.data_warning import DataWarning, columns_line, plural, read_line
from features.ingest.mistakes.unused_names import CURRENCIES, FEES, PREFIX, REFUNDS, is_refund, is_time_of_day
from features.ingest.notation.number_style import number_evidence, number_sql
from features.ingest.notation.times_of_day import are_times_of_day, has_time
from features.ingest.open_log import Reading


def statuses(opened: Reading) -> Iterator[DataWarning]:
    """Orders that were cancelled, that failed, or whose money was given back, counted as purchases."""
    has_refunds = opened.log.options("orders").refunded is not None
    for name in _unused(opened):
        if name in (opened.log.options("orders").where or ""):
            continue
        if export_statuses.is_flag(name):
            yield from _flagged(opened, name, has_refunds=has_refunds)
        if not export_statuses.is_status(name):
            continue
        column = identifier(PREFIX + name)
        counts = dict(
            opened.rows(f"""
                select {column}::text, count(*) from raw_orders join checked using (file, row)
                where reason is null and {column} is not null group by 1 order by 2 desc limit 200""")
        )
        if export_statuses.are_codes(counts):
            yield _status_in_codes(name, counts)
        dropped = export_statuses.no_purchases(counts, has_refunds=has_refunds)
        if dropped:
            rows = sum(counts[value] for value in dropped)
            where = export_statuses.condition(name, dropped, may_be_empty=True)
            listed = ", ".join(f"'{value}' ({counts[value]:,})" for value in dropped[:5])
            yield DataWarning(
                "status_is_no_purchase",
                f"{plural(rows, 'row')} have a status that is no purchase, and are counted: {listed}.",
                "orders",
                name,
                rows,
                read_line("orders", f"where = '''{where}'''"),
            )


def _status_in_codes(name: str, counts: dict[str, int]) -> DataWarning:
    rarest, listed = min(counts, key=lambda value: counts[value]), list(counts.items())[:6]
    where = export_statuses.condition(name, [rarest], may_be_empty=False)
    return DataWarning(
        "status_in_codes",
        f"'{name}' says in numbers what became of an order, and all are counted as purchases: "
        + ", ".join(f"{value} ({rows:,})" for value, rows in listed)
        + ".",
        "orders",
        name,
        sum(counts.values()),
        f"Look up which numbers are cancelled, failed or refunded orders and leave them out; were it {rarest}: "
        + read_line("orders", f"where = '''{where}'''"),
    )


def _flagged(opened: Reading, name: str, *, has_refunds: bool) -> Iterator[DataWarning]:
    """Rows that a column such as `is_cancelled` or `Cancelled at` marks, and that are counted."""
    cell = f"{identifier(PREFIX + name)}::text"
    used = "from raw_orders join checked using (file, row) where reason is null"
    most = export_statuses.MOST_VALUES + 1
    values = [row[0] for row in opened.rows(f"select {cell} {used} and {cell} != '' group by 1 limit {most}")]
    is_optional = bool(opened.rows(f"select 1 {used} and coalesce({cell}, '') = '' limit 1"))
    condition = export_statuses.flag_condition(name, values, is_optional=is_optional, has_refunds=has_refunds)
    if condition is None:
        return
    is_kept = condition.replace(identifier(name), identifier(PREFIX + name))
    rows, kept, money = opened.rows(
        f"select count(*) filter (not ({is_kept})), count(*) filter ({is_kept}), "
        f"coalesce(sum(micros) filter (not ({is_kept})), 0) / 1e6 {used}"
    )[0]
    if rows and kept:
        yield DataWarning(
            "status_is_no_purchase",
            f"{plural(rows, 'row')} worth {money:,.2f} are marked by '{name}' as no purchase, and are counted.",
            "orders",
            name,
            rows,
            read_line("orders", f"where = '''{condition}'''"),
        )


def refund_rows(opened: Reading) -> Iterator[DataWarning]:
    """Rows that a column calls refunds, and whose amount is positive: they count as purchases."""
    if opened.log.options("orders").where:
        return
    for name in _unused(opened):
        if not export_statuses.is_type(name) and not export_statuses.is_side(name):
            continue
        column = identifier(PREFIX + name)
        counts = opened.rows(f"""
            select {column}::text, count(*), sum(micros) / 1e6 from raw_orders join checked using (file, row)
            where reason is null and micros > 0 and {column} is not null group by 1 order by 2 desc limit 200""")
        found = [row for row in counts if export_statuses.REFUND_ROWS.match(row[0].strip())]
        if export_statuses.is_side(name):
            found = counts[1:] if export_statuses.are_sides(value for value, *_ in counts) else []
        if found:
            rows, money = sum(count for _, count, _ in found), sum(money for *_, money in found)
            where = export_statuses.condition(name, [value for value, *_ in found], may_be_empty=True)
            yield DataWarning(
                "refunds_without_minus",
                f"{plural(rows, 'row')} are called {', '.join(repr(value) for value, *_ in found)} in '{name}', and "
                f"their amounts are positive: {money:,.2f} counts as bought, not as given back.",
                "orders",
                name,
                rows,
                "Export refunds with a minus, or leave them out: " + read_line("orders", f"where = '''{where}'''"),
            )


def refund_columns(opened: Reading) -> Iterator[DataWarning]:
    """Money given back, in a column of its own, that is not taken off."""
    if opened.log.options("orders").refunded:
        return
    for name in _unused(opened):
        if is_refund(name) and (found := _money(opened, name)):
            rows, money = found
            yield DataWarning(
                "refund_column_unused",
                f"'{name}' holds {money:,.2f} in {plural(rows, 'row')}, which is not taken off the amount.",
                "orders",
                name,
                rows,
                read_line("orders", f'refunded = "{name}"'),
            )


def fee_columns(opened: Reading) -> Iterator[DataWarning]:
    """Fees in a column of their own, where the orders have no cost."""
    if "cost" in opened.types["orders"]:
        return
    for name in _unused(opened):
        if FEES.search(name) and not REFUNDS.search(name) and (found := _money(opened, name)):
            rows, money = found
            yield DataWarning(
                "fee_column_unused",
                f"'{name}' holds {money:,.2f} in {plural(rows, 'row')}; the margin does not know of it.",
                "orders",
                name,
                rows,
                "Lower money.gross_margin by it, or give it as a table of costs: [data] costs.",
            )


def currencies(opened: Reading) -> Iterator[DataWarning]:
    """Several currencies in a column that is not used: their amounts are added up as they stand."""
    if "currency" in opened.types["orders"]:
        return
    for name in _unused(opened):
        if not CURRENCIES.search(name):
            continue
        column = identifier(PREFIX + name)
        counts = opened.rows(f"""
            select upper(trim({column}::text)) as code, count(*), sum(micros) / 1e6
            from raw_orders join checked using (file, row) where reason is null and code != ''
            group by 1 order by 2 desc limit 20""")
        if len(counts) > 1 and all(re.fullmatch(r"[A-Z]{3}|[^\w\s]{1,3}", code) for code, *_ in counts):
            listed = ", ".join(
                f"{code} in {plural(rows, 'row')} worth {money:,.2f}" for code, rows, money in counts[:4]
            )
            yield DataWarning(
                "currency_column_unused",
                f"'{name}' names several currencies, and all are read as {opened.log.currency}: {listed}.",
                "orders",
                name,
                sum(rows for _, rows, _ in counts[1:]),
                columns_line("orders", f'currency = "{name}"'),
            )


def times_of_day(opened: Reading) -> Iterator[DataWarning]:
    """Times of day in a column of their own, where all orders are at midnight."""
    if opened.log.options("orders").time_of_day:
        return
    names = [name for name in _unused(opened) if is_time_of_day(name)]
    if not names:
        return
    written = opened.rows("select distinct written_at from rows_orders where reason is null limit 500")
    if any(has_time(cell) for (cell,) in written if cell):
        return
    for name in names:
        column = identifier(PREFIX + name)
        cells = [row[0] for row in opened.rows(f"select distinct {column}::text from raw_orders limit 500") if row[0]]
        if are_times_of_day(cells):
            rows = opened.rows(f"select count(*) from raw_orders where {column} is not null")[0][0]
            yield DataWarning(
                "time_of_day_unused",
                f"The orders carry days without times, and '{name}' holds times of day in {plural(rows, 'row')}, such "
                f"as '{cells[0]}': orders of one day are not told apart by it.",
                "orders",
                name,
                rows,
                read_line("orders", f'time_of_day = "{name}"'),
            )


def unmapped_names(opened: Reading) -> Iterator[DataWarning]:
    """Columns called recorded_at or source, which are used only if the config says so."""
    for name in ("recorded_at", "source"):
        if name in _unused(opened):
            says = "when a row became known" if name == "recorded_at" else "which export a row came from"
            yield DataWarning(
                "column_not_used",
                f"'{name}' is not used: it counts only if the config says that it tells {says}.",
                "orders",
                name,
                0,
                columns_line("orders", f'{name} = "{name}"'),
            )


def _unused(opened: Reading) -> list[str]:
    """The columns of the orders that were kept for a look."""
    return [name.removeprefix(PREFIX) for name in opened.types["orders"] if name.startswith(PREFIX)]


def _money(opened: Reading, name: str) -> tuple[int, float] | None:
    """The rows of a column that hold money, and how much; None if there is none."""
    column = identifier(PREFIX + name)
    number = f"try_cast({column} as double)"
    if not is_number(opened.types["orders"][PREFIX + name]):
        cells = opened.rows(f"select distinct {column}::text from raw_orders where {column} is not null limit 5000")
        style = number_evidence([cell for (cell,) in cells]).style
        number = f"try_cast({number_sql(f'{column}::text', style)} as double)"
    amounts = f"select {number} as amount from raw_orders"
    rows, money = opened.rows(f"select count(*), sum(abs(amount)) from ({amounts}) where amount != 0")[0]
    return (rows, money) if rows else None
