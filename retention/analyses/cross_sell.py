"""How many kinds of thing a customer buys, what he brings by it, and how much of his spending is still elsewhere."""

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
MOST = 5
"""From so many on, depths share a row."""
DEFINITION = (
    f"Customers by the number of different categories they have bought (products where the log names no categories), "
    f"{MOST} and more together. That who buys more kinds brings more and leaves less is seen here, not proven: who "
    "likes the shop does both. Share of wallet is last year's net sales over what the customer spends a year with "
    "everybody."
)
SOURCE = "Kumar, George & Pancras (2008), Cross-buying in retailing, Journal of Retailing 84(1)."
ASK_WALLET = (
    "Share of wallet is not known: supply the column wallet_per_year in the table customers (a survey says what "
    "customers spend with everybody)."
)


def depths(bought: Floats) -> NDArray[np.str_]:
    """The row that each number of kinds falls into, as text.

    >>> depths(np.array([1.0, 4.0, 12.0])).tolist()
    ['1', '4', '5 and more']
    """
    return np.where(bought >= MOST, f"{MOST} and more", np.minimum(bought, MOST).astype(int).astype(str))


def share_of_wallet(sales_year: pd.Series, wallet: pd.Series) -> tuple[int, float, float]:
    """Of the customers whose wallet is known and positive: how many, the share of all their spending that the shop has
    (0 to 1, each customer's at most 1; NaN for nobody), and the room left, currency units a year."""
    known = wallet > 0
    ours, whole = np.minimum(sales_year[known].clip(lower=0), wallet[known]).sum(), wallet[known].sum()
    return int(known.sum()), float(ours / whole) if whole else float("nan"), float(whole - ours)


def analyse(base: CustomerBase) -> Analysis:
    """Margin, CLV and churn by depth, and the share of wallet where it is known."""
    who = base.customers
    kind = next((one for one in ("categories", "products") if who[one].notna().any()), None)
    if kind is None:
        return unavailable_analysis(
            TITLE,
            definition=DEFINITION,
            source=SOURCE,
            missing=f"The orders name neither products nor categories: supply product_id or category. {ASK_WALLET}",
        )
    bought = who[kind].fillna(0).to_numpy()
    names = [str(depth) for depth in range(int(min(bought.min(), 1)), MOST)] + [f"{MOST} and more"]
    table = group_totals(who, depths(bought), names=names)
    one = table.loc[table["group"] == "1"].iloc[0]
    table = table[table["customers"] > 0]
    asked, share, room = share_of_wallet(who["sales_year"], wallet_per_year(base))
    says = f"{int(one['customers']):,} of {counted(len(who), 'customer')} bought from one {_one(kind)} only"
    if one["customers"] and len(table) > 1:
        last = table.iloc[-1]
        says += (
            f" and brought {money(one['margin_mean'], base.currency)} each last year; who bought from {last['group']} "
            f"brought {money(last['margin_mean'], base.currency)}"
        )
    if asked:
        says += (
            f"; of what {counted(asked, 'customer')} spend with everybody, {share:.0%} is spent here, and "
            f"{money(room, base.currency)} a year elsewhere"
        )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Categories" if kind == "categories" else "Products", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("of all", "percent"),
            "margin_mean": TableColumn("Margin each, last year", "money"),
            "clv_mean": TableColumn("CLV each", "money"),
            "churn_probability": TableColumn("Churn probability, mean", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        says + ".",
        bars(
            table["group"].tolist(),
            {"margin of the last year": table["margin_mean"].tolist(), "CLV": table["clv_mean"].tolist()},
            title=f"per customer ({base.currency})",
            form="~s",
        ),
        missing="" if asked else ASK_WALLET,
    )


def _one(kind: str) -> str:
    return "category" if kind == "categories" else "product"
