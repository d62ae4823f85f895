"""Evaluate SQL expressions of texts in DuckDB, and remember the results: a request of few rows would wait for them.

The rows of a request must become the same numbers as the rows of a log, and those hashes, casts and names are
DuckDB's. A query takes some 0.2 ms for any number of texts, and the products of a shop are soon all known.
"""

from collections.abc import Collection
from functools import cache
from threading import Lock
from typing import Any

import duckdb

from features.ingest.column_sql import kind_name
from features.ingest.duckdb_connection import connect

MAX_REMEMBERED_TEXTS = 100_000
"""Texts remembered per expression; when there are more, all are forgotten and evaluated again."""


class TextExpression:
    """An SQL expression of a text, which it calls `text`; threads may share it."""

    def __init__(self, sql: str) -> None:
        self.sql, self.known, self.lock = sql, dict[str, Any](), Lock()

    def of(self, texts: Collection[str]) -> list[Any]:
        """One value per text."""
        with self.lock:
            values = {text: self.known[text] for text in texts if text in self.known}
            if missing := list({text for text in texts if text not in values}):
                values |= self._evaluate(missing)
                if len(self.known) > MAX_REMEMBERED_TEXTS:
                    self.known.clear()
                self.known.update(values)
        return [values[text] for text in texts]

    def _evaluate(self, texts: list[str]) -> dict[str, Any]:
        query = f"select text, {self.sql} from (select unnest(?::text[]) as text)"
        return dict(_database().cursor().execute(query, [texts]).fetchall())


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """An empty database, on one thread."""
    return connect(threads=1)


HASHES = TextExpression("hash(text)")
"""The numbers that stand for ids: 0 to 2⁶⁴ − 1."""
WHOLE_NUMBERS = TextExpression("coalesce(try_cast(text as bigint), 0)")
"""An id as a whole number; 0 for other ids."""
KINDS = TextExpression(kind_name("text"))
"""The names of kinds of interaction."""
