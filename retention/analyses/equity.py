"""Customer equity, and the parts of its change since the last batch."""

import pandas as pd

from retention.analyses.segment_moves import MISSING
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, waterfall
from retention.presentation.formatting import counted, day, money

TITLE = "Customer equity and its change"
DEFINITION = (
    "Customer equity is the sum of all CLVs. Its change since the last batch of an earlier day is split into "
    "customers who are new since then, customers whose CLV grew (expanded), customers whose CLV fell (contracted), "
    "and customers who are no longer scored (lost). Passing time and the season move CLVs as well; both are "
    "contained in these parts."
)
SOURCE = "Rust, Lemon & Zeithaml (2004), Return on marketing, Journal of Marketing 68(1); Gupta & Lehmann (2005)."


def equity_change(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Table of the steps from the equity before to the equity now: step, customers and amount (currency units).

    before, now: CLV by customer_id. The steps between the first and the last add up to their difference.
    """
    both = pd.DataFrame({"before": before, "now": now})
    new, lost = ~both.index.isin(before.index), ~both.index.isin(now.index)
    moved = (both["now"] - both["before"])[~new & ~lost]
    rows = [
        ("equity before", len(before), before.sum()),
        ("new", int(new.sum()), both.loc[new, "now"].sum()),
        ("expanded", int((moved > 0).sum()), moved[moved > 0].sum()),
        ("contracted", int((moved < 0).sum()), moved[moved < 0].sum()),
        ("lost", int(lost.sum()), 0.0 - both.loc[lost, "before"].sum()),
        ("equity now", len(now), now.sum()),
    ]
    return pd.DataFrame(rows, columns=["step", "customers", "amount"])


def analyse(base: CustomerBase) -> Analysis:
    """The change since the last batch of an earlier day."""
    if base.earlier is None:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=MISSING)
    before = base.earlier.scores.set_index("customer_id")["clv"]
    table = equity_change(before, base.customers.set_index("customer_id")["clv"])
    first, last = table.iloc[0], table.iloc[-1]
    steps = table.iloc[1:-1]
    largest = steps.loc[steps["amount"].abs().idxmax()]
    changed = last["amount"] - first["amount"]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "step": TableColumn("Step", "text"),
            "customers": TableColumn("Customers", "count"),
            "amount": TableColumn("CLV", "money"),
        },
        f"Customer equity {'grew' if changed >= 0 else 'fell'} by {money(abs(changed), base.currency)} since "
        f"{day(base.earlier.as_of)}, to {money(last['amount'], base.currency)}; the largest step is "
        f"“{largest['step']}” ({money(largest['amount'], base.currency)}, "
        f"{counted(largest['customers'], 'customer')}).",
        waterfall(
            table["step"].tolist(),
            table["amount"].tolist(),
            [True, *[False] * len(steps), True],
            title=f"sum of CLV ({base.currency})",
            form=MONEY,
        ),
    )
