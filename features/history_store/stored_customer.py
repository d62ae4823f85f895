"""Customers out of the store: the history of one in milliseconds, whatever their number, or their rows as written.

Where the store does not have the log as its files are now, the caller reads the customer's rows instead
(features/online/one_customer.py).
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.histories.chosen_customers import take_customers
from features.histories.columns import Histories
from features.history_store.asked_log import name_now
from features.history_store.column_files import MappedColumns
from features.history_store.entry import Entry, open_entry
from features.history_store.new_rows import old_rows
from features.history_store.open_histories import holds_at
from features.history_store.stored_log import histories_in
from features.ingest.log import Log
from features.ingest.notation.styles import Styles


class StoredCustomers:
    """The customers of a log in the store, mapped when the first is asked for, and again when the log changes."""

    def __init__(self, log: Log, home: Path) -> None:
        """home: the folder of the store, which may not exist."""
        self.log, self.home = log, home
        self._entry: Entry | None = None
        self._histories: Histories | None = None

    def entry(self) -> Entry | None:
        """The entry of the rows of the log as its files are now; None where the store does not have it."""
        try:
            name = name_now(self.log) if self.home.exists() else None
        except OSError:  # whoever reads the log says what is wrong
            name = None
        if name is None or self._entry is None or self._entry.folder.name != name:
            self._entry, self._histories = open_entry(self.home, name) if name else None, None
        return self._entry

    def histories(self) -> Histories | None:
        """The histories as the log's files are now, without attributes; None where the store does not have them.

        Nor does it where rows were set aside as from the future, which are in the log today.
        """
        entry = self.entry()
        if entry is None or not holds_at(entry, None):
            return None
        if self._histories is None:
            columns = MappedColumns(entry.folder, entry.about["columns"]).columns
            self._histories = histories_in(entry, columns, currency=self.log.currency)
        return self._histories


def history_of(histories: Histories, customer_id: str) -> Histories | None:
    """The history of one of many customers, as a copy; None where there is no order of theirs."""
    ids = histories.customer_ids
    number = bisect_left(range(len(ids)), customer_id, key=lambda place: ids[place].as_py())
    if number == len(ids) or ids[number].as_py() != customer_id:
        return None
    return take_customers(histories, np.array([number]))


def rows_of(entry: Entry, log: Log, customer_ids: Sequence[str]) -> dict[str, pa.Table]:
    """Table → the rows of some customers in plain form, in the order of files and rows: of orders and interactions.

    Raises InputError where the entry was removed meanwhile.
    """
    styles = {table: Styles.from_json(content) for table, content in entry.about["styles"].items()}
    log, ids = replace(log, styles=styles), pa.array(customer_ids, pa.string())
    by_place = [("file", "ascending"), ("row", "ascending")]
    return {table: old_rows(entry, log, table, ids, ()).sort_by(by_place) for table in styles}
