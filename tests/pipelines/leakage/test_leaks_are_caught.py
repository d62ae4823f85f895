"""CHECKS 8: no feature of ours knows another future, and what leaks is caught by `check --leaks`."""

import importlib.util
import sys
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import Refusal
from features.families import catalogue, frequency, recency
from features.ingest.build_histories import histories_of
from features.ingest.log import Log
from features.ingest.reading import reading
from features.snapshots.snapshot import snapshot
from pipelines.config import load
from pipelines.leakage import leak_audit, perturbed_futures
from pipelines.screens.check import show_leaks
from tests.shops import config_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def silent(_: str) -> None:
    pass


def moved_cells(log, *, as_of):
    """Cells compared, and the columns that moved when the future was removed or poisoned."""
    with reading(log, now_us=None) as opened:
        histories, _ = histories_of(opened, "usable_orders", "usable_interactions")
        found = leak_audit.compare_futures(opened, snapshot(histories, as_of=[as_of]), as_of=as_of, say=silent)
    return [one["cells"] for one in found.values()], found["removed"]["columns"] | found["poisoned"]["columns"]


@pytest.fixture
def shop(tmp_path, cdnow_path):
    """A config over a tenth of CDNOW's customers; a table `customers` if one is given."""
    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 10 == 0]
    orders.to_parquet(tmp_path / "orders.parquet")

    def config(customers=None, horizon_days=90):
        data = ""
        if customers is not None:
            customers.to_csv(tmp_path / "customers.csv", index=False)
            data = f'customers = "customers.csv"\n[features]\nattributes = {list(customers.columns[1:])}'
        path = tmp_path / "stayworth.toml"
        path.write_text(config_of("orders.parquet", horizon_days=horizon_days, data=data.replace("'", '"')))
        return load(path)

    config.orders = orders
    return config


@pytest.fixture
def peeking(monkeypatch, tmp_path):
    """A family of one feature that reads one order beyond its slice: compiled code checks no bounds."""
    path = tmp_path / "peeking.py"
    path.write_text(
        "from features.clock import DAY\n"
        "from features.kernel.feature import feature\n"
        "@feature(unit='days', says='{} days to the next order')\n"
        "def days_to_next(orders, as_of):\n"
        "    return (orders.at[len(orders.at)] - as_of) / DAY\n"
    )
    spec = importlib.util.spec_from_file_location("peeking", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "peeking", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(catalogue, "FAMILIES", (recency, frequency, module))
    for cached in (catalogue.feature_templates, catalogue.feature_named):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (catalogue.feature_templates, catalogue.feature_named):
        cached.cache_clear()


def test_no_cell_of_cdnow_moves(cdnow_path):
    log = Log(cdnow_path, currency="USD", gross_margin=0.4, timezone="UTC")
    cells, columns = moved_cells(log, as_of=date(1998, 4, 2))
    assert min(cells) > 1_000_000
    assert columns == {}


@pytest.mark.slow
def test_no_cell_of_online_retail_moves(shared):
    log = Log(
        shared / "online_retail_ii" / "transactions.parquet",
        mapping={"orders": {"ordered_at": "ts", "source": "sheet"}},
        timezone="Europe/London",
        currency="GBP",
        gross_margin=0.4,
        exclude_products=("TEST%", "AMAZONFEE", "BANK CHARGES"),
    )
    cells, columns = moved_cells(log, as_of=date(2011, 9, 11))
    assert min(cells) > 250_000
    assert columns == {}


def full_log(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders and interactions with every column: refunds, gaps, odd pieces, rows recorded late."""
    rng = np.random.default_rng(seed)
    order = rng.integers(0, 1500, 3000)
    orders = pd.DataFrame(
        {
            "customer_id": order % 300,
            "ordered_at": pd.Timestamp("2020-01-01") + pd.to_timedelta(order * 7919 % 11_000 + order % 7, "h"),
            "amount": rng.normal(40, 60, 3000).round(2),
            "order_id": order,
            "product_id": rng.choice([*"abcdefgh", None], 3000),
            "category": rng.choice(["x", "y", None], 3000),
            "quantity": rng.gamma(2, 1.1, 3000).round(3),
            "cost": rng.gamma(3, 5, 3000).round(2),
            "discount": np.where(rng.random(3000) < 0.3, 1.25, np.nan),
            "channel": rng.choice(["web", "shop", None], 3000),
        }
    )
    orders.loc[rng.random(3000) < 0.2, "order_id"] = np.nan
    orders["recorded_at"] = orders["ordered_at"] + late(rng, 3000)
    interactions = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 300, 4000),
            "at": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 11_000, 4000), "h"),
            "kind": rng.choice(["visit", "complaint", "campaign contact", "Campaign-response"], 4000),
            "value": np.where(rng.random(4000) < 0.5, rng.normal(0, 3, 4000), np.nan),
        }
    )
    interactions["recorded_at"] = interactions["at"] + late(rng, 4000)
    return orders, interactions


def late(rng, rows):
    return pd.to_timedelta(np.where(rng.random(rows) < 0.2, rng.integers(0, 1400, rows), 0), "h")


@pytest.mark.slow  # the compiled pass over every feature
@pytest.mark.parametrize("written", ["as numbers", "as text"])
def test_no_cell_of_a_log_with_every_column_moves(written):
    orders, interactions = full_log(seed=3)
    terms = {"currency": "USD", "gross_margin": 0.4, "timezone": "UTC"}
    if written == "as text":
        for frame in (orders, interactions):
            for time in frame.columns.intersection(["ordered_at", "at", "recorded_at"]):
                frame[time] = frame[time].dt.strftime("%d/%m/%Y %H:%M")
            frame[frame.columns] = frame.astype(str).where(frame.notna(), None)
        terms |= {"timezone": "Asia/Kolkata", "time_format": "%d/%m/%Y %H:%M"}
    _, columns = moved_cells(Log(orders, interactions=interactions, **terms), as_of=date(2020, 10, 1))
    assert columns == {}


def test_the_other_futures_leave_the_past_as_written_and_nothing_later(tmp_path):
    orders, interactions = full_log(seed=4)
    as_of = pd.Timestamp("2020-10-01")
    is_later = (orders["ordered_at"] >= as_of) | (orders["recorded_at"] >= as_of)
    log = Log(orders, interactions=interactions, currency="USD", gross_margin=0.4, timezone="UTC")
    with reading(log, now_us=None) as opened:
        perturbed_futures.split_future(opened, as_of=as_of.date())
        removed = pd.read_parquet(perturbed_futures.remove_future(opened, tmp_path).orders)
        poisoned = pd.read_parquet(perturbed_futures.poison_future(opened, tmp_path).orders)
    by = list(orders.columns)
    past = orders[~is_later].sort_values(by, ignore_index=True)
    pd.testing.assert_frame_equal(removed.sort_values(by, ignore_index=True), past, check_dtype=False)
    is_past = (poisoned["ordered_at"] < as_of) & (poisoned["recorded_at"] < as_of)
    pd.testing.assert_frame_equal(poisoned[is_past].sort_values(by, ignore_index=True), past, check_dtype=False)
    new = poisoned[~is_past]
    assert len(new) > 2 * is_later.sum()
    assert len(new.merge(orders[is_later])) < 0.02 * is_later.sum()
    assert set(new["customer_id"]) - set(orders["customer_id"])
    assert len(set(new["order_id"]) & set(past["order_id"])) > 200
    assert (new["amount"] < 0).mean() > 0.3


def test_cells_are_compared_bit_for_bit():
    def table(ids, **columns):
        return pa.table({"customer_id": ids, "as_of": [date(2020, 1, 1)] * len(ids), **columns})

    nan = float("nan")
    one = table(["a", "b", "c"], x=[1.0, nan, 0.3], channel=["web", None, "shop"])
    assert leak_audit.changed_cells(one, one) == {"cells": 6, "moved": 0, "columns": {}}
    almost = table(["a", "b", "c"], x=[1.0, 0.0, 0.1 + 0.2], channel=["web", "web", "shop"])
    assert leak_audit.changed_cells(one, almost) == {"cells": 6, "moved": 3, "columns": {"x": 2, "channel": 1}}
    other_rows = table(["b", "c", "d"], x=[nan, 0.3, 0.0], channel=[None, "shop", "web"])
    assert leak_audit.changed_cells(one, other_rows) == {"cells": 8, "moved": 4, "columns": {"x": 2, "channel": 2}}
    assert (
        leak_audit.changed_cells(one, one.drop(["x"]))["columns"]
        == leak_audit.changed_cells(one.drop(["x"]), one)["columns"]
        == {"x": 3}
    )


@pytest.mark.slow
@pytest.mark.usefixtures("peeking")
def test_a_feature_that_reads_beyond_its_slice_is_caught(shop):
    content = leak_audit.audit(shop(), now=NOW, say=silent)
    for name in ("removed", "poisoned"):
        assert list(content[name]["columns"]) == ["days_to_next"]
        assert content[name]["moved"] > 100
    with pytest.raises(Refusal, match=r"cells changed when the future was removed: days_to_next"):
        leak_audit.refuse_leaks(content)


def future_churn(orders: pd.DataFrame) -> pd.Series:
    """Whether each customer stayed away from 1998-04-02, told by pandas."""
    last = pd.to_datetime(orders["ordered_at"]).groupby(orders["customer_id"]).max()
    return last < pd.Timestamp("1998-04-02")


@pytest.mark.slow
def test_a_column_that_knows_who_left_is_caught_and_priced(shop, capsys):
    left = future_churn(shop.orders)
    rng = np.random.default_rng(1)
    noisy = left ^ (rng.random(len(left)) < 0.05)
    customers = pd.DataFrame(
        {
            "customer_id": left.index,
            "status": np.where(noisy, "closed", "open"),
            "closed_on": np.where(left, rng.integers(1, 90, len(left)), np.nan),  # twins do not excuse each other
            "region": rng.choice(["north", "south"], len(left)),
        }
    )
    content = leak_audit.audit(shop(customers), now=NOW, say=silent)
    suspicious = {one["feature"]: one for one in content["models"]["strongest"] if one["suspicious"]}
    assert set(suspicious) == {"status", "closed_on"}
    assert suspicious["closed_on"]["auc"] == 1.0
    assert all(one["worth"] > 0.03 for one in suspicious.values())
    assert content["leaks"]
    with pytest.raises(Refusal, match=r"2 leaks:\n  - closed_on alone ranks better \(AUC 1.000\)"):
        leak_audit.refuse_leaks(content)
    show_leaks(content)
    said = capsys.readouterr().out
    assert "Leak: status alone ranks better" in said


@pytest.mark.slow
def test_an_honest_log_passes(shop, capsys):
    content = leak_audit.audit(shop(), now=NOW, say=silent)
    assert not content["leaks"]
    leak_audit.refuse_leaks(content)
    show_leaks(content)
    assert "No leak found." in capsys.readouterr().out


@pytest.mark.slow
def test_a_history_too_short_to_judge_the_horizon_is_probed_on_the_days_that_are_judged(shop):
    content = leak_audit.audit(shop(horizon_days=400), now=NOW, say=silent)
    assert not content["models"]["shuffled_labels"]["leaks"]
    assert content["removed"]["moved"] == 0 < content["removed"]["cells"]


@pytest.mark.slow
def test_models_of_a_large_log_see_a_sample_of_its_customers(shop, monkeypatch):
    monkeypatch.setattr(leak_audit, "CUSTOMERS", 1000)
    content = leak_audit.audit(shop(), now=NOW, say=silent)
    assert content["customers"] == 2357
    assert 600 < content["models"]["customers"] < 1000
