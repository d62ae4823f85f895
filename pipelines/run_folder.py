"""The files of the output folder: where the latest of each stands, and how tables and JSON are written and read.

They are written whole or not at all (features/atomic_files.py).
"""

import json
import re
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_files import drafted, replacing
from features.errors import InputError
from retention.planning import plan_archive
from retention.presentation.spreadsheet import spreadsheet_safe

TABLES = (".parquet", ".csv")
"""Endings of the tables we write."""

SCORES = "scores.parquet"
SERVED_SCORES = "scores.store"
"""The same for the service, with the features they rest on (serving/store/store.py)."""
LEDGER = "ledger"
"""Every batch of scores, kept (pipelines/batches/ledger.py)."""
SERVED = "served"
"""Where the service keeps the champion (serving/active_model.py)."""
SCORE_LOG = "score_log"
"""What it answered (serving/score_log.py)."""
PLAN, PLAN_SUMMARY, PLANS = plan_archive.LATEST, plan_archive.LATEST_SUMMARY, plan_archive.PLANS
"""The latest plan, and every campaign's."""
METRICS = "metrics.json"
BACKTEST = "backtest.json"
QUARANTINE = "quarantine.parquet"
QUARANTINE_OF = "quarantine-{}.parquet"
"""The same of a table beside the histories: treatments, costs."""
RECONCILIATION = "reconciliation.json"
REPORT = "report.html"


def parse_size(text: str) -> int:
    """Bytes of a size as people write it.

    >>> parse_size("4GB"), parse_size("500 MB")
    (4000000000, 500000000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])?B?", text.strip().upper())
    if not found:
        raise InputError(f"'{text}' is not a size", where="--memory", next="Write it as 4GB or 500MB.")
    return int(float(found[1]) * 1000 ** " KMGT".index(found[2] or " "))


def refuse_unwritable(path: Path, *, kinds: tuple[str, ...] = ()) -> None:
    """Raise InputError now if `path` could not be written after long work, or has none of the endings `kinds`."""
    if kinds and path.suffix not in kinds and not path.is_dir():
        raise InputError(f"we write {' or '.join(kinds)}", where=str(path), next="Name such a file with -o.")
    made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    with drafted(path) as draft:
        draft.write_bytes(b"")
    with suppress(OSError):  # another run may have begun to use them
        for folder in made:
            folder.rmdir()


def write_table(path: Path, table: pa.Table | pd.DataFrame) -> None:
    """Write Parquet, or, if the name says so, a CSV that is safe to open in a spreadsheet."""
    table = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
    write_tables(path, [table])


def write_tables(path: Path, tables: Iterable[pa.Table]) -> int:
    """Write tables of one schema as they come, one after the other; returns the number of rows."""
    rows = 0
    with replacing(path) as draft, ExitStack() as stack:
        file: pq.ParquetWriter | None = None
        for number, table in enumerate(tables):
            rows += table.num_rows
            if path.suffix == ".csv":
                frame = spreadsheet_safe(table.to_pandas(date_as_object=True))
                frame.to_csv(draft, mode="a", header=number == 0, index=False, lineterminator="\n", float_format="%.6f")
                continue
            if file is None:
                texts = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
                file = stack.enter_context(
                    pq.ParquetWriter(draft, table.schema, compression="lz4", use_dictionary=texts, store_schema=False)
                )
            file.write(table)
    return rows


def read_table(path: Path, *, next: str) -> pd.DataFrame:
    """Read Parquet that a command before wrote; `next` says which one if it is not there."""
    try:
        return pq.read_table(path).to_pandas(date_as_object=False)
    except FileNotFoundError:
        raise InputError("not there yet", where=str(path), next=next) from None
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=next) from None


def write_text(path: Path, text: str) -> None:
    with replacing(path) as draft:
        draft.write_text(text, "utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON that every reader takes: NaN is refused."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def read_json(path: Path, *, next: str) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError("not there yet", where=str(path), next=next) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=next) from None
