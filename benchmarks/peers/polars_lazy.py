"""Polars: lazy queries on the streaming engine; sorted once by integer customer, then aggregated per cut-off."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
from polars import col

from benchmarks.task import DAY, FEATURES, WINDOWS, Files, midnight


def lazy(log: Files, days: list[date], out: Path) -> Iterator[str]:
    orders = pl.scan_parquet(log.orders).select("customer_id", "amount", t=col("ordered_at").cast(pl.Int64))
    calls = pl.scan_parquet(log.interactions).select(
        "customer_id", t=col("at").cast(pl.Int64), complained_t=pl.when(col("kind") == "complaint").then("at")
    )
    ids = orders.select("customer_id").unique().sort("customer_id").with_row_index("customer")
    customers = _computed(ids)
    gap_days = pl.when(col("customer") == col("customer").shift()).then((col("t") - col("t").shift()) / DAY)
    orders = _computed(_sorted(orders, customers).with_columns(gap_days=gap_days))
    calls = _computed(_sorted(calls, customers).with_columns(col("complained_t").cast(pl.Int64)))
    yield "prepare"
    for day in days:
        bought, called = _of_orders(orders, midnight(day)), _of_interactions(calls, midnight(day))
        rows = customers.join(bought, on="customer").join(called, on="customer", how="left").sort("customer")
        rows = rows.with_columns(pl.lit(day).alias("as_of"), *_filled())
        rows = rows.with_columns(interactions_per_order=col("interactions") / col("orders"))
        rows.select("customer_id", "as_of", *FEATURES).sink_parquet(out / f"{day}.parquet", compression="zstd")
    yield "cut-offs"


def _computed(query: pl.LazyFrame) -> pl.LazyFrame:
    return query.collect(engine="streaming").lazy()


def _sorted(log: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    return log.join(customers, on="customer_id").drop("customer_id").sort("customer", "t")


def _of_orders(orders: pl.LazyFrame, now: int) -> pl.LazyFrame:
    """The features of the orders before `now`, per customer."""
    since = {days: col("t") >= now - days * DAY for days in WINDOWS}
    sums = (
        orders.filter(col("t") < now)
        .group_by("customer")
        .agg(
            first=col("t").min(),
            last=col("t").max(),
            orders=pl.len(),
            spend_total=col("amount").sum(),
            spend_mean=col("amount").mean(),
            spend_max=col("amount").max(),
            spend_first_order=col("amount").first(),
            spend_last_order=col("amount").last(),
            gap_std_days=col("gap_days").std(),
            **{f"orders_last_{days}d": recent.sum() for days, recent in since.items()},
            **{f"spend_last_{days}d": (recent * col("amount")).sum() for days, recent in since.items()},
        )
    )
    gaps = col("orders") - 1
    return sums.with_columns(
        recency_days=(now - col("last")) / DAY,
        tenure_days=(now - col("first")) / DAY,
        repeat_orders=gaps,
        gap_mean_days=pl.when(gaps > 0).then((col("last") - col("first")) / DAY / gaps),
    )


def _of_interactions(calls: pl.LazyFrame, now: int) -> pl.LazyFrame:
    """The features of the interactions before `now`, per customer that has any."""
    return (
        calls.filter(col("t") < now)
        .group_by("customer")
        .agg(
            interactions=pl.len(),
            interaction_recency_days=(now - col("t").max()) / DAY,
            complaint_count=col("complained_t").count(),
            complaint_recency_days=(now - col("complained_t").max()) / DAY,
            **{f"interactions_last_{days}d": (col("t") >= now - days * DAY).sum() for days in WINDOWS},
        )
    )


def _filled() -> list[pl.Expr]:
    """The counts of a customer without interactions are 0."""
    counts = ["interactions", "complaint_count", *(f"interactions_last_{days}d" for days in WINDOWS)]
    return [col(name).fill_null(0) for name in counts]
