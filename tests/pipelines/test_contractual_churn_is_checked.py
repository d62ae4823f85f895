"""`check` of a shop whose customers leave by contract: what it counts, which rates it gives, which leaks it finds."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.histories.columns import Histories
from features.ingest.build_histories import histories_of
from features.ingest.log import Log
from features.ingest.reading import reading
from features.snapshots.snapshot import snapshot
from pipelines.check import check
from pipelines.config import load
from pipelines.init import first_config
from pipelines.leakage import leak_audit, perturbed_futures

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CONFIG = """
[data]
orders = "orders.parquet"
customers = "members.csv"
[columns.customers]
left_at = "closed"
[time]
timezone = "Europe/Berlin"
horizon_days = 60
[money]
currency = "EUR"
gross_margin = 0.4
annual_discount_rate = 0.1
lifetime_days = 1095
{more}
"""
START = pd.Timestamp("2020-01-01")


def club():
    """Members who order about every two weeks until they leave; a third never does."""
    rng = np.random.default_rng(2)
    people = 300
    joined = START + pd.to_timedelta(rng.integers(0, 200, people), "D")
    closed = pd.Series(joined + pd.to_timedelta(rng.integers(20, 700, people), "D")).mask(rng.random(people) < 0.33)
    ids = np.array([f"m{one:03d}" for one in range(people)])
    who = np.repeat(np.arange(people), 30)
    at = pd.Series(joined)[who].reset_index(drop=True) + pd.to_timedelta(rng.integers(0, 400 * 24, len(who)), "h")
    kept = at < closed[who].reset_index(drop=True).fillna(pd.Timestamp("2100-01-01"))
    orders = pd.DataFrame({"customer_id": ids[who], "ordered_at": at, "amount": rng.integers(5, 80, len(who))})
    members = pd.DataFrame(
        {"customer_id": ids, "closed": closed.dt.strftime("%Y-%m-%d"), "plan": rng.choice(["a", "b"], people)}
    )
    return orders[kept].reset_index(drop=True), members[:290]


@pytest.fixture
def config(tmp_path):
    orders, members = club()
    orders.to_parquet(tmp_path / "orders.parquet")
    members.to_csv(tmp_path / "members.csv", index=False)

    def made(more="", left_at="closed"):
        path = tmp_path / "stayworth.toml"
        text = CONFIG.format(more=more)
        path.write_text(text if left_at else text.replace('[columns.customers]\nleft_at = "closed"\n', ""))
        return load(path)

    return made


def test_check_says_contractual_and_counts_what_left_at_tells(config):
    content = check(config(), now=NOW)
    assert content["contractual"]
    assert content["advised_horizon_days"] is content["follow_up_days"] is None
    orders, members = club()
    end = orders["ordered_at"].max().normalize() + timedelta(days=1)
    closed = pd.to_datetime(members["closed"]).dt.tz_localize("Europe/Berlin").dt.tz_convert(None)
    closed = closed[members["customer_id"].isin(orders["customer_id"])]
    told = content["leaving"]
    assert content["end"] == str(end.date())
    assert told["left"] == (closed < end).sum()
    assert told["leave_later"] == (closed >= end).sum() > 0
    assert told["last_left"] == str(closed[closed < end].max().date())
    assert told["ordered_after"] == told["left_before_first_order"] == 0
    rows = {one["what"]: one["rows"] for one in content["customer_rows"]}
    assert rows == {"source": 290, "with an order": len(closed), "of somebody without an order": 290 - len(closed)}


def test_horizons_come_with_the_churn_rate_that_sql_counts(config, tmp_path):
    content = check(config(), now=NOW)
    end = date.fromisoformat(content["end"])
    assert [one["horizon_days"] for one in content["horizons"]] == [30, 60, 90, 120, 180, 270, 365]
    for one in content["horizons"]:
        day = end - timedelta(days=one["horizon_days"])
        rate = duckdb.sql(f"""
            with closed as (
                select customer_id, timezone('Europe/Berlin', closed::timestamp) at time zone 'UTC' as closed
                from read_csv('{tmp_path}/members.csv', header = true)
            )
            select avg(if(closed < '{end}', 1, 0)) from (
                select customer_id, timezone('Europe/Berlin', min(ordered_at)) at time zone 'UTC' as first
                from '{tmp_path}/orders.parquet' group by all
            ) left join closed using (customer_id)
            where first < '{day}' and coalesce(closed >= '{day}', true)""").fetchall()[0][0]
        assert one["churn_rate"] == pytest.approx(rate, abs=1e-12)
        assert "false_churn_rate" not in one
        have = (end - date.fromisoformat(content["first_day"])).days
        assert one["judged"] == (one["trainable"] and have >= 2 * one["horizon_days"] + min(one["horizon_days"], 60))


def test_a_shop_without_left_at_is_judged_by_false_churn(config):
    content = check(config(left_at=None), now=NOW)
    assert not content["contractual"]
    assert content["leaving"] is None
    assert all(one["false_churn_rate"] >= 0 for one in content["horizons"])
    assert content["customer_rows"][0] == {"what": "source", "rows": 290, "amount": "0"}


def test_left_at_is_refused_as_an_attribute_by_either_name(config):
    for name in ("closed", "left_at"):
        with pytest.raises(InputError):
            check(config(f'[features]\nattributes = ["{name}"]'), now=NOW)


def silent(_: str) -> None:
    pass


def other_futures(orders, members, *, as_of, **terms):
    log = Log(orders, customers=members, attributes=("plan",), currency="EUR", gross_margin=0.4, **terms)
    with reading(log, now_us=None) as opened:
        histories, _ = histories_of(opened, "usable_orders", "usable_interactions")
        return leak_audit.compare_futures(opened, snapshot(histories, as_of=[as_of]), as_of=as_of, say=silent)


WRITTEN = {
    "as text under their name": {"mapping": {"customers": {"left_at": "closed"}}},
    "as times under ours": {},
}


@pytest.mark.parametrize("written", WRITTEN)
def test_no_cell_and_no_row_moves_with_the_leaving_of_the_future(written):
    orders, members = club()
    if not WRITTEN[written]:
        members = members.assign(left_at=pd.to_datetime(members["closed"])).drop(columns="closed")
    found = other_futures(orders, members, as_of=date(2020, 9, 1), timezone="Europe/Berlin", **WRITTEN[written])
    for one in found.values():
        assert one["cells"] > 10_000
        assert one["moved"] == 0


@pytest.mark.parametrize("peeking", ["whoever leaves is gone from the first day", "gone a month before they leave"])
def test_a_population_that_knows_who_will_leave_is_caught(monkeypatch, peeking):
    ahead = 0 if "month" not in peeking else 30 * 86_400_000_000

    def gone(self, customer, *, as_of, known_at):  # noqa: ARG001  (the method's signature)
        return self.left_us[customer] < (as_of + ahead if ahead else 2**62)

    monkeypatch.setattr(Histories, "gone", gone)
    orders, members = club()
    found = other_futures(
        orders, members, as_of=date(2020, 9, 1), timezone="UTC", mapping={"customers": {"left_at": "closed"}}
    )
    assert found["removed"]["moved"] > 0
    assert found["poisoned"]["moved"] > 0


def test_the_other_futures_keep_who_left_before_and_move_who_had_not(tmp_path):
    orders, members = club()
    as_of = pd.Timestamp("2020-09-01")
    members = members.assign(left_at=pd.to_datetime(members["closed"])).drop(columns="closed")
    log = Log(orders, customers=members, currency="EUR", gross_margin=0.4, timezone="UTC")
    with reading(log, now_us=None) as opened:
        perturbed_futures.split_future(opened, as_of=as_of.date())
        removed = pd.read_parquet(perturbed_futures.remove_future(opened, tmp_path).customers).sort_values(
            "customer_id"
        )
        poisoned = pd.read_parquet(perturbed_futures.poison_future(opened, tmp_path).customers).sort_values(
            "customer_id"
        )
    had_left = (members["left_at"] < as_of).to_numpy()
    assert 20 < had_left.sum() < 200
    for copy in (removed, poisoned):
        assert copy["customer_id"].tolist() == members["customer_id"].tolist()
        assert (copy["left_at"].to_numpy()[had_left] == members["left_at"].to_numpy()[had_left]).all()
    assert removed["left_at"][~had_left].isna().all()
    later = poisoned["left_at"].to_numpy()[~had_left]
    assert (np.isnat(later) | (later >= as_of)).all()
    assert 0.6 < (~np.isnat(later)).mean() < 0.9
    assert (later != members["left_at"].to_numpy()[~had_left]).mean() > 0.9


def test_init_says_that_left_at_makes_churn_contractual(config):
    home = config().home
    assert "left_at" in first_config(str(home / "orders.parquet"), config_folder=home).text
