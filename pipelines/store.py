"""The store of histories in the output folder: what it holds, and how it is emptied."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.errors import InputError
from features.history_store.asked_log import name_now
from features.history_store.entry import Entry, entries, remove_all
from pipelines import run_folder
from pipelines.config import Config


def store_content(config: Config) -> dict[str, Any]:
    """What the store holds: the folder, its limit and size (bytes), and its entries, the latest first.

    Each entry has its name, whether the log is read from it as its files are now (`is_current`), the files and rows it
    came of, its customers, bytes and the moment it was made.
    """
    home = config.folder / run_folder.HISTORIES
    found = entries(home)
    try:
        current = name_now(config.log) if config.store_bytes else None
    except (InputError, OSError):  # the log is not there: nothing is read from the store now
        current = None
    shown = [_shown(entry, current) for entry in sorted(found, key=lambda entry: -entry.made_ns)]
    return {
        "folder": str(home),
        "limit_bytes": config.store_bytes,
        "bytes": sum(entry.bytes for entry in found),
        "entries": shown,
    }


def clean_store(config: Config) -> dict[str, Any]:
    """Remove every entry and what commands that died have left: the next command reads the log again.

    Returns the folder and the bytes that became free.
    """
    home = config.folder / run_folder.HISTORIES
    before = _bytes(home)
    remove_all(home)
    return {"folder": str(home), "freed_bytes": before - _bytes(home)}


def _bytes(home: Path) -> int:
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())


def _shown(entry: Entry, current: str | None) -> dict[str, Any]:
    about = entry.about
    is_rows = "files" in about
    return {
        "entry": entry.folder.name,
        "holds": _holds(about),
        "is_current": (entry.folder.name if is_rows else about["of"]) == current,
        "files": sum(map(len, about["files"].values())) if is_rows else None,
        "rows": sum(group[1] for judged in about.get("judged", {}).values() for group in judged),
        "customers": about.get("customers"),
        "bytes": entry.bytes,
        "made_at": datetime.fromtimestamp(entry.made_ns / 1e9, UTC).isoformat(timespec="seconds"),
    }


def _holds(about: dict[str, Any]) -> str:
    """What an entry holds, in words."""
    if "found" in about:
        return "what check found"
    return " and ".join(about["judged"])
