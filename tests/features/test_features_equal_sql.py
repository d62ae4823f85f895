"""Every feature of every customer, recomputed in SQL from the raw file, cut-off by cut-off."""

from datetime import date

import duckdb
import numpy as np
import pytest

from features.snapshot import snapshot

ORACLE = """
with orders as (
    select customer_id, ordered_at as t, sum(amount)::double as amount
    from read_parquet('{path}') where ordered_at < date '{day}' group by all
), gaps as (
    select *, date_diff('day', lag(t) over w, t) as gap, first(amount) over w as first_amount
    from orders window w as (partition by customer_id order by t)
)
select customer_id, date_diff('day', max(t), date '{day}') as recency_days,
       date_diff('day', min(t), date '{day}') as tenure_days,
       count(*) as orders, count(*) - 1 as repeat_orders, sum(amount) as spend_total, avg(amount) as spend_mean,
       any_value(first_amount) as spend_first_order, max_by(amount, t) as spend_last_order,
       avg(gap) as gap_mean_days, stddev_samp(gap) as gap_std_days,
       {windows}
from gaps group by customer_id order by customer_id
"""
WINDOWS = ", ".join(
    f"count(*) filter (t >= date '{{day}}' - {n}) as orders_last_{n}d, "
    f"coalesce(sum(amount) filter (t >= date '{{day}}' - {n}), 0) as spend_last_{n}d"
    for n in (30, 90, 180, 365)
)


@pytest.mark.parametrize("day", [date(1997, 1, 2), date(1997, 3, 31), date(1997, 10, 1), date(1998, 7, 1)])
def test_every_feature_of_every_cdnow_customer_equals_sql(cdnow, cdnow_path, day):
    rows = snapshot(cdnow.histories, as_of=[day]).to_pandas()
    query = ORACLE.format(path=cdnow_path, day=day, windows=WINDOWS.format(day=day))
    expected = duckdb.sql(query).df()
    assert rows["customer_id"].tolist() == expected["customer_id"].tolist()
    for name in set(expected.columns) - {"customer_id"}:
        np.testing.assert_allclose(rows[name], expected[name].astype(float), rtol=1e-12, atol=1e-9, err_msg=name)


def test_many_cut_offs_in_one_pass_equal_one_at_a_time(cdnow):
    days = [date(1997, 2, 1), date(1997, 6, 1), date(1998, 1, 1)]
    together = snapshot(cdnow.histories, as_of=days).to_pandas()
    for day in days:
        alone = snapshot(cdnow.histories, as_of=[day]).to_pandas()
        assert together[together["as_of"] == day].reset_index(drop=True).equals(alone)


def test_online_retail_recency_frequency_tenure_and_spend_equal_sql(online_retail, shared):
    """Spend includes every refund, so it equals a plain sum; the rest is compared where no refund was given."""
    day = date(2011, 9, 10)
    rows = snapshot(online_retail.histories, as_of=[day]).to_pandas().set_index("customer_id")
    expected = (
        duckdb.sql(f"""
        with lines as (
            select customer_id::text as customer_id, order_id, product_id, amount,
                   round(amount::decimal(24, 6) * 100) as cents, timezone('Europe/London', ts) as t,
                   row_number() over (partition by customer_id, order_id, product_id, ts, amount, sheet) as copy
            from '{shared}/online_retail_ii/transactions.parquet'
            where customer_id is not null and not regexp_matches(product_id, '(?i)^test|^(amazonfee|bank charges)$')
        ), once as (
            select distinct on (customer_id, order_id, product_id, t, amount, copy) *
            from lines where t < timestamptz '{day} 00:00:00+00'
        )
        select customer_id, sum(cents) / 100.0 as spend_total, bool_or(cents < 0) as refunded,
               count(distinct order_id) as orders,
               epoch(timestamptz '{day} 00:00:00+00' - min(t)) / 86400 as tenure_days,
               epoch(timestamptz '{day} 00:00:00+00' - max(t)) / 86400 as latest_line_days
        from once group by customer_id having bool_or(cents >= 0)""")
        .df()
        .set_index("customer_id")
    )
    both = rows.join(expected.add_suffix("_sql"), how="left")
    np.testing.assert_allclose(both["spend_total"], both["spend_total_sql"], atol=1e-6)
    plain = both[~both["refunded_sql"].astype(bool)]
    assert len(plain) > 3000
    np.testing.assert_array_equal(plain["orders"], plain["orders_sql"])
    np.testing.assert_allclose(plain["tenure_days"], plain["tenure_days_sql"], rtol=1e-12)
    one_minute = 1 / 24 / 60 + 1e-9  # an order is placed with its first line; some were keyed in over two minutes
    assert ((plain["recency_days"] - plain["latest_line_days_sql"]).between(-1e-9, one_minute)).all()


def test_the_number_of_threads_does_not_matter(cdnow, monkeypatch):
    days = [date(1997, 6, 1), date(1998, 1, 1)]
    expected = snapshot(cdnow.histories, as_of=days).to_pandas()
    for threads in (1, 3, 64):
        monkeypatch.setattr("features.snapshot.os.cpu_count", lambda threads=threads: threads)
        assert snapshot(cdnow.histories, as_of=days).to_pandas().equals(expected)
