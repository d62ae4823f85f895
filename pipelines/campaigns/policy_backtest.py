"""Backtest of the plan: the plan that would have been made on each of several days, and what its customers then did.

The days and the models are those of `evaluate`. What saving the list would have added is bracketed by what came, where
twice the horizon has closed (pipelines/campaigns/gain_backtest.py). Where customers were contacted at random after the
first day, the plan's policy is measured on them too (pipelines/campaigns/policy_trial.py).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.scoring.scorer import Scorer
from pipelines import run_folder
from pipelines.campaigns.configured_offers import offers_with_save_rate
from pipelines.campaigns.experiments import OfferTrial, offer_trial
from pipelines.campaigns.gain_backtest import listed_gains, worth_days
from pipelines.campaigns.outcomes import outcomes
from pipelines.campaigns.policy_trial import in_words, policy_values
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from pipelines.training.training_set import TrainingSet
from retention.customer_base.segments import CURRENT_VALUE_FEATURE
from retention.economics.offers import Offer
from retention.measurement.gain_bracket import gain_bracket
from retention.measurement.plan_hindsight import plan_hindsight, shares_and_lifts, sum_of_days
from retention.measurement.save_rate_store import believed_worth_factor
from retention.planning.plan_archive import archived_plans, planned_shares
from retention.planning.retention_plan import plan

POLICY_BACKTEST = "policy_backtest.json"
ASSUMED = (
    "profits take the save and redeem rates of the offers and what keeping a customer adds as given: without "
    "randomised treatments no history tests them, it only brackets the last; nobody was contacted, so the customers "
    "who left did so without an offer"
)


class PastPlan(NamedTuple):
    """The plan of one day and what followed."""

    hindsight: dict[str, Any]
    """As of `retention.measurement.plan_hindsight.plan_hindsight`, with as_of and held_out."""
    gains: pd.DataFrame | str
    """As of `pipelines.campaigns.gain_backtest.listed_gains`."""


def write_policy_backtest(
    config: Config,
    histories: Histories,
    offers: Sequence[Offer],
    models: Mapping[date, Scorer],
    plans: Sequence[PastPlan],
    *,
    now: datetime,
    budget: float,
) -> dict[str, Any]:
    """Write `POLICY_BACKTEST`: the plans in hindsight, their sums, and the randomised values; returns its content.

    plans: the oldest first. models: by the day they were trained as of.
    """
    hindsights = [past.hindsight for past in plans]
    customers, total = hindsights[-1]["customers"], sum_of_days(hindsights)
    seed, judged = config.train.seed, [past.gains for past in plans if isinstance(past.gains, pd.DataFrame)]
    note = f"the {worth_days(config.terms)} days after none of these days can be judged"
    content = {
        "horizon_days": config.time.horizon_days,
        "currency": config.money.currency,
        "budget": budget,
        "assumed": ASSUMED,
        "worth_days": worth_days(config.terms),
        "cut_offs": [
            past.hindsight | shares_and_lifts(past.hindsight) | {"gains": _gains(past.gains, seed=seed)}
            for past in plans
        ],
        "total": total | shares_and_lifts(total) | {"gains": _gains(pd.concat(judged) if judged else note, seed=seed)},
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


def _gains(listed: pd.DataFrame | str, *, seed: int) -> dict[str, Any]:
    """The bracket of the gain, or `note`, why there is none."""
    return {"note": listed} if isinstance(listed, str) else gain_bracket(listed, seed=seed)


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
    training: TrainingSet,
    recipe: Recipe,
    model: Scorer,
    test: pd.DataFrame,
    histories: Histories,
    *,
    budget: float,
) -> PastPlan:
    """The plan of one day in hindsight.

    model: trained on the training set of that day, by the recipe. test: its labelled rows, as `labelled_rows` has them,
    of these histories.
    """
    day, ids, horizon_days = test["as_of"].iloc[0].date(), test["customer_id"].astype("str"), config.time.horizon_days
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
            "customer_id": ids,
            "churned": test["churned"].astype(bool),
            "back": _came_back(test, histories, horizon_days=horizon_days),
            "margin": test["future_value"],
            "margin_before": outcomes(histories, ids, day=day, window_days=horizon_days)["past_margin"].to_numpy(),
            "spend": test[CURRENT_VALUE_FEATURE],
        }
    )
    contacts = planned.frame[planned.frame["treated"]]
    hindsight = plan_hindsight(scores, happened, contacts, offers, worth=worth)
    return PastPlan(
        {"as_of": day.isoformat(), "held_out": planned.summary["holdout"]} | hindsight,
        listed_gains(training, recipe, model, test, histories, contacts),
    )


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
