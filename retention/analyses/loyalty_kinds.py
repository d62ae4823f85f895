"""What kind of loyalty it is: of price, incentive, habit, convenience, or being locked in."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.event_pairing import days_since
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, listed

TITLE = "What the loyalty rests on"
FEWEST = 3
"""Orders from which a customer's way of buying shows."""
HALF = 0.5
REGULAR = 0.5
"""Gaps whose spread is below half of their mean are regular."""
AFTER_DAYS = 14
"""So soon after a contact an order is taken to follow it."""
DEFINITION = (
    f"Of customers with {FEWEST} orders or more, who may be loyal in several ways: price, at least half of the orders "
    f"were discounted; incentive, at least half came within {AFTER_DAYS} days of a campaign contact; habit, the gaps "
    "between orders spread by less than half of their mean; convenience, all orders came by one of several channels; "
    "lock-in, the customer is bound by a contract. What loyalty rests on is read off behaviour, not asked."
)
SOURCE = "After Oliver (1999), Whence consumer loyalty?, Journal of Marketing 63; textbook kinds of customer loyalty."
SUPPLY = {
    "price": "discount in the orders",
    "incentive": "the table treatments, or interactions of kind campaign_contact",
    "convenience": "channel in the orders",
    "lock-in": "left_at in the table customers, where churn is contractual",
}


def kinds_of_loyalty(base: CustomerBase) -> pd.DataFrame:
    """A row per customer with FEWEST orders, a column per kind that the data can show: whether it is theirs.

    The index is the row in `customers`. Habit needs three orders at different times.
    """
    orders = base.orders[base.orders["stands"]]
    many = base.customers.index[base.customers["orders"] >= FEWEST]
    count = base.customers["orders"].reindex(many)

    def share(rows: pd.Series) -> pd.Series:
        return rows.groupby(orders["customer"]).sum().reindex(many, fill_value=0) / count

    kinds: dict[str, pd.Series] = {}
    if orders["discount"].notna().any():
        kinds["price"] = share(orders["discount"] > 0) >= HALF
    contacts = _contacts(base)
    if contacts is not None:
        soon = pd.Series(days_since(orders, contacts) <= AFTER_DAYS, orders.index)
        kinds["incentive"] = share(soon) >= HALF
    gaps = orders.groupby("customer")["at"].diff() / pd.Timedelta(days=1)
    spread = gaps.groupby(orders["customer"]).agg(["mean", "std"]).reindex(many)
    kinds["habit"] = (spread["std"] < REGULAR * spread["mean"]) & (spread["mean"] > 0)
    if orders["channel"].nunique() > 1:
        kinds["convenience"] = orders.groupby("customer")["channel"].nunique(dropna=False).reindex(many) == 1
    if base.former is not None:
        kinds["lock-in"] = pd.Series(True, index=many)
    return pd.DataFrame(kinds, index=many)


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
    """Each kind of loyalty: how many have it, what they bring, how likely they leave."""
    theirs = kinds_of_loyalty(base)
    rows = [
        group_totals(base.customers.loc[theirs.index], pd.Series(name, theirs.index).where(theirs[name]), names=[name])
        for name in theirs
    ]
    none = pd.Series("none of these", theirs.index).mask(theirs.any(axis=1))
    table = pd.concat([*rows, group_totals(base.customers.loc[theirs.index], none, names=["none of these"])])
    table = table.reset_index(drop=True)
    absent = [f"{name} (needs {what})" for name, what in SUPPLY.items() if name not in theirs]
    if len(theirs):
        first, none_share = table[:-1].loc[table["customers"][:-1].idxmax()], table["customer_share"].iloc[-1]
        says = (
            f"Of {counted(len(theirs), 'customer')} with {FEWEST} orders or more, {first['customer_share']:.0%} are "
            f"bound by {first['group']}, the commonest kind here; {none_share:.0%} show none."
        )
    else:
        says = f"No customer has {FEWEST} orders yet."
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Loyalty of", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn(f"of those with {FEWEST} orders", "percent"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv_mean": TableColumn("CLV each", "money"),
            "churn_probability": TableColumn("Churn probability, mean", "percent"),
        },
        says,
        bars(
            table["group"].tolist(),
            {
                "share of customers": table["customer_share"].tolist(),
                "churn probability": table["churn_probability"].tolist(),
            },
            title="share",
            form=PERCENT,
        )
        if len(theirs)
        else None,
        missing=f"Not visible here: {listed(absent)}." if absent else "",
    )
