"""Totals of groups of customers: size, sales, margin, CLV and value at risk."""

from collections.abc import Sequence

import pandas as pd
from numpy.typing import ArrayLike

from retention.economics.profit import value_at_risk


def group_totals(customers: pd.DataFrame, groups: ArrayLike | pd.Series, *, names: Sequence[str]) -> pd.DataFrame:
    """A row per name, in their order: group, customers, customer_share (of all, 0 to 1), sales_year, margin_year, clv,
    at_risk (Σ `retention.economics.profit.value_at_risk`), currency units, and the means
    churn_probability, margin_mean and clv_mean (NaN for an empty group).

    groups: the name of each customer's group; a customer with another name or none counts only in the whole of the
    share.
    """
    worth = customers[["sales_year", "margin_year", "clv", "churn_probability", "gain"]].reset_index(drop=True)
    worth["at_risk"] = value_at_risk(worth)
    labels = pd.Categorical.from_codes(pd.Index(names).get_indexer(pd.Index(groups)), categories=list(names))
    by_group = worth.groupby(labels, observed=False)
    table = by_group[["sales_year", "margin_year", "clv", "at_risk"]].sum()
    count = by_group.size()
    table.insert(0, "customers", count)
    table.insert(1, "customer_share", count / max(len(customers), 1))
    table["churn_probability"] = by_group["churn_probability"].mean()
    divisor = count.where(count > 0)
    table["margin_mean"], table["clv_mean"] = table["margin_year"] / divisor, table["clv"] / divisor
    return table.rename_axis("group").reset_index().astype({"group": "str"})
