"""The value of a cohort year by year: who stays, what they bring, what it is worth today."""

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
MOST_YEARS = 25
COHORTS_SHOWN = 4
YEAR = np.timedelta64(YEAR_DAYS, "D").astype("timedelta64[us]")
DEFINITION = (
    "Customers by years since their first order, of the years that are over for them. Retention: of those who ordered "
    "in one year, who ordered in the next (under a contract: who did not leave in the last 365 days); staying: all "
    "retentions so far, multiplied. Margin per customer is that of the staying times their share, discounted from the "
    "middle of its year to the first order. Years that nobody has finished are projected to the end of the lifetime "
    "(whole years) by the mean retention and the mean margin of the staying after their first year; where nobody has "
    "finished a second year, by the retention of the last 365 days and the margin of those staying in them."
)
SOURCE = (
    "Berger & Nasr (1998), Customer lifetime value: marketing models and applications, Journal of Interactive "
    "Marketing 12(1); Gupta & Lehmann (2005), Managing Customers as Investments, chapter 2."
)
UNPROJECTED = "The years after the first cannot be projected: this needs a log of more than two years."
TOO_YOUNG = "No customer's first order is 365 days old. This needs a log of more than a year."


def cohort_table(retention: ArrayLike, margin: ArrayLike, *, annual_discount_rate: float) -> pd.DataFrame:
    """A row per year: year (from 1), retention (into it; 1 in the first), staying (share of all who joined), margin (of
    one who stays), margin_each (of one who joined), discount_factor, discounted and cumulative, the CLV up to there.

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


def observed(base: CustomerBase) -> pd.DataFrame:
    """A row per year that is over for somebody: customers (for whom it is), active (of them, who ordered in it), before
    (of them, who ordered in the year before) and margin (theirs in it, currency units).

    Its index counts years from 0. Refunds in full do not make anybody active, their margin counts.
    """
    over, who, year = _years(base)
    years = min(int(over.max(initial=0)), MOST_YEARS)
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


class Later(NamedTuple):
    """A year after the first: retention into it, and the margin of one who stays (currency units); NaN: not known."""

    retention: float
    margin: float


def last_year(base: CustomerBase) -> Later:
    """The last 365 days, of whose first order is older."""
    old = base.customers[base.customers["first_order"] < base.as_of_time - YEAR]
    return Later(yearly_retention(base).rate, float(old.loc[old["orders_year"] > 0, "margin_year"].mean()))


def projected(seen: pd.DataFrame, *, years: int, last: Later, contract: bool) -> tuple[Floats, Floats]:
    """Retention into each of the years and the margin of one who stays: as observed, then the means of the years after
    the first; no more years than are seen where there is nothing to go by.

    last: stands for the means where nobody's second year is over, and for all retentions under a contract.
    """
    later = seen.iloc[1:]
    retention = np.append(1.0, later["active"] / later["before"].where(later["before"] > 0))
    margin = (seen["margin"] / seen["active"].where(seen["active"] > 0)).to_numpy()
    mean = last
    if later["active"].sum():
        mean = Later(later["active"].sum() / later["before"].sum(), later["margin"].sum() / later["active"].sum())
    if contract:
        mean, retention[1:] = mean._replace(retention=last.retention), last.retention
    more = 0 if np.isnan(mean).any() else max(years - len(seen), 0)
    retention, margin = np.append(retention, [min(mean.retention, 1.0)] * more), np.append(margin, [mean.margin] * more)
    return np.nan_to_num(retention)[:years], np.nan_to_num(margin)[:years]


def analyse(base: CustomerBase) -> Analysis:
    """The table of all cohorts together, and the curves of those that joined in the last years."""
    seen = observed(base)
    if seen.empty:
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=TOO_YOUNG)
    contract = base.former is not None
    rate, years = base.annual_discount_rate, min(ceil(base.lifetime_days / YEAR_DAYS), MOST_YEARS)
    retention, margin = projected(seen, years=years, last=last_year(base), contract=contract)
    table = cohort_table(retention, margin, annual_discount_rate=rate)
    table["customers"] = seen["customers"].reindex(table.index)
    table["basis"] = np.where(table["customers"].notna(), "observed", "projected")
    curves = {"all cohorts, then projected": table["cumulative"].tolist()}
    if not contract:
        curves |= _by_cohort(base, len(table))
    last = table.iloc[-1]
    ends = f", and {money(last['cumulative'], base.currency)} in {last['year']} years" if len(table) > 1 else ""
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
            "margin": TableColumn("Margin of one who stays", "money"),
            "margin_each": TableColumn("Margin per customer", "money"),
            "discount_factor": TableColumn("Discount factor", "number"),
            "discounted": TableColumn("Discounted", "money"),
            "cumulative": TableColumn("CLV up to here", "money"),
            "basis": TableColumn("Basis", "text"),
        },
        f"A new customer is worth {money(table['cumulative'].iloc[0], base.currency)} in the first year{ends}"
        + (f"; {table['retention'].iloc[1]:.0%} stay into the second." if len(table) > 1 else "."),
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
    """The cumulative discounted margin per customer of those who joined 1 to 2, 2 to 3, … years ago."""
    over, who, year = _years(base)
    factors = (1 + base.annual_discount_rate) ** -(np.arange(years) + 0.5)
    curves = {}
    for age in range(1, min(int(over.max(initial=0)), COHORTS_SHOWN) + 1):
        size, ripe = int((over == age).sum()), (over == age)[who] & (year < min(age, years))
        margin = np.bincount(year[ripe], base.orders["margin"].to_numpy()[ripe], minlength=years)
        if size:
            worth = np.where(np.arange(years) < age, np.cumsum(margin * factors) / size, np.nan)
            curves[f"first order {age} to {age + 1} years ago"] = worth.tolist()
    return curves


def _years(base: CustomerBase) -> tuple[Integers, Integers, Integers]:
    """How many years since the first order are over for each customer, and of each order its customer and its year,
    from 0; what was before the first order that stands is in the first year."""
    first = base.customers["first_order"].to_numpy("datetime64[us]").astype(np.int64)
    year_us, who = YEAR.astype(np.int64), base.orders["customer"].to_numpy()
    at = base.orders["at"].to_numpy("datetime64[us]").astype(np.int64)
    return (microseconds(base.as_of) - first) // year_us, who, np.maximum((at - first[who]) // year_us, 0)
