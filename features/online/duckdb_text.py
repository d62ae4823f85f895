"""What DuckDB makes of a text, asked once and remembered: for few rows, where asking each time would cost the most.

The rows of a request must become the very numbers that the rows of a log become, and those hashes, casts and names are
DuckDB's. So it is asked (some 0.2 ms, however many the texts), and the products of a shop are soon all known.
"""

from collections.abc import Collection
from functools import cache
from threading import Lock
from typing import Any

import duckdb

from features.ingest.cleaning import kind_name
from features.ingest.duckdb_connection import connect

MAX_REMEMBERED_TEXTS = 100_000
"""Texts remembered of one sort; when there are more, they are forgotten and asked for again."""


class TextExpression:
    """What an SQL expression makes of texts, which it calls `text`; threads may share one."""

    def __init__(self, sql: str) -> None:
        self.sql, self.known, self.lock = sql, dict[str, Any](), Lock()

    def of(self, texts: Collection[str]) -> list[Any]:
        """One value per text."""
        with self.lock:
            said = {one: self.known[one] for one in texts if one in self.known}
            if missing := list({one for one in texts if one not in said}):
                said |= self._asked(missing)
                if len(self.known) > MAX_REMEMBERED_TEXTS:
                    self.known.clear()
                self.known.update(said)
        return [said[one] for one in texts]

    def _asked(self, texts: list[str]) -> dict[str, Any]:
        query = f"select text, {self.sql} from (select unnest(?::text[]) as text)"
        return dict(_database().cursor().execute(query, [texts]).fetchall())


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """A database of nothing, on one thread."""
    return connect(threads=1)


HASHES = TextExpression("hash(text)")
"""The numbers that stand for ids: 0 to 2⁶⁴ − 1."""
WHOLE_NUMBERS = TextExpression("coalesce(try_cast(text as bigint), 0)")
"""The whole number that an id is; 0 for one that is none."""
KINDS = TextExpression(kind_name("text"))
"""The names of kinds of interaction."""
