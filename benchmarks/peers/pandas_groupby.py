"""pandas: sorted once, customers as integers, then built-in groupby aggregations per cut-off."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks.task import FEATURES, WINDOWS, Files

A_DAY = pd.Timedelta(days=1)


def groupby(log: Files, days: list[date], out: Path) -> Iterator[str]:
    orders = pd.read_parquet(log.orders)
    orders["customer"], ids = pd.factorize(orders.pop("customer_id"), sort=True)
    orders = orders.sort_values(["customer", "ordered_at"], ignore_index=True)
    orders["gap_days"] = (orders["ordered_at"].diff() / A_DAY).mask(orders["customer"].diff() != 0)
    interactions = pd.read_parquet(log.interactions)
    interactions["customer"] = ids.get_indexer(interactions.pop("customer_id"))
    interactions["complained_at"] = interactions["at"].where(interactions.pop("kind") == "complaint")
    yield "prepare"
    for day in days:
        as_of = pd.Timestamp(day)
        rows = _of_orders(orders[orders["ordered_at"] < as_of], as_of)
        counts, last = _of_interactions(interactions[interactions["at"] < as_of], as_of)
        rows[counts.columns] = counts.reindex(rows.index, fill_value=0)
        rows[last.columns] = (as_of - last.reindex(rows.index)) / A_DAY
        rows["interactions_per_order"] = rows["interactions"] / rows["orders"]
        rows = rows[list(FEATURES)]
        rows.insert(0, "customer_id", ids[rows.index])
        rows.insert(1, "as_of", as_of)
        rows.to_parquet(out / f"{day}.parquet", index=False, compression="zstd")
    yield "cut-offs"


def _of_orders(known: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The features of the orders before `as_of`, per customer."""
    rows = known.groupby("customer", sort=False).agg(
        first=("ordered_at", "first"),
        last=("ordered_at", "last"),
        orders=("amount", "size"),
        spend_total=("amount", "sum"),
        spend_mean=("amount", "mean"),
        spend_max=("amount", "max"),
        spend_first_order=("amount", "first"),
        spend_last_order=("amount", "last"),
        gap_mean_days=("gap_days", "mean"),
        gap_std_days=("gap_days", "std"),
    )
    rows["recency_days"] = (as_of - rows["last"]) / A_DAY
    rows["tenure_days"] = (as_of - rows["first"]) / A_DAY
    rows["repeat_orders"] = rows["orders"] - 1
    for days in WINDOWS:
        recent = known[known["ordered_at"] >= as_of - days * A_DAY].groupby("customer", sort=False)["amount"]
        sums = recent.agg(["size", "sum"]).reindex(rows.index, fill_value=0)
        rows[[f"orders_last_{days}d", f"spend_last_{days}d"]] = sums
    return rows


def _of_interactions(known: pd.DataFrame, as_of: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts, and when the last one was, of the interactions before `as_of`, per customer."""
    calls = known.groupby("customer", sort=False)
    counts = calls.agg(interactions=("at", "size"), complaint_count=("complained_at", "count"))
    for days in WINDOWS:
        recent = known.loc[known["at"] >= as_of - days * A_DAY, "customer"].value_counts(sort=False)
        counts[f"interactions_last_{days}d"] = recent.reindex(counts.index, fill_value=0)
    last = calls.agg(interaction_recency_days=("at", "max"), complaint_recency_days=("complained_at", "max"))
    return counts, last
