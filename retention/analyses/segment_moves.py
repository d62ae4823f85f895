"""Moves of customers between the value segments since the last batch of scores."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.segments import SEGMENTS, VIP
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted, money

TITLE = "How customers move between segments"
NEW, GONE = "new", "gone"
DEFINITION = (
    "Customers by the segment they had in the last batch of scores of an earlier day and the segment they have now; "
    "new customers were not scored then, gone customers are no longer scored. Segments are cut anew at each day's "
    "averages, so a move says where a customer stands among the others, not only what they did."
)
SOURCE = "Dwyer (1997), on migration; textbook (migration matrix of customer portfolios)."
MISSING = (
    "There is no earlier batch of scores to compare with. Score on another day (stayworth score --as-of DAY); every "
    "batch is kept."
)


def segment_moves(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Count customers by segment before (rows: SEGMENTS, then new) and now (columns: SEGMENTS, then gone).

    before, now: the segment by customer_id; customers whose segment is None are left out.
    """
    both = pd.DataFrame({"before": before, "now": now})
    was_scored, is_scored = both.index.isin(before.index), both.index.isin(now.index)
    rows = both["before"].where(was_scored, NEW)
    columns = both["now"].where(is_scored, GONE)
    counts = pd.crosstab(rows, columns)
    return counts.reindex(index=[*SEGMENTS, NEW], columns=[*SEGMENTS, GONE], fill_value=0)


def analyse(base: CustomerBase) -> Analysis:
    """The matrix since the last batch, and the change in CLV of the customers who fell from VIP."""
    if base.earlier is None or base.earlier.scores["segment"].isna().all():
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=MISSING)
    then = base.earlier.scores.set_index("customer_id")
    who = base.customers.set_index("customer_id")
    matrix = segment_moves(then["segment"], who["segment"])
    fell = who.index[(who["segment"] != VIP) & (then["segment"].reindex(who.index) == VIP).to_numpy()]
    change = float((who["clv"].reindex(fell) - then["clv"].reindex(fell)).sum())
    moved = int(
        matrix.loc[list(SEGMENTS), list(SEGMENTS)].to_numpy().sum() - sum(matrix.loc[name, name] for name in SEGMENTS)
    )
    table = matrix.rename_axis("before").reset_index()
    table.columns.name = None
    days = (base.as_of - base.earlier.as_of).days
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {"before": TableColumn(f"On {base.earlier.as_of}", "text")}
        | {name: TableColumn(f"{name} now" if name != GONE else GONE, "count") for name in (*SEGMENTS, GONE)},
        f"In {counted(days, 'day')}, {counted(moved, 'customer')} changed segment; "
        + (
            f"{counted(len(fell), 'customer')} fell from VIP, with a change in CLV of {money(change, base.currency)}."
            if len(fell)
            else "nobody fell from VIP."
        ),
        heatmap(matrix, x_title="segment now", y_title=f"segment on {base.earlier.as_of}", form=",d"),
    )
