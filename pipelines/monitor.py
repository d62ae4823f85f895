"""Monitor the champion: drift of its customers since it was made, and its scores against what happened.

moved     every feature and score now and on the day the model was made (pipelines/monitoring/feature_drift.py), beside
          the usual drift (pipelines/monitoring/usual_drift.py)
matured   batches whose horizon has passed, against what happened (pipelines/monitoring/matured_scores.py)
own       both without the effects of our own campaigns (retention/measurement/inverse_propensity.py)
lifetimes the total of known customers since that day (pipelines/monitoring/lifetime_calm.py), and lifetime values whose
          first year has passed, against what came (pipelines/monitoring/matured_lifetimes.py)
verdict   retrain, watch or fine, with reasons (pipelines/monitoring/alarm.py)
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from features.errors import InputError, Refusal
from features.histories.columns import Histories
from features.snapshots.snapshot import snapshot
from models.artifacts.registered_model import load_champion
from models.scoring import scorer
from models.scoring.online import attribute_kinds
from pipelines import promotion, run_folder
from pipelines.batches import ledger
from pipelines.batches.total_misses import judged_lifetimes, lifetime_misses
from pipelines.campaigns.past_campaigns import own_campaigns
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from pipelines.monitoring.matured_lifetimes import LifetimeBatch, judged_days
from pipelines.monitoring.matured_scores import MaturedBatch
from pipelines.monitoring.monitored_model import MonitoredModel, monitor_model
from pipelines.order_log import read_orders
from pipelines.train import train
from pipelines.training.serving_costs import costs_if_any

MONITOR = "monitor.json"
"""In the output folder."""
MAX_BATCHES = 12
"""Matured batches that are reported, the latest; the verdict rests on the last of them."""


def monitor(config: Config, *, as_of: date | None, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Monitor the champion as of a day, and write `monitor.json`; returns its content.

    as_of: None: the end of the log. Nothing that happened from that day on counts.
    """
    target = config.folder / MONITOR
    run_folder.refuse_unwritable(target)
    say("fetching the champion")
    monitored = _champion(config)
    say("reading the log")
    histories = read_orders(config, now=now, kinds=attribute_kinds(monitored.model), say=say).histories
    day = as_of or histories.end
    _refuse_day(histories, monitored, as_of=day)
    entries = ledger.entries(config.folder)
    treatments = treatments_if_any(config, now=now)

    def campaigns(first: date, before: date) -> Mapping[str, pd.DataFrame]:
        return own_campaigns(config.folder / run_folder.PLANS, treatments, first=first, before=before)

    batches = _kept_batches(entries, monitored, as_of=day) or _batch_scored_again(histories, monitored, as_of=day)
    judged = monitor_model(
        histories,
        monitored,
        batches,
        campaigns,
        as_of=day,
        say=say,
        lifetimes=_old_lifetimes(config, entries, monitored, as_of=day),
        misses=lifetime_misses(judged_lifetimes(config.folder)),
        costs=costs_if_any(config, now=now),
    )
    content = {"currency": config.money.currency, **judged}
    run_folder.write_json(target, content)
    return content | {"written": str(target)}


def _champion(config: Config) -> MonitoredModel:
    champion = load_champion(config.tracking_uri)
    metrics = promotion.version_summary(champion.version)["metrics"]
    return MonitoredModel(champion.scorer, champion.version.number, champion.as_of, metrics)


def _refuse_day(histories: Histories, monitored: MonitoredModel, *, as_of: date) -> None:
    """Raise InputError for a day before the model was made or after the end of the log."""
    if as_of < monitored.made:
        raise InputError(
            f"the champion was made as of {monitored.made}; before that day there is nothing to monitor",
            where=f"--as-of {as_of}",
            next=f"Name that day or a later one, up to {histories.end}.",
        )
    if as_of > histories.end:
        raise InputError(
            f"the orders end before {histories.end}",
            where=f"--as-of {as_of}",
            next="Load newer orders, or leave --as-of out.",
        )


def _kept_batches(
    entries: Sequence[ledger.LedgerEntry], monitored: MonitoredModel, *, as_of: date
) -> list[MaturedBatch]:
    """The champion's batches that have matured, the oldest first, from the day on that its knowledge ends."""
    version = monitored.model.version
    matured = [
        entry
        for entry in entries
        if entry.model_version == version
        and entry.as_of >= monitored.made
        and entry.as_of + timedelta(days=entry.horizon_days) <= as_of
    ]
    return [
        MaturedBatch(entry.as_of, entry.horizon_days, version, ledger.read(entry), is_kept=True)
        for entry in matured[-MAX_BATCHES:]
    ]


def _batch_scored_again(histories: Histories, monitored: MonitoredModel, *, as_of: date) -> list[MaturedBatch]:
    """The latest matured day since the model was made, scored by it again; used where no batch was kept."""
    terms = monitored.model.terms
    day = as_of - timedelta(days=terms.horizon_days)
    if day < monitored.made:
        return []
    try:
        table = snapshot(histories, as_of=[day], features=list(monitored.model.inputs))
    except InputError:  # the log no longer gives a feature, which is a reason of its own
        return []
    scores = scorer.predict(monitored.model, table.to_pandas(date_as_object=False))
    return [MaturedBatch(day, terms.horizon_days, monitored.model.version, scores, is_kept=False)]


def _old_lifetimes(
    config: Config, entries: Sequence[ledger.LedgerEntry], monitored: MonitoredModel, *, as_of: date
) -> LifetimeBatch | None:
    """The latest scores whose judged days have passed: the champion's, kept or made again, else those kept of another.

    None where there are none, or the model that made them is gone, or knew what came after its day.
    """
    champion = monitored.model
    last = as_of - timedelta(days=judged_days(champion.terms))
    old = [entry for entry in entries if entry.as_of <= last]
    own = [entry for entry in old if entry.model_version == champion.version and entry.as_of >= monitored.made]
    if own:
        return LifetimeBatch(own[-1].as_of, champion, _kept_clv(own[-1]), is_champion=True)
    if last >= monitored.made:
        return LifetimeBatch(last, champion, None, is_champion=True)
    for entry in reversed(old):
        try:
            model = ledger.registered_model_of(entry, config.tracking_uri)
        except InputError:  # it is no longer in the registry
            continue
        batch = LifetimeBatch(entry.as_of, model.scorer, _kept_clv(entry), is_champion=False)
        if model.as_of <= entry.as_of and batch.until <= as_of:
            return batch
    return None


def _kept_clv(entry: ledger.LedgerEntry) -> pd.Series:
    return ledger.read(entry).set_index("customer_id")["clv"]


def refuse_outdated(content: Mapping[str, Any]) -> None:
    """Raise Refusal if the verdict is to retrain."""
    if content["verdict"] != "retrain":
        return
    reasons = [reason for reason in content["reasons"] if reason["verdict"] == "retrain"]
    raise Refusal(
        f"retrain, for {len(reasons)} {'reason' if len(reasons) == 1 else 'reasons'}:"
        + "".join(f"\n  - {reason['found']}. {reason['next']}" for reason in reasons),
        where=f"version {content['model']['version']}",
        next="stayworth monitor --retrain trains and lets the gate decide; stayworth train does the same.",
    )


def retrain(config: Config, *, now: datetime, trials: int | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Train as `stayworth train` does; returns the version registered, whether it serves, and the gate's decision."""
    trained = train(config, now=now, trials=trials, say=say)
    return {
        "registered": trained.registered,
        "bundle": trained.version,
        "promoted": trained.promoted,
        "gate": trained.metrics["gate"],
    }
