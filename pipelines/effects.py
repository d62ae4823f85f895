"""Effects of contacts by customer, learned from randomised treatments and kept only where they are proven to help.

All learners of uplift are compared, offer by offer, with simple rules (models/uplift/learner_selection.py): a random
order, the response, the risk, and the churn probability that a plan with one save rate goes by. Where a learner beats
every rule beyond its interval it is fitted, kept in `EFFECTS_FOLDER`, and used by the next plan; else the plan goes
on with one save rate. `EFFECTS_FILE` says what was found, in words.

It is a command of its own, `stayworth effects`, and no part of `train`: treatments mature when campaigns do, not when
models are made, and a plan may use new effects with the same model.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError, Refusal
from models.artifacts import effect_bundle, registry
from models.artifacts.registered_model import load_untouched
from models.scoring import scorer
from models.trees import boosting
from models.uplift import calibrated_effect
from models.uplift.cross_fitting import CrossFit, cross_fit
from models.uplift.experiment import Experiment
from models.uplift.learner_selection import LearnerSelection, select_learner
from pipelines import run_folder
from pipelines.campaigns.experiments import OfferTrial, offer_trial
from pipelines.campaigns.treatments import read_treatments
from pipelines.config import Config
from pipelines.order_log import read_orders
from pipelines.training.holdout_evaluation import CONFIDENCE
from retention.measurement.save_rate import FLAT_PRIOR, measured_save_rate, posterior_save_rate
from retention.planning.learned_effects import EFFECTS_FILE, EFFECTS_FOLDER
from retention.planning.plan_archive import ArchivedPlan, archived_plans, planned_shares

RESAMPLES = 1000
PLAN = "the plan's churn probability"
"""The rule of a plan with one save rate: the larger the churn probability, the larger the effect."""


def learn_effects(config: Config, *, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Learn the effects of every offer of the config that the treatments have; writes `EFFECTS_FILE` and the bundles.

    An offer from which nothing can be learned yet is reported with the reason. Raises Refusal where that is so of all.
    """
    target = config.folder / EFFECTS_FILE
    run_folder.refuse_unwritable(target)
    say("reading the treatments")
    treatments = read_treatments(config, now=now)
    offers = [offer.name for offer in config.offers if (treatments["offer"] == offer.name).any()]
    if not offers:
        had, known = (", ".join(sorted(set(names))) or "none" for names in (treatments["offer"], _names(config)))
        raise InputError(
            f"the treatments name no offer of the config: they have {had}, the config has {known}",
            where="treatments",
            next="Name the offers in the treatments as [[offers]] does.",
        )
    say("reading the orders")
    histories = read_orders(config, now=now, say=say).histories
    days, plans = config.time.horizon_days, archived_plans(config.folder / run_folder.PLANS)
    by_offer: dict[str, dict[str, Any]] = {}
    refused: list[Refusal] = []
    for offer in offers:
        say(f"learning the effects of {offer}")
        try:
            trial = offer_trial(treatments, histories, offer=offer, horizon_days=days, planned=planned_shares(plans))
            by_offer[offer] = _learn_offer(config, offer, trial, plans)
        except Refusal as error:
            refused.append(error)
            by_offer[offer] = {"learner": None, "in_words": f"{error.what}: the plan uses one save rate"}
    if len(refused) == len(offers):
        raise refused[0]
    content = {
        "learnt_on": now.date().isoformat(),
        "horizon_days": days,
        "outcome": f"stayed over {days} days",
        "confidence": CONFIDENCE,
        "offers": by_offer,
    }
    run_folder.write_json(target, content)
    _remove_unnamed_bundles(config.folder / EFFECTS_FOLDER, by_offer)
    return content | {"written": str(target)}


def _learn_offer(config: Config, offer: str, trial: OfferTrial, plans: Sequence[ArchivedPlan]) -> dict[str, Any]:
    """Learn the effects of one offer and write its bundle where a learner helps; returns the result as JSON."""
    seed, rows = config.train.seed, trial.rows
    experiment = trial.experiment("stayed", where=f"treatments with the offer '{offer}'")
    inputs = boosting.inputs_of(rows, trial.features)
    rules, source = _rules(config, rows, plans)
    crossed = cross_fit(rows, inputs, experiment, seed=seed)
    choice = select_learner(crossed, experiment, rules=rules, resamples=RESAMPLES, confidence=CONFIDENCE, seed=seed)
    content = {
        "in_words": f"{choice}{'' if choice.learner else ': the plan uses one save rate'}",
        "learner": choice.learner,
        "customers": len(rows),
        "treated": int(experiment.treated.sum()),
        "campaigns": trial.campaigns,
        "left_out": trial.left_out,
        "last_day": str(rows["as_of"].max().date()),
        "churn_probability_from": source,
        **_comparison(choice),
    }
    if choice.learner is None:
        return content
    fitted = calibrated_effect.fit_calibrated_effect(choice.learner, rows, inputs, experiment, crossed, seed=seed)
    return content | {
        "bundle": _write_bundle(config.folder / EFFECTS_FOLDER / offer, fitted),
        "effect": asdict(fitted.line),
        "save_rate": _save_rate(choice.learner, experiment, crossed),
    }


def _comparison(choice: LearnerSelection) -> dict[str, Any]:
    """The comparison of learners and rules, as JSON."""
    return {
        "everybody": asdict(choice.everybody),
        "ranking": choice.ranking,
        "qini": {name: asdict(estimate) for name, estimate in choice.qini.items()},
        "ahead": {name: {"of": rule, **asdict(lead)} for name, (rule, lead) in choice.ahead.items()},
    }


def _save_rate(kind: str, experiment: Experiment, crossed: CrossFit) -> dict[str, float]:
    """Posterior save rate from the half of the customers that the learner ranks first, as certain as its effects."""
    effect, sd = calibrated_effect.best_half_effect(kind, experiment, crossed)
    leaving = 1 - crossed.arms.untreated[crossed.place(crossed.effects[kind]) >= 0.5].mean()
    measured = measured_save_rate(effect_on_staying=effect, sd=max(sd, 1e-9), mean_savable=max(float(leaving), 1e-9))
    return posterior_save_rate(FLAT_PRIOR, [measured]).model_dump()


def _write_bundle(folder: Path, fitted: calibrated_effect.FittedEffect) -> str:
    """Write a bundle beside the one before, under its hash; `EFFECTS_FILE` names the one that counts."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=folder) as scratch:
        draft = Path(scratch) / "effect"
        draft.mkdir()
        bundle_hash = effect_bundle.write(draft, fitted)
        shutil.rmtree(folder / bundle_hash, ignore_errors=True)  # the same, or damaged
        draft.rename(folder / bundle_hash)
    return bundle_hash


def _remove_unnamed_bundles(folder: Path, by_offer: Mapping[str, Mapping[str, Any]]) -> None:
    """Remove the bundles that `EFFECTS_FILE` no longer names."""
    named = {folder / offer / effect["bundle"] for offer, effect in by_offer.items() if "bundle" in effect}
    for bundle in folder.glob("*/*"):
        if bundle not in named:
            shutil.rmtree(bundle)


def _rules(config: Config, rows: pd.DataFrame, plans: Sequence[ArchivedPlan]) -> tuple[dict[str, Floats], str]:
    """The rule that ranks rows by their churn probability, and where that is from; no rule where it is not known."""
    probability, files = pd.Series(np.nan, index=rows.index), {plan.campaign: plan.file for plan in plans}
    for campaign, members in rows.groupby("campaign").groups.items():
        if campaign in files:
            chosen = run_folder.read_table(files[str(campaign)], next="Plan it again.")
            if "churn_probability" in chosen:
                known = chosen.set_index("customer_id")["churn_probability"]
                probability[members] = rows.loc[members, "customer_id"].map(known)
    if probability.notna().all():
        return {PLAN: probability.to_numpy(float)}, "the plans of the campaigns"
    version = registry.holder(config.tracking_uri, "champion")
    if version is None:
        return {}, "nowhere: the campaigns have no plan here, and no model was trained"
    model = load_untouched(config.tracking_uri, version).scorer
    if missing := [name for name in model.inputs if name not in rows]:
        return {}, f"nowhere: the champion needs {missing[0]}"
    predicted = scorer.churn_probability(model, model.predict_frame(rows))
    return {PLAN: predicted}, "the champion, which may have seen what followed: that makes the rule harder to beat"


def _names(config: Config) -> list[str]:
    return [offer.name for offer in config.offers]
