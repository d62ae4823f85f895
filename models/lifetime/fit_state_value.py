"""Fitting a StateValue on the rows of a lattice: season, near windows, later years, margins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.lifetime import window_season
from models.lifetime.lattice import QUARTER, YEAR, Lattice, LifetimeRows
from models.lifetime.state_value import (
    LEAST_RATE,
    MarginPerOrder,
    StateValue,
    raw,
    without_season,
)
from models.lifetime.window_season import Season
from models.trees import boosting

CALENDAR = ("year_ago", "month")
"""Parts of the names of features that know the calendar: they would take the season for a customer's own."""
ORDERS, MARGIN = "reg:tweedie", "reg:squarederror"
NEAR = {
    "rounds": 110,
    "learning_rate": 0.15,
    "max_depth": 5,
    "min_child_weight": 20,
    "tweedie_variance_power": 1.1,
}
"""Not shrunk: at a slower rate with few rounds the dead would stay worth something at every step."""
SEASON = NEAR | {"rounds": 55}
LATER = NEAR | {"rounds": 40}
CORRECTION = {"rounds": 60, "learning_rate": 0.1, "max_depth": 3, "min_child_weight": 50}
SEASON_WINDOWS = (0, 2)
"""Half a year apart: what a season adds to one it takes from the other, a disguise adds to both."""
SEASON_TURNS = 3
"""How often season and rates are fitted in turn."""
MOST_ROWS = 60_000
"""Rows for the trees of one thing; more teach no more, and take longer."""
LATER_YEARS = 3
"""The most years whose fade is learned; those after fade as the last."""
OWN_AFTER = (0.3, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Candidates for the number of orders after which a customer's own mean margin counts half."""
NO_SEASON = "less than a year of cut-offs has closed: the season is not known, and a lifetime is asked as if none were"


def fit(rows: LifetimeRows, inputs: boosting.Inputs, *, lifetime_years: int, seed: int, device: str) -> StateValue:
    """Fit on the rows of a lattice; lifetime_years: how many years are to be told, rounded up."""
    lattice, months_back = rows.lattice, rows.months_back
    trees = _Trees(rows, inputs, seed=seed, device=device)
    fitted = _fit_season(trees, rows) if lattice.window_months == QUARTER else Season()
    near, rates = [], []
    for window in range(min(lattice.near_windows, lifetime_years * YEAR // lattice.window_months)):
        closed = np.flatnonzero(months_back >= lattice.window_months * (window + 1))
        level = _level(fitted, lattice, months_back[closed], window)
        near.append(trees.grow_rates(rows.orders[closed, window] / level, closed, weight=level, params=NEAR))
        rates.append(np.exp(raw(near[-1], trees.all)))
    per_year = YEAR // lattice.window_months
    known_years = len(near) // per_year
    year_rate = np.sum(rates[-per_year:], axis=0)
    later = _fit_later(trees, rows, year_rate, years=min(lifetime_years - known_years, LATER_YEARS))
    per_order, correction = _fit_margin(trees, rows)
    has_season = lattice.window_months == YEAR or fitted.coefficients
    return StateValue(
        window_months=lattice.window_months,
        season=fitted,
        near=near,
        later=later,
        per_order=per_order,
        correction=correction,
        doubts=() if has_season else (NO_SEASON,),
    )


class _Trees:
    """The rows as matrices of the inputs, the calendar's features unknown in all of them."""

    def __init__(self, rows: LifetimeRows, inputs: boosting.Inputs, *, seed: int, device: str):
        hidden = [name for name in inputs if any(part in name for part in CALENDAR)]
        self.known = boosting.values(rows.frame, inputs)
        self.days = _first_days(rows.lattice, rows.months_back, 0)
        self.known[:, [list(inputs).index(name) for name in hidden]] = np.nan
        self.inputs, self.seed, self.device = inputs, seed, device
        self.take_out(Season())

    def take_out(self, season: Season) -> None:
        """Take a season out of what the rows say of recent orders."""
        self.values = without_season(self.known, self.inputs, season, self.days)
        self.all = boosting.matrix_of(self.values, self.inputs)

    def grow_rates(
        self,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> boosting.Booster:
        """Trees of ln(target), beside `offset`, on these rows."""
        start = 1.0 if offset is not None else max(float(np.average(target, weights=weight)), LEAST_RATE)
        return self.grow(ORDERS, target, rows, params=params, start=start, weight=weight, offset=offset)

    def grow(
        self,
        objective: str,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        start: float,
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> boosting.Booster:
        """Trees of an objective of XGBoost on these rows, or as many of them as are enough, from `start` on."""
        if len(rows) > MOST_ROWS:
            drawn = np.sort(np.random.default_rng(self.seed).choice(len(rows), MOST_ROWS, replace=False))
            rows, target = rows[drawn], target[drawn]
            weight, offset = (None if column is None else column[drawn] for column in (weight, offset))
        data = boosting.matrix_of(self.values[rows], self.inputs, target, offset=offset, weight=weight)
        settings = {**params, "base_score": start}
        return boosting.grow_trees(data, objective=objective, params=settings, seed=self.seed, device=self.device)


def _first_days(lattice: Lattice, months_back: Integers, window: int) -> Floats:
    """The first day of a window after each cut-off, in days since 1970."""
    days = {back: lattice.day(back - lattice.window_months * window) for back in np.unique(months_back).tolist()}
    return np.array([(days[back] - _EPOCH).days for back in months_back.tolist()], dtype=float)


_EPOCH = pd.Timestamp(0).date()


def _fit_season(trees: _Trees, rows: LifetimeRows) -> Season:
    """The season of the near windows, fitted in turn with trees that know no calendar."""
    fitted = Season()
    if len(np.unique(rows.months_back[rows.months_back >= rows.lattice.window_months])) < window_season.MIN_CUT_OFFS:
        return fitted
    for _ in range(SEASON_TURNS):
        parts = [_of_cut_offs(trees, rows, window, fitted) for window in SEASON_WINDOWS]
        fitted = window_season.fit(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        trees.take_out(fitted)
    return fitted


def _of_cut_offs(trees: _Trees, rows: LifetimeRows, window: int, season: Season) -> tuple[Floats, ...]:
    """Of each cut-off whose window has closed: its day, the window's first day, orders that came, orders expected."""
    lattice = rows.lattice
    closed = np.flatnonzero(rows.months_back >= lattice.window_months * (window + 1))
    came = rows.orders[closed, window]
    level = _level(season, lattice, rows.months_back[closed], window)
    booster = trees.grow_rates(came / level, closed, weight=level, params=SEASON)
    months_back, place = np.unique(rows.months_back[closed], return_inverse=True)
    expected = np.bincount(place, np.exp(raw(booster, boosting.matrix_of(trees.values[closed], trees.inputs))))
    return (
        _first_days(lattice, months_back, 0),
        _first_days(lattice, months_back, window),
        np.bincount(place, came).astype(float),
        np.maximum(expected, LEAST_RATE),
    )


def _level(season: Season, lattice: Lattice, months_back: Integers, window: int) -> Floats:
    """What season and disguise make of a window after each cut-off."""
    cut_offs = _first_days(lattice, months_back, 0)
    return season.at(_first_days(lattice, months_back, window)) * season.of_cut_off(cut_offs)


def _fit_later(trees: _Trees, rows: LifetimeRows, year_rate: Floats, *, years: int) -> list[boosting.Booster]:
    """Trees of the fade of each later year; year_rate: expected orders of each row in the last near year."""
    known = np.flatnonzero(rows.year_later != -2)
    next_row = rows.year_later[known]
    later = []
    for _ in range(years):
        target = np.where(next_row >= 0, year_rate[next_row], 0.0)
        offset = np.log(np.maximum(year_rate, LEAST_RATE))
        later.append(trees.grow_rates(target, known, params=LATER, offset=offset[known]))
        year_rate = year_rate * np.exp(raw(later[-1], trees.all))
    return later


def _fit_margin(trees: _Trees, rows: LifetimeRows) -> tuple[MarginPerOrder, boosting.Booster]:
    """The margin per order of those who ordered in the first window, and trees of what it misses."""
    bought = np.flatnonzero((rows.months_back >= rows.lattice.window_months) & (rows.orders[:, 0] > 0))
    orders, margin = rows.orders[bought, 0], rows.margin[bought, 0]
    frame = rows.frame.iloc[bought]
    source = "margin_total" if "margin_total" in frame else "spend_total"
    past = frame[source].to_numpy(dtype=float)
    mean = float(max(margin.sum() / orders.sum(), LEAST_RATE))
    per_spend = mean * float(frame["orders"].sum()) / float(max(past.sum(), LEAST_RATE))

    def missed(own_after: float) -> float:
        told = MarginPerOrder(mean, per_spend, own_after, source).of(frame)
        came = np.log1p(np.maximum(margin / orders, 0) / mean)
        return float(np.average((came - np.log1p(told / mean)) ** 2, weights=orders))

    per_order = MarginPerOrder(mean, per_spend, min(OWN_AFTER, key=missed), source)
    told = per_order.of(frame)
    weight = orders * told
    correction = trees.grow(
        MARGIN,
        np.maximum(margin / orders / told, 0),
        bought,
        params=CORRECTION,
        start=1.0,
        weight=weight / weight.mean(),
    )
    return per_order, correction
