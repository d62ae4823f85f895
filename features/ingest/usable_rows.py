"""Views of the usable rows as numbers, ready to be fetched or split into buckets on disk."""

from collections.abc import Sequence

import duckdb

from features.errors import InputError
from features.ingest.cleaning import EPOCH_1900
from features.ingest.column_sql import Types, kind_name
from features.ingest.csv_checks import identifier
from features.ingest.log import Log

MAX_KINDS = 40
"""Kinds of interaction that a log may have: each of them makes a dozen features."""


def is_usable(before_us: int | None) -> str:
    """SQL: true for judged rows that are used; before_us: only rows before it."""
    return "reason is null" + (f" and at_us < {before_us}" if before_us is not None else "")


def view_orders(db: duckdb.DuckDBPyConnection, types: Types, *, before_us: int | None) -> tuple[str, ...]:
    """Make the view `usable_orders`: customer_id, at, cents and the optional columns of the log; returns its channels.

    known_at, margin_micros, key (hash of the order's id), rank (its number, where the id is one), product and category
    (hashes, 0 for none), discount (cents), pieces (millionths), channel (place among the channels, -1 for none).
    """
    columns = {"at": "at_us", "cents": "cents"}
    if "recorded_at" in types:
        columns["known_at"] = "known_us"
    if "cost" in types:
        columns["margin_micros"] = "margin_micros"
    if "order_id" in types:
        columns["key"] = "hash(coalesce(order_id, '@' || at_us))"
        columns["rank"] = "coalesce(try_cast(order_id as bigint), 0)"
    if "product_id" in types:
        columns["product"] = "if(product_id is null, 0, greatest(hash(product_id), 1))"
    if "category" in types:
        columns["category"] = "if(rows.category is null, 0, greatest(hash(rows.category), 1))"
    if "discount" in types:
        columns["discount"] = "discount_cents"
    if "quantity" in types:
        columns["pieces"] = "pieces_micros"
    names: tuple[str, ...] = ()
    if "channel" in types:
        columns["channel"] = "coalesce(code, -1)::int"
        db.execute(f"""
            create temp table channels as
            select channel, (row_number() over (order by channel) - 1)::int as code
            from (select distinct channel from rows_orders where {is_usable(before_us)} and channel is not null)""")
        names = tuple(name for (name,) in db.sql("select channel from channels order by code").fetchall())
    selected = ", ".join(f"{expression} as {identifier(name)}" for name, expression in columns.items())
    joined = "left join channels using (channel)" if "channel" in types else ""
    db.execute(
        f"create temp view usable_orders as select customer_id, {selected} from rows_orders as rows {joined} "
        f"where {is_usable(before_us)}"
    )
    return names


def view_interactions(db: duckdb.DuckDBPyConnection, types: Types, *, before_us: int | None) -> dict[str, int]:
    """Make the view `usable_interactions`: customer_id, at, kind (its place among the kinds), known_at, value.

    Returns the kinds by name, each with the moment it was first known (microseconds).
    """
    db.execute(f"""
        create temp table kinds as
        select kind, name, (dense_rank() over (order by name) - 1)::int as code, known_us
        from (select kind, {kind_name("kind")} as name, min(known_us) as known_us
              from rows_interactions where {is_usable(before_us)} group by kind)""")
    kinds = dict(db.sql("select name, min(known_us) from kinds group by name order by name").fetchall())
    refuse_too_many_kinds(kinds)
    optional = ", rows.known_us as known_at" if "recorded_at" in types else ""
    optional += ", value" if "value" in types else ""
    db.execute(f"""
        create temp view usable_interactions as
        select customer_id, at_us as "at", code as kind{optional}
        from rows_interactions as rows join kinds using (kind) where {is_usable(before_us)}""")
    return kinds


def refuse_too_many_kinds(kinds: dict[str, int]) -> None:
    """Raise InputError for more kinds of interaction than can be told apart."""
    if len(kinds) > MAX_KINDS:
        raise InputError(
            f"{len(kinds)} kinds, at most {MAX_KINDS} can be told apart: {', '.join(list(kinds)[:5])}, …",
            where="interactions",
            next="Is [columns.interactions] kind the right column? Group the kinds.",
        )


def view_customers(
    db: duckdb.DuckDBPyConnection,
    types: Types,
    log: Log,
    *,
    attributes: Sequence[str],
    before_us: int | None,
    where: str,
) -> None:
    """Make the view `usable_customers`: customer_id, attribute_0, … and, where the log says who left, left_us.

    Raises InputError where a customer has two rows, a `left_at` cannot be read, or an attribute says who left.
    """
    columns = [f"{identifier(f'attribute: {name}')} as attribute_{place}" for place, name in enumerate(attributes)]
    if "left_at" in types:
        _refuse_left_at(db, log, where=where)
        columns.append(f"if(left_us < {before_us}, left_us, null) as left_us" if before_us is not None else "left_us")
    db.execute(
        f"create temp view usable_customers as select {', '.join(['customer_id', *columns])} "
        "from rows_customers where reason is null"
    )
    twice, example = db.sql(
        "select count(*), min(customer_id) from "
        "(select customer_id from usable_customers group by customer_id having count(*) > 1)"
    ).fetchall()[0]
    if twice:
        raise InputError(
            f"{twice:,} customer{'s' * (twice > 1)} in more than one row, first '{example}'",
            where=where,
            next="Give one row per customer: of several, we cannot tell which holds.",
        )


def _refuse_left_at(db: duckdb.DuckDBPyConnection, log: Log, *, where: str) -> None:
    """Raise InputError for a `left_at` that cannot be read: its customer would be taken for one who has not left."""
    name = log.mapping.get("customers", {}).get("left_at", "left_at")
    if attributes := sorted({name, "left_at", "left_reason"} & set(log.attributes)):
        raise InputError(
            f"{attributes[0]} says who left: a feature made of it would know what is to be predicted",
            where=where,
            next=f"Take {attributes[0]} out of features.attributes.",
        )
    bad, given, file, row, example = db.sql(f"""
        select count(*) filter (is_bad), count(*), min(file) filter (is_bad), min_by(row, (file, row)) filter (is_bad),
               min_by(written_left_at, (file, row)) filter (is_bad)
        from (select *, coalesce(left_us < {EPOCH_1900}, true) as is_bad from rows_customers where has_left)
        """).fetchall()[0]
    if bad:
        raise InputError(
            f"left_at is not a time after 1900 in {bad:,} of the {given:,} rows that have one, first '{example}'",
            where=f"{file}, row {row}",
            next="Correct it, or leave it empty for current customers; time.format gives the format of times.",
        )
