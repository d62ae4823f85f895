"""Fitting a StateValue on the rows of a lattice: season, near windows, later years, margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS
from models.lifetime import fit_lifetime_spread, margin_per_order, window_season
from models.lifetime.lattice import (
    MONTH_DAYS,
    QUARTER,
    YEAR,
    Lattice,
    LifetimeRows,
    is_one_cohort,
    row_later,
    window_weights,
)
from models.lifetime.lifetime_trees import LEAST_RATE, RATES, LifetimeTrees, raw
from models.lifetime.state_value import StateValue
from models.lifetime.tenure_fade import LEVEL, TenureFade, fit_hazard, oldest, tenure_of
from models.lifetime.window_season import Season
from models.trees import boosting

SEASON = RATES | {"rounds": 55}
LATER = RATES | {"rounds": 40}
SEASON_WINDOWS = (0, 2)
"""Half a year apart: what a season adds to one it takes from the other, a disguise adds to both."""
SEASON_TURNS = 3
"""How often season and rates are fitted in turn."""
LATER_YEARS = 3
"""The most years whose fade is learned; those after fade as the last."""
STEP_DOUBT = 0.1
"""How far a year's fade is believed to be off before its closed windows are seen, as a share."""
TAIL = 0.5
"""Fade by tenure is fitted from so much of the oldest tenure on: the young have yet to cool, and tell nothing of it."""
NO_SEASON = "less than a year of cut-offs has closed: the season is not known, and a lifetime is asked as if none were"


def fit(
    rows: LifetimeRows,
    inputs: boosting.Inputs,
    *,
    lifetime_days: float,
    annual_discount_rate: float,
    seed: int,
    device: str,
) -> StateValue:
    """Fit on the rows of a lattice; the discount rate is for the spread alone."""
    lifetime_years = -int(-lifetime_days // YEAR_DAYS)
    lattice, months_back = rows.lattice, rows.months_back
    trees = LifetimeTrees(rows.frame, rows.lattice.days(rows.months_back), inputs, seed=seed, device=device)
    fitted = _fit_season(trees, rows) if lattice.window_months == QUARTER else Season()
    windows = range(min(lattice.near_windows, lifetime_years * YEAR // lattice.window_months))
    levels = [_level(fitted, lattice, months_back, window) for window in windows]
    near, rates = _fit_near(trees, rows, levels)
    tenure = tenure_of(rows.frame)
    fade = _fit_tenure_fade(rows, tenure, rates[0], levels)
    rates = [rate * np.exp(fade.longer(tenure, window)) for window, rate in enumerate(rates)]
    per_year = YEAR // lattice.window_months
    known_years = len(near) // per_year
    years = range(known_years, min(lifetime_years, known_years + LATER_YEARS))
    slower = [fade.year_longer(tenure, year=year) for year in years]
    later = _fit_later(trees, rows, rates, slower, fitted)
    has_season = lattice.window_months == YEAR or fitted.coefficients
    model = StateValue(
        window_months=lattice.window_months,
        season=fitted,
        near=near,
        near_are_steps=_are_steps(lattice),
        later=later,
        margin=margin_per_order.fit(trees, rows, rates[0] * levels[0]),
        tenure_fade=fade,
        doubts=() if has_season else (NO_SEASON,),
    )
    weights = window_weights(model.window_days, lifetime_days, annual_discount_rate)
    return replace(model, spread=fit_lifetime_spread.fit(model, trees, rows, weights, np.sum(rates[:per_year], axis=0)))


def _fit_near(
    trees: LifetimeTrees, rows: LifetimeRows, levels: Sequence[Floats]
) -> tuple[list[boosting.Booster], list[Floats]]:
    """Trees of each window, in a short log as a step from that before it; and the expected orders of each row in them,
    by trees that have not seen its customer.
    """
    near: list[boosting.Booster] = []
    rates: list[Floats] = []
    for window, level in enumerate(levels):
        is_step = window > 0 and _are_steps(rows.lattice)
        orders = _orders_known(rows, rates, level, window) if is_step else rows.orders[:, window] / level
        known = np.flatnonzero(~np.isnan(orders))
        before = np.log(rates[-1]) if is_step else np.zeros(len(orders))
        offset = before[known] if is_step else None
        booster, score = trees.grow_checked(orders[known], known, weight=level[known], params=RATES, offset=offset)
        near.append(booster)
        rates.append(np.maximum(np.exp(before + score), LEAST_RATE))
    return near, rates


def _are_steps(lattice: Lattice) -> bool:
    """True where windows after the first are learned as steps: in a log of less than four years.

    Its early cut-offs, for which alone windows ahead have closed, have seen nobody silent for as long as some are now,
    and trees grown from nothing stop before these are worth as little as they bring. A log of years has seen silences
    of years, and steps over years differ more between customers than trees of a step find.
    """
    return lattice.window_months == QUARTER


def _orders_known(rows: LifetimeRows, rates: Sequence[Floats], level: Floats, window: int) -> Floats:
    """Orders of each row in a window without season: what came where it has closed, elsewhere what is expected of the
    customer's latest state; NaN where not even the first window has closed.

    rates: expected orders in the windows before, by trees that have not seen the customer.
    """
    length = rows.lattice.window_months
    orders = rows.orders[:, window] / level
    for closed in range(1, window + 1):
        latest = np.flatnonzero(np.isnan(orders) & (rows.months_back // length == closed))
        later = row_later(rows.frame["customer_id"], rows.months_back, length * closed)[latest]
        orders[latest] = np.where(later >= 0, rates[window - closed][later], 0.0)
    return orders


def _fit_season(trees: LifetimeTrees, rows: LifetimeRows) -> Season:
    """The season of the near windows, fitted in turn with trees that know no calendar."""
    fitted = Season()
    if len(np.unique(rows.months_back[rows.months_back >= rows.lattice.window_months])) < window_season.MIN_CUT_OFFS:
        return fitted
    for _ in range(SEASON_TURNS):
        parts = [_of_cut_offs(trees, rows, window, fitted) for window in SEASON_WINDOWS]
        fitted = window_season.fit(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        trees.take_out(fitted)
    return fitted


def _of_cut_offs(trees: LifetimeTrees, rows: LifetimeRows, window: int, season: Season) -> tuple[Floats, ...]:
    """Of each cut-off whose window has closed: its day, the window's first day, orders that came, orders expected."""
    lattice = rows.lattice
    closed = np.flatnonzero(rows.months_back >= lattice.window_months * (window + 1))
    came = rows.orders[closed, window]
    level = _level(season, lattice, rows.months_back[closed], window)
    booster = trees.grow_rates(came / level, closed, weight=level, params=SEASON)
    months_back, place = np.unique(rows.months_back[closed], return_inverse=True)
    expected = np.bincount(place, np.exp(raw(booster, trees.all)[closed]))
    return (
        lattice.days(months_back),
        lattice.days(months_back - lattice.window_months * window),
        np.bincount(place, came).astype(float),
        np.maximum(expected, LEAST_RATE),
    )


def _level(season: Season, lattice: Lattice, months_back: Integers, window: int) -> Floats:
    """What season and disguise make of a window after each cut-off."""
    first_days = lattice.days(months_back - lattice.window_months * window)
    return season.at(first_days) * season.of_cut_off(lattice.days(months_back))


def _fit_tenure_fade(rows: LifetimeRows, tenure_days: Floats, first: Floats, levels: Sequence[Floats]) -> TenureFade:
    """How orders fade by tenure, from all windows after the first; level where there is only one, and in one cohort,
    whose tenure is the calendar.

    first: expected orders of each row in the first window, by trees that have not seen its customer; levels: what
    season and disguise make of each window.
    """
    length, months_back = rows.lattice.window_months, rows.months_back
    if len(levels) == 1 or is_one_cohort(tenure_days[months_back == months_back.min()]):
        return LEVEL
    closed = [np.flatnonzero(months_back >= length * (window + 1)) for window in range(len(levels))]
    seen = [oldest(tenure_days[taught]) for taught in (*closed, rows.year_later != -2)]
    tail = [(window, taught[tenure_days[taught] >= TAIL * seen[1]]) for window, taught in enumerate(closed)][1:]
    hazard = fit_hazard(
        np.concatenate([tenure_days[taught] for _, taught in tail]),
        np.concatenate([np.full(len(taught), window) for window, taught in tail]),
        np.concatenate([rows.orders[taught, window] for window, taught in tail]),
        np.concatenate([first[taught] * levels[window][taught] for window, taught in tail]),
        window_days=length * MONTH_DAYS,
        times_counted=length * len(tail),
    )
    return TenureFade(hazard, length * MONTH_DAYS, tuple(seen))


def _fit_later(
    trees: LifetimeTrees, rows: LifetimeRows, rates: Sequence[Floats], slower: Sequence[Floats], season: Season
) -> list[boosting.Booster]:
    """Trees of the fade of each later year; rates: expected orders of each row in the near windows, by trees that have
    not seen its customer; slower: ln of the factor by which each year's fade is slower than they say.

    A year's step errs as the one before it: all are raised by what the windows of the first show that have closed.
    """
    per_year = YEAR // rows.lattice.window_months
    known = np.flatnonzero(rows.year_later != -2)
    next_row = rows.year_later[known]
    year_rate, later, step = np.sum(rates[-per_year:], axis=0), [], 1.0
    for year, longer in enumerate(slower):
        target = np.where(next_row >= 0, year_rate[next_row], 0.0)
        offset = np.log(np.maximum(year_rate, LEAST_RATE))
        booster, fade = trees.grow_checked(target, known, params=LATER, offset=offset[known])
        if year == 0:
            step = _first_step(rows, rates, np.exp(fade + longer), season)
        later.append(boosting.raised(booster, step))
        year_rate = year_rate * np.exp(fade + longer) * step
    return later


def _first_step(rows: LifetimeRows, rates: Sequence[Floats], fade: Floats, season: Season) -> float:
    """Orders that came in the windows of the first later year that have closed ÷ those that `fade` says of them.

    The mean of a gamma distribution about 1, of a spread of STEP_DOUBT, after counts whose overlap and dispersion are
    allowed for (Gelman et al., Bayesian Data Analysis, chapter 2).
    """
    lattice, per_year = rows.lattice, YEAR // rows.lattice.window_months
    came, told = [np.zeros(0)], [np.zeros(0)]
    for number in range(len(rates) - per_year, len(rates)):
        closed = np.flatnonzero(rows.months_back >= YEAR + lattice.window_months * (number + 1))
        later = rows.year_later[closed]
        came.append(np.where(later >= 0, rows.orders[later, number], 0.0))
        level = _level(season, lattice, rows.months_back[closed], number + per_year)
        told.append(rates[number][closed] * fade[closed] * level)
    counted = sum(len(of_window) > 0 for of_window in told) * lattice.window_months
    orders, expected = np.concatenate(came), np.concatenate(told)
    if expected.sum() <= 0:
        return 1.0
    dispersion = max(float(((orders - expected) ** 2).sum() / expected.sum()), 1.0)
    weight, prior = 1 / (counted * dispersion), STEP_DOUBT**-2
    return float((prior + orders.sum() * weight) / (prior + expected.sum() * weight))
