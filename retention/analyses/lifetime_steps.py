"""Lifetime value in its four steps, and how it answers when one of its inputs changes."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.analyses.profit_waterfall import SUPPLY_COSTS
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.margin_multiple import margin_multiple, period_discount
from retention.customer_base.yearly_retention import yearly_retention
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import bars
from retention.presentation.formatting import money

TITLE = "Lifetime value in four steps"
CHANGE = 0.10
"""By how much of itself each input is changed, down and up."""
DEFINITION = (
    "The mean customer with an order in the last 365 days, from a first year on: 1. how many years he is expected to "
    "stay, (1 − r^n) / (1 − r) of n years looked at with yearly retention r; 2. his margin a year less cost to serve; "
    "3. each year's money discounted from its middle; 4. the sum. Each input is then changed by 10 % of itself, "
    "retention to 100 % at most, the others staying as they are."
)
SOURCE = (
    "Gupta & Lehmann (2005), Managing Customers as Investments, chapter 2; Gupta, Lehmann & Stuart (2004), Valuing "
    "customers, Journal of Marketing Research 41(1)."
)


@dataclass(frozen=True)
class Inputs:
    """What lifetime value is made of: years looked at, rates per year as shares, currency units a year."""

    horizon: float
    discount_rate: float
    retention: float
    contribution: float
    cost: float


NAMES = {
    "horizon": "years looked at",
    "discount_rate": "discount rate",
    "retention": "retention",
    "contribution": "margin a year",
    "cost": "cost to serve",
}


def four_steps(inputs: Inputs) -> dict[str, float]:
    """years (expected with the shop), net_year, undiscounted (their product), discounting (what it takes, not above 0)
    and value, in currency units.

    >>> {name: round(float(one), 2) for name, one in four_steps(Inputs(3, 0.1, 0.5, 120, 20)).items()}
    {'years': 1.75, 'net_year': 100.0, 'undiscounted': 175.0, 'discounting': -16.61, 'value': 158.39}
    """
    years = float(margin_multiple(inputs.retention, discount=1.0, periods=inputs.horizon))
    discount = period_discount(inputs.discount_rate, YEAR_DAYS)
    net = inputs.contribution - inputs.cost
    value = net * float(margin_multiple(inputs.retention, discount=discount, periods=inputs.horizon))
    return {
        "years": years,
        "net_year": net,
        "undiscounted": net * years,
        "discounting": value - net * years,
        "value": value,
    }


def sensitivity(inputs: Inputs) -> pd.DataFrame:
    """The steps as they are, then with each input lower and higher: case, input, way (−1, 0, 1), the steps of
    `four_steps`, and change of the value (currency units)."""
    rows = [{"case": "as it is", "input": "", "way": 0, **four_steps(inputs)}]
    for name, words in NAMES.items():
        for way, said in ((-1, "lower"), (1, "higher")):
            value = getattr(inputs, name) * (1 + way * CHANGE)
            moved = replace(inputs, **{name: min(value, 1.0) if name == "retention" else value})
            rows.append({"case": f"{words}, 10 % {said}", "input": name, "way": way, **four_steps(moved)})
    table = pd.DataFrame(rows)
    table["change"] = table["value"] - table["value"].iloc[0]
    return table


def inputs_of(base: CustomerBase) -> Inputs:
    """The base's own: means of who ordered in the last 365 days; a cost of 0 where none is booked. NaN where nobody
    ordered, or nobody could stay."""
    active = base.customers[base.customers["orders_year"] > 0]
    return Inputs(
        horizon=base.lifetime_days / YEAR_DAYS,
        discount_rate=base.annual_discount_rate,
        retention=yearly_retention(base).rate,
        contribution=float(active["margin_year"].mean()),
        cost=0.0 if base.costs is None else float(active["cost_to_serve_year"].mean()),
    )


def analyse(base: CustomerBase) -> Analysis:
    """The steps, and a bar down and up for each input."""
    inputs = inputs_of(base)
    if np.isnan(inputs.retention) or np.isnan(inputs.contribution):
        missing = (
            "A yearly retention needs customers who ordered in the 365 days before the last 365, and the margin of a "
            "year customers who ordered in the last 365. The log has none of the one or the other."
        )
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=missing)
    table = sensitivity(inputs)
    if base.costs is None:
        table = table[table["input"] != "cost"]
    steps, moved = table.iloc[0], table[table["way"] != 0]
    swing = moved.groupby("input")["change"].agg(lambda change: change.abs().max()).sort_values(ascending=False)
    by_way = moved.pivot(index="input", columns="way", values="change").loc[swing.index]
    most = NAMES[str(swing.index[0])]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "case": TableColumn("Case", "text"),
            "years": TableColumn("1. Years expected", "number"),
            "net_year": TableColumn("2. Net a year", "money"),
            "undiscounted": TableColumn("Years × net", "money"),
            "discounting": TableColumn("3. Discounting", "money"),
            "value": TableColumn("4. Lifetime value", "money"),
            "change": TableColumn("Change", "money"),
        },
        f"With {inputs.retention:.0%} staying from year to year, a customer is here for {steps['years']:.1f} of "
        f"{inputs.horizon:.1f} years, brings {money(steps['net_year'], base.currency)} a year and is worth "
        f"{money(steps['value'], base.currency)}; what moves this most is the {most}: up to "
        f"{money(swing.iloc[0], base.currency)} for 10 %.",
        bars(
            [NAMES[str(name)] for name in by_way.index],
            {"10 % lower": by_way[-1].tolist(), "10 % higher": by_way[1].tolist()},
            title=f"change of a customer's lifetime value, {base.currency}",
            form=",.3~r",
            stacked=True,
        ),
        "" if base.costs is not None else SUPPLY_COSTS,
    )
