"""Export of the selected customers as a file, sent in chunks. Its audit line is written before the first byte is sent.

    {"at": "2026-03-01T09:00:00+00:00", "who": "ann", "what": "export", "kind": "csv", "customers": 1200,
     "selection": "?segment=VIP", "scores": "0f3a9c…", "as_of": "2026-03-01"}

who: the name of the token; scores: the hash of the batch.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse
from pyarrow import csv

from features import audit_log
from features.errors import InputError
from retention.presentation.spreadsheet import spreadsheet_safe
from serving import access_log, settings
from serving.console.customer_index import CurrentIndex
from serving.console.customer_table import customer_table
from serving.console.filters import ordered_places, parse_filters, select_customers
from serving.console.now import now
from serving.responses import Unavailable
from serving.store.score_store import Store

CHUNK_ROWS = 20_000
"""Customers converted at once: other requests wait no longer than that takes."""
CSV_OPTIONS = csv.WriteOptions(include_header=False, quoting_style="needed")

router = APIRouter()


@router.get("/export/customers.{kind}")
def export(request: Request, kind: str) -> StreamingResponse:
    """Send all selected customers, in the order of the list, with the columns of `scores.parquet`."""
    if kind not in KINDS:
        raise HTTPException(404)
    write, media_type = KINDS[kind]
    current: CurrentIndex = request.app.state.customer_index
    index = current.current
    if index is None:
        raise Unavailable("there is no batch of scores yet", next="Make one: stayworth score --as-of DAY.")
    filters, mistakes = parse_filters(request.query_params)
    if mistakes:
        raise InputError(" ".join(mistakes.values()), where="selection")
    places = ordered_places(index, filters, select_customers(index, filters))
    info = index.store.info
    write_audit_line(
        kind=kind,
        customers=len(places),
        selection=filters.query(page=1),
        scores=index.store.hash,
        as_of=info.as_of.isoformat(),
    )
    access_log.note_answer(rows=len(places), model_version=info.model_version)
    name = f"customers-{info.as_of}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(write(index.store, places), headers=headers, media_type=media_type)


def write_audit_line(*, kind: str, customers: int, **details: str) -> None:
    """Record an export and its token's name in the audit log; raises InputError if that is not possible."""
    entry = {
        "at": now().isoformat(timespec="seconds"),
        "who": access_log.current_caller(),
        "what": "export",
        "kind": kind,
        "customers": customers,
    } | details
    audit_log.append(
        settings.output_folder() / audit_log.FILE,
        entry,
        next="Nothing is exported without its audit line: free some disk space.",
    )


def as_csv(store: Store, places: np.ndarray) -> Iterator[bytes]:
    """CSV that is safe to open in a spreadsheet, with a header."""
    yield (",".join(customer_table(store, places[:0]).column_names) + "\n").encode()
    for chunk in _chunks(store, places):
        frame = spreadsheet_safe(chunk.to_pandas(date_as_object=True))
        output = pa.BufferOutputStream()
        csv.write_csv(pa.Table.from_pandas(frame, chunk.schema, preserve_index=False), output, CSV_OPTIONS)
        yield output.getvalue().to_pybytes()


def as_parquet(store: Store, places: np.ndarray) -> Iterator[bytes]:
    """Parquet, one row group per chunk."""
    stream = _StreamedFile()
    with pq.ParquetWriter(stream, customer_table(store, places[:0]).schema) as file:
        for chunk in _chunks(store, places):
            file.write_table(chunk)
            yield stream.take()
    yield stream.take()


class _StreamedFile:
    """A file whose content is passed on while it is being written."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, part: Any) -> int:
        self.parts.append(bytes(part))
        return len(self.parts[-1])

    def take(self) -> bytes:
        """The bytes written since the last call."""
        parts, self.parts = self.parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


def _chunks(store: Store, places: np.ndarray) -> Iterator[pa.Table]:
    for begin in range(0, len(places), CHUNK_ROWS):
        yield customer_table(store, places[begin : begin + CHUNK_ROWS])


KINDS: dict[str, tuple[Callable[[Store, np.ndarray], Iterator[bytes]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
