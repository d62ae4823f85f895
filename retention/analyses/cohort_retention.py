"""Cohorts by first order, and the share of each that orders again in later months, quarters or years."""

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted

TITLE = "Cohorts, and how many of them order again"
MAX_COHORTS = 16
"""Most cohorts shown; the period is a month, or a quarter or a year where there would be more."""
PERIODS = {"M": "month", "Q": "quarter", "Y": "year"}
DEFINITION = (
    "Customers by the calendar month of their first order (quarter or year where there are too many months), and the "
    "share of each cohort with an order in each later period. A period that is not over yet is left empty, because "
    "its share is not known, rather than zero."
)
SOURCE = "Fader & Hardie (2009), Journal of Interactive Marketing 23(1), on what such tables can say; textbook."
TOO_YOUNG = "No calendar month after a first order is over yet: this needs a log of two months or more."


def cohorts(base: CustomerBase, *, frequency: str) -> tuple[pd.Series, pd.DataFrame]:
    """Size of each cohort by its period, and the share of it that ordered 1, 2, … periods later (columns); NaN where
    that period is not over on the day.

    frequency: M, Q or Y, calendar periods in UTC.
    """
    first = base.customers["first_order"].dt.to_period(frequency)
    orders = base.orders[base.orders["stands"]]
    number = first.astype("int64").to_numpy()
    who = orders["customer"].to_numpy()
    after = orders["at"].dt.to_period(frequency).astype("int64").to_numpy() - number[who]
    size = first.value_counts().sort_index()
    over = base.as_of_time.to_period(frequency).ordinal - 1
    most = max(over - int(number.min()), 0)
    later = pd.DataFrame({"cohort": number[who], "after": after, "who": who})[after > 0].drop_duplicates()
    counts = later.groupby(["cohort", "after"]).size().unstack(fill_value=0)
    numbers = size.index.astype("int64")
    shares = counts.reindex(index=numbers, columns=range(1, most + 1), fill_value=0).div(size.to_numpy(), axis=0)
    known = numbers.to_numpy()[:, None] + np.arange(1, most + 1) <= over
    return size, shares.where(known).set_axis(size.index)


def analyse(base: CustomerBase) -> Analysis:
    """Show the triangle of the shortest period that gives few enough cohorts."""
    for frequency in PERIODS:
        size, shares = cohorts(base, frequency=frequency)
        if len(size) <= MAX_COHORTS or frequency == "Y":
            break
    size, shares = size.iloc[-MAX_COHORTS:], shares.iloc[-MAX_COHORTS:].dropna(axis=1, how="all")
    if shares.empty or not shares.shape[1]:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=TOO_YOUNG)
    name = PERIODS[frequency]
    table = shares.set_axis([f"after_{step}" for step in shares.columns], axis=1).reset_index(drop=True)
    table.insert(0, "cohort", [str(period) for period in size.index])
    table.insert(1, "customers", size.to_numpy())
    complete = shares[1].dropna()
    mean = float((complete * size[complete.index]).sum() / size[complete.index].sum())
    last = complete.iloc[-1]
    matrix = shares.set_axis(table["cohort"], axis=0).set_axis([str(step) for step in shares.columns], axis=1)
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {"cohort": TableColumn("First order in", "text"), "customers": TableColumn("Customers", "count")}
        | {f"after_{step}": TableColumn(f"+{counted(step, name)}", "percent") for step in shares.columns},
        f"Of the customers of {counted(len(complete), 'cohort')}, {mean:.0%} ordered again in the {name} after their "
        f"first order; in the latest cohort whose next {name} is over ({complete.index[-1]}), {last:.0%} did.",
        heatmap(matrix, x_title=f"{name}s after the first order", y_title=f"{name} of the first order", form=".0%"),
    )
