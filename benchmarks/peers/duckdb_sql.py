"""DuckDB: a bare sort-and-fetch as a yardstick, and the same columns in SQL, tuned and as first written."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.task import DAY, FEATURES, WINDOWS, Files, midnight


def sort_and_fetch(log: Files, days: list[date], out: Path) -> Iterator[str]:  # noqa: ARG001
    """Both files sorted by customer and time, and fetched, ids as text; no feature.

    Not a lower bound: a contestant that numbers the customers first and fetches nothing can be faster.
    """
    orders = f"select customer_id, epoch_us(ordered_at) as t, amount from '{log.orders}'"
    interactions = f"select customer_id, epoch_us(\"at\") as t, kind from '{log.interactions}'"
    with duckdb.connect() as db:
        for query in (orders, interactions):
            db.sql(f"{query} order by customer_id, t").to_arrow_table()
    yield "sort and fetch"


def prepared(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """SQL that prepares once, sorted by integer customer and with the gaps, then aggregates per cut-off.

    The order of the rows gives the gaps (`lag` over no window streams), and a customer's rows lie together.
    """
    with duckdb.connect() as db:
        db.execute(f"""
            create temp table customers as
            select customer_id, (row_number() over (order by customer_id))::int as customer
            from (select distinct customer_id from '{log.orders}');

            create temp table buys as
            select *, case when customer = lag(customer) over () then (t - lag(t) over ()) / {DAY} end as gap_days
            from (select customer, epoch_us(ordered_at) as t, amount
                  from '{log.orders}' join customers using (customer_id) order by customer, t);

            create temp table calls as
            select customer, epoch_us("at") as t, case when kind = 'complaint' then t end as complained_t
            from '{log.interactions}' join customers using (customer_id) order by customer, t""")
        yield "prepare"
        for day in days:
            before = f"where t < {midnight(day)} group by customer"
            db.execute(f"""
                copy (select customer_id, {columns(day)}
                      from customers
                      join (select customer, {of_orders(day)} from buys {before}) bought using (customer)
                      left join (select customer, {of_interactions(day)} from calls {before}) called using (customer)
                      order by customer)
                to '{out}/{day}.parquet' (compression zstd)""")
    yield "cut-offs"


def plain(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """SQL as first written: one query per cut-off, straight from the files."""
    with duckdb.connect() as db:
        for day in days:
            db.execute(f"""
                copy (with buys as (
                          select customer_id, epoch_us(ordered_at) as t, amount,
                                 (t - lag(t) over (partition by customer_id order by t)) / {DAY} as gap_days
                          from '{log.orders}' where ordered_at < date '{day}'
                      ), calls as (
                          select customer_id, epoch_us("at") as t,
                                 case when kind = 'complaint' then t end as complained_t
                          from '{log.interactions}' where "at" < date '{day}'
                      )
                      select customer_id, {columns(day)}
                      from (select customer_id, {of_orders(day)} from buys group by customer_id) bought
                      left join (select customer_id, {of_interactions(day)} from calls group by customer_id) called
                      using (customer_id)
                      order by customer_id)
                to '{out}/{day}.parquet' (compression zstd)""")
    yield "cut-offs"


def of_orders(day: date) -> str:
    """SQL: what the rows (t, amount, gap_days) before `day` add up to."""
    now = midnight(day)
    windows = ", ".join(
        f"count_if(t >= {now - days * DAY}) as orders_last_{days}d, "
        f"sum(case when t >= {now - days * DAY} then amount else 0 end) as spend_last_{days}d"
        for days in WINDOWS
    )
    return f"""
        ({now} - max(t)) / {DAY} as recency_days, ({now} - min(t)) / {DAY} as tenure_days,
        count(*) as orders, count(*) - 1 as repeat_orders,
        sum(amount) as spend_total, sum(amount) / count(*) as spend_mean, max(amount) as spend_max,
        min_by(amount, t) as spend_first_order, max_by(amount, t) as spend_last_order, {windows},
        (max(t) - min(t)) / {DAY} / nullif(count(*) - 1, 0) as gap_mean_days, stddev_samp(gap_days) as gap_std_days"""


def of_interactions(day: date) -> str:
    """SQL: what the rows (t, complained_t) before `day` add up to."""
    now = midnight(day)
    windows = ", ".join(f"count_if(t >= {now - days * DAY}) as interactions_last_{days}d" for days in WINDOWS)
    return f"""
        count(*) as interactions, {windows}, ({now} - max(t)) / {DAY} as interaction_recency_days,
        count(complained_t) as complaint_count, ({now} - max(complained_t)) / {DAY} as complaint_recency_days"""


def columns(day: date) -> str:
    """SQL: as_of and the features, of a customer's `bought` and `called`; the latter may be null."""
    zero = {"interactions", "complaint_count", *(f"interactions_last_{days}d" for days in WINDOWS)}
    columns = {name: f"coalesce({name}, 0)" if name in zero else name for name in FEATURES}
    columns["interactions_per_order"] = "coalesce(interactions, 0) / orders"
    return f"date '{day}' as as_of, " + ", ".join(f"{sql} as {name}" for name, sql in columns.items())
