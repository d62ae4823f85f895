"""The files of the output folder: their names, and how tables and JSON are written and read.

Each file is written whole or not at all (features/atomic_files.py).
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_files import drafted, replacing
from features.errors import InputError
from features.history_store import entry
from retention.planning import plan_archive
from retention.presentation.spreadsheet import spreadsheet_safe

TABLES = (".parquet", ".csv")
"""The endings of tables that we write."""

SCORES = "scores.parquet"
SERVED_SCORES = "scores.store"
"""The same scores for the service, with the features behind them (serving/store/score_store.py)."""
HISTORIES = entry.HISTORIES
"""Folder of the log as it was read (features/history_store)."""
LEDGER = "ledger"
"""Folder of every batch of scores (pipelines/batches/ledger.py)."""
SERVED = "served"
"""Folder in which the service keeps the champion (serving/active_model.py)."""
SCORE_LOG = "score_log"
"""Folder of its logged answers (serving/score_log.py)."""
PLAN, PLAN_SUMMARY, PLANS = plan_archive.LATEST, plan_archive.LATEST_SUMMARY, plan_archive.PLANS
"""The latest plan with its summary, and the folder of every campaign's plan."""
METRICS = "metrics.json"
BACKTEST = "backtest.json"
LIFETIME_BACKTEST = "backtest_lifetime.json"
QUARANTINE = "quarantine.parquet"
QUARANTINE_OF = "quarantine-{}.parquet"
"""The quarantine of a side table: treatments, costs."""
RECONCILIATION = "reconciliation.json"
WEEKS = "weeks.json"
"""Orders and revenue of each week, as `check` found them."""
REPORT = "report.html"


def parse_size(text: str, *, where: str = "--memory") -> int:
    """Bytes of a size such as 4GB.

    >>> parse_size("4GB"), parse_size("500 MB")
    (4000000000, 500000000)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])?B?", text.strip().upper())
    if not match:
        raise InputError(f"'{text}' is not a size", where=where, next="Write it as 4GB or 500MB.")
    return int(float(match[1]) * 1000 ** " KMGT".index(match[2] or " "))


def refuse_unwritable(path: Path, *, kinds: tuple[str, ...] = ()) -> None:
    """Raise InputError, before long work, if `path` cannot be written or has none of the endings `kinds`."""
    if kinds and path.suffix not in kinds and not path.is_dir():
        raise InputError(f"must end in {' or '.join(kinds)}", where=str(path), next="Name such a file with -o.")
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    with drafted(path) as draft:
        draft.write_bytes(b"")
    with suppress(OSError):  # another run may have begun to use them
        for folder in missing:
            folder.rmdir()


def write_table(path: Path, table: pa.Table | pd.DataFrame) -> None:
    """Write Parquet or, if the name ends so, a CSV that is safe to open in a spreadsheet."""
    table = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
    write_tables(path, [table])


def write_tables(path: Path, tables: Iterable[pa.Table], *, encodings: Mapping[str, str] | None = None) -> int:
    """Write tables of one schema one after the other; returns the number of rows.

    encodings: column → Parquet's encoding, for a table that is kept for long: it is compressed by zstd.
    """
    encodings = encodings or {}
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
                writer = pq.ParquetWriter(
                    draft,
                    table.schema,
                    compression="zstd" if encodings else "lz4",
                    use_dictionary=[name for name in texts if name not in encodings],
                    column_encoding=dict(encodings),
                    store_schema=False,
                )
                file = stack.enter_context(writer)
            file.write(table)
    return rows


def read_table(path: Path, *, next: str) -> pd.DataFrame:
    """Read Parquet that an earlier command wrote; `next` says which one, for the error if it is missing."""
    try:
        return pq.read_table(path).to_pandas(date_as_object=False)
    except FileNotFoundError:
        raise InputError("does not exist yet", where=str(path), next=next) from None
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=next) from None


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    with replacing(path) as draft:
        draft.write_text(text, "utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON that every reader accepts: NaN is refused."""
    write_text(path, json_text(content))


def json_text(content: Any) -> str:
    """The text of a JSON file; NaN is refused."""
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def read_json(path: Path, *, next: str) -> Any:
    """Read JSON that an earlier command wrote; `next` says which one, for the error if it is missing."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError("does not exist yet", where=str(path), next=next) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=next) from None


def read_json_if_there(path: Path, *, next: str) -> Any:
    """As `read_json`; None where there is no file."""
    return read_json(path, next=next) if path.exists() else None
