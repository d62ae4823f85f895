"""How customers have moved between the value segments since the last batch of scores."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.segments import SEGMENTS, VIP
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted, money

TITLE = "How customers move between segments"
NEW, GONE = "new", "gone"
DEFINITION = (
    "Customers by the segment they had at the last batch of scores of an earlier day and the one they have now; new is "
    "who was not scored then, gone who is scored no more. Segments are cut anew at each day's averages, so a move says "
    "where a customer stands among the others, not only what he did."
)
SOURCE = "Dwyer (1997), on migration; textbook (migration matrix of customer portfolios)."
MISSING = (
    "There is no earlier batch of scores to compare with. Score on another day (stayworth score --as-of DAY): every "
    "batch is kept."
)


def segment_moves(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Customers by segment before (rows: SEGMENTS, then new) and now (columns: SEGMENTS, then gone).

    before, now: the segment by customer_id; None counts as no segment and is left out.
    """
    both = pd.DataFrame({"before": before, "now": now})
    was, is_ = both.index.isin(before.index), both.index.isin(now.index)
    rows = both["before"].where(was, NEW)
    columns = both["now"].where(is_, GONE)
    counts = pd.crosstab(rows, columns)
    return counts.reindex(index=[*SEGMENTS, NEW], columns=[*SEGMENTS, GONE], fill_value=0)


def analyse(base: CustomerBase) -> Analysis:
    """The matrix since the last batch, and what those who fell from the best segment are worth."""
    if base.earlier is None or base.earlier.scores["segment"].isna().all():
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=MISSING)
    then = base.earlier.scores.set_index("customer_id")
    who = base.customers.set_index("customer_id")
    matrix = segment_moves(then["segment"], who["segment"])
    fell = who.index[(who["segment"] != VIP) & (then["segment"].reindex(who.index) == VIP).to_numpy()]
    lost = float((then["clv"].reindex(fell) - who["clv"].reindex(fell)).sum())
    moved = int(
        matrix.loc[list(SEGMENTS), list(SEGMENTS)].to_numpy().sum() - sum(matrix.loc[one, one] for one in SEGMENTS)
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
        f"In {counted(days, 'day')} {counted(moved, 'customer')} changed segment; {counted(len(fell), 'customer')} "
        f"fell from VIP, whose CLV changed by {money(-lost, base.currency)}.",
        heatmap(matrix, x_title="segment now", y_title=f"segment on {base.earlier.as_of}", form=",d"),
    )
