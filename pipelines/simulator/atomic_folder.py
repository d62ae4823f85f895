"""Atomic writing of a folder: it is filled beside its place, synced and moved there in one step."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import InputError


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A draft folder that becomes `path` when the block succeeds, and is removed when it fails.

    Raises InputError where something is at `path` already, an empty folder aside.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        kind = "a folder that is not empty" if path.is_dir() else "a file"
        raise InputError(f"is {kind}", where=str(path), next="Name a new folder with -o, or remove it.")
    draft = path.absolute().with_name(f".{path.absolute().name}.{secrets.token_hex(4)}.draft")
    try:
        draft.mkdir(parents=True)
        yield draft
        for file in (path for path in draft.rglob("*") if path.is_file()):
            with file.open("rb+") as written:
                os.fsync(written.fileno())
        draft.rename(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written: {reason}", where=str(path), next="Name another place with -o.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
