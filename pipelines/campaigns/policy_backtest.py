"""Backtest of the plan: the plan that would have been made on each of several days, and what its customers then did.

The days and the models are those of `evaluate`. Where customers were contacted at random after the first day, the
plan's policy is measured on them too (pipelines/campaigns/policy_trial.py).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from models.scoring import scorer
from models.scoring.scorer import Scorer
from pipelines import run_folder
from pipelines.campaigns.configured_offers import offers_with_save_rate
from pipelines.campaigns.experiments import OfferTrial, offer_trial
from pipelines.campaigns.outcomes import outcomes
from pipelines.campaigns.policy_trial import in_words, policy_values
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from retention.customer_base.segments import CURRENT_VALUE_FEATURE
from retention.economics.offers import Offer
from retention.measurement.plan_hindsight import plan_hindsight, shares_and_lifts, sum_of_days
from retention.measurement.save_rate_store import believed_worth_factor
from retention.planning.plan_archive import archived_plans, planned_shares
from retention.planning.retention_plan import plan

POLICY_BACKTEST = "policy_backtest.json"
ASSUMED = (
    "profits take the save and redeem rates of the offers and a kept customer's lifetime value as given: without "
    "randomised treatments no history tests them; nobody was contacted, so the customers who left did so without an "
    "offer"
)


def write_policy_backtest(
    config: Config,
    histories: Histories,
    offers: Sequence[Offer],
    models: Mapping[date, Scorer],
    plans: Sequence[dict[str, Any]],
    *,
    now: datetime,
    budget: float,
) -> dict[str, Any]:
    """Write `POLICY_BACKTEST`: the plans in hindsight, their sums, and the randomised values; returns its content.

    plans: of `plan_in_hindsight`, the oldest first. models: by the day they were trained as of.
    """
    customers = plans[-1]["customers"]
    total = sum_of_days(plans)
    content = {
        "horizon_days": config.time.horizon_days,
        "currency": config.money.currency,
        "budget": budget,
        "assumed": ASSUMED,
        "cut_offs": [day | shares_and_lifts(day) for day in plans],
        "total": total | shares_and_lifts(total),
        "randomised": randomised_values(
            config,
            histories,
            offers,
            models,
            now=now,
            budget_per_customer=budget / customers,
        ),
    }
    run_folder.write_json(config.folder / POLICY_BACKTEST, content)
    return content


def backtest_offers(config: Config) -> list[Offer]:
    """The offers whose save rate is known; raises InputError where there is none."""
    offers = offers_with_save_rate(config)
    if not offers:
        raise InputError(
            f"none of {len(config.offers)} offers has a save rate yet",
            where="[[offers]]",
            next="Give one a save_rate, or read a campaign out.",
        )
    return offers


def plan_in_hindsight(
    config: Config,
    offers: Sequence[Offer],
    model: Scorer,
    test: pd.DataFrame,
    histories: Histories,
    *,
    budget: float,
) -> dict[str, Any]:
    """The plan of one day in hindsight (`retention.measurement.plan_hindsight.plan_hindsight`).

    model: trained as of that day. test: its labelled rows, as `labelled_rows` has them, of these histories.
    """
    day = test["as_of"].iloc[0].date().isoformat()
    scores, worth = scorer.predict(model, test), believed_worth_factor(config.folder)
    planned = plan(
        scores,
        offers,
        budget=budget,
        worth=worth,
        holdout_share=config.plan.holdout_share,
        campaign=f"backtest {day}",
        salt=config.plan.salt,
    )
    happened = pd.DataFrame(
        {
            "customer_id": test["customer_id"].astype("str"),
            "churned": test["churned"].astype(bool),
            "back": _came_back(test, histories, horizon_days=config.time.horizon_days),
            "margin": test["future_value"],
            "margin_before": test["last_period_value"],
            "spend": test[CURRENT_VALUE_FEATURE],
        }
    )
    hindsight = plan_hindsight(scores, happened, planned.frame[planned.frame["treated"]], offers, worth=worth)
    return {"as_of": day, "held_out": planned.summary["holdout"]} | hindsight


def _came_back(test: pd.DataFrame, histories: Histories, *, horizon_days: int) -> NDArray[np.bool_]:
    """Mark the customers who churned by silence and ordered after it, as far as the log goes; none under a contract."""
    left, closed = test["churned"].to_numpy(bool), test["as_of"].iloc[0].date() + timedelta(days=horizon_days)
    if histories.contractual or closed >= histories.end:
        return np.zeros_like(left)
    ids, since = test["customer_id"].astype("str"), (histories.end - closed).days
    orders = ids.map(outcomes(histories, ids, day=closed, window_days=since)["orders"])
    return left & (orders > 0).to_numpy()


def randomised_values(
    config: Config,
    histories: Histories,
    offers: Sequence[Offer],
    models: Mapping[date, Scorer],
    *,
    now: datetime,
    budget_per_customer: float,
) -> dict[str, Any]:
    """Policy values by offer, of customers contacted at random since the first model's day, or why there are none.

    models: by the day they were trained as of; each customer is scored by the latest one before their contact.
    """
    treatments = treatments_if_any(config, now=now)
    if treatments is None:
        return {}
    treatments = treatments[treatments["at"] >= pd.Timestamp(min(models), tz="UTC")]
    planned = planned_shares(archived_plans(config.folder / run_folder.PLANS))
    by_offer: dict[str, Any] = {}
    for offer in offers:
        try:
            days = config.time.horizon_days
            trial = offer_trial(treatments, histories, offer=offer.name, horizon_days=days, planned=planned)
            values = policy_values(
                trial,
                _scores(trial, models),
                offer,
                worth=believed_worth_factor(config.folder),
                budget_per_customer=budget_per_customer,
                seed=config.train.seed,
            )
            sentence = in_words(values, offer=offer.name, currency=config.money.currency)
            by_offer[offer.name] = values | {"in_words": sentence}
        except Refusal as error:
            by_offer[offer.name] = {"in_words": f"{offer.name}: {error.what}"}
    return by_offer


def _scores(trial: OfferTrial, models: Mapping[date, Scorer]) -> pd.DataFrame:
    """Scores of each customer by the latest model of their day or before."""
    days = sorted(models)
    latest = trial.rows["as_of"].map(lambda contact: max(day for day in days if day <= contact.date()))
    return pd.concat([scorer.predict(models[day], trial.rows[latest == day]) for day in latest.unique()])
