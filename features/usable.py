"""The rows that can be used, as numbers: what is fetched, or split into buckets on disk."""

import duckdb

from features.clean import Types, is_blank, kind_name, text_of
from features.delimited import named
from features.errors import InputError

MOST_KINDS = 40
"""Kinds of interaction in a log: each of them is a dozen features."""


def is_usable(before_us: int | None) -> str:
    """SQL: whether a judged row is used; before_us: only what happened before."""
    return "reason is null" + (f" and at_us < {before_us}" if before_us is not None else "")


def view_orders(db: duckdb.DuckDBPyConnection, types: Types, *, before_us: int | None) -> tuple[str, ...]:
    """Make the view `usable_orders`: customer_id, at, cents and what else the log has; returns its channels.

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
    selected = ", ".join(f"{expression} as {named(name)}" for name, expression in columns.items())
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
    refuse_many(kinds)
    optional = ", rows.known_us as known_at" if "recorded_at" in types else ""
    optional += ", value" if "value" in types else ""
    db.execute(f"""
        create temp view usable_interactions as
        select customer_id, at_us as "at", code as kind{optional}
        from rows_interactions as rows join kinds using (kind) where {is_usable(before_us)}""")
    return kinds


def refuse_many(kinds: dict[str, int]) -> None:
    """Raise InputError for more kinds of interaction than can be told apart."""
    if len(kinds) > MOST_KINDS:
        raise InputError(
            f"{len(kinds)} kinds, at most {MOST_KINDS} can be told apart: {', '.join(list(kinds)[:5])}, …",
            where="interactions",
            next="Is [columns.interactions] kind the right column? Group the kinds.",
        )


def view_customers(db: duckdb.DuckDBPyConnection, types: Types, attributes: tuple[str, ...], *, where: str) -> None:
    """Make the view `usable_customers`: customer_id and the attributes; raises InputError where a customer is twice."""
    columns = ", ".join(
        f"{named(name)}::double as {named(name)}" if is_number(types[name]) else f"{named(name)}::text as {named(name)}"
        for name in attributes
    )
    customer = text_of("customer_id", types["customer_id"])
    db.execute(f"""
        create temp view usable_customers as
        select {customer} as customer_id{", " if columns else ""}{columns} from raw_customers
        where not {is_blank("customer_id", types["customer_id"])}""")
    twice, example = db.sql(
        "select count(*), min(customer_id) from "
        "(select customer_id from usable_customers group by customer_id having count(*) > 1)"
    ).fetchall()[0]
    if twice:
        raise InputError(
            f"{twice:,} customer{'s' * (twice > 1)} in more than one row, first '{example}'",
            where=where,
            next="Give one row per customer: which of its attributes would be true?",
        )


def is_number(kind: str) -> bool:
    """Whether values of a DuckDB type are numbers (or true and false), not names."""
    return (
        kind in ("BOOLEAN", "FLOAT", "DOUBLE", "HUGEINT")
        or kind.startswith("DECIMAL")
        or kind.endswith("INT")
        or kind in ("INTEGER", "UINTEGER")
    )
