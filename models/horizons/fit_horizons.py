"""Learning other horizons (models/horizons/horizon.py) from the windows of past cut-offs that have closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats
from models.btyd import bgnbd, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.ensemble import intervals, seasonal_calibration
from models.ensemble.baselines import history
from models.ensemble.intervals import Intervals
from models.ensemble.recipe import Recipe
from models.ensemble.stacking import LogPrediction, Outcome
from models.horizons import share_trees
from models.horizons.horizon import LEAVING, ORDER, VALUE, Foreseen, Horizon, Shape, count, follow, outwards
from models.horizons.share_trees import Share
from models.trees import boosting

ENOUGH = 3
"""Cut-offs at which a longer window must have closed: fewer have one season between them."""
FEWEST = 50
"""Rows of each outcome, at least: with fewer, counting says more than trees."""


class ValidationFit(NamedTuple):
    """What the spread of the main horizon was learnt from."""

    early: pd.DataFrame
    """The labelled rows it was fitted on."""
    latest: pd.DataFrame
    """Those it was judged on."""
    said: LogPrediction
    """Of the latest, over the main horizon, at the level that was theirs."""
    spread: Intervals


def label(name: str, days: int) -> str:
    """The column of `bought`, `future_value` or `churned` over another horizon than the main one: bought_30d."""
    return f"{name}_{days}d"


def fit(
    rows: pd.DataFrame,
    rehearsal: ValidationFit,
    inputs: boosting.Inputs,
    *,
    days: Sequence[int],
    main_days: int,
    recipe: Recipe,
    shape: Shape,
    is_contractual: bool,
) -> tuple[Horizon, ...]:
    """Learn each of `days` from labelled rows, in the order in which they follow from one another.

    Other horizons' labels are the columns that `label` names, NaN where a window had not closed. Shorter ones have
    their own spread, learnt in the rehearsal.
    """
    how: dict[str, Any] = {"main_days": main_days, "recipe": recipe, "shape": shape, "is_contractual": is_contractual}
    spreads = _spreads(rehearsal, inputs, [one for one in days if one < main_days], **how)
    return tuple(
        _learnt(rows, inputs, one, beside, spread=spreads.get(one, rehearsal.spread), **how)
        for one, beside in outwards(main_days, days)
    )


def _spreads(
    rehearsal: ValidationFit, inputs: boosting.Inputs, days: Sequence[int], *, main_days: int, shape: Shape, **how: Any
) -> dict[int, Intervals]:
    """The spread of each shorter horizon in the rehearsal, where anybody ordered."""
    early, latest, said, spread = rehearsal
    steps = [
        _learnt(early, inputs, one, beside, main_days=main_days, shape=shape, spread=spread, **how)
        for one, beside in outwards(main_days, days)
    ]
    main = Foreseen(said, 1 - said.no_order, None, *spread.interval(said))
    found = {}
    for one, foreseen in follow(steps, main, latest, inputs, main_days=main_days, shape=shape).items():
        window = _window(latest, one, main_days)
        outcome = Outcome(window.ordered == 1, window.value)
        if one != main_days and outcome.ordered.any():
            found[one] = intervals.fit(
                foreseen.said.moved(*seasonal_calibration.measure(foreseen.said, outcome)), outcome
            )
    return found


class _Window(NamedTuple):
    """What became of the customers within one horizon, NaN where it has not closed; shape (rows,) each."""

    ordered: Floats
    value: Floats
    left: Floats


def _window(rows: pd.DataFrame, days: int, main_days: int) -> _Window:
    names = ("bought", "future_value", "churned")
    return _Window(*(rows[name if days == main_days else label(name, days)].to_numpy(np.float64) for name in names))


def _learnt(
    rows: pd.DataFrame,
    inputs: boosting.Inputs,
    days: int,
    beside: int,
    *,
    main_days: int,
    recipe: Recipe,
    shape: Shape,
    is_contractual: bool,
    spread: Intervals,
) -> Horizon:
    window, neighbour = _window(rows, days, main_days), _window(rows, beside, main_days)
    closed = ~np.isnan(window.value)
    cut_offs = int(rows["as_of"][closed].nunique())
    counting = bgnbd.WHERE if isinstance(shape, BGNBD) else pareto_nbd.WHERE
    if days > main_days and cut_offs < ENOUGH:
        windows = f"windows have closed at {cut_offs} cut-offs only" if cut_offs else "no such window has closed yet"
        return Horizon(days, beside, f"extended by {counting}, {windows}", {}, spread)
    grown: dict[str, Share] = {}
    is_shorter = days < beside

    def learn(told: NDArray[np.bool_], share: Floats, weight: Floats, offset: Floats, churns: int = 0) -> Share:
        chosen = _drawn(np.flatnonzero(told), recipe)
        return share_trees.fit(
            rows.iloc[chosen],
            inputs,
            share=share[chosen],
            weight=weight[chosen],
            offset=offset[chosen],
            recipe=recipe,
            monotone={name: churns * way for name, way in recipe.monotone.items()},
        )

    everyone, told = np.ones(len(rows)), _asked(neighbour.ordered, closed, is_shorter=is_shorter)
    fewest = _fewest(window.ordered[told])
    if fewest >= FEWEST:
        counted = count(days, beside, history(rows), shape)
        near, far = (window.value, neighbour.value) if is_shorter else (neighbour.value, window.value)
        brought = far > 0
        share = np.clip(np.divide(near, far, out=np.zeros(len(rows)), where=brought), 0, 1)
        grown[ORDER] = learn(told, window.ordered, everyone, counted.event, churns=-1)
        grown[VALUE] = learn(brought, share, far, counted.share)
    if is_contractual:
        told = _asked(neighbour.left, closed, is_shorter=is_shorter)
        if _fewest(window.left[told]) >= FEWEST:
            grown[LEAVING] = learn(told, window.left, everyone, np.zeros(len(rows)), churns=1)
    how = f"learnt from {cut_offs} cut-offs"
    if ORDER not in grown:
        how = f"moved by {counting}, too few customers tell it from {beside} days ({fewest} of {FEWEST})"
    return Horizon(days, beside, how, grown, spread)


def _asked(beside: Floats, closed: NDArray[np.bool_], *, is_shorter: bool) -> NDArray[np.bool_]:
    """Rows that tell an event within h from one beside it: of a shorter h those who had it beside, else the others."""
    return closed & (beside == (1.0 if is_shorter else 0.0))


def _fewest(happened: Floats) -> int:
    return int(min(happened.sum(), (1 - happened).sum()))


def _drawn(places: NDArray[np.intp], recipe: Recipe) -> NDArray[np.intp]:
    """So many of the rows as trees are grown on."""
    if len(places) <= recipe.rows:
        return places
    return np.sort(np.random.default_rng(recipe.seed).choice(places, recipe.rows, replace=False))
