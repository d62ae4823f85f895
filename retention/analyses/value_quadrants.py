"""Current value against future value: VIP, grow, maintain, let go."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.segments import SEGMENTS
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, money

DEFINITION = (
    "Customers are high or low by what they spent in the last 365 days (current value) and by CLV (future value), "
    "cut at the base's averages: VIP is high in both, grow only in future value, maintain only in current value. Of "
    "those low in both, customers whose gain (what keeping them would add) is above the cost of the cheapest contact "
    "are to be maintained too, since a contact may pay; the others are let go, and no plan contacts them. Value at "
    "risk is the sum of the gains."
)
SOURCE = (
    "Current against future value: textbook (the quadrants of customer portfolio management); the cut by the gain is "
    "ours, so that segments and plans agree."
)


def analyse(base: CustomerBase) -> Analysis:
    """The quadrants as scored: customers, sales, margin, CLV, and value at risk."""
    table = group_totals(base.customers, base.customers["segment"], names=SEGMENTS)
    shares = {
        "share of customers": table["customer_share"],
        "of last year's margin": _share(table["margin_year"]),
        "of CLV": _share(table["clv"]),
        "of the value at risk": _share(table["at_risk"]),
    }
    return Analysis(
        "Current and future value",
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Quadrant", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "sales_year": TableColumn("Net sales, last year", "money"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "clv_mean": TableColumn("CLV per customer", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        _reading(table, base.currency),
        bars(list(SEGMENTS), {name: values.tolist() for name, values in shares.items()}, title="share", form=PERCENT),
    )


def _share(values: pd.Series) -> pd.Series:
    """Divide the values by their sum; 0 where it is not above 0."""
    total = values.sum()
    return values / total if total > 0 else values * 0.0


def _reading(table: pd.DataFrame, currency: str) -> str:
    """The CLV of the VIPs, and the quadrant with the most value at risk."""
    vip, riskiest = table.iloc[0], table.loc[table["at_risk"].idxmax()]
    vips = (
        f"{counted(int(vip['customers']), 'VIP')} ({vip['customer_share']:.0%} of all customers) "
        f"{'holds' if vip['customers'] == 1 else 'hold'} {money(vip['clv'], currency)} of the total CLV of "
        f"{money(table['clv'].sum(), currency)}"
        if vip["customers"]
        else "No customer is a VIP"
    )
    if riskiest["at_risk"] <= 0:
        return f"{vips}; no value is at risk."
    at_risk = money(riskiest["at_risk"], currency)
    return f"{vips}; the quadrant with the most value at risk is {riskiest['group']} ({at_risk})."
