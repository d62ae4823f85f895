"""What the customers of a past list did: counted by hand on tiny logs; the bracket it gives, in simulated shops."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.clock import DAY, microseconds
from pipelines.campaigns.gain_backtest import what_came
from pipelines.simulator import parameters
from pipelines.simulator.lifetimes import latest_lifetimes
from pipelines.simulator.scenario import Scenario, customer_chunks
from pipelines.simulator.shop_tables import customer_ids, interaction_rows, order_lines
from pipelines.simulator.truth import truth
from retention.measurement.gain_bracket import INSIDE, gain_bracket

LINES = """
once     2020-01-05 10
once     2020-02-10 20
once     2020-05-01 30
twice    2020-01-05 10
twice    2020-02-10 20
twice    2020-02-20 20
back     2020-01-05 10
back     2020-04-10 50
late     2020-01-05 10
late     2020-09-01 70
gone     2020-01-05 10
visitor  2020-01-05 10
beyond   2020-01-05 10
beyond   2021-01-05 10
"""


def test_a_hand_made_log_is_counted_as_by_hand(read, log):
    """The day is 1 February; 60 days of horizon end on 1 April, 120 on 31 May."""
    visits = pd.DataFrame({"customer_id": ["visitor", "gone"], "at": ["2020-08-01", "2020-02-15"], "kind": "visit"})
    histories = read(log(LINES), interactions=visits).histories
    rows = pd.DataFrame({"customer_id": ["once", "twice", "back", "late", "gone", "visitor"]})
    found = pd.DataFrame(what_came(rows, histories, day=date(2020, 2, 1), horizon_days=60, days=120))
    found.index = rows["customer_id"]
    assert found["silent"].tolist() == [False, False, True, True, True, True]
    assert found["once"].tolist() == [True, False, False, False, False, False]
    assert found["proven"].tolist() == [False, False, True, True, False, True]
    assert found["returned"].tolist() == [False, False, True, False, False, False]
    assert found["came"].tolist() == pytest.approx([20.0, 16.0, 20.0, 0, 0, 0])


HORIZON = 90


@pytest.fixture
def worth_of_two_horizons(monkeypatch):
    """The simulator's truth over twice the horizon, undiscounted, before costs to serve."""
    for name, value in {
        "LIFETIME_DAYS": 2 * HORIZON,
        "ANNUAL_DISCOUNT_RATE": 0.0,
        "DELIVERY_COST": 0.0,
        "SERVICE_COST": 0.0,
    }.items():
        monkeypatch.setattr(parameters, name, value)


@pytest.mark.parametrize("world", ["standard", pytest.param("no-cooling", marks=pytest.mark.slow)])
@pytest.mark.usefixtures("worth_of_two_horizons")
def test_in_a_simulated_shop_a_true_promise_lies_inside(read, world):
    """The list: customers silent for one to four months, of a shop that nobody contacted."""
    end = date(2025, 6, 30)
    day = end - timedelta(days=2 * HORIZON)
    shop = Scenario(customers=4_000, days=730, seed=5, as_of=end, world_name=world)
    (chunk,) = customer_chunks(shop, size=4_000)
    now = microseconds(day) // DAY
    stage = latest_lifetimes(chunk.lifetimes, len(chunk.customers)).stage(now)
    true = truth(chunk.customers, stage, day=now)
    true["customer_id"] = customer_ids(chunk.customers).to_pylist()
    orders, _ = order_lines(chunk.customers, chunk.lifetimes, seed=5, until=shop.day)
    events, _ = interaction_rows(chunk.customers, chunk.lifetimes, seed=5, until=shop.day)
    histories = read(orders.to_pandas(), interactions=events.to_pandas(), currency="EUR").histories
    frame = orders.to_pandas()
    frame["at"] = pd.to_datetime(frame["ordered_at"], utc=True)
    last = frame[frame["at"] < pd.Timestamp(day, tz="UTC")].groupby("customer_id")["at"].max()
    silence = (pd.Timestamp(day, tz="UTC") - last).dt.days
    rows = true[true["customer_id"].isin(silence[(silence > 30) & (silence < 120)].index)].reset_index(drop=True)
    came = what_came(rows, histories, day=day, horizon_days=HORIZON, days=2 * HORIZON)
    listed = rows[["customer_id", "gain"]].assign(as_of=pd.Timestamp(day), **came)
    listed = listed.assign(kept=np.nan, later=np.nan, return_probability=np.nan)
    judged = gain_bracket(listed, seed=1)
    assert judged["silent"] > 300
    assert judged["place"] == INSIDE
    savable = rows["savable_probability"].sum()
    assert judged["proven"] < savable < judged["silent"], "at least those who came back, at most all"
