"""The settings of a fit: everything it is given besides its rows."""

from __future__ import annotations

from dataclasses import dataclass

from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.trees import boosting


@dataclass(frozen=True)
class FitSettings:
    """Settings that the validation fit and the refit share."""

    terms: Terms
    recipe: Recipe
    inputs: boosting.Inputs
    margin_rate: float
    """Margin as a share of revenue, 0 … 1, for base learners that only know revenue."""
    is_contractual: bool
    base_learners: tuple[str, ...]
    """Names of the base learners to blend: `trees`, baselines, or one of them alone."""
    level_spread: float = 0.0
    """Of the total, on the log scale, beyond the spread of the customers: above 0 where the log is short."""
