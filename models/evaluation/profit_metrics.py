"""Profit metrics of churn models: the profit of a retention campaign that follows the model.

A campaign contacts the customers ranked on top, down to some cut. What one contact earns, with y = 1 for a leaver:

    y s (v - d) - (1 - y) r d - c

s the save rate (share of would-be leavers the offer keeps), v the customer's CLV, d the incentive, r the redeem rate
(share of stayers who take it all the same), c the contact. Neslin, Gupta, Kamakura, Lu & Mason (2006), Defection
Detection, JMR 43(2); theirs, and that of the metrics below as published, is r = 1.

Every metric is in currency units per customer judged, contacted or not; 0 is to contact nobody, so none is below it
but `own_cut_profit`. `weights` as in models/evaluation/metrics.py. A best cut is found with hindsight: good for
comparing models, too good to be a forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import betaincc

from features.arrays import Floats
from models.evaluation.ranking import captured_totals, ranked_totals

PERCENTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class CampaignTerms:
    """The offer that models are evaluated with. Every number is the shop's; none has a default."""

    name: str
    contact_cost: float
    """Currency units per contact."""
    incentive_cost: float | Floats
    """Currency units per redemption, for all or for each customer."""
    save_rate: float | tuple[float, float]
    """A share, 0 … 1, or the (alpha, beta) of its Beta distribution where it is uncertain."""
    redeem_rate: float
    """Share of stayers who redeem, 0 … 1."""
    clv: Floats
    """The worth of each evaluated customer if kept, currency units: the same for every model."""

    @property
    def save_rate_mean(self) -> float:
        """Expected share of would-be leavers kept."""
        if isinstance(self.save_rate, tuple):
            alpha, beta = self.save_rate
            return alpha / (alpha + beta)
        return self.save_rate

    @property
    def terms(self) -> dict[str, Any]:
        """The assumptions, ready for JSON; the mean of those that differ by customer."""
        return {
            "name": self.name,
            "contact_cost": self.contact_cost,
            "incentive_cost": float(np.mean(self.incentive_cost)),
            "save_rate": self.save_rate_mean,
            "redeem_rate": self.redeem_rate,
            "mean_clv": float(np.mean(self.clv)),
        }


def contact_profit(
    churned: Floats,
    *,
    clv: float | Floats,
    save_rate: float,
    redeem_rate: float,
    incentive_cost: float | Floats,
    contact_cost: float,
) -> Floats:
    """Profit of contacting each customer, by the formula above; given a churn probability, the expected profit.

    >>> float(contact_profit(np.array(1.0), clv=105, save_rate=0.1, redeem_rate=1, incentive_cost=5, contact_cost=1))
    9.0
    """
    kept = churned * save_rate * (clv - np.asarray(incentive_cost))
    return np.asarray(kept - (1 - churned) * redeem_rate * incentive_cost - contact_cost)


def mpc(
    churned: Floats,
    probability: Floats,
    weights: Floats | None = None,
    *,
    clv: float,
    save_rate: float,
    redeem_rate: float,
    incentive_cost: float,
    contact_cost: float,
) -> Floats:
    """Maximum profit for churn: that of the best cut through the churn ranking, with one CLV for all (0 …).

    Verbraken, Verbeke & Baesens (2013), A Novel Profit Maximizing Metric for Measuring Classification Performance of
    Customer Churn Prediction Models, IEEE TKDE 25(5). Blind to who is worth what.
    """
    rates = {"save_rate": save_rate, "redeem_rate": redeem_rate}
    costs = {"incentive_cost": incentive_cost, "contact_cost": contact_cost}
    return best_cut_profit(probability, contact_profit(churned, clv=clv, **rates, **costs), weights)


def empc(
    churned: Floats,
    probability: Floats,
    weights: Floats | None = None,
    *,
    clv: float,
    alpha: float,
    beta: float,
    redeem_rate: float,
    incentive_cost: float,
    contact_cost: float,
) -> Floats:
    """Expected maximum profit for churn: `mpc` in expectation over a save rate from Beta(alpha, beta), the best cut
    chosen anew for each save rate (0 …; Verbraken, Verbeke & Baesens 2013).

    Exact. The cuts worth choosing are the corners of the ROC curve's convex hull, which are those of the churn rate
    made falling by pooling (Fawcett & Niculescu-Mizil 2007, PAV and the ROC Convex Hull, Machine Learning 68); each
    pool is contacted where the save rate makes it pay.
    """
    left, everyone = ranked_totals(probability, weights, churned, np.ones_like(churned))
    profits = []
    for leavers, customers in zip(np.atleast_2d(left), np.atleast_2d(everyone), strict=True):
        drawn = customers > 0
        pools = isotonic_regression(leavers[drawn] / customers[drawn], weights=customers[drawn], increasing=False)
        rate, size = pools.x[pools.blocks[:-1]], pools.weights
        gain, cost = rate * (clv - incentive_cost), (1 - rate) * redeem_rate * incentive_cost + contact_cost
        profits.append(size @ _expected_excess(gain, cost, alpha=alpha, beta=beta) / size.sum())
    return np.reshape(profits, left.shape[:-1])


def best_cut_profit(score: Floats, earned: Floats, weights: Floats | None = None) -> Floats:
    """Profit per customer of the best cut through a ranking (0 …); customers of equal score are contacted all or none.

    Through the churn ranking, with what each customer's own CLV earns, it is EMPB: Janssens, Bogaert, Bagué & Van den
    Poel (2022), B2Boost: Instance-dependent Profit-driven Modelling of B2B Churn, Annals of Operations Research. Theirs
    is an incentive in proportion to the CLV, and a Beta save rate, of which only the mean matters as the cut is made
    before it is known.
    """
    profit, customers = ranked_totals(score, weights, earned, np.ones_like(earned))
    return np.maximum(np.cumsum(profit, -1).max(-1), 0) / customers.sum(-1)


def campaign_profit_metrics(
    churned: Floats, probability: Floats, weights: Floats | None, campaign: CampaignTerms
) -> dict[str, Floats]:
    """The profit metrics of a churn model: `mpc`, `empc`, `empb`, and those of the campaign run as a plan would be.

    `best_cut_profit` ranks by the profit the model expects of each contact; `own_cut_profit` contacts those of whom it
    expects any, without hindsight: below 0 where following the model is a loss. `mpc` and `empc` take the mean
    CLV and incentive; of a save rate without distribution they are equal.
    """
    expected, earned = _expected_and_earned(churned, probability, campaign)
    w = np.ones_like(churned) if weights is None else weights
    one_for_all = {
        "clv": float(np.mean(campaign.clv)),
        "redeem_rate": campaign.redeem_rate,
        "incentive_cost": float(np.mean(campaign.incentive_cost)),
        "contact_cost": campaign.contact_cost,
    }
    certain = mpc(churned, probability, weights, save_rate=campaign.save_rate_mean, **one_for_all)
    uncertain = certain
    if isinstance(campaign.save_rate, tuple):
        alpha, beta = campaign.save_rate
        uncertain = empc(churned, probability, weights, alpha=alpha, beta=beta, **one_for_all)
    return {
        "mpc": certain,
        "empc": uncertain,
        "empb": best_cut_profit(probability, earned, weights),
        "best_cut_profit": best_cut_profit(expected, earned, weights),
        "own_cut_profit": np.asarray(w @ np.where(expected > 0, earned, 0) / w.sum(-1)),
    }


def contact_curve(churned: Floats, probability: Floats, campaign: CampaignTerms) -> dict[str, Any]:
    """Profit of contacting the 0, 1, … 100 % with the highest expected profit, and the cut at which it peaks.

    Money in currency units over all customers judged. `best` is the best cut in hindsight, `own` the model's: everyone
    of whom it expects a profit.
    """
    expected, earned = _expected_and_earned(churned, probability, campaign)
    _, totals = captured_totals(expected, None, PERCENTS, earned)
    profit, size = ranked_totals(expected, None, earned, np.ones_like(earned))
    totals_at_cuts, contacted = np.append(0, np.cumsum(profit)), np.append(0, np.cumsum(size))
    best, chosen = int(totals_at_cuts.argmax()), expected > 0
    return {
        "curve": totals.tolist(),
        "best": _cut(contacted[best], totals_at_cuts[best], customers=len(earned)),
        "own": _cut(chosen.sum(), earned[chosen].sum(), customers=len(earned)),
    }


def _cut(contacted: float, profit: float, *, customers: int) -> dict[str, float | int]:
    return {"share": float(contacted / customers), "customers": int(contacted), "profit": float(profit)}


def _expected_and_earned(churned: Floats, probability: Floats, campaign: CampaignTerms) -> tuple[Floats, Floats]:
    """Profit of each contact as the model expects it, and as realised."""
    expected, earned = (
        contact_profit(
            leaves,
            clv=campaign.clv,
            save_rate=campaign.save_rate_mean,
            redeem_rate=campaign.redeem_rate,
            incentive_cost=campaign.incentive_cost,
            contact_cost=campaign.contact_cost,
        )
        for leaves in (probability, churned)
    )
    return expected, earned


def _expected_excess(gain: Floats, cost: Floats, *, alpha: float, beta: float) -> Floats:
    """E max(S gain - cost, 0) for S from Beta(alpha, beta) and cost ≥ 0, by the moments of S above cost / gain."""
    pays = gain > 0
    least = np.minimum(np.divide(cost, gain, out=np.ones_like(gain), where=pays), 1)
    mean = alpha / (alpha + beta)
    return np.where(pays, gain * mean * betaincc(alpha + 1, beta, least) - cost * betaincc(alpha, beta, least), 0)
