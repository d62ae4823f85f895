"""The latest scores and feature rows of every customer, by id: one mapped file, shared by all workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import InputError
from models.prediction import DATES, NUMBERS
from serving.store import file_format, id_index, packed_rows, shared_texts
from serving.store.file_format import REMAKE, TEXTS, BatchInfo
from serving.store.writer import Writer, writing

__all__ = ["BatchInfo", "Store", "Writer", "open_store", "writing"]

EPOCH = date(1970, 1, 1)
HASH_DIGITS = 12
"""Digits of a store's hash."""
NO_DAY = np.datetime64("NaT", "D").astype(np.int64)
TEXTS_BEGIN = len(NUMBERS) + len(DATES)
"""Place of the start of the heap entry in a record, which the texts follow."""
NO_SUCH_ID = ""
"""An id that is looked up at opening, so that no request waits for code to be compiled."""


@dataclass(frozen=True)
class Store:
    """A store that `writing` wrote. The arrays are the mapped file itself, so workers share one copy of them."""

    info: BatchInfo
    hash: str
    """The first digits of the file's SHA-256."""
    records: np.ndarray
    starts: np.ndarray
    heap: np.ndarray
    slots: np.ndarray
    packing: packed_rows.Packing
    text: Callable[[int], str]

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.records)

    def find(self, customer_ids: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """Look up scores in the order of the ids, with the fields of `contract.Score`; also returns unknown ids."""
        known, places, unknown = self._places(customer_ids)
        info, text, record = self.info, self.text, self.records.item
        scores = []
        for customer_id, place in zip(known, places.tolist(), strict=True):
            values = record(place)
            days, (_, segment, *reasons) = values[len(NUMBERS) : TEXTS_BEGIN], values[TEXTS_BEGIN:]
            scores.append(
                {
                    "customer_id": customer_id,
                    "as_of": info.as_of,
                    "horizon_days": info.horizon_days,
                    **dict(zip(NUMBERS, values, strict=False)),
                    **dict(zip(DATES, map(_day, days), strict=True)),
                    "segment": text(segment),
                    "reasons": [text(number) for number in reasons if number != shared_texts.NO_TEXT],
                    "model_version": info.model_version,
                }
            )
        return scores, unknown

    def rows(self, customer_ids: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
        """Look up feature rows in the order of the ids, as models take them; also returns unknown ids.

        customer_id, as_of, then the features: float64 with the precision of float32, which is what trees use;
        categories as text, None for one that the model did not learn.
        """
        known, places, unknown = self._places(customer_ids)
        return self._rows(known, places), unknown

    def rows_at(self, places: np.ndarray) -> pd.DataFrame:
        """Feature rows of the customers at these places, 0 to `customers` - 1."""
        return self._rows(self._ids(self.starts[places]).to_pylist(), places)

    def scores(self) -> pd.DataFrame:
        """Scores of all customers, without reasons; 5 M rows take a few seconds and 1 GB."""
        customer_ids = self._ids(self.starts)
        codes, segments = pd.factorize(np.ascontiguousarray(self.records["segment"]))
        names = pa.array([self.text(int(number)) for number in segments], pa.string())
        columns = {
            "customer_id": customer_ids,
            "as_of": np.full(len(self.records), self.info.as_of, "datetime64[ms]"),
            "horizon_days": np.full(len(self.records), self.info.horizon_days, np.int32),
            **{name: np.ascontiguousarray(self.records[name]) for name in NUMBERS},
            **{name: np.ascontiguousarray(self.records[name]).view("datetime64[D]") for name in DATES},
            "segment": names.take(pa.array(codes)),
        }
        return pa.table(columns).to_pandas(date_as_object=False)

    def _rows(self, customer_ids: list[str], places: np.ndarray) -> pd.DataFrame:
        packing = self.packing
        bits = packed_rows.unpack(self.heap, self.starts, places, packing.usual, packing.twins)
        values = bits.view(np.float32).astype(np.float64)
        frame = pd.DataFrame(values.T, columns=list(self.info.features))
        for (name, names), column in zip(self.info.features.items(), values, strict=True):
            if names is not None:
                codes = np.where(np.isnan(column), len(names), column).astype(np.int64)
                frame[name] = pd.Series(np.array([*names, None], dtype=object)[codes], dtype=object)
        frame.insert(0, "customer_id", pd.Series(customer_ids, dtype="str"))
        frame.insert(1, "as_of", np.full(len(customer_ids), self.info.as_of, "datetime64[ms]"))
        return frame

    def _ids(self, starts: np.ndarray) -> pa.LargeStringArray:
        ids, begins = id_index.gather_ids(self.heap, np.ascontiguousarray(starts))
        return pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(begins), pa.py_buffer(ids))

    def _places(self, customer_ids: Sequence[str]) -> tuple[list[str], np.ndarray, list[str]]:
        """The known ids, their places, and the unknown ids."""
        encoded = [customer_id.encode("utf-8", "surrogatepass") for customer_id in customer_ids]
        ends = np.fromiter(accumulate(map(len, encoded)), np.int64, len(encoded))
        ids = np.frombuffer(b"".join(encoded), np.uint8)
        places = id_index.find_customers(ids, ends, self.slots, self.heap, self.starts)
        if -1 not in (listed := places.tolist()):
            return list(customer_ids), places, []
        known = [customer_id for customer_id, place in zip(customer_ids, listed, strict=True) if place >= 0]
        unknown = [customer_id for customer_id, place in zip(customer_ids, listed, strict=True) if place < 0]
        return known, places[places >= 0], unknown


def _day(days: int) -> date | None:
    """The day so many days after 1970-01-01; None for the number of no day."""
    return None if days == NO_DAY else EPOCH + timedelta(days)


def open_store(path: Path) -> Store:
    """Open the store in a file and check every byte of it, a second per GB. Raises InputError if it is damaged.

    The file is never overwritten while it is in use: `writing` puts another in its place, and readers keep the one
    they have opened.
    """
    content = file_format.read(path)
    header, sections = content.header, content.sections
    records = sections["records"].view(file_format.RECORD)[: header["customers"]]
    slots, text_ends = sections["slots"].view(np.uint32), sections["text_ends"].view(np.uint64)
    about = BatchInfo.from_json(header["about"])
    store = Store(
        about,
        content.hash[:HASH_DIGITS],
        records,
        records["start"],
        sections["heap"],
        slots,
        packed_rows.Packing.from_json(header["packing"]),
        shared_texts.text_reader(text_ends, sections["texts"]),
    )
    twins, most = store.packing.twins, len(text_ends) - 1
    is_consistent = (
        len(records) == header["customers"]
        and len(store.packing.usual) == len(twins) == len(about.features)
        and ((twins >= 0) & (twins <= np.arange(len(twins)))).all()
        and packed_rows.is_whole(store.heap, store.starts, len(about.features))
        and slots.max(initial=0) <= len(records)
        and not slots.all()
        and (text_ends[1:] >= text_ends[:-1]).all()
        and text_ends[-1] <= len(sections["texts"])
        and all(((records[name] < most) | (records[name] == shared_texts.NO_TEXT)).all() for name in TEXTS)
    )
    if not is_consistent:
        raise InputError("its sections contradict each other", where=str(path), next=REMAKE)
    store.rows([NO_SUCH_ID])
    return store
