"""Sales against cost to serve: four groups of customers, cut at the medians."""

import numpy as np
import pandas as pd

from retention.analyses.profit_waterfall import SUPPLY_COSTS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted, money

TITLE = "Sales against cost to serve"
GROUPS = np.array([["bargain basement", "aggressive"], ["passive", "carriage trade"]])
"""Group by [net sales are high][cost to serve is high]."""
DEFINITION = (
    "Customers with an order in the last 365 days, high or low by net sales and by booked cost to serve in that "
    "time, cut at the medians (high is above). Carriage trade pays much and costs much, passive pays much and costs "
    "little, aggressive pays little and costs much, bargain basement pays little and costs little. Profit is margin "
    "less cost to serve."
)
SOURCE = (
    "Shapiro, Rangan, Moriarty & Ross (1987), Manage customers for profits (not just sales), Harvard Business Review "
    "65(5); they use the net price where this uses net sales."
)


def cost_to_serve_matrix(customers: pd.DataFrame) -> pd.DataFrame:
    """Table of the four groups of customers with an order in the last 365 days, empty ones included: group, customers,
    sales, margin, cost and profit (sums, currency units), profit_mean and losing (customers whose profit is below 0).

    customers: orders_year, sales_year, margin_year and cost_to_serve_year.
    """
    active = customers.loc[customers["orders_year"] > 0, ["sales_year", "margin_year", "cost_to_serve_year"]]
    active = active.set_axis(["sales", "margin", "cost"], axis=1)
    active["profit"] = active["margin"] - active["cost"]
    active["losing"] = active["profit"] < 0
    high = [(active[name] > active[name].median()).to_numpy(int) for name in ("sales", "cost")]
    group = pd.Categorical(GROUPS[high[0], high[1]], categories=GROUPS[::-1].ravel())
    by_group = active.groupby(group, observed=False)
    table = by_group[["sales", "margin", "cost", "profit", "losing"]].sum()
    table.insert(0, "customers", by_group.size())
    table["profit_mean"] = table["profit"] / table["customers"].where(table["customers"] > 0)
    return table.rename_axis("group").reset_index().astype({"group": "str"})


def analyse(base: CustomerBase) -> Analysis:
    """The matrix of the last 365 days; empty without booked costs."""
    if base.costs is None:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY_COSTS)
    table = cost_to_serve_matrix(base.customers)
    profit = table.set_index("group")["profit"]
    matrix = pd.DataFrame(
        profit[GROUPS.ravel()].to_numpy().reshape(2, 2)[::-1],
        index=["high net sales", "low net sales"],
        columns=["low cost to serve", "high cost to serve"],
    )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Group", "text"),
            "customers": TableColumn("Customers", "count"),
            "sales": TableColumn("Net sales, last year", "money"),
            "margin": TableColumn("Margin", "money"),
            "cost": TableColumn("Cost to serve", "money"),
            "profit": TableColumn("Profit", "money"),
            "profit_mean": TableColumn("Profit per customer", "money"),
            "losing": TableColumn("Served at a loss", "count"),
        },
        _reading(table, base.currency),
        heatmap(
            matrix,
            x_title=f"in the cells: profit of the last 365 days ({base.currency})",
            y_title="",
            form=",.0f",
        ),
    )


def _reading(table: pd.DataFrame, currency: str) -> str:
    """The profit with customers who pay little and cost much, and the customers served at a loss."""
    aggressive = table[table["group"] == "aggressive"].iloc[0]
    losing, customers = int(table["losing"].sum()), int(table["customers"].sum())
    dear = (
        f"{counted(int(aggressive['customers']), 'customer')} paid little and cost much, for a profit of "
        f"{money(aggressive['profit'], currency)} out of {money(table['profit'].sum(), currency)} in all"
        if aggressive["customers"]
        else "No customer paid little and cost much"
    )
    verb = "was" if 1 in (losing, customers) else "were"
    return f"{dear}; {losing:,} of {counted(customers, 'customer')} {verb} served at a loss."
