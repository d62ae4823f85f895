"""Settings of a worker, passed by the process that starts it in environment variables, as containers use them.

STAYWORTH_SCORES        the file of the last batch, which `stayworth score` writes
STAYWORTH_MODEL         a folder with champion.json, or a bundle
STAYWORTH_CAMPAIGNS     JSON of `CampaignSettings`: offers, holdout share and salt
STAYWORTH_SCORE_LOG     a folder for a sample of the scores served; without it none is kept
STAYWORTH_SHOP          JSON of `Log`: the shop's tables, for histories in the console and bookings in plans
STAYWORTH_FOLDER        the output folder: files of `plan`, `readout` and `monitor`, and the audit log
"""

import json
import os
from dataclasses import asdict
from functools import cache
from pathlib import Path

from features.errors import StayworthError
from features.ingest.log import Log
from retention.economics.offers import Offer
from serving import access_log, active_model
from serving.hot_reload import HotReload
from serving.plan_inputs import PlanInputs
from serving.responses import CampaignSettings, Responses
from serving.score_log import ScoreLog
from serving.store import score_store as store

SCORES, MODEL, CAMPAIGNS, LOG = (f"STAYWORTH_{name}" for name in ("SCORES", "MODEL", "CAMPAIGNS", "SCORE_LOG"))
SHOP, FOLDER = "STAYWORTH_SHOP", "STAYWORTH_FOLDER"
NOWHERE = "/nonexistent"


def worker_environment(
    *,
    scores: Path,
    model: Path,
    campaigns: CampaignSettings,
    log: Path | None = None,
    order_log: Log | None = None,
    folder: Path | None = None,
) -> dict[str, str]:
    """The environment of a worker. order_log: of tables in files or a database, not of frames."""
    content = asdict(campaigns) | {"offers": [offer.model_dump() for offer in campaigns.offers]}
    places = {SCORES: scores, MODEL: model, LOG: log, FOLDER: folder}
    named = {name: str(place.resolve()) for name, place in places.items() if place}
    written = {CAMPAIGNS: json.dumps(content)} | ({SHOP: order_log.to_json()} if order_log else {})
    return named | written


@cache
def responses() -> Responses:
    """The responses of this process, configured by its environment; nothing is loaded yet."""
    content = json.loads(os.environ.get(CAMPAIGNS, "{}"))
    offers = tuple(Offer(**offer) for offer in content.pop("offers", []))
    campaigns = CampaignSettings(offers, **content)
    folder = Path(os.environ.get(MODEL, NOWHERE))
    return Responses(
        HotReload("model", active_model.pointer_file(folder), active_model.load, log_event=access_log.write_event),
        HotReload("scores", Path(os.environ.get(SCORES, NOWHERE)), store.open_store, log_event=access_log.write_event),
        campaigns,
        PlanInputs(Path(campaigns.plans).parent if campaigns.plans else None, order_log()),
    )


@cache
def order_log() -> Log | None:
    """The log with the customers' histories, if the environment names one."""
    content = os.environ.get(SHOP)
    if not content:
        return None
    return Log.from_json(content)


def output_folder() -> Path:
    """The output folder; a folder that does not exist if the environment names none."""
    return Path(os.environ.get(FOLDER) or NOWHERE)


@cache
def score_log() -> ScoreLog | None:
    """The score log of this process, if it is configured and usable; requests are answered without it, too."""
    try:
        return ScoreLog(Path(os.environ[LOG])) if os.environ.get(LOG) else None
    except StayworthError as error:
        access_log.write_event({"event": "score log not kept", "why": str(error)})
        return None
