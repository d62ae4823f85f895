"""The customer base as of a day, in plain frames: the input of every analysis of the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from features.clock import microseconds

HALF_YEAR_DAYS = 182


@dataclass(frozen=True)
class EarlierScores:
    """An earlier batch of scores, for changes since."""

    as_of: date
    scores: pd.DataFrame
    """customer_id, churn_probability, expected_value, clv, segment (text, None where it was not kept)."""
    steps: pd.DataFrame | None = None
    """customer_id, season, model: what in today's clv of each customer is no news, but the calendar's doing since that
    day or another model's; currency units. None: it is not known."""
    steps_unknown: str = ""
    """Why it is not known."""
    is_same_model: bool = False


@dataclass(frozen=True)
class CustomerBase:
    """A shop's customers as of a day: their history before it, and their scores.

    Money is in currency units, times are datetime64[us] UTC, a year is 365 days. Customers who left under a contract
    are not in `customers` but in `former`. `customer` in the other frames is the row number in `customers`, which has
    the index 0, 1, 2, …
    """

    as_of: date
    horizon_days: int
    currency: str
    gross_margin: float
    """Used where the log has no costs of goods."""
    annual_discount_rate: float
    lifetime_days: int
    """The days that clv covers."""
    clv_cost_share: float
    """What costs to serve have taken of clv, as a share of what it was before them; 0 where it is before them."""
    horizon_reach: float
    """How far the 80 % interval of what all customers bring in the horizon reaches to either side, on the log scale, by
    the error that they share; 0: they share none."""
    customers: pd.DataFrame
    """customer_id (text), first_order, last_order, orders (that stand), gross, discount (NaN where the log has none),
    refunded, net_sales, margin (contribution: net of refunds and cost of goods), the same of the last 365 days as
    orders_year, sales_year, margin_year, cost_to_serve and cost_to_serve_year (booked costs; NaN without `costs`),
    products and categories (different ones bought; NaN where the log has no such column); the scores:
    churn_probability, expected_orders, expected_value, value_p10, value_p90, clv, clv_p10, clv_p90, segment,
    next_order_at (NaT where none is expected), and reason_1 … reason_3 (None where there are fewer)."""
    orders: pd.DataFrame
    """As `features.histories.order_frames.known_orders` gives them."""
    interactions: pd.DataFrame | None = None
    """customer, at, kind (categorical), value; None: the config names none."""
    costs: pd.DataFrame | None = None
    """customer, at, kind, amount: booked costs before the day; None: the config names none."""
    treatments: pd.DataFrame | None = None
    """customer, at, campaign, offer, treated, cost: contacts before the day; None: the config names none."""
    people: pd.DataFrame | None = None
    """The table `customers`: customer_id, customer (-1: no order yet), joined_at, left_at, left_reason,
    wallet_per_year; None: the config names none."""
    former: pd.DataFrame | None = None
    """Customers who have left under a contract: customer_id, left_at, left_reason (None where it is unknown), orders,
    net_sales, margin, and margin_last_year (of the 365 days before leaving); None: churn is not contractual."""
    earlier: EarlierScores | None = None
    """The last batch of scores of an earlier day; None: there is none."""
    tiers: Mapping[str, float] = field(default_factory=dict)
    """Status tier → least spending in a year, ascending; empty: the shop has none."""
    involuntary: frozenset[str] = frozenset()
    """The left_reasons that were not the customer's choice."""
    survey_range: tuple[float, float] | None = None
    """Lowest and highest answer of the surveys; None: unknown."""
    targets: Mapping[str, float] = field(default_factory=dict)
    """Indicator of the strategy map → its target."""

    @property
    def as_of_time(self) -> pd.Timestamp:
        """Midnight UTC of the day."""
        return pd.Timestamp(microseconds(self.as_of), unit="us")

    def within(self, frame: pd.DataFrame, days: int, *, before_days: int = 0) -> pd.DataFrame:
        """The rows of a frame with `at` in the `days` before the day, or before the day `before_days` ago."""
        end = self.as_of_time - pd.Timedelta(days=before_days)
        return frame[(frame["at"] >= end - pd.Timedelta(days=days)) & (frame["at"] < end)]

    def half_years(self) -> tuple[np.ndarray, np.ndarray]:
        """Each customer's net sales of the last 182 days and of the 182 before, currency units."""
        late, early = (
            np.bincount(rows["customer"], rows["net"], minlength=len(self.customers))
            for rows in (self.within(self.orders, HALF_YEAR_DAYS, before_days=ago) for ago in (0, HALF_YEAR_DAYS))
        )
        return late, early

    def own_gap_days(self) -> pd.Series:
        """Each customer's mean days between orders; 0 with one order, or with all at one moment."""
        table = self.customers
        span = (table["last_order"] - table["first_order"]) / pd.Timedelta(days=1)
        return span / (table["orders"] - 1).clip(lower=1)
