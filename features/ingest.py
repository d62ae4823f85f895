"""From a shop's log of order lines to `Histories`, with every row and every cent accounted for.

Lines with one order id are one order; without ids, one customer at one instant. A negative line is a refund: of
the order whose id it carries, else of the latest earlier order of the same customer with the same product and
amount (features/netting.py), else it stands alone and lowers what the customer brought on its own day.
"""

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from features import clean, sources
from features.errors import InputError
from features.histories import Columns, Histories
from features.netting import find_lines
from features.schema import minor_units


@dataclass(frozen=True)
class Entry:
    """One line of the reconciliation: what became of how many rows and how much money (currency units)."""

    what: str
    rows: int
    amount: Decimal


@dataclass(frozen=True)
class Ingested:
    """What a log became. `reconciliation` starts with the source; the entries after it add up to it, to the cent."""

    histories: Histories
    reconciliation: list[Entry]
    quarantine: pa.Table
    """Rows that cannot be used: file, row, reason, customer_id, ordered_at, amount (as written)."""


def ingest(
    orders: str | Path | pd.DataFrame,
    *,
    mapping: dict[str, str],
    timezone: str | None,
    time_format: str | None,
    currency: str,
    gross_margin: float,
    exclude_products: tuple[str, ...],
    now_us: int | None,
) -> Ingested:
    """Read a log of order lines: a file, folder or glob of CSV or Parquet, or a frame.

    mapping: our column name → theirs. timezone: of naive times, None if there are none. time_format: strptime, None
    for ISO. gross_margin: share of the amount, used where `cost` is absent. exclude_products: SQL LIKE patterns.
    now_us: rows after it are in the future (None: not checked). Raises InputError, having written nothing.
    """
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as db:
        types: dict[str, str] = {}
        if isinstance(orders, pd.DataFrame):
            where = "the data frame of orders"
            db.register("frame", sources.arrow_of(orders, where=where))
            sources.append(db, "frame", where, mapping, types)
        else:
            where = str(orders)
            for file in sources.find(orders):
                sources.read(db, file, mapping, types)
        units = minor_units(currency)
        if not db.sql("select 1 from raw limit 1").fetchall():
            raise InputError("has no rows", where=where, next="Check the export.")
        clean.refuse_currencies(db, types, where=where, currency=currency)
        clean.refuse_kinds(types, where=where, time_format=time_format)
        clean.judge(
            db,
            types,
            timezone=timezone,
            time_format=time_format,
            minor_units=units,
            gross_margin=gross_margin,
            exclude_products=exclude_products,
        )
        clean.refuse_unusable(db, types, where=where, timezone=timezone, now_us=now_us)
        db.execute("drop table raw")
        clean.quarantine_repeats(db)
        _make_orders(db, types)
        _make_adjustments(db, types)
        if not db.sql("select 1 from orders limit 1").fetchall():
            reasons = db.sql(
                "select reason, count(*) from judged where reason is not null group by all order by 2 desc"
            ).fetchall()
            listed = ", ".join(f"{reason}: {rows:,}" for reason, rows in reasons) or "refunds only"
            raise InputError(f"no row is an order ({listed})", where=where, next="Check [columns.orders].")
        return Ingested(_histories(db, units), _reconcile(db, units), _quarantine(db))


def _make_orders(db: duckdb.DuckDBPyConnection, types: dict[str, str]) -> None:
    """`good`: usable lines with their order's key; `orders`: each as it was first known, sorted, numbered by rowid."""
    key = "coalesce(order_id, '@' || at_us)" if "order_id" in types else "at_us"
    db.execute(f"create temp view good as select *, {key} as oid from judged where reason is null")
    first = "select customer_id, oid, min(known_us) as known_us from good where cents >= 0 group by all"
    db.execute(f"""
        create temp table orders as
        select customer_id, oid, known_us, min(at_us) as at_us, sum(cents)::bigint as cents,
               sum(margin_micros) / 1e6 as margin_cents
        from good {f"join ({first}) using (customer_id, oid, known_us)" if _can_be_late(types) else ""} where cents >= 0
        group by customer_id, oid, known_us order by customer_id, at_us, oid""")


def _can_be_late(types: dict[str, str]) -> bool:
    """Whether a line can be known later than the order it belongs to; else both are known at their one instant."""
    return not {"order_id", "recorded_at"}.isdisjoint(types)


def _make_adjustments(db: duckdb.DuckDBPyConnection, types: dict[str, str]) -> None:
    """`adjustments`: what changed an order after it was first known, and refunds, with the order's number or -1."""
    db.execute("""
        create temp table refunds as
        select row_number() over (order by customer_id, product_id, at_us, known_us, cents, oid, row) - 1 as refund,
               customer_id, product_id, at_us, known_us, cents, margin_micros
        from good anti join orders using (customer_id, oid) where cents < 0""")
    found = np.concatenate(
        [np.empty((0, 2), np.int64), _find(db, "product_id is not null"), _find(db, "product_id is null")]
    )
    db.register("found", pa.table({"refund": found[:, 0], "number": found[:, 1]}))
    late = "or good.known_us > orders.known_us" if _can_be_late(types) else ""
    db.execute(f"""
        create temp table adjustments as
        select good.customer_id, orders.rowid as number, good.at_us, good.known_us, good.cents, margin_micros
        from good join orders using (customer_id, oid)
        where good.cents < 0 {late}
        union all by name
        select customer_id, coalesce(number, -1) as number, at_us, known_us, cents, margin_micros
        from refunds left join found using (refund)""")


def _find(db: duckdb.DuckDBPyConnection, condition: str) -> np.ndarray:
    """Pairs (refund, order number) of refunds without an order id of ours; int64, shape (found, 2)."""
    by_product = "not" in condition
    if not db.sql(f"select 1 from refunds where {condition} limit 1").fetchall():
        return np.empty((0, 2), np.int64)
    key = "customer_id, product_id" if by_product else "customer_id"
    distinct = f"select distinct {key} from refunds where {condition}"
    keys = f"select *, row_number() over (order by {key}) as key from ({distinct})"
    sought = db.sql(
        f"select key, at_us, cents, refund from refunds join ({keys}) using ({key}) where {condition} order by refund"
    ).fetchnumpy()
    lines = "select customer_id, oid, product_id, at_us, cents from good" if by_product else "from orders"
    held = db.sql(
        f"select key, held.at_us, held.cents, orders.rowid as number "
        f"from ({lines}) as held join ({keys}) using ({key}) "
        "join orders using (customer_id, oid) where held.cents > 0 order by key, held.at_us, number, held.cents"
    ).fetchnumpy()
    line = find_lines(
        *(table[name].astype(np.int64) for table in (sought, held) for name in ("key", "at_us", "cents")),
        exact=not by_product,
    )
    hit = line >= 0
    return np.column_stack([sought["refund"][hit], held["number"][line[hit]]]).astype(np.int64)


def _histories(db: duckdb.DuckDBPyConnection, units: int) -> Histories:
    customers = db.sql("""
        select customer_id, count(*) as orders, coalesce(any_value(adjustments), 0) as adjustments
        from orders left join (select customer_id, count(*) as adjustments from adjustments group by all)
             using (customer_id)
        group by customer_id order by customer_id""").to_arrow_table()
    orders = db.sql("select at_us, known_us, cents, margin_cents from orders order by rowid").fetchnumpy()
    changes = db.sql("""
        select number, at_us, known_us, cents, margin_micros / 1e6 as margin_cents
        from adjustments semi join orders using (customer_id)
        order by customer_id, known_us, at_us, number, cents""").fetchnumpy()
    return Histories(
        customer_ids=customers["customer_id"].combine_chunks(),
        columns=Columns(
            starts=_starts(customers["orders"]),
            at=orders["at_us"],
            known_at=orders["known_us"],
            amount_cents=orders["cents"],
            margin_cents=orders["margin_cents"],
            adjustment_starts=_starts(customers["adjustments"]),
            adjusted_order=changes["number"],
            adjusted_at=changes["at_us"],
            adjustment_known_at=changes["known_us"],
            adjustment_cents=changes["cents"],
            adjustment_margin_cents=changes["margin_cents"],
        ),
        minor_units=units,
    )


def _starts(counts: pa.ChunkedArray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts.to_numpy())]).astype(np.int64)


def _reconcile(db: duckdb.DuckDBPyConnection, units: int) -> list[Entry]:
    """The source and where each of its rows went; amounts exact."""
    malformed = db.sql("select count(*) from malformed").fetchall()[0][0]
    (rows, exact), (usable, cents), (unmatched, unmatched_cents), (orders, order_cents), (refunds, refund_cents) = (
        db.sql(query).fetchall()[0]
        for query in (
            "select count(*), coalesce(sum(amount), 0) from judged",
            "select coalesce(sum(amount), 0), coalesce(sum(cents), 0) from good",
            "select count(*), coalesce(sum(cents), 0) from refunds anti join found using (refund)",
            "select count(*), coalesce(sum(cents), 0) from good where cents >= 0",
            "select count(*), coalesce(sum(cents), 0) from good where cents < 0",
        )
    )

    def money(cents: int) -> Decimal:
        return Decimal(int(cents)) / units

    quarantined = db.sql(
        "select reason, count(*), coalesce(sum(amount), 0) from judged where reason is not null "
        "group by all order by 2 desc, 1"
    ).fetchall()
    return [
        Entry("source", rows + malformed, Decimal(exact)),
        Entry("order lines accepted", orders, money(order_cents)),
        Entry("refunds netted to their order", refunds - unmatched, money(refund_cents - unmatched_cents)),
        Entry("refunds whose order was not found", unmatched, money(unmatched_cents)),
        *(Entry(f"quarantined: {reason}", count, Decimal(amount)) for reason, count, amount in quarantined),
        *([Entry("quarantined: malformed line", malformed, Decimal(0))] if malformed else []),
        Entry("rounding to minor units", 0, Decimal(usable) - money(cents)),
    ]


def _quarantine(db: duckdb.DuckDBPyConnection) -> pa.Table:
    return db.sql("""
        select file, row, reason, written_id as customer_id, written_at as ordered_at, written_amount as amount
        from judged where reason is not null
        union all by name select file, row, reason from malformed
        order by file, row""").to_arrow_table()
