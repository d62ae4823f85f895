"""The choice between the recipe of the trees and a simple model, by their evaluation on the test day and days before.

One day is a coin: a simple model that is clearly better on the test day is held against the recipe on earlier days too,
and serves only if it is clearly better over all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from models.ensemble.recipe import Recipe
from models.scoring.scorer import Scorer
from pipelines.config import Config
from pipelines.training.baseline_comparison import MODELS, better_baselines, mean_differences
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.holdout_evaluation import JudgedDay, evaluate_model
from pipelines.training.learning_curve import in_words, learning_curve
from pipelines.training.training_set import COUNTED_BY, TrainingSet, fit_model
from retention.customer_base.segments import gain_cut
from retention.economics.offers import Offer
from retention.presentation.formatting import counted

RESAMPLES = 200


def evaluate_recipe(
    config: Config,
    training: TrainingSet,
    test: pd.DataFrame,
    recipe: Recipe,
    comparison: ChampionComparison | None,
    *,
    days_before: Iterator[JudgedDay],
    offer: Offer | None,
    say: Callable[[str], None],
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe that is to serve, and the evaluation of its model: a simple model alone where it is clearly better.

    days_before: test days before that of the training set, the latest first; asked for only where it matters.
    """

    def evaluation(recipe: Recipe, day: JudgedDay, *, champion: Scorer | None = None) -> dict[str, Any]:
        return evaluate_model(
            *day,
            fit_model(day.training, config.terms, recipe),
            config.terms,
            offer=offer,
            gain_cut=gain_cut(config.offers),
            resamples=RESAMPLES,
            seed=config.train.seed,
            champion=champion,
        )

    latest, champion = JudgedDay(test, training), comparison.scorer if comparison else None
    if training.is_counted:
        recipe = replace(recipe, alone=COUNTED_BY)
    metrics = evaluation(recipe, latest, champion=champion)
    if not training.is_contractual and better_baselines(metrics["differences"]):  # no simple model knows contracts
        days = [metrics]
        for day in days_before:
            say(f"judging again as of {day.training.timeline.as_of}")
            days.append(evaluation(recipe, day))
        if better := better_baselines(mean_differences([day["differences"] for day in days])):
            simple = min(better, key=lambda name: sum(day["models"][name]["log_loss"]["value"] for day in days))
            say(f"clearly worse than {MODELS[simple]} on {counted(len(days), 'day')}, which serves instead")
            recipe = replace(recipe, alone=simple)
            metrics = evaluation(recipe, latest, champion=champion)
    curve = learning_curve(
        test,
        replace(training, stream=None),
        config.terms,
        recipe,
        evaluation=metrics,
        seed=config.train.seed,
        say=say,
    )
    return recipe, metrics | {
        "alone": recipe.alone,
        "learning_curve": {"curve": curve, "in_words": in_words(curve)},
    }
