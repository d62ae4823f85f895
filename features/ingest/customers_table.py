"""Read the table `customers`: the time customers joined, the time and reason they left, their yearly wallet.

No feature is made of it. Its customers need not have an order: those who joined and never bought are prospects.
"""

import pyarrow as pa

from features.ingest.column_sql import instant_in, is_blank, is_time, micros_in, texts_of
from features.ingest.log import Log
from features.ingest.reading import reading


def read_customers_table(log: Log, *, now_us: int | None) -> pa.Table:
    """A row per customer of the table: customer_id, joined_at, left_at (timestamp, UTC), left_reason (text) and
    wallet_per_year (currency units, their yearly spending with all sellers); null where it is missing.

    A cell that cannot be read is missing. Raises InputError where the table cannot be used.
    """
    with reading(log, now_us=now_us, side_table="customers") as opened:
        types = opened.types["customers"]
        joined = instant_in(types, log, "joined_at") if is_time(types.get("joined_at", "")) else "null::bigint"
        left = instant_in(types, log, "left_at") if is_time(types.get("left_at", "")) else "null::bigint"
        opened.db.execute(f"""
            create temp view people as
            select row, {texts_of(types, "customer_id")}, {joined} as joined_us, {left} as left_us,
                   {texts_of(types, "left_reason")}, {micros_in("wallet_per_year", types)} as wallet_micros
            from raw_customers where not {is_blank("customer_id", types)}""")
        return opened.db.sql("""
            select customer_id, make_timestamp(joined_us) as joined_at, make_timestamp(left_us) as left_at, left_reason,
                   if(wallet_micros >= 0, wallet_micros, null)::double / 1e6 as wallet_per_year
            from people where customer_id is not null order by customer_id""").to_arrow_table()
