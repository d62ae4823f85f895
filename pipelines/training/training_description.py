"""The description of a training in a bundle's manifest."""

from dataclasses import asdict
from typing import Any

from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from pipelines.training.dataset_fingerprint import Dataset
from pipelines.training.judgement import Judgement
from pipelines.training.training_set import TrainingSet


def training_description(
    training: TrainingSet, terms: Terms, dataset: Dataset, recipe: Recipe, judged: Judgement
) -> dict[str, Any]:
    """Enough to repeat the training (pipelines/training/champion_comparison.py), and whether its horizon was judged."""
    cut_offs = training.timeline
    description: dict[str, Any] = {
        "as_of": cut_offs.as_of.isoformat(),
        "cut_offs": [day.isoformat() for day in cut_offs.matured],
        "horizon_days": terms.horizon_days,
        "rows": len(training.rows),
        "rows_sha256": dataset.sha256,
        "recipe": asdict(recipe),
    }
    if training.stream:
        description |= {"streamed_rows": training.stream.rows, "engine": training.stream.engine}
    if training.learned_days:
        description |= {"learned_days": training.learned_days}
    if not (judged.is_judged and training.learned_days is None):
        description |= {"judged": judged.in_words}
    return description
