"""An entry of the store: a folder of files that is there whole or not at all, and is never believed unseen.

    <name>/manifest      what it holds, the size and SHA-256 of every file, and the SHA-256 of that
    <name>/seen          the files as they were last found right, so that they need not be hashed again

An entry is written beside its place and moved there in one step. A file is hashed before its first use, and again after
anything touched it (its times and its inode tell) or the machine was started anew, as bytes may be lost then that were
never written out.
"""

import hashlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.hashes import hash_of_file, hash_of_json

HISTORIES = "histories"
"""The folder of a store in a run folder."""
MANIFEST, SEEN = "manifest", "seen"
"""Without the ending .json, as nobody may take them for a table of the log."""
DRAFT = ".draft-"
HASH_DIGITS = 16
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Entry:
    """An entry of the store whose files are as they were written."""

    folder: Path
    about: dict[str, Any]
    """What it says of itself: JSON values."""
    files: dict[str, dict[str, Any]]
    """Name → `bytes` and `sha256`."""
    made_ns: int
    """When it was made, in nanoseconds since 1970."""

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.folder / name

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file["bytes"] for file in self.files.values())


@dataclass
class Draft:
    """An entry that is being written."""

    folder: Path
    about: dict[str, Any] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files that were hashed as they were written."""


@contextmanager
def writing_entry(home: Path, name: str) -> Iterator[Draft]:
    """A draft that becomes the entry `name` when the block succeeds, in place of one that is there."""
    missing = [path for path in (home, *home.parents) if not path.exists()]
    home.mkdir(parents=True, exist_ok=True)
    folder = home / f"{DRAFT}{_machine()}.{os.getpid()}.{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        draft = Draft(folder)
        yield draft
        if lost := draft.hashes.keys() - {path.name for path in folder.iterdir()}:
            raise OSError(f"{folder}: {', '.join(sorted(lost))} went while it was written")
        files = {
            path.name: {
                "bytes": path.stat().st_size,
                "sha256": draft.hashes.get(path.name) or hash_of_file(path),
            }
            for path in sorted(folder.iterdir())
        }
        content = {"about": draft.about, "files": files}
        (folder / MANIFEST).write_text(json.dumps({"entry": content, "sha256": hash_of_json(content)}), "utf-8")
        _remember(folder, files)
        replaced = home / f"{folder.name}-replaced"
        with suppress(FileNotFoundError):
            (home / name).rename(replaced)
        try:
            folder.rename(home / name)
        except OSError:
            if not (home / name).exists():
                raise
            remove(folder)  # another run has just written the same
        remove(replaced)
    except BaseException:
        remove(folder)
        with suppress(OSError):  # another run may have begun to use them
            for path in missing:
                path.rmdir()
        raise


def open_entry(home: Path, name: str) -> Entry | None:
    """The entry of a name, every file as it was written; None where there is none, or it is not."""
    entry = read_manifest(home / name)
    return entry if entry and _is_right(entry) else None


def read_manifest(folder: Path) -> Entry | None:
    """What the entry in a folder says, its files not looked at; None where it cannot be believed."""
    try:
        content = json.loads((folder / MANIFEST).read_text("utf-8"))
        if content["sha256"] == hash_of_json(content["entry"]):
            made_ns = (folder / MANIFEST).stat().st_mtime_ns
            return Entry(folder, content["entry"]["about"], content["entry"]["files"], made_ns)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def entries(home: Path) -> list[Entry]:
    """The entries whose manifests can be believed, by name."""
    folders = sorted(path for path in home.glob("*") if path.is_dir() and not path.name.startswith(DRAFT))
    return [entry for folder in folders if (entry := read_manifest(folder))]


def remember(entries: Iterable[Entry]) -> None:
    """Note that entries are as they were written, after their files got or lost a second name."""
    for entry in entries:
        _remember(entry.folder, entry.files)


def remove(folder: Path) -> None:
    """Remove an entry or a draft; one that is mapped stays readable for whoever mapped it."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_drafts(home: Path) -> None:
    """Remove what runs of this machine left that ended before their draft was an entry."""
    for folder in home.glob(f"{DRAFT}{_machine()}.*"):
        if not _is_being_written(folder):
            remove(folder)


def remove_all(home: Path) -> None:
    """Remove a store, but for the drafts that runs of this machine are writing."""
    for folder in home.glob("*"):
        if not _is_being_written(folder):
            remove(folder)
    with suppress(OSError):  # a draft is still there
        home.rmdir()


def _is_being_written(folder: Path) -> bool:
    """True for the draft of a run of this machine that goes on."""
    mine = f"{DRAFT}{_machine()}."
    return folder.name.startswith(mine) and Path("/proc", folder.name.removeprefix(mine).split(".")[0]).exists()


def _is_right(entry: Entry) -> bool:
    """True if every file is as it was written; files that nothing touched since they were found right are not read."""
    try:
        stats = {name: _stat(entry.file(name)) for name in entry.files}
        if any(stats[name][0] != file["bytes"] for name, file in entry.files.items()):
            return False
        if _seen(entry.folder) == {"boot": _boot(), "files": stats}:
            return True
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(hash_of_file, map(entry.file, entry.files)))
        if found != [file["sha256"] for file in entry.files.values()]:
            return False
        _remember(entry.folder, entry.files)
    except OSError:
        return False
    return True


def _remember(folder: Path, files: dict[str, Any]) -> None:
    """Note that the files were found right; not to be able to only costs time."""
    content = {"boot": _boot(), "files": {name: _stat(folder / name) for name in files}}
    draft = folder / f"{SEEN}.{secrets.token_hex(4)}"
    with suppress(OSError):
        draft.write_text(json.dumps(content), "utf-8")
        draft.replace(folder / SEEN)


def _seen(folder: Path) -> Any:
    try:
        return json.loads((folder / SEEN).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _stat(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _boot() -> str:
    """What tells this run of the machine from the others."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""


def _machine() -> str:
    """What tells the drafts of this machine from those of others, where they share a disk."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
