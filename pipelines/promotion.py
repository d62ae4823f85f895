"""Who serves: the versions of the model, and the moves of the alias `champion` among them.

A version serves only after every byte of what was logged was fetched and checked, and after the audit log has a line.
"""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import InputError, Refusal
from models.artifacts import bundle, registry
from models.artifacts.registry import Version
from models.scoring.scorer import Scorer
from pipelines import registry_audit
from pipelines.config import Config


def list_versions(config: Config) -> list[dict[str, Any]]:
    """Every version, the newest first: what it is, who calls it what, and what the gate said of it."""
    return [version_summary(version) for version in registry.versions(config.tracking_uri)]


def version_summary(version: Version) -> dict[str, Any]:
    """A version as JSON. Headline metrics are those of its evaluation; what was not recorded is None."""
    tags = version.tags
    return {
        "version": version.number,
        "bundle": version.bundle,
        "aliases": list(version.aliases),
        "made_at": tags.get("made_at"),
        "as_of": tags.get("as_of"),
        "horizon_days": int(tags["horizon_days"]) if "horizon_days" in tags else None,
        "metrics": json.loads(tags.get("headline", "{}")),
        "gate": tags.get("gate"),
        "gate_reasons": json.loads(tags.get("gate_reasons", "[]")),
        "promoted_at": tags.get("promoted_at"),
        "promoted_by": tags.get("promoted_by"),
    }


def promote(config: Config, number: str, *, now: datetime, why: str) -> dict[str, Any]:
    """Make a version the champion; the old one is `previous`. The champion itself stays as it is, and says so."""
    return _move(config, registry.numbered(config.tracking_uri, number), now=now, what="promote", why=why)


def roll_back(config: Config, *, now: datetime) -> dict[str, Any]:
    """Make `previous` the champion again, and the champion `previous`."""
    uri = config.tracking_uri
    champion, previous = registry.find(uri, "champion"), registry.holder(uri, "previous")
    if previous is None or previous.number == champion.number:
        raise Refusal(
            f"version {champion.number} is champion, and no other was before it",
            where="rollback",
            next="`stayworth models list` shows all versions, `stayworth models promote N` takes any.",
        )
    return _move(config, previous, now=now, what="rollback", why="by hand")


def _move(config: Config, version: Version, *, now: datetime, what: registry_audit.What, why: str) -> dict[str, Any]:
    uri = config.tracking_uri
    verified(uri, version)
    champion = registry.holder(uri, "champion")
    before = champion.number if champion else None
    if before != version.number:
        line: dict[str, Any] = {"version": version.number, "bundle": version.bundle, "before": before, "why": why}
        path = config.folder / registry_audit.FILE
        registry_audit.write(path, at=now, what=what, **line)
        moved = {
            "promoted_at": now.isoformat(timespec="seconds"),
            "promoted_by": registry_audit.who(),
            "promoted_because": why,
        }
        try:
            registry.set_champion(uri, version.number, tags=moved)
        except InputError as error:
            registry_audit.write(path, at=now, what=what, **line, failed=error.what)
            raise
    return {"champion": version.number, "bundle": version.bundle, "before": before, "changed": before != version.number}


def verified(uri: str, version: Version) -> Scorer:
    """The model of a version, fetched, every byte checked; raises InputError if anything was changed since.

    The code and the `MLmodel` that lie beside the bundle are checked too: whoever loads the champion with MLflow's own
    `load_model` runs them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.fetch(uri, version.number, Path(scratch))
        scorer = bundle.read(folder / registry.BUNDLE)
        contents = registry.contents_hash(folder)
    where = f"version {version.number}"
    if scorer.version != version.bundle:
        raise InputError(
            f"its bundle is {scorer.version}, and {version.bundle} was registered", where=where, next="Train again."
        )
    if contents != version.tags.get("contents"):
        raise InputError(
            "what lies beside its bundle is not what was logged: files were changed or added",
            where=where,
            next="Restore them, or train again; nothing of it was run.",
        )
    return scorer
