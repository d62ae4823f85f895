"""Value of following the plan, measured on customers who were contacted or held out at random.

A plan is made for them with the scores of a model from before their day, its budget in proportion to their number, and
compared with what they did: the doubly robust value of that policy (models/uplift/policy_value.py), less the expected
cost of its contacts, beside the values of contacting nobody, everybody, and those of the highest risk at the same cost.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.keeping.worth_factor import PRIOR, WorthFactor
from models.trees import boosting
from models.uplift.outcome_models import fit_expected_outcomes
from models.uplift.policy_value import policy_advantage, policy_value
from pipelines.campaigns.experiments import OfferTrial
from pipelines.training.holdout_evaluation import CONFIDENCE
from retention.economics.contact import contact_inputs, expected_costs
from retention.economics.offers import Offer
from retention.measurement.plan_hindsight import RISK
from retention.planning.retention_plan import plan

POLICIES = ("plan", "nobody", "everybody", RISK)
NAMES = {"nobody": "contacting nobody", "everybody": "contacting everybody", RISK: "contacting the highest risk first"}
"""Names of the policies in sentences."""
OUTCOMES = {"margin": "future_value", "stayed": "stayed"}
"""Outcomes reported per customer: margin over the horizon in currency units, less the contacts' cost; and staying."""


def policy_values(
    trial: OfferTrial,
    scores: pd.DataFrame,
    offer: Offer,
    *,
    budget_per_customer: float,
    seed: int,
    worth: WorthFactor = PRIOR,
) -> dict[str, Any]:
    """Values by outcome and policy, and the plan's advantage over each other policy, with intervals.

    scores: a row per customer of the trial, of models that knew nothing of what followed. worth: what readouts so far
    say of gains.
    """
    inputs_of_plan = contact_inputs(scores, [offer])
    costs_by_id = pd.Series(expected_costs(inputs_of_plan, offer), inputs_of_plan["customer_id"])
    spend = costs_by_id.reindex(trial.rows["customer_id"]).to_numpy(float)
    policies = _policies(trial, scores, offer, spend, budget_per_customer, worth)
    content: dict[str, Any] = {
        "customers": len(trial.rows),
        "campaigns": trial.campaigns,
        "contacted": {name: float(np.mean(contacted)) for name, contacted in policies.items()},
    }
    inputs = boosting.inputs_of(trial.rows, trial.features)
    for name, label in OUTCOMES.items():
        experiment = trial.experiment(label, where=f"treatments with the offer '{offer.name}'")
        arms = fit_expected_outcomes(trial.rows, inputs, experiment, seed=seed)
        cost = spend if name == "margin" else np.zeros(len(spend))
        values = {
            policy: policy_value(contacted, experiment=experiment, arms=arms, cost=cost, confidence=CONFIDENCE)
            for policy, contacted in policies.items()
        }
        advantages = {
            policy: policy_advantage(
                policies["plan"], policies[policy], experiment=experiment, arms=arms, cost=cost, confidence=CONFIDENCE
            )
            for policy in POLICIES[1:]
        }
        content[name] = {
            "value": {policy: asdict(value) for policy, value in values.items()},
            "plan_above": {policy: asdict(advantage) for policy, advantage in advantages.items()},
        }
    return content


def _policies(
    trial: OfferTrial,
    scores: pd.DataFrame,
    offer: Offer,
    spend: Floats,
    budget_per_customer: float,
    worth: WorthFactor,
) -> dict[str, Floats]:
    """Contacts of each policy: 1 or 0 for each customer of the trial."""
    count, ids = len(trial.rows), trial.rows["customer_id"]
    budget = budget_per_customer * count
    rules: dict[str, Any] = {"holdout_share": 0.0, "campaign": "backtest", "salt": ""}
    chosen = plan(scores, [offer], budget=budget, worth=worth, **rules).frame
    planned = ids.isin(set(chosen["customer_id"])).to_numpy(float)
    risk = scores.set_index("customer_id")["churn_probability"].reindex(ids).to_numpy(float)
    order = np.argsort(-risk, kind="stable")
    at_risk = np.zeros(count)
    at_risk[order[np.cumsum(spend[order]) <= spend @ planned * (1 + 1e-12)]] = 1.0
    return dict(zip(POLICIES, (planned, np.zeros(count), np.ones(count), at_risk), strict=True))


def in_words(values: dict[str, Any], *, offer: str, currency: str, others: Sequence[str] = POLICIES[1:]) -> str:
    """The plan's advantage over each other policy, in a sentence."""
    phrases = []
    for other in others:
        above = values["margin"]["plan_above"][other]
        comparison = "more" if above["low"] > 0 else "less" if above["high"] < 0 else "neither provably more nor less"
        interval = f"{above['value']:+.2f}, {above['low']:.2f} to {above['high']:.2f}"
        phrases.append(f"{comparison} than {NAMES[other]} ({interval})")
    return f"{offer}: per customer, in {currency}, the plan earns {'; '.join(phrases)}"
