"""A loyalty index per customer, from persistence of buying, share of spending and affinity."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import HALF_YEAR_DAYS, CustomerBase
from retention.customer_base.survey_answers import interaction_kinds, interactions_of_kind

VISITS = ("visit", "email_open")
GROUPS = ("persistence", "spend share", "affinity")


class LoyaltyIndicator(NamedTuple):
    """One of the nine: the higher its value, the more loyal the customer."""

    name: str
    group: str
    supply: str
    """The data that the shop has to supply for it."""
    of: Callable[[CustomerBase], pd.Series]
    """By the row in `customers`; NaN where it is not known."""


def rank_score(values: pd.Series) -> pd.Series:
    """0 to 100 by rank within those who have a value, ties sharing their mean rank: 100 (rank − ½) / n; NaN stays.

    So the mean is 50, and where all are alike, all are at 50: a score is a position in this base and says nothing about
    how good that is.

    >>> rank_score(pd.Series([5.0, 1.0, float("nan"), 5.0, 0.0])).tolist()
    [75.0, 37.5, nan, 75.0, 12.5]
    """
    return 100 * (values.rank() - 0.5) / max(int(values.notna().sum()), 1)


def indicator_scores(base: CustomerBase) -> pd.DataFrame:
    """A column per indicator, by the row in `customers`: its `rank_score`, NaN where it is not known."""
    return pd.DataFrame({indicator.name: rank_score(indicator.of(base).astype(float)) for indicator in INDICATORS})


def loyalty_index(scored: pd.DataFrame) -> pd.Series:
    """Each customer's loyalty, 0 to 100: the mean of the known indicators, equally weighted; NaN without any.

    With few known indicators the index says less, and is more likely to be far from 50.
    """
    return scored.mean(axis=1)


def _tenure(base: CustomerBase) -> pd.Series:
    """Days since the first order."""
    return _days(base, "first_order")


def _repurchase(base: CustomerBase) -> pd.Series:
    """Repeat orders per year since the first order; the first year counts as a whole one, so that two orders in one
    week are not a hundred a year."""
    years = (_days(base, "first_order") / YEAR_DAYS).clip(lower=1)
    return (base.customers["orders"] - 1) / years


def _recency(base: CustomerBase) -> pd.Series:
    """Days since the last order in own mean gaps, less is better; known from the second order on, on a later day."""
    gap = base.own_gap_days()
    return -_days(base, "last_order") / gap.where(gap > 0)


def _wallet(base: CustomerBase) -> pd.Series:
    """Share of wallet, at most 1."""
    wallet = wallet_per_year(base)
    return (base.customers["sales_year"] / wallet.where(wallet > 0)).clip(0, 1)


def _trend(base: CustomerBase) -> pd.Series:
    """Net sales of the last 182 days against the 182 before: (b − a) / (b + a); known where the first order is older
    than both and something was spent in them. A season moves all customers alike, and so no rank."""
    late, early = (sales.clip(min=0) for sales in base.half_years())
    known = (late + early > 0) & (_days(base, "first_order") >= 2 * HALF_YEAR_DAYS).to_numpy()
    return pd.Series(np.divide(late - early, late + early, out=np.full(len(late), np.nan), where=known))


def _breadth(base: CustomerBase) -> pd.Series:
    """Different categories bought; products, where the log has no categories."""
    table = base.customers
    return table["categories"] if table["categories"].notna().any() else table["products"]


def _visits(base: CustomerBase) -> pd.Series:
    """Visits and opened e-mails of the last 365 days."""
    return _counted(base, *VISITS, days=YEAR_DAYS)


def _advocacy(base: CustomerBase) -> pd.Series:
    """New customers who came by this one; where the log has none, the last answer to whether they would recommend
    us."""
    if interaction_kinds(base, "referral"):
        return _counted(base, "referral")
    rows = interactions_of_kind(base, "recommendation").dropna(subset="value").sort_values("at", kind="stable")
    return rows.groupby("customer")["value"].last().reindex(base.customers.index)


def _response(base: CustomerBase) -> pd.Series:
    """Responses per campaign contact, of those who were contacted; where the log has none, the complaints of the last
    365 days, less is better."""
    if interaction_kinds(base, "campaign_contact"):
        contacts = _counted(base, "campaign_contact")
        return _counted(base, "campaign_response") / contacts.where(contacts > 0)
    return -_counted(base, "complaint", days=YEAR_DAYS)


def _counted(base: CustomerBase, *names: str, days: int | None = None) -> pd.Series:
    """Interactions of these kinds per customer; NaN for all where the log has none of them."""
    rows = interactions_of_kind(base, *names)
    if rows.empty:
        return pd.Series(np.nan, index=base.customers.index)
    rows = rows if days is None else base.within(rows, days)
    return pd.Series(np.bincount(rows["customer"], minlength=len(base.customers)).astype(float))


def wallet_per_year(base: CustomerBase) -> pd.Series:
    """Each customer's yearly spending with all suppliers, currency units, by the row in `customers`; NaN if not
    known."""
    if base.people is None:
        return pd.Series(np.nan, index=base.customers.index)
    rows = base.people[base.people["customer"] >= 0].drop_duplicates("customer", keep="last")
    return rows.set_index("customer")["wallet_per_year"].reindex(base.customers.index).astype(float)


def _days(base: CustomerBase, since: str) -> pd.Series:
    return (base.as_of_time - base.customers[since]) / pd.Timedelta(days=1)


INDICATORS = (
    LoyaltyIndicator("tenure", "persistence", "orders that stand", _tenure),
    LoyaltyIndicator("repurchase rate", "persistence", "orders that stand", _repurchase),
    LoyaltyIndicator("recency against own rhythm", "persistence", "customers with a second order", _recency),
    LoyaltyIndicator("share of wallet", "spend share", "the column wallet_per_year in the table customers", _wallet),
    LoyaltyIndicator("spending trend", "spend share", "a year of orders", _trend),
    LoyaltyIndicator("breadth", "spend share", "the column category or product in the orders", _breadth),
    LoyaltyIndicator("visits and opened e-mails", "affinity", "interactions of kind visit or email_open", _visits),
    LoyaltyIndicator("recommending", "affinity", "interactions of kind referral or recommendation", _advocacy),
    LoyaltyIndicator(
        "response", "affinity", "interactions of kind campaign_contact and campaign_response, or complaint", _response
    ),
)
