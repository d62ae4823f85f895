"""Batch scores: every customer known before a day, by the champion of the registry, whatever the size of the log."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.errors import Refusal
from features.history_store.stored_log import StoredLog
from features.ingest.postgresql import is_url
from features.snapshots.snapshot import snapshot_chunks
from models.artifacts.registered_model import load_champion
from models.lifetime.clv import typical_miss
from models.scoring import batch_scores
from models.scoring.online import read_for, unseen_in_words
from models.scoring.scorer import Scorer
from pipelines import run_folder
from pipelines.batches import ledger
from pipelines.batches.score_table import refuse_unwritable, replace_table
from pipelines.batches.staged_scores import SCHEMA, StagedScores, stage
from pipelines.batches.total_misses import horizon_reach, judged_lifetimes, lifetime_misses
from pipelines.config import Config
from pipelines.order_log import (
    read_orders,
    refuse_input_as_output,
    refuse_too_early,
    write_reconciliation,
)
from retention.customer_base.segments import gain_cut
from retention.economics.customer_equity import common_miss, total_interval
from serving.store import score_store as served

COLUMNS = tuple(SCHEMA.names)
CHUNK_ROWS = 20_000
"""Rows that one thread scores at a time."""
CHUNK_BYTES = 150_000_000
"""Memory that a thread takes for them."""

Scored = tuple[pd.DataFrame, pd.DataFrame]
"""Scores and the feature rows of the same customers, in the same order."""


def score(
    config: Config,
    *,
    as_of: date,
    now: datetime,
    output: str | Path | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Score as of a day; writes the latest scores to the output folder, and to `output` if given. Returns `summary`.

    output: a file, or the URL of a table, `postgresql://USER@HOST/BASE#TABLE`. A log larger than the config's memory
    is split on disk. The service's store is written first, then `output`, the ledger, and the latest scores.
    """
    latest = config.folder / run_folder.SCORES
    _refuse_unwritable(config, output, latest)
    say("fetching the champion")
    model = load_champion(config.tracking_uri).scorer
    say("reading orders")
    log = read_for(model, config.log)
    orders = read_orders(config, now=now, log=log, say=say)
    histories = orders.histories
    refuse_too_early(histories.first_day, histories.end, as_of=as_of)
    _refuse_stale(histories.end, as_of=as_of, horizon_days=model.terms.horizon_days)
    say("scoring")
    scored = _scored(model, _feature_rows(orders, model, as_of=as_of), threads=_threads(config.memory_bytes))
    config.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=config.folder) as folder:
        staged = stage(scored, Path(folder), gain_cut=gain_cut(config.offers))
        say("writing scores")
        _write_store(config.folder / run_folder.SERVED_SCORES, staged, model, as_of=as_of)
        if output:
            _write(output, staged.tables())
        _add_to_ledger(config.folder, staged, model, as_of=as_of, scored_at=now, data_end=histories.end)
        _write(latest, staged.tables())
    write_reconciliation(config, orders.account, orders.quarantine())
    notes = [*unseen_in_words(histories.unseen_names), *orders.described, *orders.unread]
    return summary(staged, model, config, as_of=as_of) | {"unseen_names": histories.unseen, "attributes": notes}


def _write_store(path: Path, staged: StagedScores, model: Scorer, *, as_of: date) -> None:
    """Write the service's store: scores over the main horizon, and the features behind them."""
    about = served.BatchInfo(
        as_of=as_of,
        horizon_days=model.terms.horizon_days,
        model_version=model.version,
        currency=model.terms.currency,
        current_cut=staged.current_cut,
        future_cut=staged.future_cut,
        gain_cut=staged.gain_cut,
        features={name: None if names is None else list(names) for name, names in model.inputs.items()},
    )
    with served.writing(path, about) as writer:
        for scores, rows in staged.main_with_rows():
            writer.add(scores, rows)


def _add_to_ledger(
    folder: Path, staged: StagedScores, model: Scorer, *, as_of: date, scored_at: datetime, data_end: date
) -> None:
    """Keep the batch in the ledger."""
    ledger.keep(
        folder,
        staged.tables(),
        as_of=as_of,
        model_version=model.version,
        horizon_days=model.terms.horizon_days,
        scored_at=scored_at,
        data_end=data_end,
        totals=staged.totals,
    )


def _refuse_unwritable(config: Config, output: str | Path | None, latest: Path) -> None:
    """Raise InputError, before long work, if the output or the latest scores cannot be written."""
    is_table = output is not None and is_url(str(output))
    files = [latest, *([Path(output)] if output and not is_table else [])]
    for file in files:
        run_folder.refuse_unwritable(file, kinds=run_folder.TABLES)
    refuse_input_as_output(config, files)
    if is_table:
        refuse_unwritable(str(output))


def _refuse_stale(end: date, *, as_of: date, horizon_days: int) -> None:
    """Raise Refusal long after the last order of the log, when every customer would look as if they had left."""
    silent_days = (as_of - end).days
    if silent_days > horizon_days:
        raise Refusal(
            f"the orders end {silent_days:,} days before {as_of}, more than the horizon of {horizon_days} days: every "
            "customer would look silent",
            where="--as-of",
            next=f"Load newer orders, or score as of {end}.",
        )


def _feature_rows(orders: StoredLog, model: Scorer, *, as_of: date) -> Iterator[pa.Table]:
    """The feature rows of the model, `CHUNK_ROWS` at a time."""
    for histories in orders.parts():
        for table in snapshot_chunks(histories, as_of=[as_of], features=list(model.inputs)):
            ids = table["customer_id"].cast(pa.string())
            rows = table.set_column(0, "customer_id", ids)
            yield from (rows.slice(first, CHUNK_ROWS) for first in range(0, len(rows), CHUNK_ROWS))


def _scored(model: Scorer, row_chunks: Iterable[pa.Table], *, threads: int) -> Iterator[Scored]:
    """Score each chunk, in order, on several threads: XGBoost and NumPy hold no lock for most of the work."""

    def score_chunk(chunk: pa.Table) -> Scored:
        rows = chunk.to_pandas(date_as_object=False)
        return batch_scores.score(model, rows), rows

    with ThreadPoolExecutor(threads) as pool:
        pending: list[Future[Scored]] = []
        for chunk in row_chunks:
            pending.append(pool.submit(score_chunk, chunk))
            if len(pending) > threads:
                yield pending.pop(0).result()
        for future in pending:
            yield future.result()


def _threads(memory_bytes: int) -> int:
    """The number of threads: one per core, as far as a quarter of the memory has room for them."""
    return min(os.cpu_count() or 1, max(1, memory_bytes // 4 // CHUNK_BYTES))


def _write(target: str | Path, tables: Iterator[pa.Table]) -> None:
    if is_url(str(target)):
        replace_table(str(target), tables)
    else:
        run_folder.write_tables(Path(target), tables)


def summary(staged: StagedScores, model: Scorer, config: Config, *, as_of: date) -> dict[str, Any]:
    """The totals of a batch of scores over the main horizon: customers, and money in currency units.

    value_p10 and value_p90, clv_p10 and clv_p90: the 80 % intervals of the sums of all expected values and of all CLVs,
    by the error that all customers share.
    """
    folder, days, totals = config.folder, model.terms.horizon_days, staged.totals
    lifetime = common_miss(*lifetime_misses(judged_lifetimes(folder)), typical_miss=typical_miss(model.lifetime))
    value_p10, value_p90 = total_interval(totals["expected_value"], horizon_reach(folder, horizon_days=days))
    clv_p10, clv_p90 = total_interval(totals["clv"], lifetime)
    return {
        "customers": staged.customers,
        "as_of": str(as_of),
        "horizon_days": days,
        "currency": config.money.currency,
        **totals,
        "value_p10": value_p10,
        "value_p90": value_p90,
        "clv_p10": clv_p10,
        "clv_p90": clv_p90,
        "model_version": model.version,
    }
