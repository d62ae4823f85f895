"""Contracts: payments on fixed dates until the customer leaves, at rates that fall with tenure.

Days count by the risk of the tenure (worlds.py): φ(t) = Φ(tenure at t) − Φ(tenure today), Φ the integral of the risk.
With ε and δ the rates of cooling and of leaving, σ the share who leave without cooling, customers are still there at t
with probability

    cooling now     S(t) = e^(−δφ)
    engaged now     S(t) = e^(−εφ) + (1 − σ) ε / (δ − ε) · (e^(−εφ) − e^(−δφ))

and of the payments at t_1, t_2, … in [0, h), discounted by γ(t), are expected

    of all customers                 Σ γ(t_k) S(t_k)
    of those who leave before h      Σ γ(t_k) (S(t_k) − S(h)),   the other customers' payments taken as 0
"""

from math import log1p

import numpy as np

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS
from pipelines.simulator.customers import Customers
from pipelines.simulator.worlds import Contract


def risk_days(contract: Contract, tenure: Floats) -> Floats:
    """Φ: the days of a tenure (days, 0 or more), each counted by its risk; at a risk of 1 they are the tenure.

    >>> risk_days(Contract(30, risk=((0, 2), (100, 0.5))), np.array([10, 100, 120])).tolist()
    [20.0, 200.0, 210.0]
    """
    starts, factors, passed = _pieces(contract)
    place = np.searchsorted(starts, tenure, side="right") - 1
    return np.asarray(passed[place] + (tenure - starts[place]) * factors[place])


def risk_at(contract: Contract, tenure: Floats) -> Floats:
    """The factor of the rates of cooling and leaving at a tenure (days, 0 or more)."""
    starts, factors, _ = _pieces(contract)
    return np.asarray(factors[np.searchsorted(starts, tenure, side="right") - 1])


def tenure_days(contract: Contract, risk: Floats) -> Floats:
    """The tenure at which so many days of risk have passed: the inverse of `risk_days`.

    >>> tenure_days(Contract(30, risk=((0, 2), (100, 0.5))), np.array([20, 200, 210])).tolist()
    [10.0, 100.0, 120.0]
    """
    starts, factors, passed = _pieces(contract)
    place = np.searchsorted(passed, risk, side="right") - 1
    return np.asarray(starts[place] + (risk - passed[place]) / factors[place])


def day_after(customers: Customers, customer: Integers, begin: Floats, wait: Floats) -> Floats:
    """The day on which a wait is over that began on another; under a contract its days count by the tenure's risk.

    customer: place among the customers. begin: days since 1970. wait: days, 0 or more.
    """
    contract = customers.world.contract
    if contract is None:
        return begin + wait
    joined = customers.joined[customer]
    passed = risk_days(contract, begin - joined) + wait
    return np.maximum(begin, joined + tenure_days(contract, passed))


def survival(customers: Customers, stage: Integers, *, day: float, after: Floats) -> Floats:
    """S: the probability that customers have not left so many days after `day`, given their stage on it.

    after: days, a row per customer and any number of columns; so is the result.
    """
    tenure = (day - customers.joined)[:, None]
    passed = risk_days(_terms(customers), tenure + after) - risk_days(_terms(customers), tenure)
    cooling, leaving = customers.cooling[:, None], customers.leaving_apart[:, None]
    engaged_still, cooling_still = np.exp(-cooling * passed), np.exp(-leaving * passed)
    turned = cooling / (leaving - cooling) * (engaged_still - cooling_still)
    engaged = engaged_still + (1 - customers.world.sudden) * turned
    return np.choose(stage[:, None], [engaged, cooling_still, np.zeros_like(engaged)])


def leaving_probability(customers: Customers, stage: Integers, *, day: float, days: float) -> Floats:
    """The probability that each customer has left by `day + days`; 1 for those who are gone."""
    return 1 - survival(customers, stage, day=day, after=np.full((len(customers), 1), float(days)))[:, 0]


def expected_payments(
    customers: Customers, stage: Integers, *, day: float, days: float, annual_rate: float = 0.0
) -> Floats:
    """Payments of each customer in `[day, day + days)`, given their stage on `day`; discounted to it, a rate a year."""
    after, weight = _payment_dates(customers, day=day, days=days, annual_rate=annual_rate)
    return np.asarray((weight * survival(customers, stage, day=day, after=after)).sum(axis=1))


def leavers_payments(
    customers: Customers, stage: Integers, *, day: float, days: float, annual_rate: float = 0.0
) -> Floats:
    """The same of those who leave in `[day, day + days)`: E[payments; left by its end], not divided by its chance."""
    left = leaving_probability(customers, stage, day=day, days=days)
    due = payments_due(customers, day=day, days=days, annual_rate=annual_rate)
    return expected_payments(customers, stage, day=day, days=days, annual_rate=annual_rate) - (1 - left) * due


def payments_due(customers: Customers, *, day: float, days: float, annual_rate: float = 0.0) -> Floats:
    """Payments in `[day, day + days)` of each customer who stays throughout, discounted to `day` at a yearly rate."""
    return np.asarray(_payment_dates(customers, day=day, days=days, annual_rate=annual_rate)[1].sum(axis=1))


def _payment_dates(customers: Customers, *, day: float, days: float, annual_rate: float) -> tuple[Floats, Floats]:
    """Dates of payment in days after `day`, a row per customer, and each one's discount, 0 for those too late."""
    every = _terms(customers).days_between_payments
    first = np.ceil((day - customers.joined) / every) * every + customers.joined - day
    after = first[:, None] + every * np.arange(int(days / every) + 1)
    weight = np.exp(-log1p(annual_rate) / YEAR_DAYS * after)
    return after, np.where(after < days, weight, 0.0)


def _terms(customers: Customers) -> Contract:
    if customers.world.contract is None:
        raise ValueError(f"customers of the world '{customers.world.name}' have no contract")
    return customers.world.contract


def _pieces(contract: Contract) -> tuple[Floats, Floats, Floats]:
    """The tenures at which the risk changes, the risk from each on, and Φ there."""
    starts, factors = (np.array(column, dtype=float) for column in zip(*contract.risk, strict=True))
    return starts, factors, np.concatenate([[0.0], np.cumsum(np.diff(starts) * factors[:-1])])
