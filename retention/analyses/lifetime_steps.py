"""Lifetime value in four steps, and its sensitivity to each input."""

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
"""Relative change of each input, down and up."""
DEFINITION = (
    "The mean customer with an order in the last 365 days, from a first year on: 1. the years they are expected to "
    "stay, (1 − r^n) / (1 − r) out of the n years considered, with yearly retention r; 2. their yearly margin less "
    "cost to serve; 3. each year's money discounted from its middle; 4. the sum. Each input is then changed by 10% "
    "of itself (retention to 100% at most) while the others stay as they are."
)
SOURCE = (
    "Gupta & Lehmann (2005), Managing Customers as Investments, chapter 2; Gupta, Lehmann & Stuart (2004), Valuing "
    "customers, Journal of Marketing Research 41(1)."
)


@dataclass(frozen=True)
class LifetimeInputs:
    """Inputs of lifetime value: years considered, rates per year as shares, currency units per year."""

    horizon: float
    discount_rate: float
    retention: float
    contribution: float
    cost: float


NAMES = {
    "horizon": "years considered",
    "discount_rate": "discount rate",
    "retention": "retention",
    "contribution": "yearly margin",
    "cost": "cost to serve",
}


def four_steps(inputs: LifetimeInputs) -> dict[str, float]:
    """The steps by name: years (expected with the shop), net_year, undiscounted (their product), discounting (its
    effect, not above 0) and value, in currency units.

    >>> {name: round(float(step), 2) for name, step in four_steps(LifetimeInputs(3, 0.1, 0.5, 120, 20)).items()}
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


def sensitivity(inputs: LifetimeInputs) -> pd.DataFrame:
    """Table of the steps as they are, then with each input lower and higher: case, input, way (−1, 0, 1), the steps of
    `four_steps`, and change of the value (currency units)."""
    rows = [{"case": "as it is", "input": "", "way": 0, **four_steps(inputs)}]
    for name, label in NAMES.items():
        for way, direction in ((-1, "lower"), (1, "higher")):
            value = getattr(inputs, name) * (1 + way * CHANGE)
            changed = replace(inputs, **{name: min(value, 1.0) if name == "retention" else value})
            rows.append({"case": f"{label}, 10% {direction}", "input": name, "way": way, **four_steps(changed)})
    table = pd.DataFrame(rows)
    table["change"] = table["value"] - table["value"].iloc[0]
    return table


def lifetime_inputs(base: CustomerBase) -> LifetimeInputs:
    """Inputs of the base itself: means of the customers who ordered in the last 365 days; a cost of 0 where none is
    booked. NaN where nobody ordered, or nobody could stay."""
    active = base.customers[base.customers["orders_year"] > 0]
    return LifetimeInputs(
        horizon=base.lifetime_days / YEAR_DAYS,
        discount_rate=base.annual_discount_rate,
        retention=yearly_retention(base).rate,
        contribution=float(active["margin_year"].mean()),
        cost=0.0 if base.costs is None else float(active["cost_to_serve_year"].mean()),
    )


def analyse(base: CustomerBase) -> Analysis:
    """The steps, and a bar down and up for each input."""
    inputs = lifetime_inputs(base)
    if np.isnan(inputs.retention) or np.isnan(inputs.contribution):
        missing = (
            "This needs customers who ordered in the 365 days before the last 365 (for yearly retention) and customers "
            "who ordered in the last 365 days (for yearly margin); the log lacks one or the other."
        )
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=missing)
    table = sensitivity(inputs)
    if base.costs is None:
        table = table[table["input"] != "cost"]
    steps, changes = table.iloc[0], table[table["way"] != 0]
    swing = changes.groupby("input")["change"].agg(lambda change: change.abs().max()).sort_values(ascending=False)
    by_way = changes.pivot(index="input", columns="way", values="change").loc[swing.index]
    most = NAMES[str(swing.index[0])]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "case": TableColumn("Case", "text"),
            "years": TableColumn("1. Years expected", "number"),
            "net_year": TableColumn("2. Net margin per year", "money"),
            "undiscounted": TableColumn("Years × net", "money"),
            "discounting": TableColumn("3. Discounting", "money"),
            "value": TableColumn("4. Lifetime value", "money"),
            "change": TableColumn("Change", "money"),
        },
        f"With {inputs.retention:.0%} staying from year to year, a customer is expected to stay {steps['years']:.1f} "
        f"of {inputs.horizon:.1f} years, to bring {money(steps['net_year'], base.currency)} a year and to be worth "
        f"{money(steps['value'], base.currency)}. A change of 10% in one input moves this most for “{most}”: by up to "
        f"{money(swing.iloc[0], base.currency)}.",
        bars(
            [NAMES[str(name)] for name in by_way.index],
            {"10% lower": by_way[-1].tolist(), "10% higher": by_way[1].tolist()},
            title=f"change of a customer's lifetime value ({base.currency})",
            form=",.3~r",
            stacked=True,
        ),
        "" if base.costs is not None else SUPPLY_COSTS,
    )
