"""Files under a signed manifest: what a bundle is on disk. No byte is used before its hash is checked.

manifest.json       SHA-256 and size of each file, beside what the bundle says of itself
manifest.sha256     SHA-256 of the manifest: the hash of the bundle, and its version
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import InputError

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes: no file of a bundle comes close, so a larger one is refused unread."""


def write_signed(folder: Path, contents: Mapping[str, bytes], about: Mapping[str, Any]) -> str:
    """Write files and their manifest into an existing empty folder; returns the hash of the bundle."""
    files = {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in contents.items()}
    manifest = json_bytes({"files": files, **about})
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.sha256").write_text(_sha256(manifest) + "\n")
    return _sha256(manifest)


def signed_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """Read the manifest and the hash of the bundle, which is the manifest's; raises InputError if they do not match."""
    content = _bytes(folder, "manifest.json")
    bundle_hash = _bytes(folder, "manifest.sha256").decode("ascii", "replace")
    if bundle_hash != _sha256(content) + "\n":
        raise _changed(folder, "manifest.json")
    return json.loads(content), bundle_hash.strip()


def checked_contents(folder: Path, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Every file of a manifest, checked; raises InputError for a changed file, and for one that no manifest names."""
    expected = {*manifest["files"], "manifest.json", "manifest.sha256"}
    foreign = sorted({path.name for path in folder.iterdir()} - expected)
    if foreign:
        raise InputError(
            f"holds files that no bundle has ({len(foreign)}): {', '.join(foreign[:5])}",
            where=str(folder),
            next="Train again.",
        )
    contents = {name: _bytes(folder, name) for name in manifest["files"]}
    for name, data in contents.items():
        if manifest["files"][name] != {"sha256": _sha256(data), "bytes": len(data)}:
            raise _changed(folder, name)
    return contents


def schema_hash(features: list[str]) -> str:
    """A hash of the feature columns and their order: two models with the same hash take the same rows."""
    return _sha256("\n".join(features).encode())[:16]


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys: the same content gives the same bytes."""
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_FILE:
            raise InputError("is a link or too large for a bundle", where=str(path), next="Train again.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), next="Train again.") from None


def _changed(folder: Path, name: str) -> InputError:
    return InputError(
        f"{name} does not match its hash: the file was changed or damaged",
        where=str(folder),
        next="Restore it, or train again; nothing of it was loaded.",
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
