"""A log that is asked for: the names of its entries in the store, made of all that they depend on."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from features.history_store.entry import HASH_DIGITS, Entry
from features.history_store.parts import TABLES
from features.history_store.source_files import Sources, source_files
from features.ingest.log import Log
from features.ingest.open_log import Reading

FORMAT = 1
ROWS, CUSTOMERS, FOUND = "rows", "customers", "found"
"""The kinds of entry: orders with interactions; what the table `customers` says; what an inspection found."""
LIBRARIES = ("duckdb", "numpy", "pyarrow")
"""Libraries on which the bytes of an entry depend."""

Inspection = Callable[[Reading], Any]
"""A look at an open log; returns what it found, as JSON."""


@dataclass(frozen=True)
class AskedLog:
    """A log that is asked for, and the place where its histories are kept."""

    log: Log
    home: Path
    """The folder of the store."""
    now_us: int | None
    """Rows after it are in the future; None: not checked."""
    memory_bytes: int
    before_us: int | None
    """Rows from then on are left out; None: none is."""
    sources: Sources | None
    """The files of its orders and interactions; None where nothing tells whether they have changed."""
    of_customers: Sources | None
    """Those of the table `customers`."""
    say: Callable[[str], None]
    limit_bytes: int | None = None
    """The most that the store may have; None: no limit."""
    inspect: Inspection | None = None

    @property
    def settings(self) -> str:
        """A hash of all that the rows of an entry depend on, but for the files."""
        return _hash(_settings(self.log, TABLES))

    @property
    def rows_name(self) -> str:
        """The name of the entry of its rows."""
        return f"{ROWS}-{_hash([self.settings, self.sources, self.before_us])}"

    @property
    def identity(self) -> dict[str, Any]:
        """What an entry of its rows says of where they came from."""
        return {"settings": self.settings, "files": self.sources or {}, "code": code_hash()}

    def customers_name(self, rows: Entry) -> str | None:
        """The name of the entry of the table `customers`; None where it cannot be kept. rows: the entry of its rows."""
        if self.of_customers is None:
            return None
        return self._name(CUSTOMERS, [CUSTOMERS], self.of_customers, rows.files[rows.about["ids"]]["sha256"])

    def found_name(self, rows: Entry) -> str | None:
        """The name of the entry of what an inspection finds; None where it cannot be kept."""
        books = source_files(self.log, list(self.log.books))
        if self.of_customers is None or books is None or self.sources is None:
            return None
        tables, sources = [*self.log.tables, *self.log.books], self.of_customers | books
        return self._name(FOUND, tables, sources, rows.folder.name, rows.about["judged"])

    def _name(self, kind: str, tables: Sequence[str], *more: Any) -> str:
        return f"{kind}-{_hash([_settings(self.log, tables), self.log.attributes, self.log.attribute_kinds, *more])}"


def name_now(log: Log) -> str | None:
    """The name of the entry that the rows of a log would be read from as its files are now; None: they are not kept."""
    sources = source_files(log, TABLES)
    asked = AskedLog(log, Path(), None, 0, None, sources, None, lambda _: None)
    return None if sources is None else asked.rows_name


def _settings(log: Log, tables: Sequence[str]) -> dict[str, Any]:
    """What the config says that the reading of some tables depends on."""
    content = json.loads(log.to_json())
    shared = ("currency", "gross_margin", "timezone", "time_format", "exclude_products")
    settings = {name: content[name] for name in (*shared, *tables)}
    return settings | {name: {table: content[name].get(table) for table in tables} for name in ("mapping", "read")}


@cache
def code_hash() -> str:
    """A hash of the code of this package, which reads and judges rows, and of the versions of the libraries it uses."""
    digest = hashlib.sha256(json.dumps({name: version(name) for name in LIBRARIES}).encode())
    home = Path(__file__).parents[1]
    for file in sorted(home.rglob("*.py")):
        digest.update(f"{file.relative_to(home)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _hash(content: Any) -> str:
    text = json.dumps([FORMAT, code_hash(), content], sort_keys=True, default=asdict)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
