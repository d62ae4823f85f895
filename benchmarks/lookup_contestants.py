"""Ways to store 72 bytes of scores and a packed row per customer, and to look them up by id.

All but `dense` and `arrow` hold the same bytes as our store; each returns the six numbers of an id. The peers return
nothing more; ours, as `find`, builds the whole answer that the service sends.
"""

import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.environments import beside
from models.prediction import NUMBERS
from serving.store import id_index, packed_rows
from serving.store.score_store import Store

SIX = struct.Struct("<6d")
Answer = Callable[[Sequence[str]], list[Any]]
"""Ids → the six numbers of each."""
SORTED = 100_000
"""Customers written at a time."""


def contents(store: Store) -> Iterator[tuple[str, bytes]]:
    """Every id and its bytes, sorted by id, the order in which B-trees are filled fastest."""
    text, begins = id_index.gather_ids(store.heap, store.starts)
    names = pa.LargeStringArray.from_buffers(store.customers, pa.py_buffer(begins), pa.py_buffer(text))
    ends = np.append(store.starts[1:], len(store.heap))
    order = np.array(pa.compute.sort_indices(names))
    for begin in range(0, store.customers, SORTED):
        for row in order[begin : begin + SORTED].tolist():
            customer_id = names[row].as_py()
            packed = store.heap[int(store.starts[row]) + id_index.LENGTH + len(customer_id) : int(ends[row])]
            yield customer_id, store.records[row].tobytes() + packed.tobytes()


def ours(store: Store, ids: Sequence[str]) -> list[Any]:
    """Look up index and record, without building the answer."""
    encoded = [customer_id.encode() for customer_id in ids]
    joined = np.frombuffer(b"".join(encoded), np.uint8)
    ends = np.cumsum(np.array([len(text) for text in encoded]))
    places = id_index.find_customers(joined, ends, store.slots, store.heap, store.starts)
    return [store.records.item(place)[:6] for place in places.tolist()]


def write_sqlite(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("pragma page_size = 8192")
        database.execute("create table customers (id text primary key, content blob) without rowid")
        database.executemany("insert into customers values (?, ?)", contents(store))
    database.close()


def sqlite(path: Path) -> Answer:
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    database.execute(f"pragma mmap_size = {2**33}")

    def answer(ids: Sequence[str]) -> list[Any]:
        query = "select content from customers where id = ?"
        return [SIX.unpack_from(database.execute(query, (customer_id,)).fetchone()[0]) for customer_id in ids]

    return answer


def _lmdb() -> ModuleType:
    """Import LMDB from its folder. Raises Unavailable."""
    folder = str(beside("lmdb"))
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module("lmdb")


def write_lmdb(store: Store, path: Path) -> None:
    with (
        _lmdb().open(str(path), map_size=2**33, subdir=False, sync=False) as database,
        database.begin(write=True) as turn,
    ):
        for customer_id, content in contents(store):
            turn.put(customer_id.encode(), content, append=True)


def lmdb(path: Path) -> Answer:
    database = _lmdb().open(str(path), map_size=2**33, subdir=False, readonly=True, lock=False)
    turn = database.begin(buffers=True)

    def answer(ids: Sequence[str]) -> list[Any]:
        return [SIX.unpack_from(turn.get(customer_id.encode())) for customer_id in ids]

    return answer


def write_dense(store: Store, path: Path) -> None:
    """Records of the numbers and every feature as float32, sorted by the hashes of the ids, which come before them."""
    text, begins = id_index.gather_ids(store.heap, store.starts)
    hashed = id_index.hashes(text, begins[1:])
    order = np.argsort(hashed)
    kind = np.dtype([("numbers", "<f8", len(NUMBERS)), ("row", "<f4", len(store.packing.usual))])
    with path.open("wb") as file:
        hashed[order].tofile(file)
        for begin in range(0, store.customers, SORTED):
            places = order[begin : begin + SORTED]
            out = np.empty(len(places), kind)
            out["numbers"] = np.column_stack([store.records[name][places] for name in NUMBERS])
            packing = store.packing
            bits = packed_rows.unpack(store.heap, store.starts, places, packing.usual, packing.twins)
            out["row"] = bits.T.view(np.float32)
            out.tofile(file)


def dense(path: Path, *, customers: int, columns: int) -> Answer:
    """Look up by hash alone: no id is compared."""
    size = 8 * len(NUMBERS) + 4 * columns
    content = np.memmap(path, np.uint8, mode="r")
    hashed = np.asarray(content[: 8 * customers]).view(np.uint64)
    records = memoryview(content[8 * customers :])

    def answer(ids: Sequence[str]) -> list[Any]:
        encoded = [customer_id.encode() for customer_id in ids]
        ends = np.cumsum(np.array([len(text) for text in encoded]))
        wanted = id_index.hashes(np.frombuffer(b"".join(encoded), np.uint8), ends)
        return [SIX.unpack_from(records, place * size) for place in np.searchsorted(hashed, wanted).tolist()]

    return answer


def write_arrow(store: Store, path: Path) -> None:
    table = pa.Table.from_pandas(store.scores()[["customer_id", *NUMBERS]], preserve_index=False)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)


def arrow(path: Path) -> Answer:
    """Look up scores without features in a mapped file by a dict of all ids in memory."""
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all().combine_chunks()
    row_of = {customer_id: row for row, customer_id in enumerate(table["customer_id"].to_pylist())}
    numbers = [table[name].chunk(0).to_numpy() for name in NUMBERS]

    def answer(ids: Sequence[str]) -> list[Any]:
        rows = [row_of[customer_id] for customer_id in ids]
        return [tuple(float(column[row]) for column in numbers) for row in rows]

    return answer


PEERS = {
    "SQLite": (write_sqlite, sqlite),
    "LMDB": (write_lmdb, lmdb),
    "dense, sorted hashes": (write_dense, dense),
    "scores in a dict": (write_arrow, arrow),
}


def opened(name: str, path: Path, store: Store) -> Answer:
    """Open a peer's file; returns the function that answers."""
    if name.startswith("dense"):
        return partial(dense, customers=store.customers, columns=len(store.packing.usual))(path)
    return PEERS[name][1](path)
