"""Loyalty index of nine indicators, and what the most and the least loyal thirds bring."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.loyalty_index import GROUPS, INDICATORS, indicator_scores, loyalty_index
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, part_of

TITLE = "How loyal the customers are"
THIRDS = ("least loyal third", "middle third", "most loyal third")
UNKNOWN = "no indicator known"
DEFINITION = (
    "Nine indicators in three groups, each scored 0 to 100 by rank within this base. Persistence: tenure, repeat "
    "orders per year, days since the last order in own mean gaps. Spend share: share of wallet, spending of the last "
    "half-year against the one before, number of different categories (or products) bought. Affinity: visits and "
    "opened e-mails, referrals (or recommendation), response to campaigns (or complaints, where fewer are better). "
    "The index is the mean of a customer's known indicators, and the base is cut into thirds by it. It says where a "
    "customer stands among the others, not how loyal the base is; and a loyal customer is not necessarily a "
    "profitable one."
)
SOURCE = (
    "Oliver (1999), Whence consumer loyalty?, Journal of Marketing 63; Reinartz & Kumar (2002), The mismanagement of "
    "customer loyalty, Harvard Business Review 80(7)."
)


def thirds(loyalty: pd.Series) -> NDArray[np.str_]:
    """Assign each customer to a third by their index; UNKNOWN where it is NaN.

    The cuts are by mean rank, so equal customers stay together: with many ties the thirds differ in size, and where
    all customers are alike, all are in the middle.

    >>> thirds(pd.Series([3.0, 9.0, 5.0, float("nan")])).tolist()
    ['least loyal third', 'most loyal third', 'middle third', 'no indicator known']
    """
    known = loyalty.notna()
    place = (loyalty.rank() - 0.5) / max(int(known.sum()), 1)
    codes = np.where(known, np.clip(np.floor(3 * place.fillna(0)), 0, 2), 3).astype(int)
    return np.array([*THIRDS, UNKNOWN])[codes]


def analyse(base: CustomerBase) -> Analysis:
    """The thirds by the index, with their margin, CLV and churn probability."""
    scored = indicator_scores(base)
    loyalty = loyalty_index(scored)
    third = thirds(loyalty)
    names = [*THIRDS, *([UNKNOWN] if (third == UNKNOWN).any() else [])]
    table = group_totals(base.customers, third, names=names)
    means = pd.DataFrame(
        {"index": loyalty}
        | {
            group: scored[[indicator.name for indicator in INDICATORS if indicator.group == group]].mean(axis=1)
            for group in GROUPS
        }
    )
    table = table.join(means.groupby(third).mean(), on="group")
    total, worth = base.customers["margin_year"].sum(), base.customers["clv"].sum()
    table["margin_share"] = table["margin_year"] / (total if total > 0 else np.nan)
    table["clv_share"] = table["clv"] / (worth if worth > 0 else np.nan)
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Group", "text"),
            "customers": TableColumn("Customers", "count"),
            "index": TableColumn("Index (0 to 100)", "number"),
            **{group: TableColumn(group.capitalize(), "number") for group in GROUPS},
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
        },
        _reading(table, known=int(scored.notna().any().sum()), total=total, currency=base.currency),
        bars(
            table["group"].tolist(),
            {
                "of the customers": table["customer_share"].tolist(),
                "of last year's margin": table["margin_share"].tolist(),
                "of CLV": table["clv_share"].tolist(),
            },
            title="share",
            form=PERCENT,
        ),
        missing=_missing(scored),
    )


def _reading(table: pd.DataFrame, *, known: int, total: float, currency: str) -> str:
    low, high = table.iloc[0], table.iloc[2]
    start = f"Judged by {'all' if known == len(INDICATORS) else f'{known} of'} nine indicators, "
    if not high["customers"] or not low["customers"]:
        return f"{start}{counted(int(table['customers'].sum()), 'customer')} cannot be split into thirds."
    return (
        f"{start}the most loyal third ({counted(int(high['customers']), 'customer')}) brought "
        f"{part_of(high['margin_year'], total, currency)} of last year's margin; its mean churn probability is "
        f"{high['churn_probability']:.0%}, against {low['churn_probability']:.0%} in the least loyal third."
    )


def _missing(scored: pd.DataFrame) -> str:
    unknown = [indicator for indicator in INDICATORS if scored[indicator.name].isna().all()]
    if not unknown:
        return ""
    needs = "; ".join(f"{indicator.name} (needs {indicator.supply})" for indicator in unknown)
    return f"Not counted for lack of data: {needs}."
