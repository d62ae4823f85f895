"""Stages of the customer life cycle: prospect, growth, mature, decline, ended."""

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import HALF_YEAR_DAYS, CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.relationship_states import relationship_states
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import begin, counted, money, part_of

TITLE = "The customer life cycle"
STAGES = ("growth", "mature", "decline", "ended")
CHANGE = 0.25
"""Relative change of net sales from one half-year to the next above which they have risen or fallen."""
DEFINITION = (
    "Prospects have joined but never ordered. A customer's stage is ended after two horizons of silence, and decline "
    "after one; otherwise growth if the first order is at most 182 days old or the net sales of the last 182 days "
    "are more than a quarter above those of the 182 days before, decline if they are more than a quarter below, and "
    "mature in all other cases."
)
SOURCE = (
    "Dwyer, Schurr & Oh (1987), Journal of Marketing 51(2); Stauss (2000), textbook customer-relationship life cycle."
)
NO_PROSPECTS = "Prospects are not known: supply the table customers with everybody who has joined."


def stages(base: CustomerBase) -> pd.Series:
    """Each customer's stage, by the row in `customers`."""
    who, state = base.customers, relationship_states(base)
    late, early = base.half_years()
    young = who["first_order"] >= base.as_of_time - pd.Timedelta(days=HALF_YEAR_DAYS)
    named = np.select(
        [
            (state == "lost").to_numpy(),
            (state == "lapsed").to_numpy(),
            young.to_numpy() | (late > (1 + CHANGE) * early),
            late < (1 - CHANGE) * early,
        ],
        ["ended", "decline", "growth", "decline"],
        "mature",
    )
    return pd.Series(named, index=who.index)


def analyse(base: CustomerBase) -> Analysis:
    """Customers and money per stage, with the prospects where the shop knows them."""
    table = group_totals(base.customers, stages(base), names=list(STAGES))
    known = base.people is not None
    prospects = 0
    if base.people is not None:
        left = base.people["left_at"] < base.as_of_time
        prospects = int(((base.people["customer"] < 0) & ~left).sum())
        first = pd.DataFrame([{"group": "prospect", "customers": prospects}])
        table = pd.concat([first, table], ignore_index=True)
    rows = table.set_index("group")
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Stage", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        _reading(table, prospects if known else None, base.currency),
        bars(
            list(STAGES),
            {
                "margin of the last year": rows.loc[list(STAGES), "margin_year"].tolist(),
                "CLV": rows.loc[list(STAGES), "clv"].tolist(),
            },
            title=base.currency,
            form=MONEY,
        ),
        "" if known else NO_PROSPECTS,
    )


def _reading(table: pd.DataFrame, prospects: int | None, currency: str) -> str:
    """The margin in decline, the CLV in growth, and the number of prospects where it is known."""
    rows = table.set_index("group")
    decline, growth = rows.loc["decline"], rows.loc["growth"]
    total = rows.loc[list(STAGES), "margin_year"].sum()
    parts = [
        f"{counted(int(decline['customers']), 'customer')} in decline brought "
        f"{part_of(decline['margin_year'], total, currency)} of last year's margin"
        if decline["customers"]
        else "no customer is in decline",
        f"the CLV of {counted(int(growth['customers']), 'customer')} in growth is {money(growth['clv'], currency)}"
        if growth["customers"]
        else "no customer is in growth",
    ]
    if prospects is not None:
        verb = "has" if prospects == 1 else "have"
        parts.append(
            f"{counted(prospects, 'prospect')} {verb} not ordered yet" if prospects else "there are no prospects"
        )
    return begin("; ".join(parts)) + "."
