"""The file format of a store: a preamble, sections of bytes, and a header in JSON that describes them.

    preamble    magic, format, start of the header, its length, its SHA-256
    heap        an entry per customer: the id and the packed row of features (id_index, packed_rows)
    records     of a fixed size per customer: scores, days, start of the heap entry, numbers of texts
    slots       hash table from ids to customers (id_index)
    text_ends   end of each text
    texts       segments and reasons in UTF-8, each once
    header      facts common to all customers; length and SHA-256 of every section

Every byte of the file is hashed or compared, and every section starts at a multiple of 8.
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
from models.prediction import DATES, NUMBERS, REASONS

MAGIC = b"Stayworth scores"
FORMAT = 4
"""Another number, day, text or cut of a score is another format: 4 since segments are cut by the gain too."""
PREAMBLE = struct.Struct("<16sQQQ32s")
SECTIONS = ("heap", "records", "slots", "text_ends", "texts")
REMAKE = "Make it again with `stayworth score`."

TEXTS = ("segment", *REASONS)
RECORD = np.dtype(
    [
        *((name, "<f8") for name in NUMBERS),
        *((name, "<i8") for name in DATES),
        ("start", "<u8"),
        *((name, "<u4") for name in TEXTS),
    ]
)
"""Record of fixed size for each customer; days since 1970, the least number where there is none."""


@dataclass(frozen=True)
class BatchInfo:
    """Facts common to all customers of a store."""

    as_of: date
    horizon_days: int
    """The main horizon: other horizons are not served."""
    model_version: str
    currency: str
    current_cut: float
    """Of the segments, as `retention.customer_base.segments.average_cuts` gives them, currency units."""
    future_cut: float
    gain_cut: float
    """The gain up to which no contact pays (`retention.customer_base.segments.gain_cut`), currency units."""
    features: dict[str, list[str] | None]
    """Features of the model, in its order; for a categorical feature, the categories it learned."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"as_of": self.as_of.isoformat()}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "BatchInfo":
        return BatchInfo(**content | {"as_of": date.fromisoformat(content["as_of"])})


@dataclass(frozen=True)
class StoreFile:
    """The content of a checked store file."""

    header: dict[str, Any]
    sections: dict[str, np.ndarray]
    """Bytes, mapped instead of read into memory: workers share them."""
    hash: str
    """SHA-256 of the header, and so of the whole content."""


def preamble(start: int, header: bytes) -> bytes:
    """The preamble of a file, for a header at this start."""
    return PREAMBLE.pack(MAGIC, FORMAT, start, len(header), hashlib.sha256(header).digest())


def read(path: Path) -> StoreFile:
    """Map a file and check every byte of it; 1 GB takes about a second. Raises InputError if the file is damaged."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            content: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except FileNotFoundError:
        raise InputError("there is no such store of scores", where=str(path), next=REMAKE) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path), next=REMAKE) from None
    if size < PREAMBLE.size or content[: len(MAGIC)] != MAGIC:
        raise InputError("this is not a store of scores", where=str(path), next=REMAKE)
    _, format_, start, length, digest = PREAMBLE.unpack(content[: PREAMBLE.size])
    if format_ != FORMAT:
        raise InputError(f"has format {format_}, but this version reads {FORMAT}", where=str(path), next=REMAKE)
    if start + length != size:
        raise InputError(f"has {size:,} bytes instead of {start + length:,}", where=str(path), next=REMAKE)
    if hashlib.sha256(content[start:]).digest() != digest:
        raise InputError("its header is damaged", where=str(path), next=REMAKE)
    header = json.loads(content[start:])
    everything, sections, begin = memoryview(content), {}, PREAMBLE.size
    for name in SECTIONS:
        end = begin + header["sections"][name]["bytes"]
        if hashlib.sha256(everything[begin:end]).hexdigest() != header["sections"][name]["sha256"]:
            raise InputError(f"its section '{name}' is damaged", where=str(path), next=REMAKE)
        sections[name] = np.frombuffer(everything[begin:end], np.uint8)
        begin = end
    if begin != start:
        raise InputError(f"has {start - begin:,} bytes that belong to no section", where=str(path), next=REMAKE)
    return StoreFile(header, sections, digest.hex())
