"""What is told of a simulated shop's customers who can be saved is what the shop's truth says, in total and at the top.

A customer who is not gone can be saved if they order nothing in the horizon; saving them adds the difference between
their lifetime with an order in it and without (pipelines/simulator/truth.py).
"""

from datetime import date

import duckdb
import numpy as np
import pytest

from features.ingest.build_histories import ingest
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.trees import boosting
from pipelines.config import load
from pipelines.simulate import simulate
from pipelines.simulator.scenario import Scenario
from pipelines.training.serving_costs import costs_if_any
from pipelines.training.training_set import fit_model, training_set

pytestmark = pytest.mark.slow

AS_OF = date(2025, 1, 1)
CUSTOMERS = 6_000


@pytest.fixture(scope="module", params=["standard", "wide-rates"])
def told_and_true(request, tmp_path_factory):
    """The scores of a shop's customers, and their truth in the same order."""
    folder = tmp_path_factory.mktemp("gains") / "shop"
    shop = Scenario(customers=CUSTOMERS, days=730, seed=53, as_of=AS_OF, world_name=request.param)
    simulate(folder, shop, chunk_size=CUSTOMERS, say=lambda _: None)
    config = load(folder / "stayworth.toml")
    histories = ingest(config.log, now_us=None).histories
    training = training_set(histories, config.terms, as_of=AS_OF, costs=costs_if_any(config, now=None))
    params = boosting.DEFAULTS
    model = fit_model(training, config.terms, Recipe(churn=params, value=params, kind="gamma", seed=7))
    scores = scorer.predict(model, training.current_rows)
    truth = duckdb.sql(f"select * from '{folder}/truth/*.parquet'").df().set_index("customer_id")
    return scores, truth.loc[scores["customer_id"]].reset_index()


def test_as_many_can_be_saved_and_it_adds_as_much(told_and_true):
    scores, true = told_and_true
    assert scores["savable_probability"].sum() == pytest.approx(true["savable_probability"].sum(), rel=0.25)
    assert scores["gain"].sum() == pytest.approx(true["gain"].sum(), rel=0.35)
    assert (scores["savable_probability"] <= scores["churn_probability"]).all()


@pytest.mark.parametrize("count", [200, 1000])
def test_the_top_of_the_list_holds_what_it_promises_and_is_worth_going_for(told_and_true, count):
    """The product of risk and lifetime value promises several times what is there, of worse customers."""
    scores, true = told_and_true
    top = np.argsort(-scores["gain"].to_numpy())[:count]
    found = true["gain"].to_numpy()[top].sum()
    assert scores["gain"].to_numpy()[top].sum() == pytest.approx(found, rel=0.45)
    product = (scores["churn_probability"] * scores["clv"]).to_numpy()
    others = np.argsort(-product)[:count]
    assert product[others].sum() > 3 * true["gain"].to_numpy()[others].sum()
    assert found > true["gain"].to_numpy()[others].sum()
    assert found > 0.55 * np.sort(true["gain"].to_numpy())[-count:].sum()


def test_the_long_silent_add_next_to_nothing(told_and_true):
    scores, true = told_and_true
    gone = ~true["alive"].to_numpy() & (scores["churn_probability"] > 0.97).to_numpy()
    assert gone.sum() > 500
    assert scores["gain"].to_numpy()[gone].sum() < 0.03 * scores["gain"].sum()
