"""From list prices to customer profit: what is given away, taken back and spent on the way."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, waterfall
from retention.presentation.formatting import listed, money

KINDS_SHOWN = 6
"""Kinds of costs with a step of their own; the smaller ones are one."""
DEFINITION = (
    "The orders of the last 365 days from list prices to profit: less discounts and refunds they are net sales, less "
    "cost of goods the contribution, less the booked costs to serve of the same days the customers' profit. A refund "
    "counts with its order; one without an order on its own day."
)
SOURCE = "Kaplan & Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5)."
SUPPLY_COSTS = (
    "Costs to serve are not in the log. Supply them as the table `costs` under [data], with customer_id, at, kind and "
    "amount: delivery, service, returns, …"
)
SUPPLY_DISCOUNTS = "Discounts are not in the log. Supply them as the column `discount` of the orders."


def profit_steps(orders: pd.DataFrame, costs: pd.DataFrame | None) -> pd.DataFrame:
    """The steps in order: step, amount (signed, currency units) and total (bool: it is what is reached, not a change).

    Everything is summed up and then rounded to the cent; a change is the difference of what is reached before and after
    it, so that all adds up to the cent. Discounts stand there where the log has them.
    """
    net, margin = orders["net"].sum(), orders["margin"].sum()
    gross, levels, discount = orders["gross"].sum(), [], orders["discount"]
    if discount.notna().any():
        levels += [("list price", gross + discount.sum(), True), ("discounts", gross, False)]
    else:
        levels += [("gross sales", gross, True)]
    levels += [("refunds", net, False), ("net sales", net, True), ("cost of goods", margin, False)]
    levels += [("contribution", margin, True)]
    if costs is not None:
        reached = margin
        for kind, amount in _by_kind(costs).items():
            reached -= amount
            levels.append((str(kind), reached, False))
        levels.append(("customer profit", reached, True))
    table = pd.DataFrame(levels, columns=["step", "level", "total"])
    level = table.pop("level").round(2)
    table["amount"] = np.where(table["total"], level, level.diff().round(2)) + 0.0
    return table[["step", "amount", "total"]]


def analyse(base: CustomerBase) -> Analysis:
    """The waterfall of the last 365 days."""
    orders = base.within(base.orders, YEAR_DAYS)
    costs = None if base.costs is None else base.within(base.costs, YEAR_DAYS)
    table = profit_steps(orders, costs)
    top, last = table["amount"].iloc[0], table.iloc[-1]
    table["share"] = table["amount"] / top if top > 0 else np.nan
    of_all = f", {last['amount'] / top:.0%} of" if top > 0 else " of"
    lost = table[~table["total"] & (table["amount"] < 0)].nsmallest(2, "amount")
    takers = (
        listed([f"{row.step} ({money(-row.amount, base.currency)})" for row in lost.itertuples()]) if len(lost) else ""
    )
    missing = [SUPPLY_COSTS] * (base.costs is None) + [SUPPLY_DISCOUNTS] * (table["step"].iloc[0] == "gross sales")
    return Analysis(
        "From list price to profit",
        DEFINITION,
        SOURCE,
        table,
        {
            "step": TableColumn("Step", "text"),
            "amount": TableColumn("Last 365 days", "money"),
            "share": TableColumn(f"of {table['step'].iloc[0]}", "percent"),
        },
        f"The last 365 days left a {last['step']} of {money(last['amount'], base.currency)}{of_all} "
        f"{money(top, base.currency)} at {table['step'].iloc[0]}" + (f"; most went to {takers}." if takers else "."),
        waterfall(
            table["step"].tolist(),
            table["amount"].tolist(),
            table["total"].tolist(),
            title=f"last 365 days, {base.currency}",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _by_kind(costs: pd.DataFrame) -> pd.Series:
    """Costs by kind, the largest first; the small ones together."""
    sums = costs["amount"].groupby(costs["kind"].astype("str").fillna("no kind given")).sum()
    sums = sums.sort_values(ascending=False, kind="stable")
    if len(sums) <= KINDS_SHOWN:
        return sums
    return pd.concat([sums.iloc[: KINDS_SHOWN - 1], pd.Series({"other costs": sums.iloc[KINDS_SHOWN - 1 :].sum()})])
