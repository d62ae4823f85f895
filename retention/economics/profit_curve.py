"""The profit curve of several offers: the highest expected profit of each budget."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.keeping.worth_factor import PRIOR, WorthFactor
from retention.economics.contact import contact_inputs, expected_costs, expected_profits, profit_parts
from retention.economics.offers import Offer
from retention.economics.profit_interval import interval


def profit_curve(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    *,
    points: int,
    effects: pd.DataFrame | None = None,
    worth: WorthFactor = PRIOR,
) -> pd.DataFrame:
    """Expected profit of each of `points` budgets, from 0 to the least that reaches all the profit there is.

    effects and worth: as `plan` takes them.

    Columns: budget, expected_profit, profit_p10, profit_p90 (currency units) and customers (contacted). Without
    capacities and holdout. A larger budget than the last earns no more.
    """
    everyone = contact_inputs(scores, offers, effects, worth=worth)
    steps = _steps(
        *(np.stack([amounts(everyone, offer) for offer in offers]) for amounts in (expected_costs, expected_profits))
    )
    spent, profits = _running_total(steps["cost"]), _running_total(steps["profit"])
    budgets = np.unique(np.linspace(0, spent[-1], points))
    reached = np.searchsorted(spent, budgets, side="right") - 1
    sums = []
    for place, offer in enumerate(offers):
        sign = (steps["to"] == place).astype(float) - (steps["from"] == place)
        sums.append([_running_total(sign * part[steps["customer"]])[reached] for part in profit_parts(everyone, offer)])
    gross, incentives, fixed = (np.column_stack(part) for part in zip(*sums, strict=True))
    low, high = interval(gross, incentives, fixed, offers, worth=worth)
    return pd.DataFrame(
        {
            "budget": budgets,
            "expected_profit": profits[reached],
            "profit_p10": low,
            "profit_p90": high,
            "customers": _running_total(steps["from"] < 0).astype(int)[reached],
        }
    )


def _steps(costs: Floats, profits: Floats) -> pd.DataFrame:
    """The steps from one offer of a customer to a better one, by profit per unit of money, steepest first.

    Columns: customer, from and to (offers, -1 is none), cost and profit of the step. Each customer climbs the upper
    hull of their offers from none at all, the steepest step first: with so much money no choice earns more, but for the
    last step (Sinha and Zoltners 1979, "The multiple-choice knapsack problem", Operations Research 27(3)).
    """
    rows = np.flatnonzero((profits > 0).any(axis=0))
    at: Integers = np.full(len(rows), -1)
    at_cost: Floats = np.zeros(len(rows))
    at_profit: Floats = np.zeros(len(rows))
    steps = []
    while len(rows):
        steepest, gain, to = np.zeros(len(rows)), np.zeros(len(rows)), np.full(len(rows), -1)
        for offer in range(len(costs)):
            more, dearer = profits[offer, rows] - at_profit, costs[offer, rows] - at_cost
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = np.where((more > 0) & (dearer >= 0), more / dearer, 0.0)
            better = (slope > steepest) | ((slope == steepest) & (slope > 0) & (more > gain))
            steepest[better], gain[better], to[better] = slope[better], more[better], offer
        climbs = to >= 0
        rows, at, to = rows[climbs], at[climbs], to[climbs]
        at_cost, at_profit = at_cost[climbs], at_profit[climbs]
        cost_there, profit_there = costs[to, rows], profits[to, rows]
        steps.append(
            pd.DataFrame(
                {
                    "customer": rows,
                    "from": at,
                    "to": to,
                    "cost": cost_there - at_cost,
                    "profit": profit_there - at_profit,
                    "slope": steepest[climbs],
                }
            )
        )
        at, at_cost, at_profit = to, cost_there, profit_there
    columns = ["customer", "from", "to", "cost", "profit", "slope"]
    table = pd.concat(steps) if steps else pd.DataFrame({name: np.zeros(0, int) for name in columns})
    return table.iloc[np.argsort(-table["slope"].to_numpy(), kind="stable")]


def _running_total(values: pd.Series) -> Floats:
    """The sums of the first 0, 1, … n values."""
    return np.concatenate([[0.0], np.cumsum(values)])
