"""One customer's history out of the store, in milliseconds whatever the number of customers.

Where the store does not have the log as its files are now, the caller reads the customer's rows instead
(features/online/one_customer.py).
"""

from bisect import bisect_left
from pathlib import Path

import numpy as np

from features.histories.chosen_customers import take_customers
from features.histories.columns import Histories
from features.history_store.asked_log import name_now
from features.history_store.column_files import MappedColumns
from features.history_store.entry import open_entry
from features.history_store.open_histories import holds_at
from features.history_store.stored_log import histories_in
from features.ingest.log import Log


class StoredCustomers:
    """The customers of a log in the store, mapped when the first is asked for, and again when the log changes."""

    def __init__(self, log: Log, home: Path) -> None:
        """home: the folder of the store, which may not exist."""
        self.log, self.home = log, home
        self._name: str | None = None
        self._histories: Histories | None = None

    def histories(self) -> Histories | None:
        """The histories as the log's files are now, without attributes; None where the store does not have them.

        Nor does it where rows were set aside as from the future, which are in the log today.
        """
        name = name_now(self.log) if self.home.exists() else None
        if name != self._name or self._histories is None:
            self._histories = _mapped(self.home, name, self.log) if name else None
            self._name = name
        return self._histories


def history_of(histories: Histories, customer_id: str) -> Histories | None:
    """The history of one of many customers, as a copy; None where there is no order of theirs."""
    ids = histories.customer_ids
    number = bisect_left(range(len(ids)), customer_id, key=lambda place: ids[place].as_py())
    if number == len(ids) or ids[number].as_py() != customer_id:
        return None
    return take_customers(histories, np.array([number]))


def _mapped(home: Path, name: str, log: Log) -> Histories | None:
    rows = open_entry(home, name)
    if rows is None or not holds_at(rows, None):
        return None
    return histories_in(rows, MappedColumns(rows.folder, rows.about["columns"]).columns, currency=log.currency)
