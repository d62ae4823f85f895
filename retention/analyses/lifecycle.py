"""Which stage of life customers are in: prospect, growth, mature, decline, ended."""

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import HALF_YEAR_DAYS, CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.relationship_states import relationship_states
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money, part_of

TITLE = "The customer life cycle"
STAGES = ("growth", "mature", "decline", "ended")
CHANGE = 0.25
"""Net sales of a half-year that are a quarter above or below those of the one before have risen or fallen."""
DEFINITION = (
    "Prospects have joined and never ordered. Of customers: ended is who has been silent for two horizons; growth "
    "whose first order is at most 182 days old, or whose net sales of the last 182 days are a quarter above those of "
    "the 182 before; decline whose are a quarter below, or who has been silent for one horizon; mature is the rest."
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
    """Customers and money per stage; prospects where the shop knows them."""
    table = group_totals(base.customers, stages(base), names=list(STAGES))
    known = base.people is not None
    prospects = 0
    if base.people is not None:
        left = base.people["left_at"] < base.as_of_time
        prospects = int(((base.people["customer"] < 0) & ~left).sum())
        first = pd.DataFrame([{"group": "prospect", "customers": prospects}])
        table = pd.concat([first, table], ignore_index=True)
    rows = table.set_index("group")
    total = base.customers["margin_year"].sum()
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Stage", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("of all customers", "percent"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "churn_probability": TableColumn("Churn probability, mean", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        f"{counted(int(rows.loc['decline', 'customers']), 'customer')} in decline brought "
        f"{part_of(rows.loc['decline', 'margin_year'], total, base.currency)} of last year's margin; those in growth "
        f"are worth {money(rows.loc['growth', 'clv'], base.currency)} (CLV)"
        + (f", and {counted(prospects, 'prospect')} have not ordered yet." if known else "."),
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
