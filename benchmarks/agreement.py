"""Comparison of what the contestants computed: a race between different answers would mean nothing."""

from datetime import date
from pathlib import Path

import duckdb
from pandas.testing import assert_frame_equal

from benchmarks.task import FEATURES


def compare(left_folder: Path, right_folder: Path, days: list[date]) -> int:
    """Number of rows in two folders; raises AssertionError unless customers, days and all 28 values are equal."""
    rows = 0
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")
        for day in days:
            query = f"select customer_id, as_of::date as as_of, {', '.join(FEATURES)} from '{{}}/*.parquet' "
            query += f"where as_of = date '{day}' order by customer_id"
            left, right = (db.sql(query.format(folder)).df() for folder in (left_folder, right_folder))
            assert_frame_equal(
                left, right, check_dtype=False, rtol=1e-9, atol=1e-9, obj=f"{right_folder.name} on {day}"
            )
            rows += len(left)
    return rows


def compare_days(log: Path, features: Path | None, summary: Path, day: date) -> int:
    """Number of customers in a summary of purchase days; raises AssertionError unless it is right.

    Against SQL from the log (all four columns), and against the features of another contestant, which are finer:
    counted back from midnight, an age in days rounded up is one in whole days.
    """
    purchase_days = f"""
        with days as (
            select customer_id, ordered_at::date as day, sum(amount) as spent
            from '{log}/orders.parquet' where ordered_at < date '{day}' group by all
        ), marked as (
            select *, day > min(day) over (partition by customer_id) as again from days
        )
        select customer_id, count_if(again) as frequency, max(day) - min(day) as recency, date '{day}' - min(day) as T,
               coalesce(avg(case when again then spent end), 0) as monetary_value
        from marked group by customer_id order by customer_id"""
    ages = f"""
        select customer_id, ceil(tenure_days) - ceil(recency_days) as recency, ceil(tenure_days) as T
        from '{features}/*.parquet' where as_of = date '{day}' order by customer_id"""
    with duckdb.connect() as db:
        db.execute("set enable_progress_bar = false")
        theirs = db.sql(f"from '{summary}/*.parquet' order by customer_id").df()
        for query in (purchase_days, ages) if features else (purchase_days,):
            right = db.sql(query).df()
            assert_frame_equal(theirs[right.columns], right, check_dtype=False, rtol=1e-9, atol=1e-9, obj=summary.name)
    return len(theirs)


def columns_in(folder: Path) -> int:
    """Number of value columns in the files of a folder."""
    with duckdb.connect() as db:
        names = db.sql(f"select * from '{folder}/*.parquet' limit 0").columns
    return len(set(names) - {"customer_id", "as_of"})
