"""Which attribute of the service deserves what from each segment: the five service strategies."""

from dataclasses import replace

import numpy as np
import pandas as pd

from retention.analyses.importance_performance import ASK, attributes, importance_performance, quadrants
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
    "The importance × performance matrix of each segment's own answers, read as a strategy per attribute: invest where "
    "it is important and not done well, maintain where it is both, make efficient what is done well and matters "
    "little, monitor what is neither. In a segment whose mean CLV is below that of all customers, what is done well "
    "and matters little is cut."
)
SOURCE = "Martilla & James (1977), Journal of Marketing 41(1); Zeithaml, Rust & Lemon (2001), The customer pyramid."


def strategies(base: CustomerBase) -> pd.DataFrame:
    """A row per segment and attribute: segment, attribute, strategy (None where too few answered).

    A segment that was asked about one attribute alone has none: attributes are held against each other.
    """
    rows = []
    mean = base.customers["clv"].mean()
    for segment, members in base.customers.groupby("segment", sort=True):
        part = of_members(base, members.index)
        if len(attributes(part)) < 2:
            continue
        table = importance_performance(part)
        poor = members["clv"].mean() < mean
        for name, quadrant in zip(table["attribute"], quadrants(table), strict=True):
            strategy = STRATEGIES.get(quadrant)
            rows.append((segment, name, CUT if poor and strategy == "make efficient" else strategy))
    return pd.DataFrame(rows, columns=["segment", "attribute", "strategy"])


def of_members(base: CustomerBase, members: pd.Index) -> CustomerBase:
    """The base with the interactions of some customers alone."""
    rows = base.interactions
    return base if rows is None else replace(base, interactions=rows[rows["customer"].isin(members)])


def analyse(base: CustomerBase) -> Analysis:
    """The strategies, a row per segment."""
    found = strategies(base)
    if found.empty:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=ASK)
    segments = sorted(found["segment"].unique())
    wide = found.assign(strategy=found["strategy"].fillna("too few answers")).pivot(
        index="segment", columns="attribute", values="strategy"
    )
    worth = group_totals(base.customers, base.customers["segment"], names=segments).set_index("group")
    table = worth[["customers", "clv_mean"]].join(wide.add_prefix("service_")).reset_index(names="segment")
    invest = found[found["strategy"] == "invest"]
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
            "clv_mean": TableColumn("CLV each", "money"),
            **{f"service_{name}": TableColumn(name.replace("_", " "), "text") for name in wide.columns},
        },
        f"In the segment worth most a head, {best}, "
        + (f"invest in {listed(first)}." if first else "nothing important is done worse than the rest."),
        None,
    )
