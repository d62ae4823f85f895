"""What contacts change, customer by customer: learnt from randomised treatments, kept only where it is proven to help.

For every offer, all learners of uplift are held against the simple rules (models/uplift/learner_selection.py): a random
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
"""The rule that a plan with one save rate goes by: that share of a larger churn probability is a larger effect."""


def learn_effects(config: Config, *, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Learn the effects of every offer of the config that the treatments have; writes `EFFECTS_FILE` and the bundles.

    An offer that cannot be learnt from yet is told with the reason. Raises Refusal where that is so of all of them.
    """
    target = config.folder / EFFECTS_FILE
    run_folder.refuse_unwritable(target)
    say("reading the treatments")
    treatments = read_treatments(config, now=now)
    offers = [offer.name for offer in config.offers if (treatments["offer"] == offer.name).any()]
    if not offers:
        had, known = (", ".join(sorted(set(names))) or "none" for names in (treatments["offer"], _names(config)))
        raise InputError(
            f"no offer of the config was tried: the treatments have {had}, the config {known}",
            where="treatments",
            next="Call the offers in the treatments as [[offers]] does.",
        )
    say("reading the orders")
    histories = read_orders(config, now=now).histories
    days, plans = config.time.horizon_days, archived_plans(config.folder / run_folder.PLANS)
    told: dict[str, dict[str, Any]] = {}
    refused: list[Refusal] = []
    for offer in offers:
        say(f"learning the effects of {offer}")
        try:
            made = offer_trial(treatments, histories, offer=offer, horizon_days=days, planned=planned_shares(plans))
            told[offer] = _learnt(config, offer, made, plans)
        except Refusal as error:
            refused.append(error)
            told[offer] = {"learner": None, "in_words": f"{error.what}: the plan uses one save rate"}
    if len(refused) == len(offers):
        raise refused[0]
    content = {
        "learnt_on": now.date().isoformat(),
        "horizon_days": days,
        "outcome": f"stayed over {days} days",
        "confidence": CONFIDENCE,
        "offers": told,
    }
    run_folder.write_json(target, content)
    _tidy(config.folder / EFFECTS_FOLDER, told)
    return content | {"written": str(target)}


def _learnt(config: Config, offer: str, made: OfferTrial, plans: Sequence[ArchivedPlan]) -> dict[str, Any]:
    """What was found of one offer; its bundle is written where a learner helps."""
    seed, rows = config.train.seed, made.rows
    experiment = made.experiment("stayed", where=f"treatments with the offer '{offer}'")
    inputs = boosting.inputs_of(rows, made.features)
    rules, from_ = _rules(config, rows, plans)
    crossed = cross_fit(rows, inputs, experiment, seed=seed)
    choice = select_learner(crossed, experiment, rules=rules, resamples=RESAMPLES, confidence=CONFIDENCE, seed=seed)
    content = {
        "in_words": f"{choice}{'' if choice.learner else ': the plan uses one save rate'}",
        "learner": choice.learner,
        "customers": len(rows),
        "treated": int(experiment.treated.sum()),
        "campaigns": made.campaigns,
        "left_out": made.left_out,
        "last_day": str(rows["as_of"].max().date()),
        "churn_probability_from": from_,
        **_figures(choice),
    }
    if choice.learner is None:
        return content
    fitted = calibrated_effect.fit_calibrated_effect(choice.learner, rows, inputs, experiment, crossed, seed=seed)
    return content | {
        "bundle": _written(config.folder / EFFECTS_FOLDER / offer, fitted),
        "effect": asdict(fitted.line),
        "save_rate": _save_rate(choice.learner, experiment, crossed),
    }


def _figures(choice: LearnerSelection) -> dict[str, Any]:
    return {
        "everybody": asdict(choice.everybody),
        "ranking": choice.ranking,
        "qini": {name: asdict(one) for name, one in choice.qini.items()},
        "ahead": {name: {"of": rule, **asdict(by)} for name, (rule, by) in choice.ahead.items()},
    }


def _save_rate(kind: str, experiment: Experiment, crossed: CrossFit) -> dict[str, float]:
    """What the better half by the learner says of the save rate: as sure as that is the level of the effects."""
    effect, sd = calibrated_effect.best_half_effect(kind, experiment, crossed)
    leaving = 1 - crossed.arms.untreated[crossed.place(crossed.effects[kind]) >= 0.5].mean()
    said = measured_save_rate(
        effect_on_staying=effect, sd=max(sd, 1e-9), mean_churn_probability=max(float(leaving), 1e-9)
    )
    return posterior_save_rate(FLAT_PRIOR, [said]).model_dump()


def _written(folder: Path, fitted: calibrated_effect.FittedEffect) -> str:
    """Write a bundle beside the one before, under its hash: which of them counts is for `EFFECTS_FILE` to say."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=folder) as scratch:
        draft = Path(scratch) / "effect"
        draft.mkdir()
        bundle_hash = effect_bundle.write(draft, fitted)
        shutil.rmtree(folder / bundle_hash, ignore_errors=True)  # the same, or damaged
        draft.rename(folder / bundle_hash)
    return bundle_hash


def _tidy(folder: Path, told: Mapping[str, Mapping[str, Any]]) -> None:
    """Remove the bundles that nothing names any more."""
    named = {folder / offer / of["bundle"] for offer, of in told.items() if "bundle" in of}
    for one in folder.glob("*/*"):
        if one not in named:
            shutil.rmtree(one)


def _rules(config: Config, rows: pd.DataFrame, plans: Sequence[ArchivedPlan]) -> tuple[dict[str, Floats], str]:
    """The churn probability of each row, highest first, and where it is from; no rule where nothing says it."""
    said, files = pd.Series(np.nan, index=rows.index), {plan.campaign: plan.file for plan in plans}
    for campaign, mine in rows.groupby("campaign").groups.items():
        if campaign in files:
            chosen = run_folder.read_table(files[str(campaign)], next="Plan it again.")
            if "churn_probability" in chosen:
                known = chosen.set_index("customer_id")["churn_probability"]
                said[mine] = rows.loc[mine, "customer_id"].map(known)
    if said.notna().all():
        return {PLAN: said.to_numpy(float)}, "the plans of the campaigns"
    version = registry.holder(config.tracking_uri, "champion")
    if version is None:
        return {}, "nowhere: the campaigns have no plan here, and no model was trained"
    model = load_untouched(config.tracking_uri, version).scorer
    if missing := [name for name in model.inputs if name not in rows]:
        return {}, f"nowhere: the champion needs {missing[0]}"
    told = scorer.predict(model, rows)["churn_probability"].to_numpy(float)
    return {PLAN: told}, "the champion, who may have seen what followed: that makes the rule harder to beat"


def _names(config: Config) -> list[str]:
    return [offer.name for offer in config.offers]
