"""Reading of customers' histories: from the store where it has the log, else from the log's files.

One read at a time, in a thread of its own, with a small cache of rows. Parquet files are searched in place; a CSV file
that the store does not have is read to its end for each customer, and the page says so meanwhile.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from features.errors import StayworthError
from features.histories.columns import Histories
from features.history_store.stored_customer import StoredCustomers, history_of
from features.ingest.log import Log
from features.ingest.table_source import Database
from features.online.one_customer import CustomerRows, customer_history, read_customer_rows

CACHED_CUSTOMERS = 64
"""Customers whose rows stay in memory."""
MOST_WAITING = 8
"""Reads that may wait for their turn; further ones are refused."""

Key = tuple[object, ...]
T = TypeVar("T")


class Busy(StayworthError):
    """Raised if too many reads are waiting."""


class HistoryReader:
    """Reader of the rows of customers, with a cache."""

    def __init__(self, log: Log, store: Path) -> None:
        """store: the folder of histories that commands have kept, which may not exist."""
        self.log = log
        self._store = StoredCustomers(log, store)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stayworth-history")
        self._cache: OrderedDict[Key, CustomerRows] = OrderedDict()
        self._waiting = 0

    async def history(self, customer_id: str) -> Histories | None:
        """The history of this id; None if the log has no order of theirs. Raises as `rows` does."""
        return await self._in_turn(self._history, customer_id)

    async def rows(self, customer_id: str) -> CustomerRows:
        """Read the rows with this id, unparsed. Raises Busy if too many reads wait, InputError for a bad log."""
        return await self._in_turn(self._read, customer_id)

    async def _in_turn(self, read: Callable[[str], T], customer_id: str) -> T:
        if self._waiting >= MOST_WAITING:
            raise Busy(f"{self._waiting} histories are already being read", next="Load the page again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, read, customer_id)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Cancel waiting reads."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def parsed(self, rows: CustomerRows) -> Histories | None:
        """Parse the history in these rows; None if none of them is an order."""
        return customer_history(self.log, rows, now_us=None)

    def _history(self, customer_id: str) -> Histories | None:
        stored = self._store.histories()
        return self.parsed(self._read(customer_id)) if stored is None else history_of(stored, customer_id)

    def _read(self, customer_id: str) -> CustomerRows:
        state = _state(self.log)
        key = (customer_id, state)
        if state is not None and key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        rows = read_customer_rows(self.log, customer_id, self._store.entry())
        if state is not None:
            self._cache[key] = rows
            while len(self._cache) > CACHED_CUSTOMERS:
                self._cache.popitem(last=False)
        return rows


def _state(log: Log) -> Key | None:
    """A key that changes when a file of the log changes; None for a database, whose changes cannot be noticed."""
    if any(isinstance(source, Database) for source in log.tables.values()):
        return None
    files = [file for source in log.tables.values() for file in source.paths()]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()])
