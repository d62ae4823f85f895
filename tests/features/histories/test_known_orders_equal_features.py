"""The flat frames that analyses count are what features see: same orders, same money, same interactions."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.histories.order_frames import known_interactions, known_orders
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot

AS_OF = date(2020, 9, 1)
FEATURES = ["orders", "spend_total", "spend_last_order", "recency_days", "tenure_days"]


@pytest.fixture(scope="module")
def histories():
    """Orders of several lines, partial, full and loose refunds, late rows, and interactions, drawn at random."""
    draw = np.random.default_rng(11)
    count = 3000
    orders = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 150, count).astype(str),
            "order_id": draw.integers(0, 1100, count).astype(str),
            "product_id": draw.integers(0, 30, count).astype(str),
            "ordered_at": pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 365 * 1440, count), unit="min"),
            "amount": np.round(draw.normal(20, 18, count), 2),
        }
    )
    orders["order_id"] = orders["customer_id"] + "-" + orders["order_id"]
    late = draw.random(count) < 0.1
    orders["recorded_at"] = orders["ordered_at"] + pd.to_timedelta(
        np.where(late, draw.integers(1, 90, count), 0), unit="D"
    )
    events = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 170, 900).astype(str),
            "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 365 * 1440, 900), unit="min"),
            "kind": draw.choice(["visit", "complaint"], 900),
        }
    )
    return ingest(
        Log(orders, interactions=events, currency="EUR", gross_margin=0.4, timezone="UTC"), now_us=None
    ).histories


def test_orders_and_money_are_those_of_the_features(histories):
    rows = snapshot(histories, as_of=[AS_OF], features=FEATURES).to_pandas().set_index("customer_id")
    found = known_orders(histories, as_of=AS_OF)
    assert (found["refunded"] > 0).any()
    assert (~found["stands"]).any()
    found["customer_id"] = histories.customer_ids.to_pandas().to_numpy()[found["customer"]]
    stand = found[found["stands"]].groupby("customer_id")
    assert stand.size().reindex(rows.index).tolist() == rows["orders"].tolist()
    assert found.groupby("customer_id")["net"].sum().reindex(rows.index).to_numpy() == pytest.approx(
        rows["spend_total"].to_numpy()
    )
    assert stand["net"].last().reindex(rows.index).to_numpy() == pytest.approx(rows["spend_last_order"].to_numpy())
    day = pd.Timestamp(AS_OF)
    recency = (day - stand["at"].max()).reindex(rows.index) / pd.Timedelta(days=1)
    assert recency.to_numpy() == pytest.approx(rows["recency_days"].to_numpy())
    assert (found["gross"] - found["refunded"]).to_numpy() == pytest.approx(found["net"].to_numpy())
    assert found["margin"].to_numpy() == pytest.approx(0.4 * found["net"].to_numpy(), abs=0.01)


def test_interactions_are_those_of_the_features(histories):
    names = ["visit_count", "complaint_count"]
    rows = snapshot(histories, as_of=[AS_OF], features=names).to_pandas().set_index("customer_id")
    found = known_interactions(histories, as_of=AS_OF)
    ids = histories.customer_ids.to_pandas().to_numpy()[found["customer"]]
    for name, kind in zip(names, ["visit", "complaint"], strict=True):
        counted = pd.Series(ids[found["kind"] == kind]).value_counts().reindex(rows.index).fillna(0)
        assert counted.tolist() == rows[name].tolist()


def test_a_day_before_everything_knows_nothing(histories):
    assert known_orders(histories, as_of=date(2019, 1, 1)).empty
    assert known_interactions(histories, as_of=date(2019, 1, 1)).empty
