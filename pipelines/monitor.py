"""Watch the champion: have customers moved away from those it was made of, and was it right about those it scored?

moved     every feature and score as of now against the day the model was made, beyond the usual (watching/quiet.py)
matured   batches whose horizon has passed, against what happened (watching/matured.py)
own       both without what our own campaigns did (retention/measurement/inverse_propensity.py)
verdict   retrain, watch or fine, with reasons (watching/alarm.py)
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
from pipelines import promotion, run_folder
from pipelines.batches import ledger
from pipelines.campaigns.past_campaigns import own_campaigns
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from pipelines.monitoring.matured_scores import MaturedBatch
from pipelines.monitoring.monitored_model import MonitoredModel, monitor_model
from pipelines.order_log import read_orders
from pipelines.train import train

MONITOR = "monitor.json"
"""In the output folder."""
MAX_BATCHES = 12
"""Matured batches that are told of, the latest; the verdict rests on the last of them."""


def monitor(config: Config, *, as_of: date | None, now: datetime, say: Callable[[str], None]) -> dict[str, Any]:
    """Watch the champion as of a day, and write `monitor.json`; returns its content.

    as_of: None: the end of the log. Nothing that happened from that day on is looked at.
    """
    target = config.folder / MONITOR
    run_folder.refuse_unwritable(target)
    say("fetching the champion")
    watched = _champion(config)
    say("reading the log")
    histories = read_orders(config, now=now).histories
    day = as_of or histories.end
    _refuse(histories, watched, as_of=day)
    entries = ledger.entries(config.folder)
    treatments = treatments_if_any(config, now=now)

    def campaigns(first: date, before: date) -> Mapping[str, pd.DataFrame]:
        return own_campaigns(config.folder / run_folder.PLANS, treatments, first=first, before=before)

    batches = _kept(entries, watched, as_of=day) or _again(histories, watched, as_of=day)
    told = monitor_model(histories, watched, batches, campaigns, as_of=day, say=say)
    content = {"currency": config.money.currency, **told}
    run_folder.write_json(target, content)
    return content | {"written": str(target)}


def _champion(config: Config) -> MonitoredModel:
    champion = load_champion(config.tracking_uri)
    metrics = promotion.version_summary(champion.version)["metrics"]
    return MonitoredModel(champion.scorer, champion.version.number, champion.as_of, metrics)


def _refuse(histories: Histories, watched: MonitoredModel, *, as_of: date) -> None:
    """Raise InputError for a day that the model or the log knows nothing of."""
    if as_of < watched.made:
        raise InputError(
            f"the champion was made as of {watched.made}; before that day there is nothing to watch",
            where=f"--as-of {as_of}",
            next=f"Name that day or a later one, up to {histories.end}.",
        )
    if as_of > histories.end:
        raise InputError(
            f"the orders end before {histories.end}",
            where=f"--as-of {as_of}",
            next="Load newer orders, or leave it out.",
        )


def _kept(entries: Sequence[ledger.LedgerEntry], watched: MonitoredModel, *, as_of: date) -> list[MaturedBatch]:
    """The champion's own batches that have matured, the oldest first; none of a day that it had learnt from."""
    version = watched.model.version
    mine = [one for one in entries if one.model_version == version and one.as_of >= watched.made]
    over = [one for one in mine if one.as_of + timedelta(days=one.horizon_days) <= as_of]
    return [
        MaturedBatch(one.as_of, one.horizon_days, version, ledger.read(one), is_kept=True)
        for one in over[-MAX_BATCHES:]
    ]


def _again(histories: Histories, watched: MonitoredModel, *, as_of: date) -> list[MaturedBatch]:
    """Where no batch was kept: the latest day that has matured since the model was made, scored by it again."""
    terms = watched.model.terms
    day = as_of - timedelta(days=terms.horizon_days)
    if day < watched.made:
        return []
    try:
        table = snapshot(histories, as_of=[day], features=list(watched.model.inputs))
    except InputError:  # the log gives a feature no longer, which is a reason of its own
        return []
    scores = scorer.predict(watched.model, table.to_pandas(date_as_object=False))
    return [MaturedBatch(day, terms.horizon_days, watched.model.version, scores, is_kept=False)]


def refuse_outdated(content: Mapping[str, Any]) -> None:
    """Raise Refusal if the verdict is to retrain."""
    if content["verdict"] != "retrain":
        return
    reasons = [one for one in content["reasons"] if one["verdict"] == "retrain"]
    raise Refusal(
        f"retrain, for {len(reasons)} {'reason' if len(reasons) == 1 else 'reasons'}:"
        + "".join(f"\n  - {one['found']}. {one['next']}" for one in reasons),
        where=f"version {content['model']['version']}",
        next="stayworth monitor --retrain trains and lets the gate decide; stayworth train does the same.",
    )


def retrain(config: Config, *, now: datetime, trials: int | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Train as `stayworth train` does; what was registered, whether it serves, and what the gate said."""
    made = train(config, now=now, trials=trials, say=say)
    return {
        "registered": made.registered,
        "bundle": made.version,
        "promoted": made.promoted,
        "gate": made.metrics["gate"],
    }
