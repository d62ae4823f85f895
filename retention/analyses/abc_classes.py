"""Classify customers as A, B or C by the margin they bring."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted

ENDS = {"A": 0.80, "B": 0.95, "C": 1.00}
"""Class → the cumulative share of the positive margin at which it ends."""
DEFINITION = (
    "Customers are ranked by the margin they brought in the last 365 days, best first: class A up to 80% of the "
    "positive margin, B up to 95%, C the remaining customers with a margin. Customers who brought none, or a loss, "
    "are in no class."
)
SOURCE = (
    "Dickie (1951), ABC inventory analysis shoots for dollars, not pennies, Factory Management and Maintenance 109(7)."
)


def abc_classes(value: ArrayLike) -> pd.DataFrame:
    """Table of the classes by value (currency units): group (A, B, C, none), customers, customer_share (of all),
    value and value_share (of the positive values; NaN where nobody has one).

    The customer with whom a class reaches its end belongs to it, so A holds at least 80 % and is as small as that
    allows.

    >>> abc_classes([80, 10, 8, 2, 0])["customers"].tolist()
    [1, 2, 1, 1]
    """
    values = np.sort(np.asarray(value, float))[::-1]
    active = values[values > 0]
    cumulative = np.cumsum(active)
    total = cumulative[-1] if len(cumulative) else np.nan
    ends = [min(int(np.searchsorted(cumulative, end * total * (1 - 1e-12))) + 1, len(active)) for end in ENDS.values()]
    parts = [*np.split(active, ends[:-1]), values[len(active) :]]
    table = pd.DataFrame({"group": [*ENDS, "none"], "customers": [len(part) for part in parts]})
    table["value"] = [part.sum() for part in parts]
    table["customer_share"] = table["customers"] / max(len(values), 1)
    table["value_share"] = table["value"] / total
    return table


def analyse(base: CustomerBase) -> Analysis:
    """Classify the customers by the margin of the last 365 days."""
    table = abc_classes(base.customers["margin_year"])
    best = table.iloc[0]
    return Analysis(
        "A, B and C customers",
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Class", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "value": TableColumn("Margin, last year", "money"),
            "value_share": TableColumn("Share of positive margin", "percent"),
        },
        f"{counted(int(best['customers']), 'customer')} in class A ({best['customer_share']:.1%} of all) brought "
        f"{best['value_share']:.0%} of last year's positive margin."
        if best["customers"]
        else "No customer brought a positive margin in the last 365 days.",
        bars(
            [*(f"class {name}" for name in ENDS), "in no class"],
            {
                "share of customers": table["customer_share"].tolist(),
                "share of the positive margin": table["value_share"].fillna(0).tolist(),
            },
            title="share",
            form=PERCENT,
        ),
    )
