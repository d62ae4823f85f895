"""Read the table `customers`: the time customers joined, the time and reason they left, their yearly wallet.

No feature is made of it. Its customers need not have an order: those who joined and never bought are prospects.
"""

import pyarrow as pa

from features.errors import InputError
from features.ingest.cleaning import instant_in, is_blank, is_given, is_time, micros_in, texts_of
from features.ingest.log import Log
from features.ingest.reading import reading


def read_customers_table(log: Log, *, now_us: int | None) -> pa.Table:
    """A row per customer of the table: customer_id, joined_at, left_at (timestamp, UTC), left_reason (text) and
    wallet_per_year (currency units, their yearly spending with all sellers); null where it is missing.

    Raises InputError where the table cannot be used, and where a `joined_at` or wallet_per_year cannot be read.
    """
    with reading(log, now_us=now_us, side_table="customers") as opened:
        types = opened.types["customers"]
        joined = instant_in(types, log, "joined_at") if is_time(types.get("joined_at", ""), log) else "null::bigint"
        left = instant_in(types, log, "left_at") if is_time(types.get("left_at", ""), log) else "null::bigint"
        opened.db.execute(f"""
            create temp view people as
            select row, {texts_of(types, "customer_id")}, {joined} as joined_us, {left} as left_us,
                   {texts_of(types, "left_reason")},
                   {micros_in("wallet_per_year", types)} as wallet_micros,
                   {is_given("wallet_per_year", types)} as has_wallet, {is_given("joined_at", types)} as has_joined
            from raw_customers where not {is_blank("customer_id", types["customer_id"])}""")
        for column, bad in (
            ("joined_at", "has_joined and joined_us is null"),
            ("wallet_per_year", "has_wallet and wallet_micros is null or wallet_micros < 0"),
        ):
            count, row = opened.rows(f"select count(*), min(row) from people where {bad}")[0]
            if count:
                raise InputError(
                    f"{column} cannot be read in {count:,} rows, first in row {row:,}",
                    where=opened.where("customers"),
                    next="Write times as in orders and amounts as plain positive numbers, or leave them empty.",
                )
        return opened.db.sql("""
            select customer_id, make_timestamp(joined_us) as joined_at, make_timestamp(left_us) as left_at, left_reason,
                   wallet_micros::double / 1e6 as wallet_per_year
            from people where customer_id is not null order by customer_id""").to_arrow_table()
