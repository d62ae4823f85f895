"""Promotion and rollback: the versions of the model, and the moves of the alias `champion` among them.

A version serves only once every byte that was logged has been fetched and checked, and the audit log has its line.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from features.errors import InputError, Refusal
from models.artifacts import registry
from models.artifacts.registered_model import check_untouched
from models.artifacts.registry import Version
from pipelines import registry_audit
from pipelines.shop_files.project_config import ProjectConfig


def list_versions(config: ProjectConfig) -> list[dict[str, Any]]:
    """Every version, the newest first, as JSON: its bundle, aliases, metrics, and the gate's decision."""
    return [version_summary(version) for version in registry.versions(config.tracking_uri)]


def version_summary(version: Version) -> dict[str, Any]:
    """A version as JSON. Headline metrics are those of its evaluation; None where nothing was recorded."""
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


def promote(config: ProjectConfig, number: str, *, now: datetime, why: str) -> dict[str, Any]:
    """Make a version the champion, and the old one `previous`; nothing changes if it is the champion already."""
    return _move(config, registry.numbered(config.tracking_uri, number), now=now, action="promote", why=why)


def record_refusal(
    config: ProjectConfig, number: str, *, bundle: str, before: str | None, why: Sequence[str], now: datetime
) -> None:
    """Write down that the gate refused a version: no alias moves. before: the champion; why: the gate's reasons."""
    path = config.folder / registry_audit.FILE
    registry_audit.write(path, at=now, what="refuse", version=number, bundle=bundle, before=before, why="; ".join(why))


def roll_back(config: ProjectConfig, *, now: datetime) -> dict[str, Any]:
    """Make `previous` the champion again, and the champion `previous`."""
    uri = config.tracking_uri
    champion, previous = registry.find(uri, "champion"), registry.holder(uri, "previous")
    if previous is None or previous.number == champion.number:
        raise Refusal(
            f"version {champion.number} is the first champion; there is none to return to",
            where="rollback",
            next="`stayworth models list` shows all versions; `stayworth models promote N` promotes any of them.",
        )
    return _move(config, previous, now=now, action="rollback", why="by hand")


def _move(
    config: ProjectConfig, version: Version, *, now: datetime, action: registry_audit.Action, why: str
) -> dict[str, Any]:
    uri = config.tracking_uri
    check_untouched(uri, version)
    champion = registry.holder(uri, "champion")
    before = champion.number if champion else None
    if before != version.number:
        line: dict[str, Any] = {"version": version.number, "bundle": version.bundle, "before": before, "why": why}
        path = config.folder / registry_audit.FILE
        registry_audit.write(path, at=now, what=action, **line)
        tags = {
            "promoted_at": now.isoformat(timespec="seconds"),
            "promoted_by": registry_audit.account_name(),
            "promoted_because": why,
        }
        try:
            registry.set_champion(uri, version.number, tags=tags)
        except InputError as error:
            registry_audit.write(path, at=now, what=action, **line, failed=error.what)
            raise
    return {"champion": version.number, "bundle": version.bundle, "before": before, "changed": before != version.number}
