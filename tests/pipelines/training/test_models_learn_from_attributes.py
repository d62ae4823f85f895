"""Models learn from attributes: one that decides who leaves, two that decide only together, one that tells too well."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.histories.attributes import AttributeKind
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models.evaluation.metrics import log_loss
from models.trees import boosting, churn
from pipelines.leakage.leaking_attributes import leaking_attributes
from pipelines.order_log import read_orders
from pipelines.training import tuning
from pipelines.training.tuning import tune

START, END = date(2022, 1, 1), date(2023, 6, 1)
HAZARD = {"gold": 0.02, "tin": 0.25}
"""The probability that an order was the last one: the true churn rate of those who have just ordered."""
PEOPLE = 1500


@pytest.fixture(scope="module")
def shop():
    """Everybody orders every 30 days until their last order, which the plan alone decides."""
    rng = np.random.default_rng(3)
    plans, orders, statuses = rng.choice(list(HAZARD), PEOPLE), [], []
    for number, plan in enumerate(plans):
        day = START + timedelta(days=int(rng.integers(0, 450)))
        while day < END:
            orders.append((f"c{number}", f"{day}T12:00:00Z", 10.0))
            if rng.random() < HAZARD[plan]:
                break
            day += timedelta(days=30)
        is_silent = day < END - timedelta(days=60)
        statuses.append("lapsed" if is_silent and rng.random() < 0.5 else "customer")
    ids = [f"c{number}" for number in range(PEOPLE)]
    people = pd.DataFrame({"customer_id": ids, "plan": plans, "status": statuses})
    columns = ["customer_id", "ordered_at", "amount"]
    log = Log(
        pd.DataFrame(orders, columns=columns),
        customers=people,
        attributes=("plan", "status"),
        currency="EUR",
        gross_margin=0.4,
    )
    return ingest(log, now_us=None).histories


def labelled(histories, days, features):
    table = snapshot(histories, as_of=days, features=features)
    return with_labels(histories, table, horizon_days=60).to_pandas(date_as_object=False)


def test_an_attribute_that_decides_gives_the_true_rate_of_each_group(shop):
    features = ["recency_days", "tenure_days", "orders"]
    rows = labelled(shop, [date(2022, month, 1) for month in range(5, 13)], [*features, "plan"])
    test = labelled(shop, [date(2023, 3, 1)], [*features, "plan"])
    active = test[test["recency_days"] < 30]
    losses, by_plan = {}, pd.Series(dtype=float)
    for name, inputs in (("without", features), ("with", [*features, "plan"])):
        taught = boosting.inputs_of(rows, inputs)
        model = churn.fit(rows, taught, params=boosting.defaults(len(rows)) | {"colsample_bytree": 1.0}, seed=7)
        probability = model.probability(active, taught)
        losses[name] = log_loss(active["churned"].to_numpy(float), probability)
        by_plan = pd.Series(probability).groupby(active["plan"].to_numpy()).mean()
    assert losses["with"] < losses["without"] - 0.02
    for plan, rate in HAZARD.items():
        assert by_plan[plan] == pytest.approx(rate, abs=0.04)


def test_an_attribute_written_afterwards_is_named_and_an_honest_one_is_not(shop):
    leaks = leaking_attributes(shop, horizon_days=60, seed=7)
    assert [(leak["column"], leak["value"]) for leak in leaks] == [("status", "lapsed")]


def test_deep_trees_find_what_attributes_do_together(monkeypatch):
    """Eight towns by eight trades, each pair with a rate of its own: either alone says little."""
    rng = np.random.default_rng(5)
    days = [date(2020, month, 1) for month in range(1, 5)]
    people = 4000
    ids = np.repeat(np.arange(people), len(days))
    town, trade = rng.integers(0, 8, people)[ids], rng.integers(0, 8, people)[ids]
    pairs = rng.normal(0, 2.5, (8, 8))
    churned = rng.random(len(ids)) < expit(pairs[town, trade])
    names = {"town": np.char.add("t", town.astype(str)), "trade": np.char.add("r", trade.astype(str))}
    rows = pd.DataFrame(
        {"customer_id": ids, "as_of": pd.to_datetime(days * people), "recency_days": rng.random(len(ids))} | names
    ).assign(churned=churned, bought=~churned, future_value=np.where(churned, 0.0, 5.0))
    folds = [(days[:2], days[3])]
    found = {}
    for deepest in (tuning.DEEPEST, tuning.DEEPEST_WITH_ATTRIBUTES):
        monkeypatch.setattr(tuning, "DEEPEST_WITH_ATTRIBUTES", deepest)
        found[deepest] = tune(rows, ["recency_days", "town", "trade"], folds, trials=16, seed=7, say=lambda _: None)
    shallow, deep = found.values()
    assert deep.churn["max_depth"] > tuning.DEEPEST >= shallow.churn["max_depth"]
    assert deep.scores["churn"] < shallow.scores["churn"] - 0.02


def test_what_is_read_again_for_a_model_is_read_by_the_kinds_it_learned(tmp_path):
    """Monitoring scores past days: a name that the model never learned is missing there, as it is in its scores."""
    people = pd.DataFrame({"customer_id": list("abcdefghijkl") * 2, "plan": ["gold", "tin"] * 12}).iloc[:12]
    orders = pd.DataFrame({"customer_id": list("abcdefghijkl"), "ordered_at": "2023-01-05T12:00:00Z", "amount": 10.0})
    log = Log(orders, customers=people, attributes=("plan",), currency="EUR", gross_margin=0.4)
    learned = {"plan": AttributeKind("names", ("gold",))}
    read = read_orders(
        SimpleNamespace(log=log, folder=tmp_path, store_bytes=10**9, is_read_anew=False, memory_bytes=10**9),
        now=datetime(2023, 6, 1, tzinfo=UTC),
        kinds=learned,
    )
    plans = snapshot(read.histories, as_of=[date(2023, 1, 6)], features=["plan"]).to_pandas()["plan"]
    assert plans.notna().sum() == 6
    assert set(plans.dropna()) == {"gold"}
