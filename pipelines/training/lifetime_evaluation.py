"""`evaluate --lifetime`: lifetime values told on past days, judged on the years that have followed and closed.

Each day's model is made from nothing known later, with untuned parameters. Beside it are told: Pareto/NBD with
Gamma-Gamma, the past year's margin going on, and trees of the closed label, where an earlier one had closed.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.snapshots.labels import days_to_next_order, orders_and_margin
from features.snapshots.snapshot import snapshot
from models import STAYWORTH
from models.btyd import gamma_gamma, pareto_nbd
from models.ensemble.baselines import BuyTillYouDie, purchase_history, repeat_spend
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.evaluation import next_order_metrics
from models.evaluation.lifetime_metrics import LifetimeEnds, judge
from models.evaluation.next_order_metrics import NextOrderDays
from models.scoring import scorer
from models.trees import boosting
from pipelines.config import Config
from pipelines.training.serving_costs import costs_between
from pipelines.training.training_set import TrainingSet, fit_model, training_features, training_set

STEP_DAYS = 30
"""Days between the judged days, and between the cut-offs of the trees of the closed label."""
HISTORY_DAYS = YEAR_DAYS
"""Days of log before a day on which more than one year is told."""
TREES = {"rounds": 110, "learning_rate": 0.15, "max_depth": 5, "min_child_weight": 20, "tweedie_variance_power": 1.5}
MODELS = {
    STAYWORTH: "stayworth",
    "pareto_nbd": "Pareto/NBD, Gamma-Gamma",
    "as_in_the_past": "as in the past year",
    "trees": "trees of the closed label",
}


def evaluate_lifetimes(
    histories: Histories,
    config: Config,
    *,
    cut_offs: int,
    resamples: int,
    confidence: float,
    costs: pd.DataFrame | None = None,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Judge lifetime values on up to `cut_offs` days, oldest first, undiscounted over the most whole years that closed.

    costs: costs to serve (pipelines/training/serving_costs.py); values are after them, and so is what came.

    Raises Refusal where no year has closed after a day on which a model can be made.
    """
    horizon_days, seed = config.terms.horizon_days, config.train.seed
    years, days = judged_days(
        histories, lifetime_days=config.terms.lifetime_days, horizon_days=horizon_days, cut_offs=cut_offs
    )
    terms = replace(config.terms, lifetime_days=years * YEAR_DAYS, annual_discount_rate=0.0)
    params = boosting.DEFAULTS
    recipe = Recipe(churn=params, value=params, kind="gamma", seed=seed, device=config.train.device)
    judged = []
    for number, day in enumerate(days, 1):
        say(f"day {number} of {len(days)}: {day}, judged on the {terms.lifetime_days} days after it")
        training = training_set(histories, terms, as_of=day, costs=costs)
        model = fit_model(training, terms, recipe)
        table = snapshot(histories, as_of=[day])
        frame = table.to_pandas(date_as_object=False)
        _, came = orders_and_margin(histories, table, from_days=0, to_days=terms.lifetime_days)
        if costs is not None:
            came -= costs_between(table["customer_id"], costs, day, day + timedelta(days=terms.lifetime_days))
        predicted = model.predict_frame(frame)
        scores = scorer.frames_by_horizon(model, predicted, ())[terms.horizon_days]
        ends = LifetimeEnds(*scorer.predict_lifetime(model, predicted)[1:])
        upcoming = NextOrderDays(*scorer.predict_next_order(model, predicted), ends.nothing)
        others = _others(histories, training, terms, table, frame, seed=seed)
        told = {STAYWORTH: scores["clv"].to_numpy()} | {
            name: values * (1 - training.cost_share) for name, values in others.items()
        }
        judged.append(
            {
                "as_of": day.isoformat(),
                "lifetime_days": terms.lifetime_days,
                "currency": terms.currency,
                "derivation": model.lifetime.derivation,
                "doubts": list(model.lifetime.doubts),
                **judge(
                    came,
                    told,
                    ends=ends,
                    churn_probability=scores["churn_probability"].to_numpy(),
                    recency_days=frame["recency_days"].to_numpy(),
                    resamples=resamples,
                    seed=seed,
                    confidence=confidence,
                ),
                "next_order": next_order_metrics.judge(
                    days_to_next_order(histories, table, as_of=day, most_days=terms.lifetime_days),
                    upcoming,
                    last_plus_gap(frame),
                ),
            }
        )
    return judged


def judged_days(
    histories: Histories, *, lifetime_days: int, horizon_days: int, cut_offs: int
) -> tuple[int, list[date]]:
    """The whole years to judge, as many of the lifetime as have closed, and the days, oldest first."""
    most = max(int(lifetime_days // YEAR_DAYS), -(-horizon_days // YEAR_DAYS))
    for years in range(most, 0, -1):
        latest = histories.end - timedelta(days=years * YEAR_DAYS)
        before = max(4 * horizon_days, HISTORY_DAYS) if years > 1 else 4 * horizon_days
        earliest = histories.first_day + timedelta(days=before)
        days = [day for k in reversed(range(cut_offs)) if (day := latest - timedelta(days=k * STEP_DAYS)) >= earliest]
        if days and years * YEAR_DAYS >= horizon_days:
            return years, days
    have = (histories.end - histories.first_day).days
    raise Refusal(
        f"{have} days of orders hold no year after a day on which a model can be made",
        where="evaluate --lifetime",
        next=f"It needs {4 * horizon_days + YEAR_DAYS} days at time.horizon_days = {horizon_days}; give more history, "
        "or set a shorter horizon.",
    )


def simple_values(
    histories: Histories, table: pa.Table, frame: pd.DataFrame, *, days: int, margin_rate: float
) -> dict[str, Floats]:
    """The margin of so many days as simple models tell it for the rows of one day, by name, currency units.

    table, frame: the same rows. margin_rate: margin as a share of revenue, 0 … 1. What cannot be made is left out.
    """
    told: dict[str, Floats] = {}
    with suppress(Refusal, InputError):
        told["pareto_nbd"] = pareto_value(frame, days=days, margin_rate=margin_rate)
    known = min(YEAR_DAYS, (frame["as_of"].iloc[0].date() - histories.first_day).days)
    _, past = orders_and_margin(histories, table, from_days=-known, to_days=0)
    return told | {"as_in_the_past": past * days / known}


def _others(
    histories: Histories, training: TrainingSet, terms: Terms, table: pa.Table, frame: pd.DataFrame, *, seed: int
) -> dict[str, Floats]:
    """What else tells the lifetime value of the rows, by name; what cannot be made is left out."""
    days, day = terms.lifetime_days, training.timeline.as_of
    told = simple_values(histories, table, frame, days=days, margin_rate=training.margin_rate)
    first = histories.first_day + timedelta(days=terms.horizon_days)
    closed = [at for k in range(12) if (at := day - timedelta(days=days + k * STEP_DAYS)) >= first]
    if closed:
        told["trees"] = _trees_of_closed(histories, closed, frame, days=days, seed=seed)
    return told


def last_plus_gap(frame: pd.DataFrame) -> Floats:
    """Days from today to the last order plus the mean gap, 0 where that is overdue; NaN for one order."""
    repeats, last, age = purchase_history(frame)
    gap = np.divide(last, repeats, out=np.full(len(age), np.nan), where=last > 0)
    return np.maximum(gap - (age - last), 0)


def pareto_value(frame: pd.DataFrame, *, days: int, margin_rate: float) -> Floats:
    """Expected orders by Pareto/NBD times the spend of each by Gamma-Gamma, as margin, currency units."""
    orders, spend = pareto_nbd.fit(*purchase_history(frame)), gamma_gamma.fit(*repeat_spend(frame))
    return BuyTillYouDie(orders, spend, days, margin_rate).predict(frame).expected_value


def _trees_of_closed(
    histories: Histories, cut_offs: list[date], frame: pd.DataFrame, *, days: int, seed: int
) -> Floats:
    """XGBoost on the margin that followed earlier cut-offs over as many days."""
    features = training_features([name for name in frame.columns if name not in ("customer_id", "as_of")])
    table = snapshot(histories, as_of=cut_offs, features=features)
    _, margin = orders_and_margin(histories, table, from_days=0, to_days=days)
    rows = table.to_pandas(date_as_object=False)
    inputs = boosting.inputs_of(rows, features)
    target = np.maximum(margin, 0)
    data = boosting.matrix(rows, inputs, target)
    params = TREES | {"base_score": max(float(target.mean()), 1e-6)}
    booster = boosting.grow_trees(data, objective="reg:tweedie", params=params, seed=seed)
    return np.asarray(booster.predict(boosting.matrix(frame, inputs)), np.float64)
