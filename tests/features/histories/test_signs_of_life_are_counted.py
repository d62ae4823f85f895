"""The days on which customers gave a sign of life equal a loop over orders and interactions."""

from datetime import date

import numpy as np
import pandas as pd

from features.histories.signs_of_life import signs_of_life
from features.ingest.build_histories import ingest
from features.ingest.log import Log

AS_OF = date(2024, 3, 1)


def test_they_are_distinct_days_since_the_first_order_and_before_the_day():
    draw = np.random.default_rng(3)
    start = pd.Timestamp("2024-01-01")
    orders = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 30, 120).astype(str),
            "ordered_at": start + pd.to_timedelta(draw.integers(0, 90 * 24, 120), unit="h"),
            "amount": 5.0,
        }
    )
    other = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 30, 300).astype(str),
            "at": start + pd.to_timedelta(draw.integers(0, 90 * 24, 300), unit="h"),
            "kind": "visit",
        }
    )
    log = Log(orders, currency="EUR", gross_margin=0.4, interactions=other, timezone="UTC")
    histories = ingest(log, now_us=None).histories
    found = signs_of_life(histories, as_of=AS_OF)
    for place, customer in enumerate(histories.customer_ids.to_pylist()):
        bought = orders.loc[orders["customer_id"] == customer, "ordered_at"]
        bought = bought[bought < pd.Timestamp(AS_OF)]
        if bought.empty:
            assert found.days[place] == 0
            continue
        seen = other.loc[other["customer_id"] == customer, "at"]
        seen = seen[(seen < pd.Timestamp(AS_OF)) & (seen.dt.floor("D") >= bought.min().floor("D"))]
        days = sorted({*bought.dt.floor("D"), *seen.dt.floor("D")})
        assert found.days[place] == len(days)
        assert found.first[place] == days[0].value // 86_400_000_000_000
        assert found.last[place] == days[-1].value // 86_400_000_000_000
