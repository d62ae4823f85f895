"""Components of customer value: first orders, repeat orders, cross-selling, cost to serve, price, referrals."""

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

SHORT_NAMES = {
    "repeat orders, one category": "repeat, 1 category",
    "repeat orders, several categories": "repeat, 2+ categories",
}
"""Shorter names for the axis of the picture."""
ADDS, WITHIN, TOTAL = "part of the sum", "included above", "sum"
DEFINITION = (
    "The margin of the last 365 days by its origin: first orders, and repeat orders of customers who have bought in "
    "one category or in several, less the cost to serve. CLV has no first orders left; its cost to serve is the "
    "share that the model takes off it. Cross-selling is at most what customers with several "
    "categories bring. Full-price orders and referrals are included in these parts; referrals count the new "
    "customers sent times what this year's mean new customer has brought so far, as an upper bound."
)
SOURCE = (
    "Reichheld & Sasser (1990), Zero defections: quality comes to services, Harvard Business Review 68(5): base "
    "profit, increased purchases, cost to serve, referrals, price premium."
)
SUPPLY_CATEGORIES = (
    "Cross-selling cannot be separated, because the orders name no categories. Supply the column `category` in the "
    "order lines."
)
UPPER_BOUND_ONLY = (
    "The customer base does not keep which order was the first in its category, so cross-selling has only an upper "
    "bound."
)


class ClvComponent(NamedTuple):
    """One component; money in currency units, clv NaN where it is not known."""

    part: str
    year: float
    clv: float
    role: str


def order_parts(base: CustomerBase) -> list[ClvComponent]:
    """Margin of first orders and of repeat orders in the last 365 days; together they are all of it.

    Refunds without an order count with the repeat orders.
    """
    rows, customers = _last_year(base), base.customers
    before_costs = customers["clv"] / (1 - base.clv_cost_share)
    first_at, categories = customers["first_order"].to_numpy(), customers["categories"].to_numpy()
    who = rows["customer"].to_numpy()
    first = rows["at"].to_numpy() == first_at[who]
    parts = [ClvComponent("first orders", rows.loc[first, "margin"].sum(), np.nan, ADDS)]
    if np.isnan(categories).all():
        return [*parts, ClvComponent("repeat orders", rows.loc[~first, "margin"].sum(), before_costs.sum(), ADDS)]
    several = categories > 1
    for name, in_group in (("one category", ~several), ("several categories", several)):
        margin = rows.loc[~first & in_group[who], "margin"].sum()
        parts.append(ClvComponent(f"repeat orders, {name}", margin, before_costs[in_group].sum(), ADDS))
    return parts


def parts(base: CustomerBase) -> pd.DataFrame:
    """Table of the components: part, year, clv (currency units) and role (ADDS, WITHIN or TOTAL)."""
    components = order_parts(base)
    year, clv = sum(component.year for component in components), float(base.customers["clv"].sum())
    if base.costs is not None:
        cost = base.customers["cost_to_serve_year"].sum()
        of_clv = clv * base.clv_cost_share / (1 - base.clv_cost_share)
        components.append(ClvComponent("cost to serve", -cost, -of_clv, ADDS))
        components.append(ClvComponent("customer profit", year - cost, clv, TOTAL))
    else:
        components.append(ClvComponent("margin", year, clv, TOTAL))
    rows = _last_year(base)
    if rows["discount"].notna().any():
        components.append(
            ClvComponent("orders at full price", rows.loc[rows["discount"] == 0, "margin"].sum(), np.nan, WITHIN)
        )
        components.append(
            ClvComponent("orders with a discount", rows.loc[rows["discount"] > 0, "margin"].sum(), np.nan, WITHIN)
        )
    sent, new = referral_counts(base), mean_newcomer(base)
    if sent is not None and new.customers:
        components.append(ClvComponent("customers who came by referral", sent.sum() * new.margin, np.nan, WITHIN))
    return pd.DataFrame(components)


def analyse(base: CustomerBase) -> Analysis:
    """Split last year's profit, and CLV where it is known, into components."""
    table = parts(base)
    adds = table[table["role"] != WITHIN]
    named = table.set_index("part")["year"]
    no_discounts = "orders at full price" not in named
    missing = [
        *([SUPPLY_CATEGORIES] if base.customers["categories"].isna().all() else [UPPER_BOUND_ONLY]),
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
            "clv": TableColumn("CLV", "money"),
            "role": TableColumn("How it counts", "text"),
        },
        _reading(named, float(base.customers["margin_year"].sum()), base.currency),
        waterfall(
            [SHORT_NAMES.get(part, part) for part in adds["part"]],
            adds["year"].tolist(),
            (adds["role"] == TOTAL).tolist(),
            title=f"margin of the last 365 days, {base.currency}",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _last_year(base: CustomerBase) -> pd.DataFrame:
    """The order columns needed here, for the last 365 days."""
    return base.within(base.orders[["customer", "at", "margin", "discount"]], YEAR_DAYS)


def _reading(named: pd.Series, margin: float, currency: str) -> str:
    """The margin, and how much of it came from first orders and at full price."""
    first = named["first orders"]
    clauses = [
        f"Of last year's margin of {money(margin, currency)}, first orders brought {money(first, currency)} and repeat "
        f"orders {money(margin - first, currency)}"
    ]
    if "cost to serve" in named:
        clauses.append(f"serving the customers cost {money(-named['cost to serve'], currency)}")
    if "orders at full price" in named:
        clauses.append(f"orders at full price brought {money(named['orders at full price'], currency)}")
    return "; ".join(clauses) + "."
