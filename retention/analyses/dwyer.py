"""Value of a new customer if a pause ends the relationship, and if it does not: Dwyer's two models."""

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
PERIOD_NAMES = {365: "year", 182: "half-year", 91: "quarter", 30: "month"}
"""Days of a period, the longest first, and its name."""
MIN_PERIODS = CELLS + 1
"""Fewest periods that the log has to cover."""
DEFINITION = (
    "The base's own orders in equal periods before the day: the probability of an order 1, 2, 3 or 4 periods after "
    "the last one. The retention model treats a customer who skips one period as lost; the migration model lets them "
    "come back as often as the table says, and drops them after four. Both follow a new customer to the end of the "
    "lifetime, with the base's mean margin of a period with orders, discounted. Where customers do come back after a "
    "pause, the migration model is nearer the truth."
)
SOURCE = "Dwyer (1989, 1997), Customer lifetime valuation to support marketing decision making, Direct Marketing 11."
TOO_YOUNG = f"This needs a log of at least {MIN_PERIODS} months with customers who could order again."


def analyse(base: CustomerBase) -> Analysis:
    """Reorder probabilities by periods since the last order, and a new customer's value under both models."""
    span = (base.as_of_time - base.orders["at"].min()).days if len(base.orders) else 0
    length = next((days for days in PERIOD_NAMES if span >= MIN_PERIODS * days), None)
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
    name = PERIOD_NAMES[length]
    table = pd.DataFrame(
        {
            "since": [counted(cell, name) for cell in range(1, CELLS + 1)],
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
            "since": TableColumn("Since the last order", "text"),
            "seen": TableColumn("Cases", "count"),
            "ordered": TableColumn(f"With an order in the next {name}", "count"),
            "probability": TableColumn("Probability", "percent"),
        },
        f"{probability[0]:.0%} of those who ordered in one {name} ordered in the next, and {probability[1]:.0%} of "
        f"those who skipped a {name} ordered after it; a new customer is worth {money(back, base.currency)} over "
        f"{years:.1f} years if they may come back, and {money(gone, base.currency)} if a pause is the end.",
        lines(
            np.arange(1, periods + 1),
            {model: curve.tolist() for model, curve in worth.items()},
            x_title=f"{name}s since the first order",
            y_title=f"cumulative value of a new customer ({base.currency})",
            form=MONEY,
        ),
        "" if (cells.seen > 0).all() else f"No customer has been silent for {counted(CELLS, name)} yet.",
    )
