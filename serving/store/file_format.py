"""The file of a store: a preamble, sections of bytes, and a header in JSON that says what they are.

    preamble    magic, format, where the header starts, its length, its SHA-256
    heap        a record per customer: the id and the packed row of features (store_ids, store_rows)
    records     72 bytes per customer: scores, where its record starts in the heap, numbers of texts
    slots       the index: where to look for an id (store_ids)
    text_ends   where each text ends
    texts       segments and reasons in UTF-8, each once
    header      what all customers share; offset, length and SHA-256 of every section

Every byte of the file is under a hash or compared, and every section starts at a multiple of 8.
"""

import hashlib
import json
import mmap
import struct
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from features.errors import InputError
from models.prediction import NUMBERS, REASONS

MAGIC = b"Stayworth scores"
FORMAT = 1
PREAMBLE = struct.Struct("<16sQQQ32s")
SECTIONS = ("heap", "records", "slots", "text_ends", "texts")
REMAKE = "Make it anew with `stayworth score`."

TEXTS = ("segment", *REASONS)
RECORD = np.dtype([*((one, "<f8") for one in NUMBERS), ("start", "<u8"), *((one, "<u4") for one in TEXTS)])
"""What is held of every customer at a fixed place."""


@dataclass(frozen=True)
class BatchInfo:
    """What all customers of a store share."""

    as_of: date
    horizon_days: int
    """The main one: other horizons are not served."""
    model_version: str
    currency: str
    current_cut: float
    """Of the segments, as `retention.customer_base.segments.average_cuts` gives them, currency units."""
    future_cut: float
    features: dict[str, list[str] | None]
    """What the model takes, in its order; for a feature of names, the names it learnt."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"as_of": self.as_of.isoformat()}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "BatchInfo":
        return BatchInfo(**content | {"as_of": date.fromisoformat(content["as_of"])})


@dataclass(frozen=True)
class StoreFile:
    """A file whose every byte is the one that was written."""

    header: dict[str, Any]
    sections: dict[str, np.ndarray]
    """Bytes, mapped and not read into memory: workers share them."""
    hash: str
    """SHA-256 of the header, and so of everything."""


def preamble(start: int, header: bytes) -> bytes:
    """The first bytes of a file whose header starts there."""
    return PREAMBLE.pack(MAGIC, FORMAT, start, len(header), hashlib.sha256(header).digest())


def read(path: Path) -> StoreFile:
    """Map a file and check every byte of it; 1 GB takes about a second. Raises InputError if any is not as written."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            content: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except FileNotFoundError:
        raise InputError("there is no such store of scores", where=str(path), next=REMAKE) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path), next=REMAKE) from None
    if size < PREAMBLE.size or content[: len(MAGIC)] != MAGIC:
        raise InputError("this is no store of scores", where=str(path), next=REMAKE)
    _, format_, start, length, digest = PREAMBLE.unpack(content[: PREAMBLE.size])
    if format_ != FORMAT:
        raise InputError(f"has format {format_}, and we read {FORMAT}", where=str(path), next=REMAKE)
    if start + length != size:
        raise InputError(f"has {size:,} bytes, not {start + length:,}", where=str(path), next=REMAKE)
    if hashlib.sha256(content[start:]).digest() != digest:
        raise InputError("its header is not the one that was written", where=str(path), next=REMAKE)
    header = json.loads(content[start:])
    everything, sections, begin = memoryview(content), {}, PREAMBLE.size
    for name in SECTIONS:
        end = begin + header["sections"][name]["bytes"]
        if hashlib.sha256(everything[begin:end]).hexdigest() != header["sections"][name]["sha256"]:
            raise InputError(f"its {name} are not those that were written", where=str(path), next=REMAKE)
        sections[name] = np.frombuffer(everything[begin:end], np.uint8)
        begin = end
    if begin != start:
        raise InputError(f"has {start - begin:,} bytes that belong to nothing", where=str(path), next=REMAKE)
    return StoreFile(header, sections, digest.hex())
