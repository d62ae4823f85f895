"""Backtest of the plan: the one that would have been made at each of several days, and what its customers then did.

The days and the models are those of `evaluate`. Where customers were contacted by lot after the first day, the plan's
policy is measured on them too (pipelines/campaigns/policy_trial.py).
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
from retention.planning.plan_archive import archived_plans, planned_shares
from retention.planning.retention_plan import plan

POLICY_BACKTEST = "policy_backtest.json"
ASSUMED = (
    "profits take the save and redeem rates of the offers and a kept customer's lifetime value as given: without "
    "randomised treatments no history tests them; nobody was contacted, so who left did so without an offer"
)


def write_policy_backtest(
    config: Config,
    histories: Histories,
    offers: Sequence[Offer],
    models: Mapping[date, Scorer],
    found: Sequence[dict[str, Any]],
    *,
    now: datetime,
    budget: float,
) -> dict[str, Any]:
    """The content of `POLICY_BACKTEST`, written: the days of `of_day`, oldest first, their sums, and `randomised`.

    models: by the day they were learnt on.
    """
    customers = found[-1]["customers"]
    total = sum_of_days(found)
    content = {
        "horizon_days": config.time.horizon_days,
        "currency": config.money.currency,
        "budget": budget,
        "assumed": ASSUMED,
        "cut_offs": [one | shares_and_lifts(one) for one in found],
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

    model: as learnt on that day. test: its labelled rows, as `labelled_rows` has them, of these histories.
    """
    day = test["as_of"].iloc[0].date().isoformat()
    scores = scorer.predict(model, test)
    made = plan(
        scores,
        offers,
        budget=budget,
        holdout_share=config.plan.holdout_share,
        campaign=f"backtest {day}",
        salt=config.plan.salt,
    )
    happened = pd.DataFrame(
        {
            "customer_id": test["customer_id"].astype("str"),
            "churned": test["churned"].astype(bool),
            "back": _back(test, histories, horizon_days=config.time.horizon_days),
            "margin": test["future_value"],
            "margin_before": test["last_period_value"],
            "spend": test[CURRENT_VALUE_FEATURE],
        }
    )
    told = plan_hindsight(scores, happened, made.frame[made.frame["treated"]], offers)
    return {"as_of": day, "held_out": made.summary["holdout"]} | told


def _back(test: pd.DataFrame, histories: Histories, *, horizon_days: int) -> NDArray[np.bool_]:
    """Who left by a silence, and ordered after it, as far as the log goes; under a contract nobody."""
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
    """By offer what customers contacted by lot since the first of the models' days say of the plan, or why nothing.

    models: by the day they were learnt on; each customer is scored by the latest before his contact.
    """
    treatments = treatments_if_any(config, now=now)
    if treatments is None:
        return {}
    treatments = treatments[treatments["at"] >= pd.Timestamp(min(models), tz="UTC")]
    planned = planned_shares(archived_plans(config.folder / run_folder.PLANS))
    told: dict[str, Any] = {}
    for offer in offers:
        try:
            days = config.time.horizon_days
            made = offer_trial(treatments, histories, offer=offer.name, horizon_days=days, planned=planned)
            told[offer.name] = policy_values(
                made,
                _scores(made, models),
                offer,
                budget_per_customer=budget_per_customer,
                seed=config.train.seed,
            )
            told[offer.name]["in_words"] = in_words(told[offer.name], offer=offer.name, currency=config.money.currency)
        except Refusal as error:
            told[offer.name] = {"in_words": f"{offer.name}: {error.what}"}
    return told


def _scores(made: OfferTrial, models: Mapping[date, Scorer]) -> pd.DataFrame:
    """Each customer scored by the latest model of his day or before."""
    learnt = sorted(models)
    latest = made.rows["as_of"].map(lambda day: max(one for one in learnt if one <= day.date()))
    return pd.concat([scorer.predict(models[day], made.rows[latest == day]) for day in latest.unique()])
