"""A selection as a file, sent in pieces as it is made. A line of the audit log stands before its first byte leaves.

    {"at": "2026-03-01T09:00:00+00:00", "who": "ann", "what": "export", "kind": "csv", "customers": 1200,
     "selection": "?segment=VIP", "scores": "0f3a9c…", "as_of": "2026-03-01"}

who is the name of the token, scores the hash of the batch.
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
from serving.store.store import Store

CHUNK_ROWS = 20_000
"""Customers made into text at once: others wait for no longer than that takes."""
CSV_OPTIONS = csv.WriteOptions(include_header=False, quoting_style="needed")

router = APIRouter()


@router.get("/export/customers.{kind}")
def export(request: Request, kind: str) -> StreamingResponse:
    """All customers of a selection, in the order of the list, with the columns of `scores.parquet`."""
    if kind not in KINDS:
        raise HTTPException(404)
    write, media_type = KINDS[kind]
    ranked: CurrentIndex = request.app.state.customer_index
    ranking = ranked.current
    if ranking is None:
        raise Unavailable("no batch of scores yet", next="Make one: stayworth score --as-of DAY.")
    asked, wrong = parse_filters(request.query_params)
    if wrong:
        raise InputError(" ".join(wrong.values()), where="selection")
    chosen = ordered_places(ranking, asked, select_customers(ranking, asked))
    info = ranking.store.info
    write_audit_line(
        kind=kind,
        customers=len(chosen),
        selection=asked.query(page=1),
        scores=ranking.store.hash,
        as_of=info.as_of.isoformat(),
    )
    access_log.note_answer(rows=len(chosen), model_version=info.model_version)
    name = f"customers-{info.as_of}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(write(ranking.store, chosen), headers=headers, media_type=media_type)


def write_audit_line(*, kind: str, customers: int, **more: Any) -> None:
    """Write into the audit log that whoever asks takes so many customers away; raises InputError if it cannot be."""
    said = {"what": "export", "kind": kind, "customers": customers} | more
    entry = {"at": now().isoformat(timespec="seconds"), "who": access_log.current_caller()} | said
    audit_log.append(
        settings.output_folder() / audit_log.FILE, entry, next="Nothing is exported without its audit line: make room."
    )


def as_csv(store: Store, chosen: np.ndarray) -> Iterator[bytes]:
    """CSV that is safe to open in a spreadsheet, with the names of the columns."""
    yield (",".join(customer_table(store, chosen[:0]).column_names) + "\n").encode()
    for piece in _chunks(store, chosen):
        frame = spreadsheet_safe(piece.to_pandas(date_as_object=True))
        made = pa.BufferOutputStream()
        csv.write_csv(pa.Table.from_pandas(frame, piece.schema, preserve_index=False), made, CSV_OPTIONS)
        yield made.getvalue().to_pybytes()


def as_parquet(store: Store, chosen: np.ndarray) -> Iterator[bytes]:
    """Parquet, a row group per piece."""
    made = _StreamedFile()
    with pq.ParquetWriter(made, customer_table(store, chosen[:0]).schema) as file:
        for piece in _chunks(store, chosen):
            file.write_table(piece)
            yield made.taken()
    yield made.taken()


class _StreamedFile:
    """A file that is handed on as it is written."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, part: Any) -> int:
        self.parts.append(bytes(part))
        return len(self.parts[-1])

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self.parts = self.parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is open."""


def _chunks(store: Store, chosen: np.ndarray) -> Iterator[pa.Table]:
    for begin in range(0, len(chosen), CHUNK_ROWS):
        yield customer_table(store, chosen[begin : begin + CHUNK_ROWS])


KINDS: dict[str, tuple[Callable[[Store, np.ndarray], Iterator[bytes]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
