"""A simulated shop, the scores that the product gives its customers, and the lists to compare, judged by the truth.

Every list has the same offers and spends at most the same budget. `the product` is its plan; two others are what its
plan would be with another gain: `p × CLV` the product of two expectations that it once was, and `p × mean CLV` as the
expected maximum profit (Verbraken, Verbeke & Baesens 2013) has it. `highest risk` and `random` go from the top until
the money is gone, each customer with the offer that the product would choose. `feasible` is the plan of gains that
trees learned from the truth of another shop of the same world, by the same features: what there is to be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow.dataset as ds

from features.arrays import Floats, Integers
from features.ingest.build_histories import ingest
from features.snapshots.snapshot import snapshot
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.trees import boosting
from pipelines.config import Config, load
from pipelines.simulate import simulate
from pipelines.simulator.scenario import Scenario
from pipelines.training.serving_costs import costs_if_any
from pipelines.training.training_set import fit_model, training_features, training_set
from retention.economics.contact import contact_inputs, expected_costs, expected_profits
from retention.economics.offers import Offer
from retention.planning.retention_plan import plan

AS_OF = date(2025, 1, 1)
DAYS = 730
PRODUCT, BEFORE, CONSTANT, RISK, RANDOM, FEASIBLE = (
    *("the product", "p × CLV", "p × mean CLV", "highest risk", "random", "feasible"),
)
LISTS = (PRODUCT, BEFORE, CONSTANT, RISK, RANDOM, FEASIBLE)
LEARNED = {"gain": "reg:squarederror", "savable_probability": "reg:logistic", "churn_probability": "reg:logistic"}
"""What the feasible plan learns from the truth, and by which objective."""
TREES = {"rounds": 150, "learning_rate": 0.1, "max_depth": 5, "min_child_weight": 20}


@dataclass(frozen=True)
class Shop:
    """Rows of the same customers in the same order."""

    config: Config
    rows: pd.DataFrame
    """Features on the day."""
    features: list[str]
    truth: pd.DataFrame
    scores: pd.DataFrame
    """By the product; empty where no model was fitted."""


def simulated_shop(world: str, seed: int, customers: int, *, is_scored: bool) -> Shop:
    """Simulate a shop, read its files as the commands do, and train and score as they do, with untuned parameters."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop"
        scenario = Scenario(customers=customers, days=DAYS, seed=seed, as_of=AS_OF, world_name=world)
        simulate(path, scenario, say=lambda _: None)
        config = load(path / "stayworth.toml")
        histories = ingest(config.log, now_us=None).histories
        scores = pd.DataFrame()
        if is_scored:
            training = training_set(histories, config.terms, as_of=AS_OF, costs=costs_if_any(config, now=None))
            model = fit_model(training, config.terms, recipe(config.train.seed))
            rows, features = training.current_rows, training.features
            scores = scorer.predict(model, rows)
        else:
            rows = snapshot(histories, as_of=[AS_OF]).to_pandas(date_as_object=False)
            features = training_features(rows.columns[2:])
        true = ds.dataset(path / "truth").to_table().to_pandas().set_index("customer_id")
    true = true.loc[rows["customer_id"].astype("str")].reset_index()
    return Shop(config, rows, list(features), true, scores)


def recipe(seed: int) -> Recipe:
    """The recipe of untuned trees."""
    return Recipe(churn=boosting.DEFAULTS, value=boosting.DEFAULTS, kind="gamma", seed=seed)


def feasible_scores(shop: Shop, teacher: Shop, *, seed: int) -> pd.DataFrame:
    """The scores of a shop with what trees learned from the truth of another."""
    inputs = boosting.inputs_of(teacher.rows, teacher.features)
    known, asked = boosting.values(teacher.rows, inputs), boosting.matrix(shop.rows, inputs)
    columns = {}
    for name, objective in LEARNED.items():
        target = teacher.truth[name].to_numpy(float)
        scale = target.mean() if objective == "reg:squarederror" else 1.0
        data = boosting.matrix_of(known, inputs, target / scale)
        params = {**TREES, "base_score": float(np.mean(target / scale))}
        trees = boosting.grow_trees(data, objective=objective, params=params, seed=seed, device="cpu")
        columns[name] = np.maximum(trees.predict(asked).astype(float) * scale, 0)
    scores = shop.scores.assign(**columns)
    return scores.assign(savable_probability=np.minimum(scores["savable_probability"], scores["churn_probability"]))


def with_gain(scores: pd.DataFrame, gain: pd.Series | Floats) -> pd.DataFrame:
    """The scores with another gain, all who leave taken to be savable."""
    return scores.assign(savable_probability=scores["churn_probability"], gain=gain)


def planned(scores: pd.DataFrame, offers: list[Offer], *, budget: float) -> tuple[pd.DataFrame, dict[str, float]]:
    """The product's plan without a holdout: customer_id and offer, and its totals."""
    made = plan(scores, offers, budget=budget, holdout_share=0.0, campaign="benchmark", salt="keeping")
    return made.frame[["customer_id", "offer"]], made.summary


def from_the_top(scores: pd.DataFrame, offers: list[Offer], order: Integers, *, budget: float) -> pd.DataFrame:
    """The list in this order of the scores' rows until the budget is spent, each with the offer that promises most."""
    inputs = contact_inputs(scores, offers).set_index("customer_id").loc[scores["customer_id"].astype("str")]
    costs, profits = (
        np.stack([amounts(inputs, offer) for offer in offers]) for amounts in (expected_costs, expected_profits)
    )
    best = profits.argmax(axis=0)
    spent = np.cumsum(costs[best, np.arange(len(best))][order])
    rows = order[: int(np.searchsorted(spent, budget, side="right"))]
    names = np.array([offer.name for offer in offers])
    return pd.DataFrame(
        {"customer_id": scores["customer_id"].astype("str").to_numpy()[rows], "offer": names[best[rows]]}
    )


def true_profit(contacts: pd.DataFrame, truth: pd.DataFrame) -> float:
    """What contacting these customers with these offers truly earns, expected; currency units."""
    rows = contacts.merge(truth, on="customer_id", validate="one_to_one")
    return float(sum(rows.loc[rows["offer"] == name, f"profit_{name}"].sum() for name in rows["offer"].unique()))


def known_rates_profit(shop: Shop, contacts: pd.DataFrame, offers: list[Offer]) -> float:
    """What the scores say that a list earns, were each offer's save rate the true one of those it goes to: what many
    readouts would teach. What is then promised too much is the scores' doing, and no belief about offers."""
    inputs = contact_inputs(shop.scores, offers).set_index("customer_id")
    effects = shop.truth.assign(customer_id=shop.truth["customer_id"].astype("str")).set_index("customer_id")
    earned = 0.0
    for offer in offers:
        ids = contacts.loc[contacts["offer"] == offer.name, "customer_id"]
        if len(ids):
            rate = effects.loc[ids, f"effect_{offer.name}"].sum() / max(inputs.loc[ids, "savable"].sum(), 1e-9)
            known = offer.model_copy(update={"save_rate": float(min(rate, 1.0))})
            earned += float(expected_profits(inputs.loc[ids].reset_index(), known).sum())
    return earned


def list_profits(
    shop: Shop, learned: pd.DataFrame, offers: list[Offer], *, budget: float, seed: int
) -> tuple[dict[str, float], dict[str, float], pd.DataFrame]:
    """The true profit of each list, the totals that the product's plan promised, and its list."""
    scores, p = shop.scores, shop.scores["churn_probability"]
    contacts, totals = planned(scores, offers, budget=budget)
    draw = np.random.default_rng(seed)
    by_list = {
        PRODUCT: contacts,
        BEFORE: planned(with_gain(scores, p * scores["clv"]), offers, budget=budget)[0],
        CONSTANT: planned(with_gain(scores, p * scores["clv"].mean()), offers, budget=budget)[0],
        RISK: from_the_top(scores, offers, np.argsort(-p.to_numpy(), kind="stable"), budget=budget),
        RANDOM: from_the_top(scores, offers, draw.permutation(len(scores)), budget=budget),
        FEASIBLE: planned(learned, offers, budget=budget)[0],
    }
    return {name: true_profit(of, shop.truth) for name, of in by_list.items()}, totals, contacts
