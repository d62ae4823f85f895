"""Service strategy of each segment per attribute: invest, maintain, make efficient, monitor or cut."""

from dataclasses import replace

import numpy as np
import pandas as pd

from retention.analyses.importance_performance import SUPPLY_ANSWERS, attributes, importance_performance, quadrants
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.formatting import listed

TITLE = "What service each segment should get"
STRATEGIES = {
    "concentrate here": "invest",
    "keep up the good work": "maintain",
    "possible overkill": "make efficient",
    "low priority": "monitor",
}
CUT = "cut"
DEFINITION = (
    "The importance-performance matrix of each segment's own answers, read as a strategy per attribute: invest where "
    "it is important and not done well, maintain where it is both, make efficient where it is done well and matters "
    "little, monitor where it is neither. In a segment whose mean CLV is below that of all customers, an attribute "
    "that is done well and matters little is cut."
)
SOURCE = "Martilla & James (1977), Journal of Marketing 41(1); Zeithaml, Rust & Lemon (2001), The customer pyramid."


def strategies(base: CustomerBase) -> pd.DataFrame:
    """Table with a row per segment and attribute: segment, attribute, strategy (None where too few answered).

    A segment that was asked about a single attribute has no row: attributes are compared with each other.
    """
    rows = []
    mean = base.customers["clv"].mean()
    for segment, members in base.customers.groupby("segment", sort=True):
        part = keep_interactions_of(base, members.index)
        if len(attributes(part)) < 2:
            continue
        table = importance_performance(part)
        poor = members["clv"].mean() < mean
        for name, quadrant in zip(table["attribute"], quadrants(table), strict=True):
            strategy = STRATEGIES.get(quadrant)
            rows.append((segment, name, CUT if poor and strategy == "make efficient" else strategy))
    return pd.DataFrame(rows, columns=["segment", "attribute", "strategy"])


def keep_interactions_of(base: CustomerBase, members: pd.Index) -> CustomerBase:
    """The base with only the interactions of some customers."""
    rows = base.interactions
    return base if rows is None else replace(base, interactions=rows[rows["customer"].isin(members)])


def analyse(base: CustomerBase) -> Analysis:
    """The strategies, a row per segment."""
    assigned = strategies(base)
    if assigned.empty:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY_ANSWERS)
    segments = sorted(assigned["segment"].unique())
    wide = assigned.assign(strategy=assigned["strategy"].fillna("too few answers")).pivot(
        index="segment", columns="attribute", values="strategy"
    )
    worth = group_totals(base.customers, base.customers["segment"], names=segments).set_index("group")
    table = worth[["customers", "clv_mean"]].join(wide.add_prefix("service_")).reset_index(names="segment")
    invest = assigned[assigned["strategy"] == "invest"]
    best = worth["clv_mean"].idxmax()
    first = invest.loc[invest["segment"] == best, "attribute"].tolist()
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table.replace({np.nan: None}),
        {
            "segment": TableColumn("Segment", "text"),
            "customers": TableColumn("Customers", "count"),
            "clv_mean": TableColumn("CLV per customer", "money"),
            **{f"service_{name}": TableColumn(name.replace("_", " "), "text") for name in wide.columns},
        },
        f"In the segment with the highest CLV per customer, {best}, "
        + (f"invest in {listed(first)}." if first else "no important attribute is done worse than the others."),
        None,
    )
