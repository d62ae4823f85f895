"""What customer value is made of: first orders, repeat orders, cross-selling, cost to serve, price, referrals."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.analyses.profit_waterfall import SUPPLY_COSTS, SUPPLY_DISCOUNTS
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.referrals import SUPPLY, mean_newcomer, referral_counts
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, waterfall
from retention.presentation.formatting import money

SHORT = {
    "repeat orders, one category": "repeat, 1 category",
    "repeat orders, several categories": "repeat, 2+ categories",
}
"""Names that would not stand side by side under a picture."""
ADDS, WITHIN, TOTAL = "adds up", "within the above", "sum"
DEFINITION = (
    "The margin of the last 365 days by what brought it: first orders, and repeat orders of customers who have bought "
    "in one category or in several, less the cost to serve. CLV has no first orders left; its cost to serve is the "
    "part of margin it was in the last 365 days. Cross-selling is at most what customers with several categories "
    "bring. Full price and referrals are within these parts: referrals are the number of new customers sent times what "
    "the mean new customer of these days has brought so far, at most."
)
SOURCE = (
    "Reichheld & Sasser (1990), Zero defections: quality comes to services, Harvard Business Review 68(5): base "
    "profit, increased purchases, cost to serve, referrals, price premium."
)
SUPPLY_CATEGORIES = (
    "Cross-selling cannot be told apart: the orders name no categories. Supply the column `category` in the order "
    "lines."
)
UNTOLD = "Which order was the first in its category is not kept in the base, so cross-selling has an upper bound only."


class ClvComponent(NamedTuple):
    """One part; money in currency units, clv NaN where it cannot be told."""

    part: str
    year: float
    clv: float
    role: str


def orders_parts(base: CustomerBase) -> list[ClvComponent]:
    """The margin of first orders and of repeat orders in the last 365 days; they add up to all of it.

    Refunds without an order are with the repeat orders.
    """
    rows, customers = _last_year(base), base.customers
    first_at, categories = customers["first_order"].to_numpy(), customers["categories"].to_numpy()
    who = rows["customer"].to_numpy()
    first = rows["at"].to_numpy() == first_at[who]
    parts = [ClvComponent("first orders", rows.loc[first, "margin"].sum(), np.nan, ADDS)]
    if np.isnan(categories).all():
        return [*parts, ClvComponent("repeat orders", rows.loc[~first, "margin"].sum(), customers["clv"].sum(), ADDS)]
    several = categories > 1
    for name, wanted in (("one category", ~several), ("several categories", several)):
        margin = rows.loc[~first & wanted[who], "margin"].sum()
        parts.append(ClvComponent(f"repeat orders, {name}", margin, customers.loc[wanted, "clv"].sum(), ADDS))
    return parts


def parts(base: CustomerBase) -> pd.DataFrame:
    """A row per part: part, year, clv (currency units) and role: adds up, their sum, or within what is above."""
    found = orders_parts(base)
    year, clv = sum(one.year for one in found), base.customers["clv"].sum()
    if base.costs is not None:
        cost = base.customers["cost_to_serve_year"].sum()
        of_clv = clv * cost / year if year > 0 else np.nan
        found.append(ClvComponent("cost to serve", -cost, -of_clv, ADDS))
        found.append(ClvComponent("customer profit", year - cost, clv - of_clv, TOTAL))
    else:
        found.append(ClvComponent("margin", year, clv, TOTAL))
    rows = _last_year(base)
    if rows["discount"].notna().any():
        found.append(
            ClvComponent("orders at full price", rows.loc[rows["discount"] == 0, "margin"].sum(), np.nan, WITHIN)
        )
        found.append(
            ClvComponent("orders with a discount", rows.loc[rows["discount"] > 0, "margin"].sum(), np.nan, WITHIN)
        )
    sent, new = referral_counts(base), mean_newcomer(base)
    if sent is not None and new.customers:
        found.append(ClvComponent("customers who came by referral", sent.sum() * new.margin, np.nan, WITHIN))
    return pd.DataFrame(found)


def analyse(base: CustomerBase) -> Analysis:
    """The parts of last year's profit, of CLV where it can be told, and what cannot."""
    table = parts(base)
    adds = table[table["role"] != WITHIN]
    named = table.set_index("part")["year"]
    no_discounts = "orders at full price" not in named
    missing = [
        *([SUPPLY_CATEGORIES] if base.customers["categories"].isna().all() else [UNTOLD]),
        *([SUPPLY_COSTS] if base.costs is None else []),
        *([SUPPLY_DISCOUNTS] if no_discounts else []),
        *([SUPPLY] if referral_counts(base) is None else []),
    ]
    return Analysis(
        "What customer value is made of",
        DEFINITION,
        SOURCE,
        table,
        {
            "part": TableColumn("Part", "text"),
            "year": TableColumn("Margin, last 365 days", "money"),
            "clv": TableColumn("of CLV", "money"),
            "role": TableColumn("How it counts", "text"),
        },
        _reading(named, float(base.customers["margin_year"].sum()), base.currency),
        waterfall(
            [SHORT.get(part, part) for part in adds["part"]],
            adds["year"].tolist(),
            (adds["role"] == TOTAL).tolist(),
            title=f"margin of the last 365 days, {base.currency}",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _last_year(base: CustomerBase) -> pd.DataFrame:
    """What is needed of the orders of the last 365 days."""
    return base.within(base.orders[["customer", "at", "margin", "discount"]], YEAR_DAYS)


def _reading(named: pd.Series, margin: float, currency: str) -> str:
    """The margin, and how much of it came with first orders and at full price."""
    first = named["first orders"]
    said = [
        f"{money(first, currency)} of last year's {money(margin, currency)} margin came with first orders and "
        f"{money(margin - first, currency)} with repeat orders"
    ]
    if "cost to serve" in named:
        said.append(f"serving the customers took {money(-named['cost to serve'], currency)}")
    if "orders at full price" in named:
        said.append(f"orders at full price brought {money(named['orders at full price'], currency)}")
    return "; ".join(said) + "."
