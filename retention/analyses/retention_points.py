"""Value of one to five more percentage points of retention."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.margin_multiple import margin_multiple, period_discount
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

POINTS = (0, 1, 2, 3, 4, 5)
DEFINITION = (
    "Retention is the probability of not churning within the horizon. Each customer's rises by the given number of "
    "points, up to 100%, in every horizon of the lifetime, and each CLV changes as the closed form of lifetime value "
    "does. Customers who leave are taken as lost for good and what the others bring as unchanged, and the cost of "
    "the improvement is not counted."
)
SOURCE = (
    "Reichheld & Sasser (1990), Zero defections: quality comes to services, Harvard Business Review 68(5); Gupta, "
    "Lehmann & Stuart (2004), Valuing customers, Journal of Marketing Research 41(1), with the scored CLV for margins."
)


def clv_at(
    clv: ArrayLike,
    *,
    retention: ArrayLike,
    new_retention: ArrayLike,
    horizon_days: int,
    lifetime_days: int,
    annual_discount_rate: float,
) -> Floats:
    """Each CLV at another retention per horizon: clv · M(new) / M(old), M(r) = Σ_k r^(k + 1) d_k over the horizons of
    the lifetime, the margin of each coming in its middle from who is still there at its end.

    A customer sure to leave keeps their CLV, whatever the new retention. Wrong where customers pause and come back:
    then one horizon's retention says less about the next.
    """
    discount, periods = period_discount(annual_discount_rate, horizon_days), lifetime_days / horizon_days
    old, new = np.asarray(retention, float), np.asarray(new_retention, float)
    before, after = (margin_multiple(r, discount=discount, periods=periods) for r in (old, new))
    growth = np.divide(new, old, out=np.ones_like(old), where=old > 0)
    return np.asarray(np.asarray(clv, float) * growth * after / before)


def points(base: CustomerBase) -> pd.DataFrame:
    """Table by `POINTS`: points, retention (mean, reached), churners (expected within the horizon), clv, gain and
    gain_share (of today's CLV; NaN where that is not above 0)."""
    clv, retention = base.customers["clv"].to_numpy(), 1 - base.customers["churn_probability"].to_numpy()
    rows = []
    for count in POINTS:
        new = np.minimum(retention + count / 100, 1)
        worth = clv_at(
            clv,
            retention=retention,
            new_retention=new,
            horizon_days=base.horizon_days,
            lifetime_days=base.lifetime_days,
            annual_discount_rate=base.annual_discount_rate,
        )
        rows.append({"points": count, "retention": new.mean(), "churners": (1 - new).sum(), "clv": worth.sum()})
    table = pd.DataFrame(rows)
    today = table["clv"].iloc[0]
    table["gain"] = table["clv"] - today
    table["gain_share"] = table["gain"] / today if today > 0 else np.nan
    return table


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
        f"One more point of retention is worth at most {money(one_point['gain'], base.currency)}, and five points "
        f"{money(five_points['gain'], base.currency)}{share}.",
        bars(
            [f"+{counted(count, 'point')}" for count in POINTS[1:]],
            {"gain": table["gain"].tolist()[1:]},
            title=f"gain in CLV ({base.currency})",
            form=MONEY,
            horizontal=False,
        ),
    )
