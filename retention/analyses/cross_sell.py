"""Breadth of buying: margin, CLV and churn by number of categories, and the share of wallet."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.loyalty_index import wallet_per_year
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import bars
from retention.presentation.formatting import counted, money

TITLE = "How broadly customers buy"
DEEPEST_GROUP = 5
"""Number of categories from which customers share a row."""
DEFINITION = (
    "Customers by the number of different categories they have bought (products where the log names no categories), "
    f"{DEEPEST_GROUP} and more together. That customers who buy more kinds bring more and leave less is an "
    "observation, not proof of an effect: whoever likes the shop does both. Share of wallet is last year's net "
    "sales over what the customer spends per year with all suppliers."
)
SOURCE = "Kumar, George & Pancras (2008), Cross-buying in retailing, Journal of Retailing 84(1)."
SUPPLY_WALLET = (
    "Share of wallet is not known: supply the column wallet_per_year in the table customers, for instance from a "
    "survey of what customers spend with all suppliers."
)

SINGLE = {"categories": "in only one category", "products": "only one product"}


def depth_labels(bought: Floats) -> NDArray[np.str_]:
    """Row of the table for each number of categories, as text.

    >>> depth_labels(np.array([1.0, 4.0, 12.0])).tolist()
    ['1', '4', '5 and more']
    """
    labels = np.minimum(bought, DEEPEST_GROUP).astype(int).astype(str)
    return np.where(bought >= DEEPEST_GROUP, f"{DEEPEST_GROUP} and more", labels)


def share_of_wallet(sales_year: pd.Series, wallet: pd.Series) -> tuple[int, float, float]:
    """Customers with a known, positive wallet: their number, the share of their spending that the shop has (0 to 1,
    each customer's at most 1; NaN for nobody), and the remaining room, currency units a year."""
    known = wallet > 0
    spent_here, total = np.minimum(sales_year[known].clip(lower=0), wallet[known]).sum(), wallet[known].sum()
    return int(known.sum()), float(spent_here / total) if total else float("nan"), float(total - spent_here)


def analyse(base: CustomerBase) -> Analysis:
    """Margin, CLV and churn by number of categories, and the share of wallet where it is known."""
    who = base.customers
    kind = next((name for name in ("categories", "products") if who[name].notna().any()), None)
    if kind is None:
        return unavailable_analysis(
            TITLE,
            definition=DEFINITION,
            source=SOURCE,
            missing=f"The orders name neither products nor categories: supply product_id or category. {SUPPLY_WALLET}",
        )
    bought = who[kind].fillna(0).to_numpy()
    names = [str(depth) for depth in range(int(min(bought.min(), 1)), DEEPEST_GROUP)] + [f"{DEEPEST_GROUP} and more"]
    table = group_totals(who, depth_labels(bought), names=names)
    single = table.loc[table["group"] == "1"].iloc[0]
    table = table[table["customers"] > 0]
    known_wallets, share, room = share_of_wallet(who["sales_year"], wallet_per_year(base))
    reading = f"{int(single['customers']):,} of {counted(len(who), 'customer')} bought {SINGLE[kind]}"
    last = table.iloc[-1]
    if single["customers"] and last["group"] != "1":
        reading += (
            f" and brought {money(single['margin_mean'], base.currency)} per customer last year, against "
            f"{money(last['margin_mean'], base.currency)} for those with {last['group']} {kind}"
        )
    if known_wallets:
        reading += (
            f"; of the spending of {counted(known_wallets, 'customer')} with a known wallet, {share:.0%} is here and "
            f"{money(room, base.currency)} a year is elsewhere"
        )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Categories" if kind == "categories" else "Products", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "margin_mean": TableColumn("Margin per customer, last year", "money"),
            "clv_mean": TableColumn("CLV per customer", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        reading + ".",
        bars(
            table["group"].tolist(),
            {"margin of the last year": table["margin_mean"].tolist(), "CLV": table["clv_mean"].tolist()},
            title=f"per customer ({base.currency})",
            form="~s",
        ),
        missing="" if known_wallets else SUPPLY_WALLET,
    )
