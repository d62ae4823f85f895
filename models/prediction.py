"""The prediction of a model for each customer: the form in which models are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from features.arrays import Floats

NUMBERS = (
    "churn_probability",
    "expected_orders",
    "expected_value",
    "value_p10",
    "value_p90",
    "clv",
    "clv_p10",
    "clv_p90",
    "savable_probability",
    "gain",
)
"""The numeric columns of the scores, in their order: each finite for every customer. The tables, stores, answers and
pages of scores are made of them; a further one needs its number in models/scoring/scorer.py and its words in
serving/contract.py."""
DATES = ("next_order_at",)
"""The columns of days, after the numbers; None where there is no such day."""
REASONS = ("reason_1", "reason_2", "reason_3")
"""The columns of reasons, the strongest first; None where there are fewer."""


class Prediction(NamedTuple):
    """One value per customer, in the order of the rows predicted on; None where a model does not predict it.

    Probability of churn in the horizon (0 … 1); expected margin in it, and the 10 % and 90 % quantiles of that margin
    (currency units); expected number of orders in it; probability of no order in it, None where that is churn.
    """

    churn_probability: Floats
    expected_value: Floats
    value_p10: Floats | None = None
    value_p90: Floats | None = None
    expected_orders: Floats | None = None
    no_order: Floats | None = None

    @property
    def probability_of_no_order(self) -> Floats:
        """`no_order`, or the churn probability in its place: without a contract the two are the same."""
        return self.churn_probability if self.no_order is None else self.no_order
