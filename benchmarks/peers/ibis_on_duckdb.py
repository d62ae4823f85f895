"""Ibis on DuckDB: the prepared SQL, written as Ibis expressions."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
from ibis import _
from ibis.expr.types import Table

from benchmarks.task import DAY, FEATURES, WINDOWS, Files, midnight


@ibis.udf.scalar.builtin
def epoch_us(at: dt.timestamp) -> dt.int64:  # type: ignore[empty-body]
    """DuckDB's own: microseconds since 1970."""


def on_duckdb(log: Files, days: list[date], out: Path) -> Iterator[str]:
    db = ibis.duckdb.connect()
    orders, interactions = db.read_parquet(log.orders), db.read_parquet(log.interactions)
    ids = orders.select("customer_id").distinct()
    numbered = ids.mutate(customer=ibis.row_number().over(order_by="customer_id").cast("int32"))
    customers = db.create_table("customers", numbered, temp=True)
    buys = orders.join(customers, "customer_id").select("customer", "amount", t=epoch_us(_.ordered_at))
    gap_days = ibis.cases((_.customer == _.customer.lag(), (_.t - _.t.lag()) / DAY))
    buys = db.create_table("buys", buys.order_by("customer", "t").mutate(gap_days=gap_days), temp=True)
    calls = interactions.join(customers, "customer_id").mutate(t=epoch_us(_["at"]))
    calls = calls.select("customer", "t", complained_t=ibis.cases((_.kind == "complaint", _.t)))
    calls = db.create_table("calls", calls.order_by("customer", "t"), temp=True)
    yield "prepare"
    for day in days:
        bought, called = _of_orders(buys, midnight(day)), _of_interactions(calls, midnight(day))
        rows = customers.join(bought, "customer").left_join(called, "customer").order_by("customer")
        rows = rows.mutate(as_of=ibis.literal(day), **_filled())
        rows = rows.mutate(interactions_per_order=_.interactions / _.orders)
        rows.select("customer_id", "as_of", *FEATURES).to_parquet(out / f"{day}.parquet", compression="zstd")
    yield "cut-offs"
    db.disconnect()


def _of_orders(buys: Table, now: int) -> Table:
    """The features of the orders before `now`, per customer."""
    since = {days: _.t >= now - days * DAY for days in WINDOWS}
    sums = (
        buys.filter(_.t < now)
        .group_by("customer")
        .agg(
            first=_.t.min(),
            last=_.t.max(),
            orders=_.count(),
            spend_total=_.amount.sum(),
            spend_max=_.amount.max(),
            spend_first_order=_.amount.argmin(_.t),
            spend_last_order=_.amount.argmax(_.t),
            gap_std_days=_.gap_days.std(how="sample"),
            **{f"orders_last_{days}d": recent.sum() for days, recent in since.items()},
            **{f"spend_last_{days}d": recent.ifelse(_.amount, 0).sum() for days, recent in since.items()},
        )
    )
    gaps = _.orders - 1
    return sums.mutate(
        recency_days=(now - _.last) / DAY,
        tenure_days=(now - _.first) / DAY,
        repeat_orders=gaps,
        spend_mean=_.spend_total / _.orders,
        gap_mean_days=(_.last - _.first) / DAY / gaps.nullif(0),
    )


def _of_interactions(calls: Table, now: int) -> Table:
    """The features of the interactions before `now`, per customer that has any."""
    return (
        calls.filter(_.t < now)
        .group_by("customer")
        .agg(
            interactions=_.count(),
            interaction_recency_days=(now - _.t.max()) / DAY,
            complaint_count=_.complained_t.count(),
            complaint_recency_days=(now - _.complained_t.max()) / DAY,
            **{f"interactions_last_{days}d": (_.t >= now - days * DAY).sum() for days in WINDOWS},
        )
    )


def _filled() -> dict[str, ibis.Deferred]:
    """The counts of a customer without interactions are 0."""
    counts = ["interactions", "complaint_count", *(f"interactions_last_{days}d" for days in WINDOWS)]
    return {name: _[name].fill_null(0) for name in counts}
