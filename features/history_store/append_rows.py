"""Add new files and lines to an entry: only they are read, and only their customers' histories are made again.

A customer of whom nothing new is known has the same history as before: refunds, doubles and late rows never reach
another customer. So the rows of the customers in the new files are judged twice, without the new files and with them;
the first account is taken out of that of the whole log, the second put in.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.histories.chosen_customers import Chosen, combine
from features.histories.columns import Histories
from features.history_store.build_rows import (
    IDS,
    QUARANTINE,
    cells_name,
    finish_columns,
    first_in_future,
    known_at_once,
    read_arrow,
    write_tables,
)
from features.history_store.column_files import ColumnWriter, MappedColumns
from features.history_store.entry import Draft, Entry
from features.history_store.new_rows import CannotAppend, NewRows, old_rows, read_new_rows
from features.history_store.parts import ROW_BYTES, TABLES
from features.history_store.source_files import Added
from features.ingest.build_histories import histories_of
from features.ingest.csv_checks import quoted
from features.ingest.log import Log
from features.ingest.notation.styles import Styles
from features.ingest.open_log import JudgedRows, Reading
from features.ingest.reading import ODD, REMEDIES
from features.ingest.reconciliation import quarantine, tables_of
from features.ingest.table_checks import FUTURE, MOST_IN_THE_FUTURE
from features.large_logs.merge import sum_judged
from features.large_logs.partitions import MALFORMED_SCHEMA, open_part

CUSTOMERS_AT_ONCE = 200_000
"""Customers whose columns are put together at a time."""
COUNTS = ("rows", "micros", "cents", "refunds", "refund_cents")
LARGEST_SHARE = 0.5
"""The share of the rows that stand to be made again above which all are."""


def append_rows(
    entry: Entry, log: Log, added: Mapping[str, Added], draft: Draft, *, now_us: int | None, memory_bytes: int
) -> None:
    """Write the entry of a log to which files were added.

    entry: of the log without them. added: what came to its tables. Raises CannotAppend where the whole log
    has to be read again.
    """
    about = entry.about
    styles = {table: Styles.from_json(content) for table, content in about["styles"].items()}
    log = replace(log, styles=styles, customers=None, attributes=())
    if any(log.options(table).reads_orders_whole for table in added):
        raise CannotAppend("rows of one order are read together")
    try:
        came = {table: of_table for table, of_table in added.items() if of_table.names or of_table.grown}
        new = {table: read_new_rows(log, table, of_table, entry, draft.folder) for table, of_table in came.items()}
        touched = pa.concat_tables(rows.customers for rows in new.values())["id"].combine_chunks().unique().drop_null()
        old = {table: old_rows(entry, log, table, touched, added[table].names) for table in about["types"]}
        rows = sum(map(len, old.values()))
        if rows > LARGEST_SHARE * _usable(about) or rows * ROW_BYTES > memory_bytes // 2:
            raise CannotAppend("the new files are about most of the customers")
        relations = {f"raw_{table}": rows for table, rows in old.items()}
        relations |= {f"malformed_{table}": MALFORMED_SCHEMA.empty_table() for table in old}
        with open_part(log, relations, now_us=now_us, before_us=None, threads=None) as before:
            judged = {table: _minus(about["judged"][table], before.judged[table]) for table in about["judged"]}
            set_aside = pa.concat_tables(quarantine(before, TABLES, with_place=True))
        for table, (cells, _, malformed) in new.items():
            relations[f"raw_{table}"] = pa.concat_tables([old[table], cells.select(old[table].column_names)])
            relations[f"malformed_{table}"] = malformed
        with open_part(log, relations, now_us=now_us, before_us=None, threads=None) as after:
            draft.about |= _about(before, after, about, judged, new)
            histories, _ = histories_of(after, "usable_orders", "usable_interactions", None)
            _write_quarantine(entry, after, set_aside, draft.folder)
            at_once = known_at_once(after)
    except InputError as error:
        raise CannotAppend(error.what) from None
    except duckdb.Error as error:  # the entry was removed meanwhile, or the disk is full
        raise CannotAppend(str(error).splitlines()[0]) from None
    _write_columns(entry, histories, touched, draft, known_at_once=at_once)
    for name in (name for names in about["cells"].values() for name in names):
        _link(entry.file(name), draft.folder / name)
        draft.hashes[name] = entry.files[name]["sha256"]


def _link(file: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the disk has no such thing."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def _usable(about: Mapping[str, Any]) -> int:
    """The number of usable rows of an entry."""
    judged = (JudgedRows(*group) for groups in about["judged"].values() for group in groups)
    return sum(group.rows for group in judged if group.reason is None)


def _minus(judged: Sequence[Sequence[Any]], part: Sequence[JudgedRows]) -> list[JudgedRows]:
    """The rows by reason without those of a part; the latest time is kept, as a copy of that row stays."""
    taken = {group.reason: group for group in part}
    left = []
    for group in (JudgedRows(*row) for row in judged):
        other = taken.get(group.reason) or JudgedRows(group.reason, 0, 0, 0, 0, 0, None)
        counts = {name: getattr(group, name) - getattr(other, name) for name in COUNTS}
        left.append(group._replace(**counts))
    return left


def _about(
    before: Reading,
    after: Reading,
    about: Mapping[str, Any],
    judged: Mapping[str, list[JudgedRows]],
    new: Mapping[str, NewRows],
) -> dict[str, Any]:
    """What the entry says of itself once the part `after` is in it; judged: of the rows of all others.

    Raises CannotAppend where a table may have to be refused or read in another way, which reading it whole decides.
    """
    together = {table: sum_judged([rows, after.judged[table]]) for table, rows in judged.items()}
    for table, groups in together.items():
        known = {row[0] for row in about["judged"][table]}
        total = sum(group.rows for group in groups)
        for group in groups:
            if group.reason and group.reason.endswith(ODD) and group.reason not in known:
                raise CannotAppend("the new files are written in another way")
            most = {FUTURE[table]: MOST_IN_THE_FUTURE}.get(str(group.reason), 0.5 if group.reason in REMEDIES else 1)
            if group.rows > most * total:
                raise CannotAppend(f"too many rows of {table} cannot be used")
    if not set(after.kinds) <= set(about["kinds"]) or not set(after.channels) <= set(about["channels"]):
        raise CannotAppend("the new rows name new channels or kinds of interaction")
    was_first = (after.kinds.get(kind, at + 1) > at for kind, at in before.kinds.items())
    if not set(before.channels) <= set(after.channels) or any(was_first):
        raise CannotAppend("a copy of an earlier row took its place")
    if "interactions" in together:
        after.db.execute("update kinds set code = list_position(?, name) - 1", [list(about["kinds"])])
    if after.channels:
        after.db.execute("update channels set code = list_position(?, channel) - 1", [about["channels"]])
    future = [(about["future_us"][table], first_in_future(after, table)) for table in together]
    return {
        **about,
        "judged": together,
        "malformed": {
            table: lines + len(new[table].malformed if table in new else ())
            for table, lines in about["malformed"].items()
        },
        "kinds": {kind: min(at, after.kinds.get(kind, at)) for kind, at in about["kinds"].items()},
        "future_us": {
            table: min((us for us in both if us is not None), default=None)
            for table, both in zip(together, future, strict=True)
        },
        "cells": {
            table: [*names, *([cells_name(table, len(names))] if table in new else [])]
            for table, names in about["cells"].items()
        },
    }


def _write_quarantine(entry: Entry, after: Reading, set_aside: pa.Table, folder: Path) -> None:
    """Write the quarantine of all rows: that of the entry without the rows judged again, and that of the part."""
    now = pa.concat_tables(quarantine(after, TABLES, with_place=True))
    after.db.register("no_longer", set_aside.select(["file", "row", "place"]))
    after.db.register("now", now)
    select = f"""
        select * from read_parquet({quoted(entry.file(QUARANTINE))}) anti join no_longer using (file, row, place)
        union all by name select * from now order by file, row, place, reason"""
    write_tables(folder / QUARANTINE, tables_of(after.db.sql(select)))


def _write_columns(
    entry: Entry, again: Histories, touched: pa.Array, draft: Draft, *, known_at_once: Sequence[str]
) -> None:
    """Write the columns of all customers: those of `again` for the touched ones, those of the entry for the others."""
    mapped = MappedColumns(entry.folder, entry.about["columns"])
    before = read_arrow(entry.file(IDS))["customer_id"].combine_chunks()
    stays = pc.invert(pc.is_in(before, touched)).to_numpy(zero_copy_only=False)
    both = pa.concat_arrays([before.filter(pa.array(stays)), again.customer_ids])
    order = pc.sort_indices(both).to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    stayed = np.flatnonzero(stays)
    old = Chosen(mapped.columns, stayed, place[: len(stayed)])
    new = Chosen(again.columns, np.arange(again.customers), place[len(stayed) :])
    with ColumnWriter(draft.folder, known_at_once=known_at_once) as writer:
        for first in range(0, len(order), CUSTOMERS_AT_ONCE):
            last = min(first + CUSTOMERS_AT_ONCE, len(order))
            writer.add(combine([_between(part, first, last) for part in (old, new)], last - first))
            mapped.release()
    finish_columns(draft, writer, [both.take(pa.array(order))])


def _between(chosen: Chosen, first: int, last: int) -> Chosen:
    """Those of the chosen customers whose places are `first:last`, counted from there."""
    begin, end = np.searchsorted(chosen.places, [first, last])
    return Chosen(chosen.columns, chosen.customers[begin:end], chosen.places[begin:end] - first)
