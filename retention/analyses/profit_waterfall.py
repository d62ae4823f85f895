"""Waterfall from list prices to customer profit: discounts, refunds, cost of goods, costs to serve."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, waterfall
from retention.presentation.formatting import listed, money, with_minus_sign

KINDS_SHOWN = 6
"""Most steps for kinds of cost; the smaller kinds share the last."""
DEFINITION = (
    "The orders of the last 365 days from list prices to profit: less discounts and refunds they give net sales, "
    "less cost of goods the contribution, less the booked costs to serve of the same days the customers' profit. A "
    "refund counts on the day of its order; a refund without an order counts on its own day."
)
SOURCE = "Kaplan & Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5)."
SUPPLY_COSTS = (
    "Costs to serve are not in the log. Supply them as the table `costs` under [data], with customer_id, at, kind "
    "(delivery, service, returns, …) and amount."
)
SALES = {"list price": "sales of {} at list price", "gross sales": "gross sales of {}"}
SUPPLY_DISCOUNTS = "Discounts are not in the log. Supply them as the column `discount` of the orders."


def profit_steps(orders: pd.DataFrame, costs: pd.DataFrame | None) -> pd.DataFrame:
    """Table of the steps in order: step, amount (signed, currency units) and total (bool: a level, not a change).

    Sums are taken first and then rounded to the cent; a change is the difference of the levels before and after it, so
    that all adds up to the cent. Discounts have a step only where the log has them.
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
    top = table["amount"].iloc[0]
    table["share"] = table["amount"] / top if top > 0 else np.nan
    deductions = table[~table["total"] & (table["amount"] < 0)].nsmallest(2, "amount")
    missing = [SUPPLY_COSTS] * (base.costs is None) + [SUPPLY_DISCOUNTS] * (table["step"].iloc[0] == "gross sales")
    return Analysis(
        "From list price to profit",
        DEFINITION,
        SOURCE,
        table,
        {
            "step": TableColumn("Step", "text"),
            "amount": TableColumn("Last 365 days", "money"),
            "share": TableColumn(f"Share of {table['step'].iloc[0]}", "percent"),
        },
        _reading(table, deductions, base.currency),
        waterfall(
            table["step"].tolist(),
            table["amount"].tolist(),
            table["total"].tolist(),
            title=f"last 365 days ({base.currency})",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _by_kind(costs: pd.DataFrame) -> pd.Series:
    """Sum costs by kind, the largest first, with the small ones together."""
    sums = costs["amount"].groupby(costs["kind"].astype("str").fillna("no kind given")).sum()
    sums = sums.sort_values(ascending=False, kind="stable")
    if len(sums) <= KINDS_SHOWN:
        return sums
    return pd.concat([sums.iloc[: KINDS_SHOWN - 1], pd.Series({"other costs": sums.iloc[KINDS_SHOWN - 1 :].sum()})])


def _reading(table: pd.DataFrame, deductions: pd.DataFrame, currency: str) -> str:
    """The first and the last level, and the largest deductions."""
    first, last = table.iloc[0], table.iloc[-1]
    share = ""
    if first["amount"] > 0:
        share = " (" + with_minus_sign(f"{last['amount'] / first['amount']:.0%}") + ")"
    sales = SALES[first["step"]].format(money(first["amount"], currency))
    start = f"In the last 365 days, {sales} left a {last['step']} of {money(last['amount'], currency)}{share}"
    if deductions.empty:
        return f"{start}."
    names = listed([f"{row.step} ({money(-row.amount, currency)})" for row in deductions.itertuples()])
    return f"{start}; the largest {'deduction was' if len(deductions) == 1 else 'deductions were'} {names}."
