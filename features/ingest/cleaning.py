"""Judge rows as written: parse their columns, money exactly, and give each unusable row a reason.

A small function writes the SQL of each kind of column; the views `rows_<table>` put them together. Nothing is
computed until a query asks for it, and then only the columns it asks for.
"""

import duckdb

from features.ingest.column_sql import (
    Types,
    double_in,
    instant_in,
    is_blank,
    is_given,
    is_number,
    is_time,
    micros_in,
    micros_of,
    recorded_in,
    rounded,
    text_of,
    texts_of,
    written,
)
from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.schema import minor_units

LARGEST_CENTS = 10**12
"""Minor units of one line: a row with more is taken for a mistake."""
EPOCH_1900 = -2_208_988_800_000_000
"""1900-01-01 in microseconds: earlier times are mistakes."""
PLACEHOLDERS = {
    "1899-12-30": -2_209_161_600_000_000,
    "1899-12-31": -2_209_075_200_000_000,
    "1900-01-01": EPOCH_1900,
    "1970-01-01": 0,
    "2099-12-31": 4_102_358_400_000_000,
    "2999-12-31": 32_503_593_600_000_000,
    "9999-12-31": 253_402_214_400_000_000,
}
"""Days that databases and spreadsheets write for a missing date, as midnight in microseconds, UTC."""
HALF_DAY_US, HALF_HOUR_US = 43_200_000_000, 1_800_000_000


def judge_orders(db: duckdb.DuckDBPyConnection, types: Types, log: Log, now_us: int | None) -> None:
    """Make the view `rows_orders` of `raw_orders`. now_us: rows after it are in the future (None: not checked).

    file, row, written_id, written_at, written_amount; customer_id, order_id, product_id, category, channel, source
    (text); at_us, known_us; micros (millionths of a currency unit), cents, margin_micros (millionths of a cent),
    discount_cents, pieces_micros; reason (null: usable).
    """
    units = minor_units(log.currency)
    most = LARGEST_CENTS // units
    amount, as_written = micros_of("amount", types.get("amount", "")), written("amount", types)
    blank, as_number = "", "try_cast(amount as double)"
    if "amount" in types:
        blank = is_blank("amount", types)
    else:
        product = "try_cast(quantity as decimal(14, 3)) * try_cast(unit_price as decimal(18, 6))"
        amount = f"try_cast(round(try_cast({product} as decimal(24, 6)) * 1000000) as bigint)"
        as_written = f"{written('quantity', types)} || ' * ' || {written('unit_price', types)}"
        blank = f"{is_blank('quantity', types)} or {is_blank('unit_price', types)}"
        as_number = "try_cast(quantity as double) * try_cast(unit_price as double)"
    excluded = " or ".join(f"product_id ilike {quoted(pattern)}" for pattern in log.exclude_products) or "false"
    db.execute(f"""
        create temp view rows_orders as
        with parsed_columns as (
            select file, row, {written("customer_id", types)} as written_id,
                   {written("ordered_at", types)} as written_at,
                   {as_written} as written_amount, {blank} as no_amount, {as_number} as number,
                   {is_blank("customer_id", types)} as nobody, {is_blank("ordered_at", types)} as no_time,
                   {texts_of(types, "customer_id", "order_id", "product_id", "category", "channel", "source", "fault")},
                   {instant_in(types, log, "ordered_at")} as at_us, {recorded_in(types, log)}, {amount} as micros,
                   {within(micros_in("cost", types), most * 1_000_000)} as cost_micros,
                   {micros_in("discount", types)} as discount_micros, {micros_in("quantity", types)} as pieces_micros
            from raw_orders
        ), counted as (
            select *, {rounded(f"if(abs(micros) <= {most * 1_000_000}, micros, null)", units)} as cents,
                   {rounded(within("abs(discount_micros)", most * 1_000_000), units)} as discount
            from parsed_columns
        )
        select file, row, written_id, written_at, written_amount, customer_id, order_id, product_id, category, channel,
               source, at_us, greatest(at_us, recorded_us) as known_us, micros, cents,
               case when cost_micros is null then cents * {round(log.gross_margin * 1_000_000)}
                    else cents * 1000000 + if(cents < 0, 1, -1) * abs(cost_micros) * {units}
               end as margin_micros,
               coalesce(discount, 0) as discount_cents, coalesce(pieces_micros, 1000000) as pieces_micros,
               case when fault is not null then fault
                    when nobody then 'no customer_id'
                    when customer_id is null then 'customer_id is not a whole number'
                    when no_time then 'no ordered_at'
                    when at_us is null then 'ordered_at is not a time'
                    {placeholder_reasons("ordered_at")}
                    when at_us < {EPOCH_1900} then 'ordered_at before 1900'
                    {future_reason("ordered_at", now_us)}
                    when no_amount then 'no amount'
                    when abs(number) > {most} and isfinite(number) then 'amount too large'
                    when micros is null then 'amount is not a number'
                    when {excluded} then 'excluded product'
               end as reason
        from counted""")


def within(micros: str, most: int) -> str:
    """SQL: an optional number, null where it is too large to be true."""
    return f"if(abs({micros}) <= {most}, {micros}, null)"


def placeholder_reasons(column: str) -> str:
    """SQL: the cases of dates that stand for a missing one, at midnight in whichever zone."""
    return " ".join(
        f"when at_us between {us - HALF_DAY_US} and {us + HALF_DAY_US} and at_us % {HALF_HOUR_US} = 0 "
        f"then '{column} is the placeholder {day}'"
        for day, us in PLACEHOLDERS.items()
    )


def future_reason(column: str, now_us: int | None) -> str:
    """SQL: the case of a time after now_us."""
    return f"when at_us > {now_us} then '{column} in the future'" if now_us is not None else ""


def judge_interactions(db: duckdb.DuckDBPyConnection, types: Types, log: Log, now_us: int | None) -> None:
    """Make the view `rows_interactions` of `raw_interactions`; now_us as in `judge_orders`.

    file, row, written_id, written_at, written_kind, written_value; customer_id, kind (text, `kind_name` gives the
    name); value (double); at_us, known_us; reason (null: usable).
    """
    db.execute(f"""
        create temp view rows_interactions as
        with parsed_columns as (
            select file, row, {written("customer_id", types)} as written_id, {written("at", types)} as written_at,
                   {written("kind", types)} as written_kind, {written("value", types)} as written_value,
                   {is_blank("customer_id", types)} as nobody, {is_blank("at", types)} as no_time,
                   {texts_of(types, "customer_id", "kind", "fault")}, {instant_in(types, log, "at")} as at_us,
                   {recorded_in(types, log)}, {double_in("value", types)} as number
            from raw_interactions
        )
        select file, row, written_id, written_at, written_kind, written_value, customer_id,
               kind, if(isfinite(number), number, null) as value, at_us, greatest(at_us, recorded_us) as known_us,
               case when fault is not null then fault
                    when nobody then 'no customer_id'
                    when customer_id is null then 'customer_id is not a whole number'
                    when no_time then 'no at'
                    when at_us is null then 'at is not a time'
                    {placeholder_reasons("at")}
                    when at_us < {EPOCH_1900} then 'at before 1900'
                    {future_reason("at", now_us)}
                    when kind is null then 'no kind'
               end as reason
        from parsed_columns""")


def _attribute(column: str, kind: str) -> str:
    """SQL: an attribute as double or text; a moment as microseconds."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({column})::double"
    return f"{column}::{'double' if is_number(kind) else 'text'}"


def judge_customers(db: duckdb.DuckDBPyConnection, types: Types, log: Log, now_us: int | None) -> None:  # noqa: ARG001
    """Make the view `rows_customers` of `raw_customers`; a customer may be known to leave in the future.

    file, row, written_id, written_left_at; customer_id (text); `attribute: NAME` of each of the log's attributes
    (numbers, moments in microseconds, or text); left_us; has_left (true if `left_at` is not empty); reason (null:
    usable).
    """
    attributes = [
        f", {_attribute(identifier(name), types[name])} as {identifier(f'attribute: {name}')}"
        for name in log.attributes
    ]
    given = is_given("left_at", types)
    left_us = instant_in(types, log, "left_at") if is_time(types.get("left_at", "")) else "null::bigint"
    fault = text_of("fault", "VARCHAR") if "fault" in types else "null"
    db.execute(f"""
        create temp view rows_customers as
        select file, row, {written("customer_id", types)} as written_id,
               {written("left_at", types)} as written_left_at,
               {texts_of(types, "customer_id")}{"".join(attributes)}, {given} as has_left,
               if({given}, {left_us}, null) as left_us,
               case when {fault} is not null then {fault}
                    when {is_blank("customer_id", types)} then 'no customer_id'
                    when {text_of("customer_id", types["customer_id"])} is null
                    then 'customer_id is not a whole number'
               end as reason
        from raw_customers""")
