"""Fitting Keeping on what followed past cut-offs.

The value K of a customer who only just stayed is seen in nobody: whoever stayed was more alive than the silent, and
whoever was silent did not stay. It lies between two groups who are comparable, each biased its own way, and their mean
is taken:

    ordered once       those who ordered exactly once within the horizon: that order, and their value at its end
    silent, alive      one order, and the value at the end of the horizon of those who were silent and then showed life

Where orders are the only signs of life, the second group is known by its orders, the better customers of those silent;
then the first alone is taken. Under a contract the two groups are all who stayed, most of whom had no mind to leave,
and those of them who left within the next horizon: they had it all along, and nothing kept them.

With K known in each row, 1(silent) · (alive · K − later), in margins of one order, is regressed on the features, by
shallow trees with large leaves: one regression, since the list of a plan takes the highest predictions, and the
products of several exaggerate where their errors agree (Smith & Winkler 2006, The Optimizer's Curse, Management Science
52(3)). `later` is the lifetime value at the end of the horizon, from the state there, not what happened to come.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.arrays import Bools, Floats
from features.clock import YEAR_DAYS
from models.ensemble.business_terms import Terms
from models.keeping.gain_parts import GainParts
from models.keeping.keeping import Keeping
from models.keeping.stay_outcomes import StayOutcomes
from models.lifetime.lifetime_trees import LifetimeTrees
from models.trees import boosting

STAYER = {
    "rounds": 80,
    "learning_rate": 0.15,
    "max_depth": 4,
    "min_child_weight": 100,
    "tweedie_variance_power": 1.1,
}
SAVABLE = {"rounds": 110, "learning_rate": 0.1, "max_depth": 4, "min_child_weight": 50}
GAIN = {"rounds": 60, "learning_rate": 0.1, "max_depth": 3, "min_child_weight": 500}
"""Shallow, with large leaves, and not shrunk: after 60 steps .2 % of the mean is left."""
SQUARED, LOGISTIC = "reg:squarederror", "reg:logistic"
FEWEST_STAYERS, FEWEST_SILENT = 200, 500
"""Rows of those who only just stayed, and of the silent: with fewer, a gain is the margin of one order. Of so few who
were silent and then showed life, nothing is learned: the first group alone is taken."""
LEAST_ALIVE = 0.01
LEAST_MARGIN = 0.05
"""The least margin of an order, as a share of the mean."""
MOST_SHARE = 0.999
"""Share of K below the most that a saved customer may add."""


class Comparables(NamedTuple):
    """What comparable customers showed after each cut-off, in margins of one order; shape (rows,) each."""

    outcomes: StayOutcomes
    trees: LifetimeTrees
    stayed: Bools
    """Those who only just stayed."""
    margin: Floats
    """Of one order, currency units."""
    later: Floats
    """Value after the horizon."""
    within: Floats
    """Of one order within it."""
    discount: float
    """Of a horizon."""


def comparables(
    outcomes: StayOutcomes,
    inputs: boosting.Inputs,
    *,
    terms: Terms,
    later_value: Floats,
    order_margin: Floats,
    cost_share: float,
    seed: int,
    device: str,
) -> Comparables | None:
    """What gains are learned on; None where too few only just stayed or were silent.

    later_value: lifetime value of the rows of `later_frame`; order_margin: of one expected order of the rows of
    `frame`, currency units, of which cost_share goes to serving.
    """
    stayed = ~outcomes.churned if outcomes.is_contractual else outcomes.orders == 1
    if stayed.sum() < FEWEST_STAYERS or outcomes.churned.sum() < FEWEST_SILENT:
        return None
    days = outcomes.frame["as_of"].to_numpy().astype("datetime64[D]").astype(float)
    margin = np.maximum(order_margin, LEAST_MARGIN * order_margin.mean())
    return Comparables(
        outcomes,
        LifetimeTrees(outcomes.frame, days, inputs, seed=seed, device=device),
        stayed,
        margin,
        later=np.append(later_value, 0.0)[outcomes.later_row] * _discount(terms, terms.horizon_days) / margin,
        within=(1 - cost_share) * _discount(terms, terms.horizon_days / 2) * np.ones(len(margin)),
        discount=_discount(terms, terms.horizon_days),
    )


def fit_parts(learned_on: Comparables) -> GainParts:
    """Fit what gains are made of, each part apart; not under a contract."""
    outcomes, trees, stayed, margin, later, within, _ = learned_on
    return GainParts(
        once=_grow(trees, within + later, stayed, weight=margin)[0],
        later=_grow(trees, later, outcomes.churned, weight=margin)[0],
    )


def fit(learned_on: Comparables) -> Keeping:
    """Fit who can be saved, and what saving them adds."""
    outcomes, trees, _, margin, later, within, _ = learned_on
    value_of = _value_under_contract if outcomes.is_contractual else _value_of_stayers
    kept = value_of(learned_on)
    lost = np.where(outcomes.churned, later, 0.0)
    if outcomes.is_contractual:
        lost = np.where(outcomes.churned, outcomes.orders * within, 0.0)
    added = outcomes.churned * outcomes.alive * kept - lost
    savable = np.clip(outcomes.churned * outcomes.alive, 0, 1)
    everybody, weight = np.arange(len(margin)), margin / margin.mean()
    return Keeping(
        savable=trees.grow(LOGISTIC, savable, everybody, params=SAVABLE, start=float(savable.mean())),
        gain=trees.grow(
            SQUARED, added, everybody, params=GAIN, start=float(np.average(added, weights=weight)), weight=weight
        ),
        most=float(np.quantile(kept[outcomes.churned], MOST_SHARE)),
        doubts=outcomes.doubts,
    )


def _value_of_stayers(learned_on: Comparables) -> Floats:
    """K of each row in margins of one order."""
    outcomes, trees, stayed, margin, later, within, _ = learned_on
    once = _mean(trees, within + later, stayed, weight=margin)
    if not outcomes.has_other_signs:
        return once
    silent = outcomes.churned & (outcomes.alive_later > LEAST_ALIVE)
    if silent.sum() < FEWEST_STAYERS:
        return once
    alive = np.maximum(outcomes.alive_later, LEAST_ALIVE)
    return (once + within + _mean(trees, later / alive, silent, weight=margin * alive)) / 2


def _value_under_contract(learned_on: Comparables) -> Floats:
    """The same under a contract; where too few stayed and left soon after, what all who stayed were worth."""
    outcomes, trees, stayed, margin, later, within, discount = learned_on
    lasting = _mean(trees, outcomes.orders * within + later, stayed, weight=margin)
    after = outcomes.row_after
    soon_left = stayed & (after >= 0) & outcomes.churned[after]
    if soon_left.sum() < FEWEST_STAYERS:
        return lasting
    brought = (outcomes.orders + outcomes.orders[after] * discount) * within
    return (lasting + _mean(trees, brought, soon_left, weight=margin)) / 2


def _mean(trees: LifetimeTrees, value: Floats, among: Bools, *, weight: Floats) -> Floats:
    """The expected value of every row, learned among some, of whom it is not one."""
    return np.exp(_grow(trees, value, among, weight=weight)[1])


def _grow(trees: LifetimeTrees, value: Floats, among: Bools, *, weight: Floats) -> tuple[boosting.Booster, Floats]:
    """Trees of the log of a value, among some; and the log for every row, by trees that have not seen its customer."""
    rows = np.flatnonzero(among)
    share = weight[rows] / weight[rows].mean()
    return trees.grow_checked(np.maximum(value[rows], 0), rows, params=STAYER, weight=share)


def _discount(terms: Terms, days: float) -> float:
    return float((1 + terms.annual_discount_rate) ** (-days / YEAR_DAYS))
