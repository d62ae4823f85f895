"""Writing of a store: chunks of scores and feature rows, in little memory, into one file that is complete or absent."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.atomic_files import replacing
from features.errors import InputError
from models.prediction import DATES, NUMBERS
from serving.store import id_index, packed_rows
from serving.store.file_format import PREAMBLE, RECORD, TEXTS, BatchInfo, preamble
from serving.store.shared_texts import TextsWriter

CHUNK_ROWS = 20_000
"""Rows packed at a time."""
COPY_BYTES = 2**22
"""Bytes copied at a time."""
MOST_CHARACTERS = 128
"""Longest id, in characters."""


@contextmanager
def writing(path: Path, about: BatchInfo) -> Iterator["Writer"]:
    """A writer whose file replaces `path` when the block ends without an error; otherwise the old file stays."""
    with (
        replacing(path) as draft,
        draft.open("wb+") as file,
        tempfile.TemporaryFile(dir=path.parent) as records,
        tempfile.TemporaryFile(dir=path.parent) as texts,
    ):
        writer = Writer(path, about, file, records, texts)
        yield writer
        writer.finish()


class Writer:
    """Writer of customers, chunk by chunk; made by `writing`."""

    def __init__(self, path: Path, about: BatchInfo, file: BinaryIO, records: BinaryIO, texts: BinaryIO) -> None:
        self.path, self.info, self.file, self.records, self.text_file = path, about, file, records, texts
        self.texts = TextsWriter(texts)
        self.packing: packed_rows.Packing | None = None
        self.hashes: list[np.ndarray] = []
        self.customers = self.heap_bytes = 0
        self.digest = hashlib.sha256()
        file.write(bytes(PREAMBLE.size))

    def add(self, scores: pd.DataFrame, rows: pd.DataFrame) -> None:
        """Add customers: their scores over the main horizon, and their feature rows in the same order.

        Raises InputError for a number that is missing or infinite (features may be missing), an id that is not a text
        of 1 to 128 characters, a score of another day or model than the store's, and rows of other customers.
        """
        if len(scores) != len(rows) or (scores["customer_id"].to_numpy() != rows["customer_id"].to_numpy()).any():
            raise self._refused("the scores and the feature rows do not have the same customers in the same order")
        self._refuse_other_batches(scores)
        for begin in range(0, len(scores), CHUNK_ROWS):
            self._add(scores.iloc[begin : begin + CHUNK_ROWS], rows.iloc[begin : begin + CHUNK_ROWS])

    def _add(self, scores: pd.DataFrame, rows: pd.DataFrame) -> None:
        ids, ends = self._ids(scores["customer_id"])
        values = self._values(rows)
        packing = self.packing = self.packing or packed_rows.learn_packing(values)
        heap = np.empty(len(ids) + len(rows) * (id_index.LENGTH + packing.most_bytes), np.uint8)
        starts = np.empty(len(rows), np.int64)
        size = packed_rows.pack(ids, ends, values, packing.usual, packing.twins, heap, starts)

        records = np.empty(len(rows), RECORD)
        records["start"] = starts + self.heap_bytes
        for name in NUMBERS:
            records[name] = column = scores[name].to_numpy(np.float64, na_value=np.nan)
            self._refuse_rows(~np.isfinite(column), f"no finite {name}")
        for name in DATES:
            records[name] = scores[name].to_numpy("datetime64[D]").view(np.int64)
        for name in TEXTS:
            records[name] = self.texts.numbered(scores[name])
        self._refuse_rows(scores["segment"].isna().to_numpy(), "no segment")

        self.digest.update(heap[:size].data)
        self.file.write(heap[:size].data)
        self.records.write(records.data)
        self.hashes.append(id_index.hashes(ids, ends))
        self.heap_bytes += size
        self.customers += len(rows)

    def _ids(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Concatenate the ids in UTF-8; also returns where each ends."""
        try:
            ids = pa.array(column, pa.large_string(), from_pandas=True)
        except (pa.ArrowException, UnicodeEncodeError) as error:
            raise self._refused(f"a customer_id is not text ({error})") from None
        ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
        lengths = pc.fill_null(pc.utf8_length(ids), 0).to_numpy()
        self._refuse_rows(
            (lengths < 1) | (lengths > MOST_CHARACTERS), f"an id that does not have 1 to {MOST_CHARACTERS} characters"
        )
        _, offsets, data = ids.buffers()
        ends = np.frombuffer(offsets, np.int64)[ids.offset : ids.offset + len(ids) + 1]
        return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends[1:] - ends[0]

    def _values(self, rows: pd.DataFrame) -> np.ndarray:
        missing = [name for name in self.info.features if name not in rows.columns]
        if missing:
            raise self._refused(f"the feature rows have no column {', '.join(missing)}")
        values = np.empty((len(rows), len(self.info.features)), np.float32)
        for column, (name, names) in enumerate(self.info.features.items()):
            if names is None:
                with np.errstate(over="ignore"):
                    values[:, column] = rows[name].to_numpy(np.float64, na_value=np.nan)
                self._refuse_rows(np.isinf(values[:, column]), f"an infinite {name}")
            else:
                codes = pd.Index(names, dtype=object).get_indexer(rows[name]).astype(np.float32)
                values[:, column] = np.where(codes < 0, np.float32(np.nan), codes)
        return values

    def _refuse_other_batches(self, scores: pd.DataFrame) -> None:
        info = self.info
        same = {
            "as_of": pd.to_datetime(scores["as_of"]) == pd.Timestamp(info.as_of),
            "horizon_days": scores["horizon_days"] == info.horizon_days,
            "model_version": scores["model_version"] == info.model_version,
        }
        for name, is_same in same.items():
            self._refuse_rows(~is_same.to_numpy(bool), f"another {name} than {getattr(info, name)}")

    def _refuse_rows(self, bad: np.ndarray, what: str) -> None:
        if bad.any():
            raise self._refused(f"{what} in {np.count_nonzero(bad):,} of {len(bad):,} rows")

    def _refused(self, what: str) -> InputError:
        return InputError(what, where=str(self.path), next="Nothing was written; the old store is still in place.")

    def finish(self) -> None:
        """Write the sections after the customers: the index, the texts and the header."""
        sections = {"heap": self._ended(self.digest, self.heap_bytes)}
        slots = self._index()
        sections["records"] = self._copied(self.records)
        sections["slots"] = self._written(slots)
        sections["text_ends"] = self._written(np.frombuffer(self.texts.ends, np.uint64))
        sections["texts"] = self._copied(self.text_file)
        packing = self.packing or packed_rows.learn_packing(np.empty((0, len(self.info.features)), np.float32))
        content = {"about": self.info.to_json(), "customers": self.customers, "packing": packing.to_json()}
        start = self.file.tell()
        header = json.dumps(content | {"sections": sections}, ensure_ascii=False).encode()
        self.file.write(header)
        self.file.seek(0)
        self.file.write(preamble(start, header))

    def _index(self) -> np.ndarray:
        slots = id_index.slots_for(self.customers)
        if not self.customers:
            return slots
        self.file.flush()
        self.records.flush()
        starts = np.memmap(self.records, RECORD, mode="r")["start"]
        heap = np.memmap(self.file, np.uint8, mode="r", offset=PREAMBLE.size)
        repeated = id_index.fill_slots(slots, np.concatenate(self.hashes), heap, starts)
        self.hashes.clear()
        if repeated:
            raise self._refused(f"a repeated customer_id in {repeated:,} of {self.customers:,} rows")
        return slots

    def _written(self, values: np.ndarray) -> dict[str, Any]:
        self.file.write(values.data)
        return self._ended(hashlib.sha256(values.data), values.nbytes)

    def _copied(self, source: BinaryIO) -> dict[str, Any]:
        digest, size = hashlib.sha256(), source.tell()
        source.seek(0)
        while content := source.read(COPY_BYTES):
            digest.update(content)
            self.file.write(content)
        return self._ended(digest, size)

    def _ended(self, digest: Any, size: int) -> dict[str, Any]:
        """Pad a section to a multiple of 8 bytes; returns its entry in the header."""
        padding = bytes(-size % 8)
        self.file.write(padding)
        digest.update(padding)
        return {"bytes": size + len(padding), "sha256": digest.hexdigest()}
