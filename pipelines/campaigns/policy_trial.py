"""What following the plan is worth, measured on customers who were contacted, or left alone, by lot.

The plan is made of them with the scores of a model from before their day, its budget in proportion to their number, and
held against what they did: the doubly robust value of that policy (models/uplift/policy_value.py), less what its
contacts are expected to cost, beside those of contacting nobody, everybody, and those of the highest risk at the same
cost.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.trees import boosting
from models.uplift import policy_value
from models.uplift.outcome_models import fit_expected_outcomes
from pipelines.campaigns.experiments import OfferTrial
from pipelines.training.holdout_evaluation import CONFIDENCE
from retention.economics.contact import contact_inputs, expected_costs
from retention.economics.offers import Offer
from retention.measurement.plan_hindsight import RISK
from retention.planning.retention_plan import plan

POLICIES = ("plan", "nobody", "everybody", RISK)
OUTCOMES = {"margin": "future_value", "stayed": "stayed"}
"""What is told per customer: margin over the horizon in currency units, less the contacts' cost; and who stayed."""


def policy_values(
    made: OfferTrial,
    scores: pd.DataFrame,
    offer: Offer,
    *,
    budget_per_customer: float,
    seed: int,
) -> dict[str, Any]:
    """Values by outcome and policy, and by how much the plan's is above each other, with intervals.

    scores: a row per customer of the trial, of models that knew nothing of what followed.
    """
    known = contact_inputs(scores, [offer])
    spend = (
        pd.Series(expected_costs(known, offer), known["customer_id"]).reindex(made.rows["customer_id"]).to_numpy(float)
    )
    policies = _policies(made, scores, offer, spend, budget_per_customer)
    told: dict[str, Any] = {
        "customers": len(made.rows),
        "campaigns": made.campaigns,
        "contacted": {name: float(np.mean(who)) for name, who in policies.items()},
    }
    inputs = boosting.inputs_of(made.rows, made.features)
    for name, label in OUTCOMES.items():
        experiment = made.experiment(label, where=f"treatments with the offer '{offer.name}'")
        arms = fit_expected_outcomes(made.rows, inputs, experiment, seed=seed)
        costs = spend if name == "margin" else np.zeros(len(spend))
        how: dict[str, Any] = {"experiment": experiment, "arms": arms, "cost": costs, "confidence": CONFIDENCE}
        values = {policy: policy_value.policy_value(who, **how) for policy, who in policies.items()}
        ahead = {one: policy_value.policy_advantage(policies["plan"], policies[one], **how) for one in POLICIES[1:]}
        told[name] = {
            "value": {policy: asdict(figure) for policy, figure in values.items()},
            "plan_above": {policy: asdict(figure) for policy, figure in ahead.items()},
        }
    return told


def _policies(
    made: OfferTrial,
    scores: pd.DataFrame,
    offer: Offer,
    spend: Floats,
    budget_per_customer: float,
) -> dict[str, Floats]:
    """Whom each policy contacts: 1 or 0 for each customer of the trial."""
    count, ids = len(made.rows), made.rows["customer_id"]
    limits: dict[str, Any] = {"holdout_share": 0.0, "campaign": "backtest", "salt": ""}
    chosen = plan(scores, [offer], budget=budget_per_customer * count, **limits).frame
    mine = ids.isin(set(chosen["customer_id"])).to_numpy(float)
    risk = scores.set_index("customer_id")["churn_probability"].reindex(ids).to_numpy(float)
    order = np.argsort(-risk, kind="stable")
    at_risk = np.zeros(count)
    at_risk[order[np.cumsum(spend[order]) <= spend @ mine * (1 + 1e-12)]] = 1.0
    return dict(zip(POLICIES, (mine, np.zeros(count), np.ones(count), at_risk), strict=True))


def in_words(told: dict[str, Any], *, offer: str, currency: str, others: Sequence[str] = POLICIES[1:]) -> str:
    """What the randomised customers say of the plan."""
    found = []
    for other in others:
        above = told["margin"]["plan_above"][other]
        sure = "more" if above["low"] > 0 else "less" if above["high"] < 0 else "not provably other"
        found.append(f"{sure} than {other} ({above['value']:+.2f}, {above['low']:.2f} to {above['high']:.2f})")
    return f"{offer}: per customer, in {currency}, the plan earns {'; '.join(found)}"
