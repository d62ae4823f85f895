"""The choice between the recipe of the trees and a simple model, by their evaluation on the test window."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from models.ensemble.recipe import Recipe
from pipelines.config import Config
from pipelines.training.baseline_comparison import MODELS, better_baseline
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.holdout_evaluation import evaluate_model
from pipelines.training.learning_curve import in_words, learning_curve
from pipelines.training.training_set import COUNTED_BY, TrainingSet, fit_model
from retention.customer_base.segments import gain_cut
from retention.economics.offers import Offer

RESAMPLES = 200


def evaluate_recipe(
    config: Config,
    training: TrainingSet,
    test: pd.DataFrame,
    recipe: Recipe,
    comparison: ChampionComparison | None,
    *,
    offer: Offer | None,
    say: Callable[[str], None],
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe that is to serve, and the evaluation of its model: a simple model alone where it is clearly better."""

    def evaluation(recipe: Recipe) -> dict[str, Any]:
        return evaluate_model(
            test,
            training,
            fit_model(training, config.terms, recipe),
            config.terms,
            offer=offer,
            gain_cut=gain_cut(config.offers),
            resamples=RESAMPLES,
            seed=config.train.seed,
            champion=comparison.scorer if comparison else None,
        )

    if training.is_counted:
        recipe = replace(recipe, alone=COUNTED_BY)
    metrics = evaluation(recipe)
    simple = None if training.is_contractual else better_baseline(metrics)  # no simple model knows contracts
    if simple:
        say(f"clearly worse than {MODELS[simple]}, which serves instead")
        recipe = replace(recipe, alone=simple)
        metrics = evaluation(recipe)
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
