"""The value of a customer's state over the years to come, learned from the log itself on a lattice of windows.

    near windows    orders in a window of three months, or a year, after a cut-off: trees, learned directly, with the
                    season taken out of labels and recent orders, and put back for the day that is scored; those
                    of three months after the first as steps from that before them, and where they have not closed,
                    from the customer's latest state
    later years     what a year brings ÷ what the year before it brought, from the state a year later: trees that learn
                    the fade only, so that whoever cools fades faster; never faster than in the year before, since
                    those who stay are ever more those who stay long
                    windows ahead have closed for young customers only: the older fade slower, by tenure
    margin          per order: the customer's own mean, shrunk to that of all, times a small correction by trees

    CLV = margin per order · D(day) Σ_k S(day + k w) γ_k r_k

r_k: orders in window k without season; w: a window's length; S, D: models/lifetime/window_season.py.

As temporal-difference learning with steps of a year: Sutton & Barto, Reinforcement Learning, 2nd ed., chapter 7. Wrong
where the years to come are unlike those in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.arrays import Floats
from features.clock import YEAR_DAYS
from models.lifetime.lattice import MONTH_DAYS, YEAR, window_weights
from models.lifetime.lifetime_spread import LifetimeSpread
from models.lifetime.lifetime_trees import LEAST_RATE, raw
from models.lifetime.margin_per_order import MarginPerOrder
from models.lifetime.tenure_fade import LEVEL, TenureFade, tenure_of
from models.lifetime.window_season import Season, without_season
from models.trees import boosting
from models.trees.feature_matrix import FeatureMatrix


@dataclass(frozen=True)
class StateValue:
    """Fitted trees of near windows, later years and margins, and the season between them."""

    window_months: int
    season: Season
    near: Sequence[boosting.Booster]
    """Trees of ln(orders in a window without season), the windows in order."""
    later: Sequence[boosting.Booster]
    """Trees of ln(orders of a year ÷ those of the year before), from the first year beyond the near windows on."""
    margin: MarginPerOrder
    spread: LifetimeSpread | None = None
    """What sets apart what comes from what is expected; None in bundles before format 6."""
    tenure_fade: TenureFade = LEVEL
    """How much slower customers fade who are older than trees have seen."""
    doubts: tuple[str, ...] = ()
    """What a reader of its values should know, a sentence each."""
    near_are_steps: bool = False
    """True if trees after the first tell the step from the window before; False in bundles before format 9."""

    @property
    def derivation(self) -> str:
        """How the values are made, in words for people who decide."""
        window = "a year" if self.window_months == YEAR else f"{self.window_months} months"
        season = "without a season" if not self.season.coefficients else "with the season"
        return f"learned from the log in windows of {window}, {season}"

    def rates(self, data: boosting.Matrix, tenure_days: Floats, years: int) -> Floats:
        """Expected orders in each window of so many years without season, (windows, rows).

        data: rows as `without_season` leaves them; tenure_days: theirs.
        """
        scores = np.array([raw(booster, data) for booster in self.near])
        log_rates = np.maximum(scores.cumsum(axis=0) if self.near_are_steps else scores, np.log(LEAST_RATE))
        near = [
            np.exp(log_rate + self.tenure_fade.longer(tenure_days, number)) for number, log_rate in enumerate(log_rates)
        ]
        return np.array(list(self._windows(near, data, tenure_days, years)))

    def _windows(self, near: list[Floats], data: boosting.Matrix, tenure_days: Floats, years: int) -> Iterator[Floats]:
        per_year = YEAR // self.window_months
        known_years = len(near) // per_year
        yield from near[: years * per_year]
        window = near[-per_year:]
        fade = np.full(len(near[0]), -np.inf) if self.later else np.zeros(len(near[0]))
        for year in range(years - known_years):
            if year < len(self.later):
                slower = self.tenure_fade.year_longer(tenure_days, year=known_years + year)
                fade = np.maximum(fade, raw(self.later[year], data) + slower)
            window = [np.maximum(rate * np.exp(fade), LEAST_RATE) for rate in window]
            yield from window

    def predict(
        self,
        rows: FeatureMatrix,
        inputs: boosting.Inputs,
        *,
        lifetime_days: float,
        annual_discount_rate: float,
        season_of: date | None = None,
    ) -> tuple[Floats, Floats]:
        """Discounted expected margin over the lifetime, currency units, and expected orders in a year without season.

        Shape (rows,) each. season_of: the day from which the windows' seasons are counted, if not each row's own.
        """
        days = rows.as_of.astype("datetime64[D]").astype(float)
        first_days = days if season_of is None else np.full(len(days), float(np.datetime64(season_of, "D").astype(int)))
        values = without_season(rows.values, inputs, self.season, days)
        data = rows._replace(values=values).matrix(inputs)
        rates = self.rates(data, tenure_of(rows.frame), -int(-lifetime_days // YEAR_DAYS))
        weights = window_weights(self.window_days, lifetime_days, annual_discount_rate)
        orders = np.zeros(len(values))
        for number, (rate, weight) in enumerate(zip(rates, weights, strict=False)):
            orders += rate * self.season.at(first_days + number * self.window_days) * weight
        value = orders * self.season.of_cut_off(days) * self.margin.of(data, rows.frame)
        return value, self.year_of(rates)

    @property
    def window_days(self) -> float:
        """The length of a window."""
        return self.window_months * MONTH_DAYS

    def year_of(self, rates: Floats) -> Floats:
        """Expected orders in the first year, from `rates`."""
        return np.asarray(rates[: YEAR // self.window_months].sum(axis=0))
