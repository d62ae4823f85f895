"""The choice of what gives lifetime values: those learned from the log, unless simple models were clearly better on
years that have closed.

Values are learned once more on the rows known up to an earlier day, whose features the training set holds already, and
told for the customers of that day over the years that have closed since, undiscounted. The same is told by Pareto/NBD
with Gamma-Gamma, by the past year going on, and by the champion, if it is so old that it knew nothing of these years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.histories.columns import Histories
from features.snapshots.labels import orders_and_margin
from models import CHAMPION, STAYWORTH
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.evaluation.bootstrap import resample_counts
from models.evaluation.evaluation_tables import with_interval
from models.evaluation.metrics import total_bias, value_deviance
from models.lifetime import fit_contract_value, fit_state_value
from models.lifetime.contract_value import ContractValue
from models.lifetime.lattice import LifetimeRows
from models.lifetime.state_value import StateValue
from models.scoring import scorer
from models.scoring.scorer import Scorer
from models.trees import boosting
from models.trees.feature_matrix import feature_rows
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.holdout_evaluation import CONFIDENCE
from pipelines.training.lifetime_evaluation import MODELS, simple_values
from pipelines.training.lifetime_rows import rows_years_before
from pipelines.training.serving_costs import costs_between
from pipelines.training.training_set import TrainingSet, fit_model

RESAMPLES = 200
MOST_YEARS = 3
"""The most years that are judged: with each, the values are learned from a log that is a year shorter."""
NAMES = MODELS | {CHAMPION: "the champion"}


@dataclass(frozen=True)
class LifetimeChoice:
    """The lifetime values of the day they are judged on, beside what came."""

    content: Mapping[str, Any]
    """JSON: `note`, why nothing is judged; or as_of, days, customers, came, and by model its total_bias and
    value_deviance, and in `differences` the value deviance of the learned values less its own, with intervals; and
    champion, how that was compared."""
    is_contractual: bool = False

    @property
    def worse_than(self) -> list[str]:
        """The models that the learned values are clearly worse than: the difference's whole interval is above 0."""
        differences = self.content.get("differences", {})
        return [name for name, difference in differences.items() if (difference["low"] or 0.0) > 0]

    @property
    def better_simple_models(self) -> list[str]:
        """Those of them that are simple models."""
        return [name for name in self.worse_than if name != CHAMPION]

    @property
    def reason_to_count(self) -> str | None:
        """Why counting models are to give lifetime values, in words; None: what is learned is to give them.

        They know no contract: under one, what is learned stays.
        """
        if self.is_contractual or not self.better_simple_models:
            return None
        names = " and ".join(NAMES[name] for name in self.better_simple_models)
        return (
            f"on the {self.content['days']:,} days after {self.content['as_of']}, lifetime values learned from the log "
            f"were clearly worse than {names}: counting models extend the horizon instead"
        )


def judge_learned_values(
    histories: Histories,
    training: TrainingSet,
    terms: Terms,
    recipe: Recipe,
    champion: ChampionComparison | None,
    *,
    costs: pd.DataFrame | None,
    resamples: int = RESAMPLES,
) -> LifetimeChoice:
    """Judge what is learned from a training set on years that have closed since a day on which it could be learned: as
    many as there are, of the lifetime and of `MOST_YEARS`. champion: with its own bundle; costs: costs to serve, which
    values and what came are after.
    """
    if training.lifetime_rows is None:
        return LifetimeChoice({"note": "counting models give the lifetime values: there is nothing learned to judge"})
    most = min(MOST_YEARS, max(int(terms.lifetime_days // YEAR_DAYS), 1))
    for years in range(most, 0, -1):
        rows = rows_years_before(training.lifetime_rows, years)
        if rows is None:
            continue
        days, inputs = years * YEAR_DAYS, boosting.inputs_of(rows.frame, training.features)
        learned = _learned(rows, inputs, recipe, years=years)
        if learned is not None:
            frame = rows.frame[rows.months_back == 0].reset_index(drop=True)
            told = {STAYWORTH: _value(learned, frame, inputs, days=days)}
            table = pa.table({"customer_id": frame["customer_id"], "as_of": frame["as_of"].dt.date})
            _, came = orders_and_margin(histories, table, from_days=0, to_days=days)
            if costs is not None:
                came -= costs_between(
                    table["customer_id"], costs, rows.lattice.as_of, training.lifetime_rows.lattice.as_of
                )
            simple = simple_values(histories, table, frame, days=days, margin_rate=training.margin_rate)
            told |= {name: values * (1 - training.cost_share) for name, values in simple.items()}
            of_champion, basis = _champion(champion, frame, as_of=rows.lattice.as_of, days=days)
            content = {
                "as_of": rows.lattice.as_of.isoformat(),
                "days": days,
                "customers": len(frame),
                "came": float(came.sum()),
                "champion": basis,
                **_judged(came, told | of_champion, resamples=resamples, seed=recipe.seed),
            }
            return LifetimeChoice(content, training.is_contractual)
    return LifetimeChoice({"note": "no year has closed since a day on which lifetime values could be learned"})


def fit_chosen(training: TrainingSet, terms: Terms, recipe: Recipe, judged: LifetimeChoice) -> Scorer:
    """Fit the model of a training set; where counting models give its lifetime values, it says for what reason."""
    reason = judged.reason_to_count
    if reason is None:
        return fit_model(training, terms, recipe)
    model = fit_model(replace(training, lifetime_rows=None), terms, recipe)
    doubts = (reason, *model.lifetime.doubts[1:])  # the first is that there were no rows to learn on
    return replace(model, lifetime=replace(model.lifetime, doubts=doubts))


def _learned(
    rows: LifetimeRows, inputs: boosting.Inputs, recipe: Recipe, *, years: int
) -> StateValue | ContractValue | None:
    if rows.left is not None:
        return fit_contract_value.fit(rows, inputs, seed=recipe.seed, device=recipe.device)
    return fit_state_value.fit(
        rows,
        inputs,
        lifetime_days=years * YEAR_DAYS,
        annual_discount_rate=0.0,
        seed=recipe.seed,
        device=recipe.device,
    )


def _value(model: StateValue | ContractValue, frame: pd.DataFrame, inputs: boosting.Inputs, *, days: int) -> Floats:
    return model.predict(feature_rows(frame, inputs), inputs, lifetime_days=days, annual_discount_rate=0.0)[0]


def _champion(
    champion: ChampionComparison | None, frame: pd.DataFrame, *, as_of: date, days: int
) -> tuple[dict[str, Floats], str]:
    """What the champion tells of the rows, if it can be asked, and how it was compared."""
    if champion is None:
        return {}, "there is no champion yet"
    if champion.scorer is None or champion.as_of is None:
        return {}, f"version {champion.number} was {champion.basis or 'not compared'}"
    if champion.as_of > as_of:
        return {}, f"version {champion.number} was not compared: it had seen these days"
    absent = [name for name in champion.scorer.inputs if name not in frame]
    if absent:
        return {}, f"version {champion.number} was not compared: the log no longer gives {', '.join(absent[:5])}"
    terms = replace(champion.scorer.terms, lifetime_days=days, annual_discount_rate=0.0)
    values = scorer.predict(replace(champion.scorer, terms=terms), frame)["clv"].to_numpy()
    return {CHAMPION: values}, f"version {champion.number}, its bundle"


def _judged(came: Floats, told: Mapping[str, Floats], *, resamples: int, seed: int) -> dict[str, Any]:
    """Metrics of each model with intervals, and paired differences, over draws of customers."""
    measures = {"total_bias": total_bias, "value_deviance": value_deviance}
    draws: dict[str, dict[str, list[Floats]]] = {name: {metric: [] for metric in measures} for name in told}
    for weights in resample_counts(len(came), resamples=resamples, seed=seed):
        for name, values in told.items():
            for metric, measure in measures.items():
                draws[name][metric].append(measure(came, values, weights))
    whole = {
        name: {
            metric: (measure(came, values), np.concatenate(draws[name][metric])) for metric, measure in measures.items()
        }
        for name, values in told.items()
    }
    point, drawn = whole[STAYWORTH]["value_deviance"]
    return {
        "models": {
            name: {metric: with_interval(*pair, confidence=CONFIDENCE) for metric, pair in metrics.items()}
            for name, metrics in whole.items()
        },
        "differences": {
            name: with_interval(
                point - metrics["value_deviance"][0], drawn - metrics["value_deviance"][1], confidence=CONFIDENCE
            )
            for name, metrics in whole.items()
            if name != STAYWORTH
        },
    }
