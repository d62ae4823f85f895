"""Value of a cohort year by year: retention, margin and cumulative CLV."""

from math import ceil
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS, microseconds
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.yearly_retention import yearly_retention
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, lines
from retention.presentation.formatting import money

TITLE = "The value of a cohort, year by year"
MAX_YEARS = 25
COHORTS_SHOWN = 4
YEAR = np.timedelta64(YEAR_DAYS, "D").astype("timedelta64[us]")
DEFINITION = (
    "Customers by year since their first order; a year counts for a customer once it is over. Retention into a year "
    "is the number of customers who ordered in it over the number who ordered in the year before (under a contract: "
    "the share who did not leave in the last 365 days); staying is the product of all retentions so far. Margin per "
    "customer is the margin of those who stay times the share staying, discounted from the middle of its year to the "
    "first order. Years that nobody has finished are projected to the end of the lifetime (whole years) with the "
    "mean retention and the mean margin of staying customers after their first year; where nobody has finished a "
    "second year, with the retention of the last 365 days and the margin of the customers who stayed in them."
)
SOURCE = (
    "Berger & Nasr (1998), Customer lifetime value: marketing models and applications, Journal of Interactive "
    "Marketing 12(1); Gupta & Lehmann (2005), Managing Customers as Investments, chapter 2."
)
UNPROJECTED = "The years after the first cannot be projected; this needs a log of more than two years."
TOO_YOUNG = "No customer's first order is 365 days old; this needs a log of more than a year."


def cohort_table(retention: ArrayLike, margin: ArrayLike, *, annual_discount_rate: float) -> pd.DataFrame:
    """Table of the years: year (from 1), retention (into it; 1 in the first), staying (share of all who joined), margin
    (of a customer who stays), margin_each (of a customer who joined), discount_factor, discounted and cumulative, the
    CLV up to there.

    The margin of year t comes in its middle: the factor is (1 + rate)^(½ − t).

    >>> cohort_table([1, 0.5], [100, 100], annual_discount_rate=0)["cumulative"].tolist()
    [100.0, 150.0]
    """
    table = pd.DataFrame({"retention": np.asarray(retention, float), "margin": np.asarray(margin, float)})
    table.insert(0, "year", np.arange(1, len(table) + 1))
    table["staying"] = table["retention"].cumprod()
    table["margin_each"] = table["margin"] * table["staying"]
    table["discount_factor"] = (1 + annual_discount_rate) ** (0.5 - table["year"])
    table["discounted"] = table["margin_each"] * table["discount_factor"]
    table["cumulative"] = table["discounted"].cumsum()
    return table


def observed_years(base: CustomerBase) -> pd.DataFrame:
    """Table of the years that are over for some customer: customers (for whom it is over), active (those who ordered in
    it), before (those who ordered in the year before) and margin (theirs in it, currency units).

    The index counts years from 0. A full refund does not make a customer active, but its margin counts.
    """
    over, who, year = _years(base)
    years = min(int(over.max(initial=0)), MAX_YEARS)
    counts = year < np.minimum(over, years)[who]
    stands = counts & base.orders["stands"].to_numpy()
    ordered = np.zeros((len(over), years + 1), dtype=bool)
    ordered[who[stands], year[stands] + 1] = True
    known = over[:, None] > np.arange(years)
    return pd.DataFrame(
        {
            "customers": known.sum(axis=0),
            "active": (ordered[:, 1:] & known).sum(axis=0),
            "before": (ordered[:, :-1] & known).sum(axis=0),
            "margin": np.bincount(year[counts], base.orders["margin"].to_numpy()[counts], minlength=years)[:years],
        }
    )


class LaterYear(NamedTuple):
    """Retention into a year after the first, and the margin of a customer who stays (currency units); NaN: not
    known."""

    retention: float
    margin: float


def last_year(base: CustomerBase) -> LaterYear:
    """Retention and margin of the last 365 days, of customers whose first order is older."""
    old = base.customers[base.customers["first_order"] < base.as_of_time - YEAR]
    return LaterYear(yearly_retention(base).rate, float(old.loc[old["orders_year"] > 0, "margin_year"].mean()))


def project_years(by_year: pd.DataFrame, *, years: int, last: LaterYear, contract: bool) -> tuple[Floats, Floats]:
    """Retention into each year and the margin of a customer who stays: as observed, then projected with the means of
    the years after the first. Without any such mean nothing is projected.

    last: takes the place of the means where nobody's second year is over, and of all retentions under a contract.
    """
    later = by_year.iloc[1:]
    retention = np.append(1.0, later["active"] / later["before"].where(later["before"] > 0))
    margin = (by_year["margin"] / by_year["active"].where(by_year["active"] > 0)).to_numpy()
    mean = last
    if later["active"].sum():
        mean = LaterYear(later["active"].sum() / later["before"].sum(), later["margin"].sum() / later["active"].sum())
    if contract:
        mean, retention[1:] = mean._replace(retention=last.retention), last.retention
    more = 0 if np.isnan(mean).any() else max(years - len(by_year), 0)
    retention, margin = np.append(retention, [min(mean.retention, 1.0)] * more), np.append(margin, [mean.margin] * more)
    return np.nan_to_num(retention)[:years], np.nan_to_num(margin)[:years]


def analyse(base: CustomerBase) -> Analysis:
    """The table of all cohorts together, and the curves of those who joined in the last years."""
    by_year = observed_years(base)
    if by_year.empty:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=TOO_YOUNG)
    contract = base.former is not None
    rate, years = base.annual_discount_rate, min(ceil(base.lifetime_days / YEAR_DAYS), MAX_YEARS)
    retention, margin = project_years(by_year, years=years, last=last_year(base), contract=contract)
    table = cohort_table(retention, margin, annual_discount_rate=rate)
    table["customers"] = by_year["customers"].reindex(table.index)
    table["basis"] = np.where(table["customers"].notna(), "observed", "projected")
    curves = {"all cohorts, then projected": table["cumulative"].tolist()}
    if not contract:
        curves |= _by_cohort(base, len(table))
    last = table.iloc[-1]
    ends = f" and {money(last['cumulative'], base.currency)} over {last['year']} years" if len(table) > 1 else ""
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "year": TableColumn("Year", "count"),
            "customers": TableColumn("Customers observed", "count"),
            "retention": TableColumn("Retention", "percent"),
            "staying": TableColumn("Staying", "percent"),
            "margin": TableColumn("Margin of a staying customer", "money"),
            "margin_each": TableColumn("Margin per customer", "money"),
            "discount_factor": TableColumn("Discount factor", "number"),
            "discounted": TableColumn("Discounted", "money"),
            "cumulative": TableColumn("Cumulative CLV", "money"),
            "basis": TableColumn("Basis", "text"),
        },
        f"A new customer is worth {money(table['cumulative'].iloc[0], base.currency)} in the first year{ends}"
        + (f"; {table['retention'].iloc[1]:.0%} stay into the second year." if len(table) > 1 else "."),
        lines(
            table["year"],
            curves,
            x_title="years since the first order",
            y_title=f"discounted margin per customer, {base.currency}",
            form=MONEY,
            x_form="d",
        ),
        "" if len(table) == years else UNPROJECTED,
    )


def _by_cohort(base: CustomerBase, years: int) -> dict[str, list[float]]:
    """Cumulative discounted margin per customer of those who joined 1 to 2, 2 to 3, … years ago."""
    over, who, year = _years(base)
    factors = (1 + base.annual_discount_rate) ** -(np.arange(years) + 0.5)
    curves = {}
    for age in range(1, min(int(over.max(initial=0)), COHORTS_SHOWN) + 1):
        size, is_counted = int((over == age).sum()), (over == age)[who] & (year < min(age, years))
        margin = np.bincount(year[is_counted], base.orders["margin"].to_numpy()[is_counted], minlength=years)
        if size:
            worth = np.where(np.arange(years) < age, np.cumsum(margin * factors) / size, np.nan)
            curves[f"first order {age} to {age + 1} years ago"] = worth.tolist()
    return curves


def _years(base: CustomerBase) -> tuple[Integers, Integers, Integers]:
    """Completed years since each customer's first order, and the customer and the year (from 0) of each order.

    Orders before the first order that stands count in the first year.
    """
    first = base.customers["first_order"].to_numpy("datetime64[us]").astype(np.int64)
    year_us, who = YEAR.astype(np.int64), base.orders["customer"].to_numpy()
    at = base.orders["at"].to_numpy("datetime64[us]").astype(np.int64)
    return (microseconds(base.as_of) - first) // year_us, who, np.maximum((at - first[who]) // year_us, 0)
