"""Status tiers of the shop: their customers, spending, margin and CLV."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, money

TITLE = "Status tiers"
DEFINITION = (
    "Each customer's status is the highest tier whose least yearly spending they reached in the last 365 days, net "
    "of refunds; the tiers are the shop's own."
)
SOURCE = (
    "Tiers by yearly spending as in frequency programmes; Zeithaml, Rust & Lemon (2001), The customer pyramid, "
    "California Management Review 43(4)."
)
SUPPLY = (
    "No tiers are configured. Name each with the least that its customers spend per year, in currency units, in the "
    "config: [report.tiers], then a line per tier such as silver = 300."
)


def tier_of(spending: ArrayLike, tiers: Mapping[str, float]) -> pd.Series:
    """Each customer's tier; "no status" below the lowest.

    spending: of a year, currency units. tiers: name → the least spending of its customers, ascending.

    >>> tier_of([0, 100, 99.99, 500], {"silver": 100, "gold": 300}).tolist()
    ['no status', 'silver', 'no status', 'gold']
    """
    names = np.array([NO_STATUS, *tiers], dtype=object)
    return pd.Series(names[np.searchsorted(np.fromiter(tiers.values(), float), np.asarray(spending, float), "right")])


NO_STATUS = "no status"


def analyse(base: CustomerBase) -> Analysis:
    """The tiers from the highest: customers, spending, margin and CLV."""
    if not base.tiers:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY)
    names = [*list(base.tiers)[::-1], NO_STATUS]
    table = group_totals(base.customers, tier_of(base.customers["sales_year"], base.tiers), names=names)
    table.insert(1, "least", [*(base.tiers[name] for name in names[:-1]), np.nan])
    margin = table["margin_year"].sum()
    table["margin_share"] = table["margin_year"] / margin if margin > 0 else np.nan
    top, clv = table.iloc[0], table["clv"].sum()
    of_margin = f" ({top['margin_share']:.0%} of the total)" if margin > 0 else ""
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Tier", "text"),
            "least": TableColumn("From, per year", "money"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "sales_year": TableColumn("Net sales, last year", "money"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "margin_mean": TableColumn("Margin per customer", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "clv": TableColumn("CLV", "money"),
            "clv_mean": TableColumn("CLV per customer", "money"),
        },
        f"{int(top['customers']):,} of {counted(len(base.customers), 'customer')} reached the tier {top['group']} and "
        f"brought a margin of {money(top['margin_year'], base.currency)}{of_margin} in the last 365 days."
        if top["customers"]
        else f"No customer reached the tier {top['group']} in the last 365 days.",
        bars(
            names,
            {
                "share of customers": table["customer_share"].tolist(),
                "of last year's margin": table["margin_share"].fillna(0).tolist(),
                "of CLV": (table["clv"] / clv if clv > 0 else table["clv"] * 0).tolist(),
            },
            title="share",
            form=PERCENT,
        ),
    )
