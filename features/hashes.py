"""SHA-256 of files and of JSON, by which what was written is known again."""

import hashlib
import json
from pathlib import Path
from typing import Any


def hash_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_json(content: Any) -> str:
    """The SHA-256 of JSON values, whatever the order of their keys.

    >>> hash_of_json({"a": 1, "b": 2}) == hash_of_json({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
