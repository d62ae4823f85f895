"""Ledger of scores: every batch as it was made, rounded, to be compared with what happened and with later scores.

    <as_of>-<model_version>.json                 the description of the batch, and the SHA-256 of its table
    <as_of>-<model_version>.<hash>.parquet       its table (ledger_table.py), named by the first digits of that hash

A batch is there once its JSON file is, which is written last and names the one table it belongs to: a run that is
killed between the two leaves the earlier batch, or none, and a table that no file names. Scores of the same day by the
same model take its place. Nothing else is ever removed; to make room, remove both files of a batch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_files import drafted
from features.errors import InputError
from features.hashes import hash_of_file, hash_of_json
from models.artifacts import registry
from models.artifacts.registered_model import RegisteredModel, load_version
from models.scoring.scorer import Scorer
from pipelines import run_folder
from pipelines.batches.ledger_table import ENCODINGS, kept_columns

RESTORE = "Restore it, or score that day again with the same model: stayworth score --as-of DAY."


@dataclass(frozen=True)
class LedgerEntry:
    """A batch of scores in the ledger."""

    as_of: date
    model_version: str
    horizon_days: int
    """The model's own horizon: scores over other horizons are not kept."""
    file: Path
    """Its table, Parquet; `read` checks it first."""
    sha256: str
    scored_at: datetime
    data_end: date
    """The day after the last event of the orders behind the scores."""
    customers: int
    totals: Mapping[str, float]
    """Expected churners, and sums in currency units."""


def keep(
    folder: Path,
    tables: Iterable[pa.Table],
    *,
    as_of: date,
    model_version: str,
    horizon_days: int,
    scored_at: datetime,
    data_end: date,
    totals: Mapping[str, float],
) -> None:
    """Keep a batch of scores, its tables one after the other as they come, as `ledger_table.kept_columns` has them.

    folder: the output folder. tables: those over `horizon_days` come first; the others are left out.
    """
    home, name = folder / run_folder.LEDGER, f"{as_of}-{model_version}"
    main = takewhile(lambda table: table["horizon_days"][0].as_py() == horizon_days, tables)
    with drafted(home / f"{name}.parquet") as draft:
        customers = run_folder.write_tables(draft, map(kept_columns, main), encodings=ENCODINGS)
        sha256 = hash_of_file(draft)
        file = draft.replace(home / f"{name}.{sha256[:8]}.parquet")
    batch = {
        "as_of": as_of.isoformat(),
        "model_version": model_version,
        "horizon_days": horizon_days,
        "file": file.name,
        "sha256": sha256,
        "scored_at": scored_at.isoformat(timespec="seconds"),
        "data_end": data_end.isoformat(),
        "customers": customers,
        "totals": dict(totals),
    }
    description = home / f"{name}.json"
    replaced = _named_table(description)
    run_folder.write_json(description, {"batch": batch, "sha256": hash_of_json(batch)})
    if replaced and replaced != file:  # another run may be about to name its own table: no other table is touched
        replaced.unlink(missing_ok=True)


def entries(folder: Path) -> list[LedgerEntry]:
    """All batches, the oldest first: by day, then by when they were scored. folder: the output folder."""
    batches = [_entry(path) for path in sorted((folder / run_folder.LEDGER).glob("*.json"))]
    return sorted(batches, key=lambda entry: (entry.as_of, entry.scored_at))


def read(entry: LedgerEntry) -> pd.DataFrame:
    """The scores of a batch, every byte checked: `ledger_table.COLUMNS`, a row per customer."""
    _refuse_changed(entry)
    return run_folder.read_table(entry.file, next=RESTORE)


def row(entry: LedgerEntry, customer_id: str) -> dict[str, Any] | None:
    """The scores of one customer in a batch, every byte checked; None if it has none."""
    _refuse_changed(entry)
    rows: list[dict[str, Any]] = pq.read_table(entry.file, filters=[("customer_id", "==", customer_id)]).to_pylist()
    return rows[0] if rows else None


def model_of(entry: LedgerEntry, uri: str) -> Scorer:
    """The model that made a batch, fetched from the registry by its version, every byte checked."""
    return registered_model_of(entry, uri).scorer


def registered_model_of(entry: LedgerEntry, uri: str) -> RegisteredModel:
    """The same with its manifest, which says what it knew."""
    versions = [version for version in registry.versions(uri) if version.bundle == entry.model_version]
    try:
        if not versions:
            raise InputError("no registered version has this bundle", where=registry.shown(uri))
        return load_version(uri, versions[0])
    except InputError as error:
        raise InputError(
            f"the model {entry.model_version}, which made the scores of {entry.as_of}, is gone: {error.what}",
            where=registry.shown(uri),
            next="Restore it, or name days that other models scored: `stayworth why --list`.",
        ) from None


def _entry(path: Path) -> LedgerEntry:
    """The batch of a JSON file; raises InputError for one that is not as it was written."""
    content = run_folder.read_json(path, next=RESTORE)
    batch = content.get("batch") if isinstance(content, dict) else None
    if not isinstance(batch, dict) or content.get("sha256") != hash_of_json(batch):
        raise InputError("is not what its hash says: it was changed or damaged", where=str(path), next=RESTORE)
    days = {name: date.fromisoformat(batch[name]) for name in ("as_of", "data_end")}
    scored_at = datetime.fromisoformat(batch["scored_at"])
    return LedgerEntry(**batch | days | {"scored_at": scored_at, "file": path.with_name(batch["file"])})


def _named_table(path: Path) -> Path | None:
    """The table that a JSON file names; None if the file is not there, or not as it was written."""
    try:
        return _entry(path).file
    except InputError:
        return None


def _refuse_changed(entry: LedgerEntry) -> None:
    """Raise InputError unless the table of a batch is the one that was written."""
    try:
        sha256 = hash_of_file(entry.file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(entry.file), next=RESTORE) from None
    if sha256 != entry.sha256:
        raise InputError(
            f"its SHA-256 begins with {sha256[:8]}, that of the scores kept was {entry.sha256[:8]}: "
            "it was changed or damaged",
            where=str(entry.file),
            next=RESTORE,
        )
