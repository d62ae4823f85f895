"""Causes of past churn under a contract: the customer's choice or not, and the margin lost."""

import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

TITLE = "Why customers have left"
CAUSES_SHOWN = 12
"""Most rows of the table; rarer causes share the last row."""
NOT_RECORDED = "not recorded"
DEFINITION = (
    "Customers who left under a contract in the last 365 days, by the recorded reason. The margin lost is their "
    "margin of the 365 days before they left. A reason is involuntary if the config lists it as not the customer's "
    "choice."
)
SOURCE = "Textbook (voluntary and involuntary churn); Hadden et al. (2007), Computers & Operations Research 34(10)."
SUPPLY = (
    "The data do not say who has left: supply left_at, and left_reason for the cause, in the table customers. "
    "Without a contract no customer leaves on a known day or gives a reason; the reasons that the model sees are at "
    "the top of this chapter."
)
SUPPLY_REASON = "No reason is recorded: supply left_reason in the table customers."
SUPPLY_CHOICE = (
    'The config does not say which reasons were not the customer\'s choice: [report] involuntary = ["moved away"].'
)


def churn_causes(former: pd.DataFrame, involuntary: frozenset[str]) -> pd.DataFrame:
    """Table of the causes, the most margin lost first: cause, choice (voluntary, involuntary or NOT_RECORDED),
    customers, lost (margin_last_year, currency units) and lost_share (of all; NaN where nothing was lost)."""
    cause = former["left_reason"].astype(object).where(former["left_reason"].notna(), NOT_RECORDED)
    groups = former["margin_last_year"].groupby(cause)
    table = pd.DataFrame({"customers": groups.size(), "lost": groups.sum()}).rename_axis("cause").reset_index()
    table = table.sort_values(["lost", "cause"], ascending=[False, True], ignore_index=True)
    choice = ["involuntary" if name in involuntary else "voluntary" for name in table["cause"]]
    table.insert(1, "choice", pd.Series(choice, dtype="str").mask(table["cause"] == NOT_RECORDED, NOT_RECORDED))
    table["lost_share"] = table["lost"] / (table["lost"].sum() or float("nan"))
    return table


def analyse(base: CustomerBase) -> Analysis:
    """List the causes of the last 365 days."""
    if base.former is None:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY)
    left = base.former[base.former["left_at"] >= base.as_of_time - pd.Timedelta(days=YEAR_DAYS)]
    if left.empty:
        return unavailable_analysis(
            TITLE, definition=DEFINITION, source=SOURCE, missing="No customer left in the last 365 days."
        )
    table = churn_causes(left, base.involuntary)
    shown, rest = table.iloc[: CAUSES_SHOWN - 1], table.iloc[CAUSES_SHOWN - 1 :]
    if len(rest) > 1:
        others = {"cause": "other causes", "choice": "", **rest[["customers", "lost", "lost_share"]].sum()}
        shown = pd.concat([shown, pd.DataFrame([others])], ignore_index=True)
    else:
        shown = table
    missing = [SUPPLY_REASON] if (table["cause"] == NOT_RECORDED).all() else []
    missing += [SUPPLY_CHOICE] if not base.involuntary and not missing else []
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        shown,
        {
            "cause": TableColumn("Cause", "text"),
            "choice": TableColumn("Type of churn", "text"),
            "customers": TableColumn("Customers", "count"),
            "lost": TableColumn("Margin lost", "money"),
            "lost_share": TableColumn("Share of margin lost", "percent"),
        },
        _reading(table, base),
        bars(
            shown["cause"].tolist(),
            {"margin lost": shown["lost"].tolist()},
            title=f"margin of their last year with the shop ({base.currency})",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _reading(table: pd.DataFrame, base: CustomerBase) -> str:
    """The margin lost, its largest cause, and how much of it was involuntary where the config says what is."""
    lost, first = table["lost"].sum(), table.iloc[0]
    start = f"{counted(int(table['customers'].sum()), 'customer')} left in the last 365 days"
    if lost <= 0:
        return f"{start}; they had brought no margin in the year before."
    largest = money(first["lost"], base.currency)
    cause = "has no recorded reason" if first["cause"] == NOT_RECORDED else f"is recorded as “{first['cause']}”"
    end = ""
    if base.involuntary:
        involuntary = table.loc[table["choice"] == "involuntary", "lost"].sum()
        end = f"; {money(involuntary, base.currency)} was lost involuntarily"
    return (
        f"{start} and took {money(lost, base.currency)} of yearly margin with them; the largest part, {largest}, "
        f"{cause}{end}."
    )
