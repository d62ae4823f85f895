"""Recency, frequency and monetary value: the grid of recency and frequency fifths."""

import numpy as np
import pandas as pd
import pyarrow as pa

from features.snapshots.rfm_quintiles import quintile_cuts, quintiles
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted

FIFTHS = (1, 2, 3, 4, 5)
DEFINITION = (
    "Each customer's fifth of the base by days since the last order (R), by number of orders (F) and by total "
    "spending net of refunds (M); 5 is the best fifth, and equal customers are in the same fifth. A cell combines "
    "one R and one F."
)
SOURCE = (
    "Hughes (1994), Strategic Database Marketing; Miglautsch (2000), Thoughts on RFM scoring, Journal of Database "
    "Marketing 8(1)."
)


def rfm(base: CustomerBase) -> pd.DataFrame:
    """Each customer's recency_quintile, frequency_quintile and monetary_quintile, 1 (worst) to 5 (best), as the
    features' `features.snapshots.rfm_quintiles` gives them."""
    customers = base.customers
    recency = (base.as_of_time - customers["last_order"]) / pd.Timedelta(days=1)
    ranked = pa.table(
        {
            "recency_days": recency.to_numpy(),
            "orders": customers["orders"].to_numpy(float),
            "spend_total": customers["net_sales"].to_numpy(),
        }
    )
    return quintiles(ranked, quintile_cuts(ranked)).to_pandas().astype(int)


def grid(base: CustomerBase) -> pd.DataFrame:
    """Table of the cells with customers in them, the best first: cell, recency_quintile, frequency_quintile, customers,
    monetary_mean (mean quintile), margin_year and clv (sums, currency units), clv_mean and churn_probability (mean)."""
    worth = base.customers[["margin_year", "clv", "churn_probability"]]
    of_cell = pd.concat([rfm(base), worth], axis=1).groupby(["recency_quintile", "frequency_quintile"])
    table = of_cell.agg(
        customers=("clv", "size"),
        monetary_mean=("monetary_quintile", "mean"),
        margin_year=("margin_year", "sum"),
        clv=("clv", "sum"),
        clv_mean=("clv", "mean"),
        churn_probability=("churn_probability", "mean"),
    )
    table = table.sort_index(ascending=False).reset_index()
    names = [f"R{r} F{f}" for r, f in zip(table["recency_quintile"], table["frequency_quintile"], strict=True)]
    table.insert(0, "cell", pd.Series(names, dtype="str"))
    return table


def analyse(base: CustomerBase) -> Analysis:
    """The grid, and the few cells that carry half of the CLV."""
    table = grid(base)
    matrix = table.pivot(index="recency_quintile", columns="frequency_quintile", values="clv_mean")
    matrix = matrix.reindex(index=FIFTHS[::-1], columns=FIFTHS)
    matrix.index, matrix.columns = [f"R{r}" for r in matrix.index], [f"F{f}" for f in matrix.columns]
    return Analysis(
        "Recency, frequency and spending",
        DEFINITION,
        SOURCE,
        table,
        {
            "cell": TableColumn("Cell", "text"),
            "customers": TableColumn("Customers", "count"),
            "monetary_mean": TableColumn("Mean fifth by spending", "number"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "clv_mean": TableColumn("CLV per customer", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
        },
        _reading(table),
        heatmap(
            matrix,
            x_title=f"by number of orders, F5 the most · in the cells: mean CLV ({base.currency})",
            y_title="by last order, R5 the latest",
            form=",.0f",
        ),
    )


def _reading(table: pd.DataFrame) -> str:
    """The smallest number of cells that hold half of the CLV."""
    best, total = table.sort_values("clv", ascending=False, kind="stable"), table["clv"].sum()
    if total <= 0:
        return "The customers' CLV is not above zero in total, so no cell carries it."
    top_cells = best.head(int(np.searchsorted(best["clv"].cumsum().to_numpy(), total / 2)) + 1)
    share = top_cells["customers"].sum() / table["customers"].sum()
    verb = "holds" if len(top_cells) == 1 else "hold"
    return (
        f"{len(top_cells)} of {counted(len(table), 'cell')}, with {share:.0%} of the customers, {verb} "
        f"{top_cells['clv'].sum() / total:.0%} of the CLV; the cell with the most is {top_cells['cell'].iloc[0]}."
    )
