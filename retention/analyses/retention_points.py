"""Value of one to five more percentage points of retention."""

import numpy as np
import pandas as pd

from features.arrays import Floats
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

POINTS = (0, 1, 2, 3, 4, 5)
DEFINITION = (
    "Retention is the probability of not churning within the horizon. Each customer's rises by the given number of "
    "points in the next horizon, at most by the probability that they can be saved, and each point adds what saving "
    "them adds to their lifetime margin. The cost of the improvement is not counted."
)
SOURCE = (
    "Reichheld & Sasser (1990), Zero defections: quality comes to services, Harvard Business Review 68(5); the gain of "
    "a saved customer: Lemmens & Gupta (2020), Managing Churn to Maximize Profits, Marketing Science 39(5)."
)


def worth_of_points(customers: pd.DataFrame, share: float) -> Floats:
    """What each customer adds if their retention rises by a share, currency units: min(share, q) · gain ÷ q, q their
    savable_probability."""
    savable, gain = (customers[name].to_numpy(float) for name in ("savable_probability", "gain"))
    saved = np.divide(share, savable, out=np.ones_like(savable), where=savable > share)
    return np.asarray(saved * gain)


def points(base: CustomerBase) -> pd.DataFrame:
    """Table by `POINTS`: points, retention (mean, reached), churners (expected within the horizon), clv, gain and
    gain_share (of today's CLV; NaN where that is not above 0)."""
    customers, today = base.customers, float(base.customers["clv"].sum())
    churn = customers["churn_probability"].to_numpy()
    rows = []
    for count in POINTS:
        still = churn - np.minimum(count / 100, customers["savable_probability"].to_numpy())
        gain = float(worth_of_points(customers, count / 100).sum()) if count else 0.0
        rows.append(
            {
                "points": count,
                "retention": (1 - still).mean(),
                "churners": still.sum(),
                "clv": today + gain,
                "gain": gain,
                "gain_share": gain / today if today > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows)


def analyse(base: CustomerBase) -> Analysis:
    """One to five points more, and what they are worth."""
    table = points(base)
    by_points = table.set_index("points")
    one_point, five_points = by_points.loc[1], by_points.loc[5]
    share = "" if np.isnan(five_points["gain_share"]) else f" ({five_points['gain_share']:.0%} of today's CLV)"
    return Analysis(
        "What a point of retention is worth",
        DEFINITION,
        SOURCE,
        table,
        {
            "points": TableColumn("Extra points", "count"),
            "retention": TableColumn(f"Retention, {base.horizon_days} days", "percent"),
            "churners": TableColumn(f"Churners expected, {base.horizon_days} days", "count"),
            "clv": TableColumn("CLV", "money"),
            "gain": TableColumn("Gain in CLV", "money"),
            "gain_share": TableColumn("Share of today's CLV", "percent"),
        },
        f"One more point of retention in the next horizon is worth {money(one_point['gain'], base.currency)}, and five "
        f"points {money(five_points['gain'], base.currency)}{share}.",
        bars(
            [f"+{counted(count, 'point')}" for count in POINTS[1:]],
            {"gain": table["gain"].tolist()[1:]},
            title=f"gain in CLV ({base.currency})",
            form=MONEY,
            horizontal=False,
        ),
    )
