"""Kinds of loyalty that behaviour shows: price, incentive, habit, convenience, lock-in."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.event_pairing import days_since
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, listed

TITLE = "What loyalty rests on"
MIN_ORDERS = 3
"""Fewest orders of a customer whose way of buying is judged."""
MAJORITY = 0.5
"""Least share of the orders that shows a kind of loyalty."""
REGULAR_SPREAD = 0.5
"""Ratio of standard deviation to mean below which gaps between orders are regular."""
AFTER_DAYS = 14
"""Days after a contact within which an order is taken to follow it."""
DEFINITION = (
    f"Customers with {MIN_ORDERS} orders or more, who may show several kinds of loyalty. Price: at least half of the "
    f"orders were discounted. Incentive: at least half came within {AFTER_DAYS} days of a campaign contact. Habit: "
    "the gaps between orders spread by less than half of their mean. Convenience: all orders came through one of "
    "several channels. Lock-in: the customer is bound by a contract. What loyalty rests on is read off behaviour, "
    "not asked."
)
SOURCE = "After Oliver (1999), Whence consumer loyalty?, Journal of Marketing 63; textbook kinds of customer loyalty."
SUPPLY = {
    "price": "discount in the orders",
    "incentive": "the table treatments, or interactions of kind campaign_contact",
    "convenience": "channel in the orders",
    "lock-in": "left_at in the table customers, where churn is contractual",
}


def kinds_of_loyalty(base: CustomerBase) -> pd.DataFrame:
    """Table with a row per customer with MIN_ORDERS orders and a column per kind that the data can show: whether they
    show it.

    The index is the row in `customers`. Habit needs three orders at different times.
    """
    orders = base.orders[base.orders["stands"]]
    frequent = base.customers.index[base.customers["orders"] >= MIN_ORDERS]
    count = base.customers["orders"].reindex(frequent)

    def share(rows: pd.Series) -> pd.Series:
        return rows.groupby(orders["customer"]).sum().reindex(frequent, fill_value=0) / count

    kinds: dict[str, pd.Series] = {}
    if orders["discount"].notna().any():
        kinds["price"] = share(orders["discount"] > 0) >= MAJORITY
    contacts = _contacts(base)
    if contacts is not None:
        soon = pd.Series(days_since(orders, contacts) <= AFTER_DAYS, orders.index)
        kinds["incentive"] = share(soon) >= MAJORITY
    gaps = orders.groupby("customer")["at"].diff() / pd.Timedelta(days=1)
    spread = gaps.groupby(orders["customer"]).agg(["mean", "std"]).reindex(frequent)
    kinds["habit"] = (spread["std"] < REGULAR_SPREAD * spread["mean"]) & (spread["mean"] > 0)
    if orders["channel"].nunique() > 1:
        kinds["convenience"] = orders.groupby("customer")["channel"].nunique(dropna=False).reindex(frequent) == 1
    if base.former is not None:
        kinds["lock-in"] = pd.Series(True, index=frequent)
    return pd.DataFrame(kinds, index=frequent)


def _contacts(base: CustomerBase) -> pd.DataFrame | None:
    """customer and at of every contact; None where there is none."""
    parts = []
    if base.treatments is not None:
        parts.append(base.treatments.loc[base.treatments["treated"], ["customer", "at"]])
    if base.interactions is not None:
        parts.append(base.interactions.loc[base.interactions["kind"] == "campaign_contact", ["customer", "at"]])
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return rows if len(rows) else None


def analyse(base: CustomerBase) -> Analysis:
    """Customers, margin, CLV and churn probability per kind of loyalty."""
    shown = kinds_of_loyalty(base)
    rows = [
        group_totals(base.customers.loc[shown.index], pd.Series(name, shown.index).where(shown[name]), names=[name])
        for name in shown
    ]
    none = pd.Series("none of these", shown.index).mask(shown.any(axis=1))
    table = pd.concat([*rows, group_totals(base.customers.loc[shown.index], none, names=["none of these"])])
    table = table.reset_index(drop=True)
    absent = [f"{name} (needs {supply})" for name, supply in SUPPLY.items() if name not in shown]
    if len(shown):
        first, none_share = table[:-1].loc[table["customers"][:-1].idxmax()], table["customer_share"].iloc[-1]
        reading = f"Of {counted(len(shown), 'customer')} with {MIN_ORDERS} orders or more, " + (
            f"{first['customer_share']:.0%} show the most common kind of loyalty, “{first['group']}”, and "
            f"{none_share:.0%} show none of the kinds."
            if first["customers"]
            else "nobody shows any of these kinds of loyalty."
        )
    else:
        reading = f"No customer has {MIN_ORDERS} orders yet."
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Kind of loyalty", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn(f"Share of customers with {MIN_ORDERS} orders or more", "percent"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv_mean": TableColumn("CLV per customer", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
        },
        reading,
        bars(
            table["group"].tolist(),
            {
                "share of customers": table["customer_share"].tolist(),
                "churn probability": table["churn_probability"].tolist(),
            },
            title="share",
            form=PERCENT,
        )
        if len(shown)
        else None,
        missing=f"Not visible in these data: {listed(absent)}." if absent else "",
    )
