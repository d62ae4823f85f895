"""What to do with each segment, and what it could move at most."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import money

TITLE = "The play for each segment"
PLAYS = {
    "VIP": ("hold, and acquire their like", "value at risk: what churn may take"),
    "grow": ("grow: bring them to buy now what they will be worth", "their current value raised to that of the VIPs"),
    "maintain": ("cross-sell: they pay now and will not for long", "value at risk, as far as it can still be held"),
    "let go": ("cut the cost to serve", "what serving them costs in a year"),
}
"""Segment → what to do, and what the money beside it is."""
DEFINITION = (
    "Each segment's usual play, with the money it is about: for VIP and maintain the value at risk (churn probability "
    "× CLV), for grow the gap of their last year's margin to the mean VIP's, for let go the booked cost to serve of "
    "the last year. Upper bounds: no play moves all of it, and none is free."
)
SOURCE = "Textbook (customer portfolio management: current × future value); Zeithaml, Rust & Lemon (2001)."
NO_COSTS = "What serving the let-go customers costs is not known: supply the table costs."


def plays(base: CustomerBase) -> pd.DataFrame:
    """A row per segment: group, customers, margin_year, clv, play, about (what the money is) and at_most (currency
    units; NaN where it is not known)."""
    who = base.customers
    table = group_totals(who, who["segment"], names=list(PLAYS)).set_index("group")
    gap = (table.loc["VIP", "margin_mean"] - who.loc[who["segment"] == "grow", "margin_year"]).clip(lower=0).sum()
    cost = who.loc[who["segment"] == "let go", "cost_to_serve_year"].sum(min_count=1)
    at_most = {"VIP": table.loc["VIP", "at_risk"], "grow": gap, "maintain": table.loc["maintain", "at_risk"]}
    if not table.loc["VIP", "customers"]:
        at_most["grow"] = float("nan")
    at_most["let go"] = 0.0 if not table.loc["let go", "customers"] and base.costs is not None else cost
    found = table[["customers", "margin_year", "clv"]].reset_index()
    found["play"] = [PLAYS[name][0] for name in found["group"]]
    found["about"] = [PLAYS[name][1] for name in found["group"]]
    found["at_most"] = [float(at_most[name]) for name in found["group"]]
    return found


def analyse(base: CustomerBase) -> Analysis:
    """The plays with their money."""
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
            "about": TableColumn("The money is", "text"),
            "at_most": TableColumn("At most", "money"),
        },
        f"The play about most money is that for {best['group']} ({best['play']}): "
        f"{money(best['at_most'], base.currency)} at most.",
        bars(
            known["group"].tolist(),
            {"at most": known["at_most"].tolist()},
            title=f"at most ({base.currency})",
            form=MONEY,
        ),
        "" if base.costs is not None else NO_COSTS,
    )
