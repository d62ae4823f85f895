"""Concentration of the margin: Pareto's curve and the customer pyramid."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, lines
from retention.presentation.formatting import counted

TIERS = (("top", 0.01), ("large", 0.04), ("medium", 0.15), ("small", 0.80))
"""The customer pyramid: name and share of the active customers, best first."""
DEFINITION = (
    "Customers are ranked by the margin they brought in the last 365 days, best first, in tiers of 1, 4, 15 and 80% "
    "of those who brought any; the curve adds up their margin."
)
SOURCE = "Pareto (1896), Cours d'économie politique; Curry & Curry (2000), The Customer Marketing Method (pyramid)."


def pareto(value: ArrayLike) -> pd.DataFrame:
    """Table of the customer pyramid by value (currency units): tier, customers, customer_share, value, value_share and
    value_mean.

    Only customers with a positive value are ranked; tiers are rounded to whole customers from the top and the last
    takes the rest, so that all add up. A value of 0 or less is in the row "inactive": its share counts against the
    others. Shares of value are NaN where the sum is not above 0.
    """
    values = np.sort(np.asarray(value, float))[::-1]
    active = int((values > 0).sum())
    ends = np.minimum(np.round(np.cumsum([share for _, share in TIERS]) * active).astype(int), active)
    ends[-1] = active
    parts = [*np.split(values[:active], ends[:-1]), values[active:]]
    rows = [
        {"tier": name, "customers": len(part), "value": part.sum()}
        for name, part in zip([*(name for name, _ in TIERS), "inactive"], parts, strict=True)
    ]
    table = pd.DataFrame(rows)
    table["customer_share"] = table["customers"] / max(len(values), 1)
    table["value_share"] = table["value"] / (values.sum() if values.sum() > 0 else np.nan)
    table["value_mean"] = table["value"] / table["customers"].where(table["customers"] > 0)
    return table


def share_of_top(value: ArrayLike, top: ArrayLike) -> np.ndarray:
    """Share of all value brought by the best `top` (0 to 1) of all customers, for each; NaN where the sum is not above
    0.


    >>> share_of_top([5, 1, 3, 1], [0.25, 0.5, 1]).tolist()
    [0.5, 0.8, 1.0]
    """
    values = np.sort(np.asarray(value, float))[::-1]
    cumulative = np.concatenate([[0.0], np.cumsum(values)])
    places = np.round(np.asarray(top, float) * len(values)).astype(int)
    return cumulative[places] / (cumulative[-1] if cumulative[-1] > 0 else np.nan)


def analyse(base: CustomerBase) -> Analysis:
    """The pyramid by the margin of the last year, and its curve."""
    value = base.customers["margin_year"]
    table = pareto(value)
    top = table[table["tier"].isin(["top", "large"])]
    shares = np.linspace(0, 1, 101)
    return Analysis(
        "The customer pyramid",
        DEFINITION,
        SOURCE,
        table,
        {
            "tier": TableColumn("Tier", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "value": TableColumn("Margin, last year", "money"),
            "value_share": TableColumn("Share of margin", "percent"),
            "value_mean": TableColumn("Margin per customer", "money"),
        },
        _reading(table, top),
        lines(
            shares,
            {"share of margin": share_of_top(value, shares).tolist()},
            x_title="customers, best first",
            y_title="share of last year's margin",
            form=PERCENT,
            x_form=PERCENT,
        ),
    )


def _reading(table: pd.DataFrame, top: pd.DataFrame) -> str:
    """The share of the top and large customers, where there are any."""
    active = int(table["customers"].sum() - table["customers"].iloc[-1])
    if not active:
        return "No customer brought a positive margin in the last 365 days."
    if not top["customers"].sum():
        return f"Only {counted(active, 'customer')} brought a margin in the last 365 days, too few for a top 5%."
    if top["value_share"].isna().any():
        return (
            f"{counted(active, 'customer')} brought a margin in the last 365 days, but losses with other customers "
            "cancelled it out."
        )
    return (
        f"The top {top['customer_share'].sum():.1%} of customers brought {top['value_share'].sum():.0%} of last year's "
        "margin."
    )
