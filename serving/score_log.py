"""The score log: a sample of the scores served, for `stayworth monitor`, with customers identified by a keyed hash.

Each line of `score_log/DAY.jsonl` is JSON: at, customer (hash), as_of, model_version, churn_probability and expected
value. The hash decides who is in the sample, so a customer is always in it or never. The key is stored beside the
files, readable only by the owner; with it `stayworth monitor` matches the customers of its own tables.
"""

import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from features.errors import InputError

KEY = "key"
KEY_BYTES = 32
HASH_DIGITS = 32
"""Hexadecimal digits of a customer's hash."""
SAMPLE_SHARE = 0.01
"""Share of the customers in the sample."""
LOGGED_FIELDS = ("model_version", "churn_probability", "expected_value")


class ScoreLog:
    """The log in a folder; several workers may write to it."""

    def __init__(self, folder: Path, *, share: float = SAMPLE_SHARE) -> None:
        self.folder, self.share = folder, share
        self.key = _key(folder)
        self._keyed = hmac.new(self.key, digestmod=sha256)

    def note(self, scores: Sequence[Mapping[str, Any]]) -> None:
        """Log the scores of customers in the sample. A full disk loses lines, not responses."""
        lines, now = [], datetime.now(UTC)
        for score in scores:
            keyed = self._keyed.copy()
            keyed.update(score["customer_id"].encode("utf-8", "surrogatepass"))
            digest = keyed.digest()
            if int.from_bytes(digest[:4]) < self.share * 2**32:
                customer = digest.hex()[:HASH_DIGITS]
                kept = {name: score[name] for name in LOGGED_FIELDS}
                line = {
                    "at": now.isoformat(),
                    "customer": customer,
                    "as_of": str(score["as_of"]),
                    **kept,
                }
                lines.append(json.dumps(line) + "\n")
        if lines:
            data = "".join(lines).encode()
            with suppress(OSError), (self.folder / f"{now.date()}.jsonl").open("ab", buffering=0) as file:
                if (written := file.write(data)) < len(data):  # the disk is full: leave no partial line
                    file.truncate(file.tell() - written)


def customer_hash(key: bytes, customer_id: str) -> str:
    """The hash of a customer in the log: the first 32 hexadecimal digits of the HMAC-SHA-256 of the id."""
    return hmac.new(key, customer_id.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:HASH_DIGITS]


def _key(folder: Path) -> bytes:
    """The key of the folder, created once; raises InputError if the folder cannot be used."""
    path = folder / KEY
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            draft = folder / f".{KEY}.{secrets.token_hex(4)}"
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another worker was faster
            except OSError:
                draft.replace(path)  # a file system without hard links
            draft.unlink(missing_ok=True)
        key = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be used: {error.strerror}", where=str(folder), next="Choose another output.folder."
        ) from None
    if len(key) != KEY_BYTES:
        what = f"is not a key: {len(key)} bytes instead of {KEY_BYTES}"
        raise InputError(what, where=str(path), next="Restore it, or remove it with the log to get a new one.")
    return key
