"""CHECKS 11: every feature of every customer, recomputed in SQL from the raw file, cut-off by cut-off."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.families.catalogue import catalogue
from features.ingest.schema import ORDERS
from features.snapshots.snapshot import snapshot

KINDS = ("campaign_contact", "campaign_response", "complaint", "visit")
DAYS = [date(2020, 6, 1), date(2021, 2, 28), date(2021, 3, 1), date(2022, 1, 1)]
N_DAYS = (30, 90, 180, 365)


YEAR_AGO = "t >= $day - interval 365 day and t < $day - interval 365 day + interval {n} day"
SEASONS = ", ".join(
    f"count(*) filter ({YEAR_AGO}) as orders_year_ago_{{n}}d, "
    f"coalesce(sum(amount) filter ({YEAR_AGO}), 0) as spend_year_ago_{{n}}d".format(n=n)
    for n in (30, 90, 180)
)


def windows(*columns: str) -> str:
    """SQL columns, once for each window [day - n, day)."""
    return ", ".join(column.format(n=n, start=f"$day - interval {n} day") for n in N_DAYS for column in columns)


ORDERS_SQL = f"""
with line as (
    select *, min(t) filter (amount >= 0) over (partition by customer_id, id) as placed_at,
           coalesce(amount - if(amount < 0, -cost, cost), amount * 0.4) as margin
    from lines where t < $day
), summed as (
    select customer_id, id, any_value(placed_at) as t, sum(amount) as amount, sum(margin) as margin,
           sum(discount) filter (amount >= 0) as discount, sum(coalesce(quantity, 1)) filter (amount >= 0) as pieces,
           min(channel) filter (t = placed_at) as channel, bool_or(amount < 0) as is_refunded
    from line group by all
), placed as (
    select *, row_number() over later as n, epoch_us(t) - epoch_us(lag(t) over later) as gap_us,
           epoch_us(lead(t, 1, $day) over later) - epoch_us(t) as until_us,
           (epoch_us($day) - epoch_us(min(t) over (partition by customer_id)))::double as span_us
    from summed where not (is_refunded and amount <= 0)
    window later as (partition by customer_id order by t, id)
), shared as (select *, nullif(until_us, 0) / span_us as x, gap_us / 86400e6 as gap from placed
), orders as (
    select customer_id,
           (epoch_us($day) - epoch_us(max(t))) / 86400e6 as recency_days, max(span_us) / 86400e6 as tenure_days,
           count(*) as orders, count(*) - 1 as repeat_orders, (count(*) - 1) / count(*) as repeat_share,
           avg((isodow(t) >= 6)::int) as weekend_share,
           count(*) filter (month(t) = month($day)) as orders_same_month,
           sum(amount) as spend_total, avg(amount) as spend_mean, min_by(amount, n) as spend_first_order,
           max_by(amount, n) as spend_last_order, median(amount::double) as spend_median, max(amount) as spend_max,
           min(amount) as spend_min, stddev_samp(amount) as spend_std,
           coalesce(sum(discount) / nullif(sum(amount)::double + sum(discount), 0), 0) as discount_share,
           sum(margin) as margin_total, sum(margin) / nullif(sum(amount), 0) as margin_share,
           avg(gap) as gap_mean_days, stddev_samp(gap) as gap_std_days,
           stddev_samp(gap) / nullif(avg(gap), 0) as gap_cv, max_by(gap, n) as gap_last_days,
           max_by(gap, n) / nullif(avg(gap), 0) as gap_last_over_mean,
           if(count(gap) > 1, regr_slope(gap, n), null) as gap_trend, regr_slope(amount, n) as spend_trend,
           if(count(*) > 1, 1 + coalesce(sum(x * ln(x)), 0) / ln(nullif(count(*), 1)), null) as clumpiness,
           avg(gap) - recency_days as next_order_due_days, avg(pieces) as pieces_per_order,
           recency_days / nullif(avg(gap), 0) as recency_over_gap, sum(amount) as orders_times_spend_mean,
           sum(amount) / greatest(tenure_days, 1) as spend_per_tenure_day,
           count(*) / greatest(tenure_days, 1) as orders_per_tenure_day,
           month(min(t)) as first_order_month, first(channel order by n) as first_order_channel,
           sin(2 * pi() * (dayofyear($day) - 1) / 365.25) as as_of_season_sin,
           cos(2 * pi() * (dayofyear($day) - 1) / 365.25) as as_of_season_cos,
           {
    windows(
        "count(*) filter (t >= {start}) as orders_last_{n}d",
        "coalesce(sum(amount) filter (t >= {start}), 0) as spend_last_{n}d",
        "coalesce(sum(margin) filter (t >= {start}), 0) as margin_last_{n}d",
    )
},
           {SEASONS}
    from shared group by customer_id
), refunded as (
    select customer_id, count(*) as refunds, -sum(amount)::double as taken,
           (epoch_us($day) - epoch_us(max(t))) / 86400e6 as last_refund_days,
           {windows("count(*) filter (t >= {start}) as refunds_last_{n}d")}
    from line where amount < 0 group by customer_id
), bought as (
    select line.customer_id, product_id, category, placed.t, min(placed.t) over (partition by all_of_it) as first_at
    from (select *, (customer_id, product_id) as all_of_it from line) as line
    join placed using (customer_id, id) where line.amount >= 0
), sorted as (
    select customer_id, category, count(*) as held, sum(count(*)) over (partition by customer_id) as held_in_all
    from bought where category is not null group by customer_id, category
), by_category as (
    select customer_id, -sum(held / held_in_all * ln(held / held_in_all)) as category_entropy,
           max(held) / any_value(held_in_all) as top_category_share
    from sorted group by customer_id
), basket as (
    select customer_id, count(*) as lines, count(distinct product_id) as products,
           count(distinct category) as categories,
           count(distinct product_id) / nullif(count(product_id), 0) as new_product_share,
           {windows("count(distinct product_id) filter (first_at >= {start}) as new_products_last_{n}d")}
    from bought group by customer_id
)
select orders.*, refunded.* exclude (customer_id, taken), basket.* exclude (customer_id, lines),
       by_category.* exclude (customer_id), lines / orders as lines_per_order,
       coalesce(taken, 0) / nullif(spend_total + coalesce(taken, 0), 0) as refund_share
from orders left join refunded using (customer_id) join basket using (customer_id)
left join by_category using (customer_id) order by customer_id
"""
CONTACTS_SQL = f"""
with told as (
    select *, row_number() over (partition by customer_id, kind order by t, value) as place
    from contacts where t < $day
), numbered as (
    select *, if(value is null, null, row_number() over (
        partition by customer_id, kind, value is null order by place)) as n
    from told
)
select customer_id, count(*) as count, (epoch_us($day) - epoch_us(max(t))) / 86400e6 as recency_days,
       {windows("count(*) filter (t >= {start}) as count_last_{n}d")},
       avg(value) as value_mean, max_by(value, n) as value_last, regr_slope(value, n) as value_trend
from numbered where kind in $kinds group by customer_id
"""


def recomputed(db: duckdb.DuckDBPyConnection, day: date, kinds: tuple[str, ...]) -> pd.DataFrame:
    """Every feature by SQL over the views `lines` and `contacts`, one row per customer."""
    given = {"day": pd.Timestamp(day).to_pydatetime()}
    rows = db.execute(ORDERS_SQL, given).df().set_index("customer_id")
    counts = [name for name in rows if name.startswith("refunds")]
    rows[counts] = rows[counts].fillna(0)
    if not kinds:
        return rows
    every = {one: db.execute(CONTACTS_SQL, given | {"kinds": [one]}).df().set_index("customer_id") for one in kinds}
    of_all = db.execute(CONTACTS_SQL, given | {"kinds": kinds}).df().set_index("customer_id").reindex(rows.index)
    for kind, told in every.items():
        told = told.reindex(rows.index)
        for name in told:
            rows[f"{kind}_{name}"] = told[name].fillna(0) if name.startswith("count") else told[name]
    rows["interactions"] = of_all["count"].fillna(0)
    for n in N_DAYS:
        rows[f"interactions_last_{n}d"] = of_all[f"count_last_{n}d"].fillna(0)
    rows["interaction_recency_days"] = of_all["recency_days"]
    rows["interactions_per_order"] = rows["interactions"] / rows["orders"]
    rows["complaints_per_order"] = rows["complaint_count"] / rows["orders"]
    contacted = rows["campaign_contact_count"]
    rows["campaign_response_share"] = rows["campaign_response_count"] / contacted.where(contacted > 0)
    return rows


def assert_equal(rows: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Every feature in `rows` is in `expected`, customer by customer."""
    rows = rows.set_index("customer_id").drop(columns="as_of")
    assert rows.index.tolist() == expected.index.tolist()
    assert set(rows) <= set(expected)
    for name in rows:
        if name == "first_order_channel":
            assert rows[name].fillna("").tolist() == expected[name].fillna("").tolist()
        else:
            np.testing.assert_allclose(rows[name], expected[name].astype(float), rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders of a few lines over two years, some refunded in part or in full, and interactions; times on the edges.

    A third of the times lies on the edge of a window of a cut-off: at it, or a microsecond before.
    """
    rng = np.random.default_rng(11)

    def times(count):
        at = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 730 * 86_400, count), "s")
        edges = pd.Series(rng.choice([pd.Timestamp(day) for day in DAYS], count))
        edges -= pd.to_timedelta(rng.choice([0, *N_DAYS], count), "D") + pd.to_timedelta(
            rng.integers(0, 2, count), "us"
        )
        return pd.Series(at).where(rng.random(count) < 2 / 3, edges).astype("datetime64[us]")

    def named(names, count):
        return pd.Series(rng.choice([*names, None], count), dtype="string")

    def cents(highest, count):
        return rng.integers(1, highest, count) / 100

    orders = pd.DataFrame({"customer_id": [f"c{one:03d}" for one in rng.integers(0, 400, 3000)]})
    orders = orders.assign(order_id=rng.permutation(10_000)[:3000], ordered_at=times(3000))
    lines = orders.loc[np.repeat(orders.index, rng.integers(1, 5, 3000))].reset_index(drop=True)
    count = len(lines)
    late = rng.random(count) < 0.1
    lines.loc[late, "ordered_at"] += pd.to_timedelta(rng.integers(0, 20, late.sum()), "D")
    lines["amount"] = np.where(rng.random(count) < 0.05, 0, cents(9000, count))
    lines["cost"] = np.where((rng.random(count) < 0.2) | (lines["amount"] == 0), np.nan, cents(5000, count))
    lines["discount"] = np.where(rng.random(count) < 0.5, np.nan, cents(900, count))
    lines["quantity"] = rng.choice([1.0, 2.0, 0.5, np.nan], count)
    lines["product_id"] = named([f"p{one}" for one in range(12)], count)
    lines["category"] = named(["mugs", "hats", "pens", "ties"], count)
    lines["channel"] = named(["web", "shop", "app"], count)
    whole = lines.groupby("order_id", as_index=False).agg(
        {"customer_id": "first", "ordered_at": "max", "amount": "sum"}
    )
    refunds = whole[(rng.random(len(whole)) < 0.15) & (whole["amount"] > 0)].reset_index(drop=True)
    refunds["ordered_at"] += pd.to_timedelta(rng.integers(1, 60, len(refunds)), "D")
    part = np.where(rng.random(len(refunds)) < 0.5, 1, rng.uniform(0.01, 0.9, len(refunds)))
    refunds["amount"] = -(refunds["amount"] * part).round(2).clip(lower=0.01)
    refunds["cost"] = -refunds["amount"] / 2
    contacts = pd.DataFrame({"customer_id": [f"c{one:03d}" for one in rng.integers(0, 440, 5000)], "at": times(5000)})
    contacts["kind"] = rng.choice(KINDS, 5000, p=[0.3, 0.2, 0.1, 0.4])
    contacts["value"] = np.where(rng.random(5000) < 0.3, np.nan, rng.integers(0, 11, 5000))
    return pd.concat([lines, refunds]), contacts


@pytest.mark.parametrize("day", [date(1997, 1, 2), date(1997, 3, 31), date(1997, 10, 1), date(1998, 7, 1)])
def test_every_feature_of_every_cdnow_customer_equals_sql(cdnow, cdnow_path, day):
    rows = snapshot(cdnow.histories, as_of=[day]).to_pandas()
    assert set(rows) == {"customer_id", "as_of", *catalogue(frozenset({"quantity"}))}
    with duckdb.connect() as db:
        db.execute(f"""
            create view lines as
            select customer_id, ordered_at::timestamp as t, amount, ordered_at::text as id, quantity,
                   null::double as cost, null::double as discount, null as product_id, null as category, null as channel
            from '{cdnow_path}'""")
        assert_equal(rows, recomputed(db, day, ()))


@pytest.mark.parametrize("day", DAYS)
def test_every_feature_of_a_shop_with_all_columns_equals_sql(read, shop, day, tmp_path):
    orders, contacts = tmp_path / "orders.parquet", tmp_path / "interactions.parquet"
    shop[0].to_parquet(orders)
    shop[1].to_parquet(contacts)
    rows = snapshot(read(orders, interactions=contacts).histories, as_of=[day]).to_pandas()
    with duckdb.connect() as db:
        db.execute(f"""
            create view lines as
            select * replace (amount::decimal(12, 2) as amount), ordered_at as t, order_id as id from '{orders}'""")
        db.execute(f"create view contacts as select *, \"at\" as t from '{contacts}'")
        expected = recomputed(db, day, KINDS)
        assert_equal(rows, expected)
    everything = catalogue(frozenset({*ORDERS, "interactions", "value"}), KINDS)
    assert set(rows) - {"customer_id", "as_of"} == set(expected) == set(everything)


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
