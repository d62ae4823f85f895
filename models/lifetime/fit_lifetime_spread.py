"""Fitting a LifetimeSpread on the rows of a lattice: what customers like them brought, one year after another.

The lifetime has not closed for anybody, but years have, and the log tells how their customers stood at the end. So a
lifetime is drawn as a chain of years: the year that followed a customer alike in the past, then the year of one alike
that customer as they stood a year later, and so on (resampling of analogues: Lall & Sharma 1996, A Nearest Neighbor
Bootstrap for Resampling Hydrologic Time Series, Water Resources Research 32(3), 679-693). Alike are those of whom as
many orders are expected within a year and who have ordered as often. Who dies is silent in all later years, so the
draws are spread as dying clumps them, and not as more orders would.

Expected orders must come from trees that have not seen the customer's own year, or the past looks surer than the
future (models/lifetime/lifetime_trees.py). A chain of years forgets what
sets customers apart and lets too many stay, so later years are scaled by groups to what the model expects of them: half
of it by some who leave after the first year, half by less of everybody, since the log does not tell which. The error
that all customers share, `LEARNED_MISS`, is drawn for each.

Wrong where the years to come are unlike those in the log, and as far as the level of the lifetime values is: where that
is missed by a fifth, about three in a hundred more than ten lie beyond an end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.arrays import Floats, Integers
from models.ensemble.intervals import GRID, Intervals
from models.lifetime.lattice import YEAR, LifetimeRows
from models.lifetime.lifetime_spread import LifetimeSpread, design, states
from models.lifetime.lifetime_trees import LifetimeTrees
from models.lifetime.tenure_fade import tenure_of
from models.trees import boosting

if TYPE_CHECKING:
    from models.lifetime.state_value import StateValue

STARTS, DRAWS = 2000, 60
"""Customers whose lifetimes are drawn, and the lifetimes of each."""
ALIKE = 60
"""The customers alike, among whom one is drawn; fewer where fewer years have closed."""
ALIKE_SHARE = 0.05
"""No more than this share of all."""
LEVELS = 5
"""Groups by expected orders in which later years are scaled."""
MOST_SCALED = 3.0
GROUPS = 8
"""Groups of ratios."""
LEARNED_MISS = 0.1
"""Root mean square of ln(told ÷ came) of totals on whose years nothing was judged, on simulated shops of two years: .09
(docs/explanation/formulas.md). All customers share it, and each one's interval holds it."""
UNSEEN = 0.05
"""Of the lifetimes of a customer, with and without an order: none seen is not never."""


def fit(
    model: StateValue, trees: LifetimeTrees, rows: LifetimeRows, weights: Floats, unseen_year: Floats
) -> LifetimeSpread:
    """Fit on the rows that the model was fitted on; weights: of each window of the lifetime.

    unseen_year: orders expected in a year of each row, by trees that have not seen its customer.
    """
    rng = np.random.default_rng(trees.seed)
    years = _Years(model, trees, rows, unseen_year)
    recent = np.flatnonzero(rows.months_back < YEAR)
    starts = np.sort(rng.choice(recent, min(STARTS, len(recent)), replace=False))
    expected = model.rates(
        boosting.matrix_of(trees.values[starts], trees.inputs),
        tenure_of(rows.frame)[starts],
        -(-len(weights) // years.windows),
    )
    first, later = years.draw(starts, weights, rng)
    scale = _scale(first, later, model.year_of(expected), weights @ expected[: len(weights)])[:, None]
    stays = np.minimum(np.sqrt(scale), 1)
    later = np.where(rng.random(later.shape) < stays, later * scale / stays, 0.0)
    level = np.exp(LEARNED_MISS * rng.standard_normal(later.shape) - LEARNED_MISS**2 / 2)
    return _fit(years.state[starts], (first + later) * level)


class _Years:
    """The closed years of customers, in orders of their expected margin, and the draws from them."""

    def __init__(self, model: StateValue, trees: LifetimeTrees, rows: LifetimeRows, unseen_year: Floats):
        self.windows = YEAR // model.window_months
        closed = np.flatnonzero(rows.months_back >= YEAR)
        self.margin = model.margin.before_costs(trees.all, rows.frame)
        self.brought = rows.margin[:, : self.windows] / self.margin[:, None]
        self.later = rows.year_later
        self.state = states(unseen_year, rows.frame["orders"].to_numpy(float))
        self.scale = np.maximum(self.state[closed].std(axis=0), 1e-9)
        self.closed, self.tree = closed, KDTree(self.state[closed] / self.scale)
        self.alike = max(min(ALIKE, int(ALIKE_SHARE * len(closed))), 1)

    def draw(self, starts: Integers, weights: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """What the first year and what all later ones bring, in orders of the expected margin, (starts, DRAWS) each."""
        current = np.repeat(starts[:, None], DRAWS, axis=1)
        margin = np.ones(current.shape)
        by_year = []
        for begin in range(0, len(weights), self.windows):
            year = weights[begin : begin + self.windows]
            donors = self._one_alike(current, rng)
            by_year.append(margin * (self.brought[donors][:, :, : len(year)] @ year))
            stays = self.later[donors] >= 0
            current = np.where(stays, self.later[donors], donors)
            margin = margin * np.where(stays, self.margin[current] / self.margin[donors], 0.0)
        return by_year[0], np.sum(by_year[1:], axis=0) if by_year[1:] else np.zeros(margin.shape)

    def _one_alike(self, rows: Integers, rng: np.random.Generator) -> Integers:
        """A row with a closed year of a customer alike, for each of these rows."""
        distinct, place = np.unique(rows, return_inverse=True)
        _, near = self.tree.query(self.state[distinct] / self.scale, k=np.arange(1, self.alike + 1))
        drawn = rng.integers(0, self.alike, rows.shape)
        return np.asarray(self.closed[near[place.reshape(rows.shape), drawn]])


def _scale(first: Floats, later: Floats, year_orders: Floats, expected: Floats) -> Floats:
    """The factor of later years with which the lifetimes of a group bring as much as is expected, (starts,)."""
    group = np.searchsorted(np.quantile(year_orders, np.linspace(0, 1, LEVELS + 1)[1:-1]), year_orders)
    here, drawn, after = (
        np.bincount(group, part, minlength=LEVELS) for part in (expected, first.mean(axis=1), later.mean(axis=1))
    )
    return np.clip((here - drawn) / np.maximum(after, 1e-9), 1 / MOST_SCALED**2, MOST_SCALED)[group]


def _fit(state: Floats, total: Floats) -> LifetimeSpread:
    """Fit to drawn lifetimes, (starts, DRAWS)."""
    nothing = (total == 0).sum(axis=1)
    columns = design(state)[:, 1:]
    centre, spread = columns.mean(axis=0), np.maximum(columns.std(axis=0), 1e-9)
    regression = LogisticRegression(C=1, solver="newton-cholesky").fit(
        np.tile((columns - centre) / spread, (2, 1)),
        np.repeat([1, 0], len(state)),
        sample_weight=np.concatenate([nothing, total.shape[1] - nothing]) + UNSEEN,
    )
    slopes = regression.coef_[0] / spread
    coefficients = (float(regression.intercept_[0] - slopes @ centre), *slopes.tolist())
    given_order = total.sum(axis=1) / np.maximum(total.shape[1] - nothing, 1)
    start, draw = np.nonzero(total)
    ratio, chance = total[start, draw] / given_order[start], expit(-(design(state) @ np.array(coefficients)))[start]
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, chance, side="right")
    filled = np.unique(group).tolist()
    return LifetimeSpread(
        coefficients,
        tuple((float(column.min()), float(column.max())) for column in state.T),
        Intervals(
            edges[[number - 1 for number in filled[1:]]].tolist(),
            [np.quantile(ratio[group == number], GRID).tolist() for number in filled],
        ),
    )
