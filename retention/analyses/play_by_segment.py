"""The play for each segment, and the most money that it could move."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import money

TITLE = "The play for each segment"
PLAYS = {
    "VIP": ("keep them, and acquire more like them", "value at risk: what saving those who can be saved would add"),
    "grow": ("encourage them to buy more now", "the gap of their margin to that of the mean VIP"),
    "maintain": (
        "keep those with whom a contact pays, and cross-sell",
        "value at risk: what saving those who can be saved would add",
    ),
    "let go": ("cut the cost to serve", "the cost of serving them for a year"),
}
"""Segment → what to do, and what the money beside it is."""
DEFINITION = (
    "Each segment's usual play, with the money it concerns: for VIP and maintain the value at risk (what saving every "
    "customer who can be saved would add), for grow the gap between each customer's margin of last year and the mean "
    "VIP's, for let go the booked cost to serve of last year. These are upper bounds: no play moves all of it, and "
    "none is free."
)
SOURCE = "Textbook (customer portfolio management: current × future value); Zeithaml, Rust & Lemon (2001)."
NO_COSTS = "The cost of serving the let-go customers is not known: supply the table costs."


def plays(base: CustomerBase) -> pd.DataFrame:
    """Table of the segments: group, customers, margin_year, clv, play, about (what the money is) and at_most (currency
    units; NaN where it is not known)."""
    who = base.customers
    table = group_totals(who, who["segment"], names=list(PLAYS)).set_index("group")
    gap = (table.loc["VIP", "margin_mean"] - who.loc[who["segment"] == "grow", "margin_year"]).clip(lower=0).sum()
    cost = who.loc[who["segment"] == "let go", "cost_to_serve_year"].sum(min_count=1)
    at_most = {"VIP": table.loc["VIP", "at_risk"], "grow": gap, "maintain": table.loc["maintain", "at_risk"]}
    if not table.loc["VIP", "customers"]:
        at_most["grow"] = float("nan")
    at_most["let go"] = 0.0 if not table.loc["let go", "customers"] and base.costs is not None else cost
    rows = table[["customers", "margin_year", "clv"]].reset_index()
    rows["play"] = [PLAYS[name][0] for name in rows["group"]]
    rows["about"] = [PLAYS[name][1] for name in rows["group"]]
    rows["at_most"] = [float(at_most[name]) for name in rows["group"]]
    return rows


def analyse(base: CustomerBase) -> Analysis:
    """The play of each segment with its money."""
    table = plays(base)
    known = table[table["at_most"].notna()]
    best = known.loc[known["at_most"].idxmax()]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Segment", "text"),
            "customers": TableColumn("Customers", "count"),
            "clv": TableColumn("CLV", "money"),
            "play": TableColumn("Play", "text"),
            "about": TableColumn("Money at stake", "text"),
            "at_most": TableColumn("At most", "money"),
        },
        f"The most money is at stake in the segment “{best['group']}” ({best['play']}): at most "
        f"{money(best['at_most'], base.currency)}."
        if best["at_most"] > 0
        else "No money is at stake in any segment.",
        bars(
            known["group"].tolist(),
            {"at most": known["at_most"].tolist()},
            title=f"at most ({base.currency})",
            form=MONEY,
        ),
        "" if base.costs is not None else NO_COSTS,
    )
