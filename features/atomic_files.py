"""Write files completely or not at all.

A file appears under its name only when every byte of it is on disk: it is written beside its place, synced and
moved there in one step. A crash leaves the old file.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from features.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft beside `path` that replaces it when the block succeeds, and is removed when it fails."""
    with drafted(path) as draft:
        yield draft
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """The name for a draft beside `path`, whose folder is created; the draft is removed when the block ends."""
    if path.is_dir():
        raise InputError("is a folder", where=str(path), next="Name a file with -o.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written: {reason}", where=str(path), next="Name another place with -o.") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
