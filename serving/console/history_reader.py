"""Customers' histories out of the shop's log: one read at a time, in a thread of its own, the last ones kept at hand.

A log of Parquet files is searched in place; a CSV is read to its end for each customer, and a page says so meanwhile.
"""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from features.errors import StayworthError
from features.histories.columns import Histories
from features.ingest import sources
from features.ingest.log import Log
from features.ingest.postgresql import is_url
from features.online.one_customer import Rows, history_of, rows_of

CACHED_CUSTOMERS = 64
"""Customers whose rows stay at hand."""
MOST_WAITING = 8
"""Reads that may wait for their turn."""

Key = tuple[object, ...]


class Busy(StayworthError):
    """Too many wait already."""


class HistoryReader:
    """Reads the rows of customers."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stayworth-history")
        self._kept: OrderedDict[Key, Rows] = OrderedDict()
        self._waiting = 0

    async def rows(self, customer_id: str) -> Rows:
        """The rows with this id as they are written. Raises Busy where too many wait, InputError for a bad log."""
        if self._waiting >= MOST_WAITING:
            raise Busy(f"{self._waiting} histories are being read already", next="Load the page again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, customer_id)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Read no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def history(self, rows: Rows) -> Histories | None:
        """The history in these rows; None where none of them is an order."""
        return history_of(self.log, rows, now_us=None)

    def _read(self, customer_id: str) -> Rows:
        state = _state(self.log)
        key = (customer_id, state)
        if state is not None and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = rows_of(self.log, customer_id)
        if state is not None:
            self._kept[key] = found
            while len(self._kept) > CACHED_CUSTOMERS:
                self._kept.popitem(last=False)
        return found


def _state(log: Log) -> Key | None:
    """What is another when a file of the log changes; None for a log in a database, of which we cannot know."""
    tables = [str(source) for source in log.tables.values()]
    if any(is_url(one) for one in tables):
        return None
    files = [file for one in tables for file in sources.find(one)]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()])
