"""A randomised experiment: treatment, its known probability, and outcome of each customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from features.errors import InputError, Refusal

MAX_DEVIATION_SD = 5.0
"""Standard deviations by which the number of treated may miss the expected; chance does it once in two million."""


@dataclass(frozen=True)
class Experiment:
    """Arrays with a place per customer; raises InputError for invalid input, Refusal if the design was not followed."""

    treated: NDArray[np.bool_]
    outcome: Floats
    """The outcome to be raised: 0 or 1, or an amount."""
    propensity: Floats
    """The probability with which the design treats each customer, strictly between 0 and 1; never estimated."""
    where: str = "experiment"
    """Its name in messages."""

    def __post_init__(self) -> None:
        for name, kind in (("treated", None), ("outcome", float), ("propensity", float)):
            object.__setattr__(self, name, np.asarray(getattr(self, name), kind))  # columns of a frame will do
        sizes = [len(self.treated), len(self.outcome), len(self.propensity)]
        if len(set(sizes)) > 1:
            raise InputError(
                f"{sizes[0]:,} treated marks, {sizes[1]:,} outcomes and {sizes[2]:,} propensities",
                where=self.where,
                next="Give one of each for every customer.",
            )
        if self.treated.dtype != bool:
            raise InputError(f"treated is {self.treated.dtype}, not bool", where=self.where, next="Compare it with 1.")
        unusable = int((~np.isfinite(self.outcome)).sum())
        if unusable:
            raise InputError(
                f"{unusable:,} of {sizes[0]:,} outcomes are missing or infinite",
                where=self.where,
                next="A customer who did nothing has the outcome 0; leaving customers out undoes the randomisation.",
            )
        certain = int((~((self.propensity > 0) & (self.propensity < 1))).sum())
        if certain:
            raise InputError(
                f"{certain:,} of {sizes[0]:,} propensities are not strictly between 0 and 1",
                where=self.where,
                next="Leave out customers who could not have been treated, or could not have gone untreated.",
            )
        self._check_the_draw()

    def _check_the_draw(self) -> None:
        """Raise Refusal unless treated and untreated are about as many as designed."""
        count, expected = int(self.treated.sum()), float(self.propensity.sum())
        sd = np.sqrt(np.sum(self.propensity * (1 - self.propensity)))
        if abs(count - expected) > MAX_DEVIATION_SD * max(sd, 1.0):
            raise Refusal(
                f"{count:,} of {len(self.treated):,} customers are treated where the design expects {expected:,.0f}",
                where=self.where,
                next="Without the true propensities no effect can be measured; look for customers lost in one group.",
            )
        if count in (0, len(self.treated)):
            raise Refusal(
                f"{count:,} of {len(self.treated):,} customers are treated",
                where=self.where,
                next="An effect needs some who are and some who are not; treat more, or wait for more customers.",
            )

    def __len__(self) -> int:
        return len(self.treated)

    @property
    def of_arm(self) -> Floats:
        """The probability of the arm each customer is in."""
        return np.where(self.treated, self.propensity, 1 - self.propensity)

    def part(self, places: Integers) -> Experiment:
        """The experiment restricted to some customers."""
        return Experiment(self.treated[places], self.outcome[places], self.propensity[places], self.where)

    def effects(self, expected: Floats | float = 0.0) -> Floats:
        """An unbiased, very noisy effect of each customer: (y - b)(t - e) / (e (1 - e)), in units of the outcome.

        y the outcome, t 1 for treated, e the propensity; b, `expected`, is anything known without this customer's
        treatment and outcome, and takes noise away. With b = e μ0 + (1 - e) μ1, the expected outcomes without and with
        treatment, this is the doubly robust score μ1 - μ0 + t (y - μ1) / e - (1 - t)(y - μ0) / (1 - e) of Robins,
        Rotnitzky and Zhao (1994), JASA 89: the two are equal term by term.
        """
        e = self.propensity
        return (self.outcome - expected) * (self.treated - e) / (e * (1 - e))

    def folds(self, number: int, *, seed: int) -> Integers:
        """A fold, 0 … number - 1, for each customer: random, each with its share of treated and of untreated."""
        rng = np.random.default_rng(seed)
        fold = np.empty(len(self), np.int64)
        for arm in (self.treated, ~self.treated):
            fold[arm] = rng.permutation(int(arm.sum())) % number
        return fold
