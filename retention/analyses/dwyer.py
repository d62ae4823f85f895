"""What a new customer brings if a pause is the end, and if it is not: Dwyer's two models."""

from math import ceil

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.margin_multiple import period_discount
from retention.customer_base.migration import CELLS, migration_model, observed_cells, retention_model
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, lines
from retention.presentation.formatting import counted, money

TITLE = "Is a pause the end?"
LENGTHS = {365: "year", 182: "half-year", 91: "quarter", 30: "month"}
"""Days of a period, the longest first, and its name."""
FEWEST = CELLS + 1
"""Periods that the log has to cover."""
DEFINITION = (
    "The base's own orders by equal periods before the day: how likely an order is 1, 2, 3, 4 periods after the last "
    "one. The retention model takes whoever skips one period as lost; the migration model lets him come back as often "
    "as the cells say, and drops him after four. Both follow a new customer to the end of the lifetime, with the "
    "base's mean margin of a period with orders, discounted. The truth lies where customers do come back."
)
SOURCE = "Dwyer (1989, 1997), Customer lifetime valuation to support marketing decision making, Direct Marketing 11."
TOO_YOUNG = f"This needs a log of at least {FEWEST} months with customers who could order again."


def analyse(base: CustomerBase) -> Analysis:
    """The cells, and the value of a new customer under both models."""
    span = (base.as_of_time - base.orders["at"].min()).days if len(base.orders) else 0
    length = next((days for days in LENGTHS if span >= FEWEST * days), None)
    cells = observed_cells(base, period_days=length) if length else None
    if length is None or cells is None or not cells.seen[0] or np.isnan(cells.margin):
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=TOO_YOUNG)
    probability = np.nan_to_num(cells.probability)
    periods = max(ceil(base.lifetime_days / length), 2)
    factor = period_discount(base.annual_discount_rate, length) ** (np.arange(periods) + 0.5)
    worth = {
        name: np.cumsum(buyers * cells.margin * factor)
        for name, buyers in (
            ("migration: may come back", migration_model(probability, periods=periods)),
            ("retention: lost for good", retention_model(float(probability[0]), periods=periods)),
        )
    }
    back, gone = (float(curve[-1]) for curve in worth.values())
    name = LENGTHS[length]
    table = pd.DataFrame(
        {
            "since": [f"{cell} {name}{'s' * (cell > 1)}" for cell in range(1, CELLS + 1)],
            "seen": cells.seen,
            "ordered": cells.ordered,
            "probability": cells.probability,
        }
    )
    years = base.lifetime_days / YEAR_DAYS
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "since": TableColumn("Last order", "text"),
            "seen": TableColumn("Times seen", "count"),
            "ordered": TableColumn(f"of them an order in the next {name}", "count"),
            "probability": TableColumn("Probability", "percent"),
        },
        f"{probability[0]:.0%} of those who ordered in one {name} order in the next, and {probability[1]:.0%} of those "
        f"who skipped one: a new customer is worth {money(back, base.currency)} in {years:.1f} years if they may come "
        f"back, {money(gone, base.currency)} if a pause were the end.",
        lines(
            np.arange(1, periods + 1),
            {one: curve.tolist() for one, curve in worth.items()},
            x_title=f"{name}s since the first order",
            y_title=f"worth of a new customer so far ({base.currency})",
            form=MONEY,
        ),
        "" if (cells.seen > 0).all() else f"Nobody has been silent for {counted(CELLS, name)} yet.",
    )
