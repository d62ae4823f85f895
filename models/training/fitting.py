"""How a Scorer is made: rehearsed on the cut-offs that had closed by the latest one, judged on that, fitted on all.

rehearse    members fitted early, judged on the latest cut-off: the weights of the blend, the spread of intervals
fit         the members on all cut-offs, at the level of each; the other horizons; where reasons begin
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd

from models.ensemble import base_learners, intervals, seasonal_calibration, stacking
from models.ensemble.base_learners import COUNTING
from models.ensemble.baselines import history
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import TREES, Recipe
from models.horizons import fit_horizons
from models.lifetime import clv
from models.scoring import explain, self_test
from models.scoring.scorer import Scorer
from models.training.temporal_splits import SHORT_DAYS
from models.trees import boosting, churn
from models.trees.churn import Churn
from models.trees.training_rows import Rows, Stream


def fit(
    rows: pd.DataFrame,
    now: pd.DataFrame,
    *,
    features: list[str],
    terms: Terms,
    recipe: Recipe,
    margin_rate: float,
    is_contractual: bool,
    other_horizons: Sequence[int] = (),
    recent: pd.DataFrame | None = None,
    more: Stream | None = None,
) -> Scorer:
    """Learn from the labelled rows of all matured cut-offs; their labels of `other_horizons` are
    models/horizons/fit_horizons.py's.

    now: feature rows of the day the model is made, unlabelled: what BG/NBD and Pareto/NBD are fitted on. margin_rate:
    margin as a share of revenue, 0 … 1, for members that only know revenue. A rehearsal on the cut-offs that had closed
    by the latest one is judged on that one: it gives the weights and the intervals; then all is fitted on all rows.
    recent: rows of the last months and of the same months a year before, labelled over `timeline.SHORT_DAYS`, for the
    drift of the level. more: rows of the same cut-offs, more than memory holds, on which trees are grown instead,
    except those of other horizons.
    """
    inputs = boosting.inputs_of(rows, features)
    latest_day = rows["as_of"].max()
    latest = rows[rows["as_of"] == latest_day]
    early = rows[rows["as_of"] <= latest_day - timedelta(days=terms.horizon_days)]
    outcome = base_learners.outcome(latest)

    tail = clv.fit_tail(*history(now))
    counting = next(name for name, shape in COUNTING.items() if isinstance(tail.shape, shape))
    names = [recipe.alone] if recipe.alone else [TREES, counting]
    how: dict[str, Any] = {"recipe": recipe, "horizon_days": terms.horizon_days, "margin_rate": margin_rate}
    early_more = more.on(early["as_of"]) if more else None
    rehearsal = base_learners.fit(early, latest, inputs, names=names, more=early_more, **how)
    opinions = rehearsal.opinions(latest, inputs, names)
    weights = stacking.alone(recipe.alone) if recipe.alone else stacking.fit(opinions, outcome)
    rehearsed = weights.of(opinions)
    rehearsed = rehearsed.moved(*seasonal_calibration.measure(rehearsed, outcome))

    drift = None
    if recent is not None:
        short = min(SHORT_DAYS, terms.horizon_days)
        drift = base_learners.drift(tail.shape, now, recent, days=short, margin_rate=margin_rate)
    fitted = base_learners.fit(rows, now, inputs, names=names, more=more, **how)
    levels = base_learners.levels(weights.of(fitted.opinions(rows, inputs, weights.members)), rows, drift=drift)
    coming = levels.moved(weights.of(fitted.opinions(now, inputs, weights.members)), as_of=now["as_of"].to_numpy())
    spread = intervals.fit(rehearsed, outcome, ordering=float(1 - coming.no_order.mean()))
    scorer = Scorer(
        terms=terms,
        inputs=inputs,
        members=fitted,
        blend=weights,
        level=levels,
        intervals=spread,
        tail=tail,
        leaving=_leaving(more or recipe.drawn(rows), early_more or recipe.drawn(early), latest, inputs, recipe)
        if is_contractual
        else None,
        horizons=fit_horizons.fit(
            rows,
            fit_horizons.ValidationFit(early, latest, rehearsed, spread),
            inputs,
            days=other_horizons,
            main_days=terms.horizon_days,
            recipe=recipe,
            shape=tail.shape,
            is_contractual=is_contractual,
        ),
    )
    made = replace(scorer, centre=explain.centre(scorer, latest))
    return self_test.with_example(made, as_of=now["as_of"].iloc[0].date())


def _leaving(rows: Rows, early: Rows, latest: pd.DataFrame, inputs: boosting.Inputs, recipe: Recipe) -> Churn:
    """Trees for the end of the contract; the line that corrects them is the rehearsal's."""
    how: dict[str, Any] = {
        "params": recipe.churn,
        "seed": recipe.seed,
        "monotone": recipe.monotone,
        "device": recipe.device,
    }
    rehearsed = churn.calibrate(churn.fit(early, inputs, **how), latest, inputs)
    return replace(rehearsed, booster=churn.fit(rows, inputs, **how).booster)
