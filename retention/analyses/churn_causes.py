"""Why customers have left, whether it was their choice, and what each cause took."""

import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

TITLE = "Why customers have left"
SHOWN = 12
"""Causes with a row of their own; the rarer ones are one."""
NOT_SAID = "not said"
DEFINITION = (
    "Customers who left under a contract in the last 365 days, by the reason that was written down, the value lost "
    "being their margin of the 365 days before they left. Involuntary is a reason that the config says was not the "
    "customer's choice."
)
SOURCE = "Textbook (voluntary and involuntary churn); Hadden et al. (2007), Computers & Operations Research 34(10)."
SUPPLY = (
    "Nothing says who left: supply left_at, and left_reason for the cause, in the table customers. Without a contract "
    "nobody leaves on a day or gives a reason: there the reasons that the model sees are at the top of this chapter."
)
SUPPLY_REASON = "No reason is written down: supply left_reason in the table customers."
SUPPLY_CHOICE = 'Which reasons were not the customer\'s choice is not said: [report] involuntary = ["moved away"].'


def churn_causes(former: pd.DataFrame, involuntary: frozenset[str]) -> pd.DataFrame:
    """A row per cause, the most value lost first: cause, choice (voluntary, involuntary or NOT_SAID), customers, lost
    (margin_last_year, currency units) and lost_share (of all; NaN where nothing was lost)."""
    cause = former["left_reason"].astype(object).where(former["left_reason"].notna(), NOT_SAID)
    groups = former["margin_last_year"].groupby(cause)
    table = pd.DataFrame({"customers": groups.size(), "lost": groups.sum()}).rename_axis("cause").reset_index()
    table = table.sort_values(["lost", "cause"], ascending=[False, True], ignore_index=True)
    choice = ["involuntary" if one in involuntary else "voluntary" for one in table["cause"]]
    table.insert(1, "choice", pd.Series(choice, dtype="str").mask(table["cause"] == NOT_SAID, NOT_SAID))
    table["lost_share"] = table["lost"] / (table["lost"].sum() or float("nan"))
    return table


def analyse(base: CustomerBase) -> Analysis:
    """The causes of the last 365 days."""
    if base.former is None:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY)
    left = base.former[base.former["left_at"] >= base.as_of_time - pd.Timedelta(days=YEAR_DAYS)]
    if left.empty:
        return unavailable_analysis(
            TITLE, definition=DEFINITION, source=SOURCE, missing="Nobody left in the last 365 days."
        )
    table = churn_causes(left, base.involuntary)
    shown, rest = table.iloc[: SHOWN - 1], table.iloc[SHOWN - 1 :]
    if len(rest) > 1:
        more = {"cause": "other causes", "choice": "", **rest[["customers", "lost", "lost_share"]].sum()}
        shown = pd.concat([shown, pd.DataFrame([more])], ignore_index=True)
    else:
        shown = table
    first = table.iloc[0]
    unchosen = table.loc[table["choice"] == "involuntary", "lost"].sum()
    missing = [SUPPLY_REASON] if (table["cause"] == NOT_SAID).all() else []
    missing += [SUPPLY_CHOICE] if not base.involuntary and not missing else []
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        shown,
        {
            "cause": TableColumn("Cause", "text"),
            "choice": TableColumn("Whose choice", "text"),
            "customers": TableColumn("Customers", "count"),
            "lost": TableColumn("Margin of their last year", "money"),
            "lost_share": TableColumn("of all that was lost", "percent"),
        },
        f"{counted(len(left), 'customer')} left in the last 365 days and took "
        f"{money(table['lost'].sum(), base.currency)} a year with them; most went with “{first['cause']}”, "
        f"{money(first['lost'], base.currency)}; {money(unchosen, base.currency)} of it was not the customers' choice.",
        bars(
            shown["cause"].tolist(),
            {"margin lost": shown["lost"].tolist()},
            title=f"margin of their last year ({base.currency})",
            form=MONEY,
        ),
        " ".join(missing),
    )
