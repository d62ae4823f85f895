"""CHECKS 16: a customer's scores from the raw history of a request are those of the batch, to the last digits."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot
from models.artifacts.pyfunc import TABLES, ScoreOrders
from models.btyd.competing_risks import first_within
from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble.recipe import Recipe
from models.prediction import NUMBERS
from models.scoring import batch_scores, online
from models.trees import boosting
from models.trees.boosting import defaults
from pipelines.training.training_set import fit_model, training_set

AS_OF = date(1998, 4, 2)
TERMS = {"currency": "USD", "gross_margin": 0.4}


@pytest.fixture(scope="module")
def tables(cdnow_path):
    """Orders of a twelfth of CDNOW's customers, with channels; made-up interactions and attributes of each."""
    rng = np.random.default_rng(1)
    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 12 == 0].reset_index(drop=True)
    orders["ordered_at"] = pd.to_datetime(orders["ordered_at"])
    orders["amount"] = orders["amount"].astype(float)  # of decimals
    orders["channel"] = rng.choice(["web", "shop", None], len(orders))
    some = orders.sample(frac=1.5, replace=True, random_state=1)
    interactions = pd.DataFrame(
        {
            "customer_id": some["customer_id"].to_numpy(),
            "at": some["ordered_at"].to_numpy() + rng.integers(0, 90, len(some)).astype("timedelta64[D]"),
            "kind": rng.choice(["visit", "Complaint"], len(some)),
            "value": np.where(rng.random(len(some)) < 0.5, np.nan, rng.normal(size=len(some)).round(2)),
        }
    )
    customers = pd.DataFrame({"customer_id": orders["customer_id"].unique()})
    customers["plan"] = rng.choice(["gold", "tin", None], len(customers))
    customers["age"] = np.where(rng.random(len(customers)) < 0.2, np.nan, rng.integers(18, 90, len(customers)))
    return orders, interactions, customers


@pytest.fixture(scope="module")
def rich(tables):
    """A model that reads interactions, a channel and attributes, and the histories that it learnt from."""
    from models.ensemble.business_terms import Terms

    orders, interactions, customers = tables
    log = Log(
        orders, interactions=interactions, customers=customers, attributes=("plan", "age"), timezone="UTC", **TERMS
    )
    histories = ingest(log, now_us=None).histories
    terms = Terms(horizon_days=90, annual_discount_rate=0.1, lifetime_days=1095, **TERMS)
    few = defaults(5000) | {"rounds": 40}
    taught = training_set(histories, terms, as_of=AS_OF)
    return replace(
        fit_model(taught, terms, Recipe(churn=few, value=few, kind="gamma", seed=7)), version="abc"
    ), histories


@pytest.fixture(scope="module")
def request_of(tables):
    """The customers of the tables as JSON has them, a few of each hundred."""
    orders, interactions, customers = (one.astype(object).where(one.notna(), None) for one in tables)

    def rows_of(table, time):
        table = table.assign(**{time: [f"{at.isoformat()}Z" for at in table[time]]})
        return {one: own.drop(columns="customer_id").to_dict("records") for one, own in table.groupby("customer_id")}

    placed, seen = rows_of(orders, "ordered_at"), rows_of(interactions, "at")
    told = customers.set_index("customer_id").to_dict("index")

    def make(some):
        return [
            {
                "customer_id": one,
                "orders": placed[one],
                "interactions": seen.get(one, []),
                "attributes": dict(told[one]),
            }
            for one in some
        ]

    return make


@pytest.fixture(scope="module")
def batch(rich):
    model, histories = rich
    rows = snapshot(histories, as_of=[AS_OF], features=list(model.inputs)).to_pandas(date_as_object=False)
    return batch_scores.score(model, rows).set_index("customer_id"), rows.set_index("customer_id")


def assert_equal(records, expected):
    assert [one["customer_id"] for one in records] == list(expected.index)
    for one, (_, row) in zip(records, expected.iterrows(), strict=True):
        reasons = one["reasons"]
        assert reasons == [row[f"reason_{place}"] for place in (1, 2, 3) if row[f"reason_{place}"] is not None]
        assert one["as_of"] == row["as_of"].date()
        assert (one["horizon_days"], one["model_version"]) == (row["horizon_days"], row["model_version"])
        for name in NUMBERS:
            assert one[name] == pytest.approx(row[name], rel=1e-12, abs=1e-12), name


def test_every_customer_scored_together_and_alone(rich, batch, request_of):
    model, _ = rich
    ids = list(batch[0].index)
    together = batch_scores.score_histories(model, online.histories(model, request_of(ids)), as_of=AS_OF)
    assert len(together.records) == len(batch[0]) > 1500
    assert_equal(together.records, batch[0])
    np.testing.assert_array_equal(together.rows["spend_last_365d"], batch[1]["spend_last_365d"])
    for one in ids[::100]:
        alone = batch_scores.score_histories(model, online.histories(model, request_of([one])), as_of=AS_OF)
        assert_equal(alone.records, batch[0].loc[[one]])


def test_what_the_trees_read_is_the_same_to_the_bit(rich, batch, request_of):
    """Numbers, the channel of the last order, and attributes of text and of numbers, with one that was not learnt."""
    model, _ = rich
    request = request_of(list(batch[0].index))
    _, found = online.read_customers(model, online.histories(model, request), as_of=AS_OF)
    assert {"plan", "age"} < set(model.inputs)
    assert [name for name, names in model.inputs.items() if names and name != "plan"]
    np.testing.assert_array_equal(found.values, boosting.values(batch[1], model.inputs))
    request[0]["attributes"]["plan"] = "platinum"
    _, found = online.read_customers(model, online.histories(model, request[:1]), as_of=AS_OF)
    assert np.isnan(found.values[0, list(model.inputs).index("plan")])


def test_scores_from_frames_of_all_tables_are_those_of_the_batch(rich, batch, tables):
    model, _ = rich
    orders, interactions, customers = tables
    scores = batch_scores.score_orders(model, orders, as_of=AS_OF, interactions=interactions, customers=customers)
    pd.testing.assert_frame_equal(scores.set_index("customer_id"), batch[0])
    logged = ScoreOrders()
    logged.scorer = model
    asked = {name: of.to_json(orient="records", date_format="iso") for name, of in zip(TABLES, tables[1:], strict=True)}
    scores = logged.predict(None, orders, {"as_of": str(AS_OF)} | asked)
    pd.testing.assert_frame_equal(scores.set_index("customer_id"), batch[0])


def test_a_table_that_the_model_reads_is_asked_for(rich, tables):
    model, _ = rich
    orders, interactions, _ = tables
    for given, missing in [({}, "interactions"), ({"interactions": interactions}, "customers")]:
        with pytest.raises(InputError, match=f"reads the table {missing}, which is not given.*\n.*Pass {missing}"):
            batch_scores.score_orders(model, orders, as_of=AS_OF, **given)


def test_an_order_that_might_be_changes_the_score_and_one_after_the_day_does_not(rich, request_of, batch):
    model, _ = rich
    (customer,) = request_of([batch[1]["recency_days"].idxmax()])

    def scored(*more):
        request = [customer | {"orders": [*customer["orders"], *more]}]
        return batch_scores.score_histories(model, online.histories(model, request), as_of=AS_OF).records[0]

    order = {"amount": 50.0, "quantity": 3, "channel": "web"}
    now, if_ordered = scored(), scored(order | {"ordered_at": "1998-04-01T12:00:00Z"})
    assert if_ordered["churn_probability"] < now["churn_probability"] - 0.1
    assert if_ordered["expected_value"] > now["expected_value"]
    assert scored(order | {"ordered_at": "1998-04-02T00:00:00Z"}) == now
    assert scored(order | {"ordered_at": "1998-03-01T12:00:00Z", "recorded_at": "1998-04-02T00:00:00Z"}) == now


def test_who_had_not_ordered_by_the_day_has_no_score(rich, request_of, batch):
    model, _ = rich
    early, late, never = request_of(list(batch[0].index[:3]))
    late["orders"] = [one | {"ordered_at": "1998-05-01T00:00:00Z"} for one in late["orders"]]
    made = online.histories(model, [early, late, never | {"orders": []}])
    found = batch_scores.score_histories(model, made, as_of=AS_OF, with_reasons=False)
    assert [one["customer_id"] for one in found.records] == [early["customer_id"]]
    assert found.records[0]["reasons"] == []
    for nobody in ([late], [never | {"orders": []}], []):
        assert batch_scores.score_histories(model, online.histories(model, nobody), as_of=AS_OF).records == []


def test_interactions_of_a_kind_that_did_not_happen_count_as_none(rich, request_of, batch):
    model, _ = rich
    (customer,) = request_of([batch[0].index[0]])
    silent = online.histories(model, [customer | {"interactions": []}])
    (row,) = online.read_customers(model, silent, as_of=AS_OF)[1].frame.to_dict("records")
    assert row["interactions"] == row["visit_count"] == row["complaint_count"] == 0
    assert np.isnan(row["visit_value_mean"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"interactions": None}, "the model reads interactions"),
        ({"attributes": {"plan": 7}}, "the attribute plan is not text"),
        ({"orders": [{"ordered_at": "1998-01-01T00:00:00Z", "amount": 5}]}, "reads channel, quantity, which are not"),
    ],
)
def test_what_the_model_reads_and_is_not_given_is_refused_in_words(rich, request_of, batch, change, words):
    model, _ = rich
    (customer,) = request_of([batch[0].index[0]])
    with pytest.raises(InputError, match=words):
        batch_scores.score_histories(model, online.histories(model, [customer | change]), as_of=AS_OF)


@pytest.mark.parametrize("shape", [ParetoNBD(0.55, 80, 0.6, 90, 0), ParetoNBD(0.55, 90, 0.6, 80, 0)])
def test_all_nodes_of_an_integral_at_once_are_the_nodes_one_by_one(shape):
    """P(alive) and P(order) from the integral that the likelihood uses, for more customers than are done at once."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 30, 1000).astype(float)
    age = rng.uniform(1, 2000, 1000)
    t_x = np.where(x > 0, age * rng.random(1000), 0.0)
    m, since = shape.r + x, age - t_x
    left = first_within(since, m, shape.alpha + t_x, shape.s, shape.beta + t_x, nodes=32).chance
    silent = (1 + since / (shape.alpha + t_x)) ** -m * (1 + since / (shape.beta + t_x)) ** -shape.s
    alive = silent / (silent + left)
    np.testing.assert_allclose(shape.probability_alive(x, t_x, age), alive, rtol=1e-11)
    span = np.full(1000, 90.0)
    order = first_within(span, np.full(1000, shape.s), shape.beta + age, m, shape.alpha + age, nodes=32).chance
    np.testing.assert_allclose(shape.probability_of_order(90, x, t_x, age), alive * order, rtol=1e-11)
