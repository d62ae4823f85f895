"""From raw rows to judged rows: typed, money exact, each usable or with a reason why not.

The SQL of each column stands in a small function; `judge` puts them together into the table `judged`:
file, row, customer_id, order_id, product_id, source, at_us, known_us, amount, cents, margin_micros, reason.
"""

import duckdb

from features.errors import InputError
from features.sources import quoted

FRACTIONS = ("FLOAT", "DOUBLE", "DECIMAL")
INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
LARGEST_CENTS = 10**12
"""Minor units of one line: above it a row is taken for a mistake."""


def text_of(column: str, kind: str) -> str:
    """SQL: an id as text, as written; a whole number stored as a float (13085.0) is written without the point."""
    if kind.startswith(FRACTIONS):
        return f"case when {column} = trunc({column}) and abs({column}) < 1e15 then {column}::bigint::text end"
    return f"nullif({column}::text, '')"


def instant_of(column: str, kind: str, *, timezone: str | None, time_format: str | None) -> str:
    """SQL: a time as microseconds UTC; naive ones are read in `timezone`, null where that is missing."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})"
    naive = f"try_cast({column} as timestamp)"
    if time_format:
        naive = f"try_strptime({column}::text, {quoted(time_format)})"
    local = f"epoch_us(timezone({quoted(timezone)}, {naive}))" if timezone else "null::bigint"
    if timezone == "UTC":
        local = f"epoch_us({naive})"
    if kind != "VARCHAR" or time_format:
        return local
    return f"case when {_is_zoned(column)} then epoch_us(try_cast({column} as timestamptz)) else {local} end"


def is_naive(column: str, kind: str) -> str:
    """SQL: whether a time carries no zone of its own."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return "false"
    return f"{column} is not null and not {_is_zoned(column)}" if kind == "VARCHAR" else f"{column} is not null"


def _is_zoned(column: str) -> str:
    return f"(contains({column}, ':') and regexp_matches({column}, '([zZ]|UTC|[+-]\\d\\d(:?\\d\\d)?)$'))"


def judge(
    db: duckdb.DuckDBPyConnection,
    types: dict[str, str],
    *,
    timezone: str | None,
    time_format: str | None,
    minor_units: int,
    gross_margin: float,
    exclude_products: tuple[str, ...],
) -> None:
    """Make the table `judged` from `raw`, whose columns have the DuckDB `types`."""

    def text(name: str) -> str:
        return text_of(name, types[name]) if name in types else "null::text"

    def time(name: str) -> str:
        return instant_of(name, types[name], timezone=timezone, time_format=time_format) if name in types else "null"

    amount, written = "try_cast(amount as decimal(24, 6))", "amount::text"
    if "amount" not in types:
        amount = "try_cast(quantity as decimal(14, 3)) * try_cast(unit_price as decimal(18, 6))"
        written = "quantity::text || ' * ' || unit_price::text"
    cost = "try_cast(cost as decimal(24, 6))" if "cost" in types else "null::decimal(24, 6)"
    db.execute(f"""
        create temp table judged as
        with typed as (
            select file, row, customer_id::text as written_id, ordered_at::text as written_at,
                   {written} as written_amount, {text("customer_id")} as customer_id, {text("order_id")} as order_id,
                   {text("product_id")} as product_id, {text("source")} as source, {time("ordered_at")} as at_us,
                   {_is_written("recorded_at", types)} as is_recorded, {time("recorded_at")} as recorded_us,
                   ({amount})::decimal(36, 6) as amount, {_is_written("cost", types)} as is_costed, {cost} as exact_cost
            from raw
        ), reasoned as (
            select *, try_cast(round(amount * {minor_units}) as bigint) as cents,
                   {_reason(types, most=LARGEST_CENTS // minor_units, exclude_products=exclude_products)} as reason
            from typed
        )
        select * exclude (recorded_us, is_recorded, is_costed)
               replace (if(reason is null, null, written_id) as written_id,
                        if(reason is null, null, written_amount) as written_amount),
               greatest(at_us, recorded_us) as known_us,
               case when reason is not null then null
                    when exact_cost is null then cents * {round(gross_margin * 1_000_000)}
                    else cents * 1000000 - (sign(cents) * abs(exact_cost) * {minor_units * 1_000_000})::bigint
               end as margin_micros
        from reasoned""")


def _is_written(name: str, types: dict[str, str]) -> str:
    """SQL: whether a column that may be empty holds something."""
    return f"coalesce({name}::text, '') not in ('', 'nan')" if name in types else "false"


def _reason(types: dict[str, str], *, most: int, exclude_products: tuple[str, ...]) -> str:
    """SQL: why a typed row cannot be used, or null."""
    unsaid = "('', 'nan')" if types["customer_id"].startswith(FRACTIONS) else "('')"
    excluded = " or ".join(f"product_id ilike {quoted(pattern)}" for pattern in exclude_products) or "false"
    return f"""
        case when coalesce(written_id, '') in {unsaid} then 'no customer_id'
             when customer_id is null then 'customer_id is not a whole number'
             when coalesce(written_at, '') = '' then 'no ordered_at'
             when at_us is null then 'ordered_at is not a time'
             when at_us < epoch_us(timestamp '1900-01-01') then 'ordered_at before 1900'
             when coalesce(written_amount, '') = '' then 'no amount'
             when amount is null then 'amount is not a number'
             when abs(amount) > {most} then 'amount too large'
             when is_recorded and recorded_us is null then 'recorded_at is not a time'
             when is_costed and exact_cost is null then 'cost is not a number'
             when abs(exact_cost) > {most} then 'cost too large'
             when {excluded} then 'excluded product'
        end"""


def quarantine_repeats(db: duckdb.DuckDBPyConnection) -> None:
    """Mark rows that stand in another file or export too: a row is kept as often as the source that has it most.

    A source is a file, or a value of the column `source` in it. Identical rows within one source are kept. The
    copy that was recorded first stays.
    """
    sources = db.sql("select count(*) from (select distinct file, source from judged)").fetchall()[0][0]
    if sources < 2:
        return
    content = "customer_id, order_id, product_id, at_us, amount, exact_cost"
    db.execute(f"""
        create or replace temp table judged as
        with numbered as (
            select *, row_number() over (partition by {content}, file, source order by known_us, row) as copy
            from judged where reason is null
        ), ranked as (
            select *, row_number() over (partition by {content}, copy order by known_us, file, source, row) as place
            from numbered
        )
        select * exclude (copy, place)
               replace (case when place > 1 then 'stands in another file or export' end as reason)
        from ranked
        union all by name
        select * from judged where reason is not null""")


def refuse_kinds(types: dict[str, str], *, where: str, time_format: str | None) -> None:
    """Raise InputError where a column's type in the file cannot hold what we look for in it."""
    numbers = (*INTEGERS, *FRACTIONS, "VARCHAR")
    times = ("TIMESTAMP", "DATE", "VARCHAR", *(INTEGERS if time_format else ()))
    for column in types.keys() & {"amount", "quantity", "unit_price", "cost"}:
        if not types[column].startswith(numbers):
            raise InputError(f"expected numbers in {column}, found {types[column]}", where=where)
    for column in types.keys() & {"ordered_at", "recorded_at"}:
        if not types[column].startswith(times):
            raise InputError(
                f"expected dates or times in {column}, found {types[column]}",
                where=where,
                next="If they are written as digits, say how in time.format, e.g. '%Y%m%d'.",
            )


def refuse_unusable(
    db: duckdb.DuckDBPyConnection,
    types: dict[str, str],
    *,
    where: str,
    timezone: str | None,
    now_us: int | None,
) -> None:
    """Raise InputError where a whole column is of the wrong kind, zones are missing or times lie in the future."""
    if not timezone:
        naive = is_naive("ordered_at", types["ordered_at"])
        rows = db.sql(f"select count(*) from raw where {naive}").fetchall()[0][0]
        if rows:
            raise InputError(
                f"{rows:,} times in ordered_at carry no zone",
                where=where,
                next="Set time.timezone in the config to the zone they were written in, e.g. 'UTC'.",
            )
    total = db.sql("select count(*) from judged").fetchall()[0][0]
    for reason, written, remedy in (
        ("ordered_at is not a time", "written_at", "Set time.format in the config, e.g. '%d/%m/%Y %H:%M'."),
        ("amount is not a number", "written_amount", "Write plain numbers with a point: 1234.50."),
    ):
        bad, file, row, example = db.sql(
            f"select count(*), min_by(file, row), min(row), min_by({written}, row) from judged "
            f"where reason = '{reason}'"
        ).fetchall()[0]
        if bad * 2 > total:
            raise InputError(
                f"{reason} in {bad:,} of {total:,} rows, first '{example}'",
                where=f"{file}, row {row}",
                next=remedy,
            )
    late, file, row, example = db.sql(
        "select count(*), min_by(file, at_us), min_by(row, at_us), min_by(written_at, at_us) from judged "
        f"where reason is null and at_us > {now_us if now_us is not None else 'null'}"
    ).fetchall()[0]
    if late:
        raise InputError(
            f"{late:,} of {total:,} rows are dated in the future, first {example}",
            where=f"{file}, row {row}",
            next="Correct or remove them; are day and month swapped, or is time.timezone wrong?",
        )


def refuse_currencies(db: duckdb.DuckDBPyConnection, types: dict[str, str], *, where: str, currency: str) -> None:
    """Raise InputError unless every row that names a currency names `currency`."""
    if "currency" not in types:
        return
    found = db.sql(
        "select upper(trim(currency)), count(*) from raw where currency is not null group by all order by all"
    ).fetchall()
    if [name for name, _ in found] in ([], [currency]):
        return
    counts = ", ".join(f"{name} in {rows:,} rows" for name, rows in found)
    raise InputError(
        f"expected one currency, {currency}; found {counts}",
        where=where,
        next="Convert the amounts or load one currency at a time; money.currency names it.",
    )
