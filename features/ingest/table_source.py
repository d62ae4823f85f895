"""The three kinds of place that a table comes from, told apart once: files, a database, a frame in memory.

TableSource
├── Files       a file, folder or glob
├── Database    a table or query of a PostgreSQL database
└── Frame       a pandas or Arrow table handed to the library
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from features.ingest import postgresql
from features.ingest.input_files import IN_DATABASE, find_files


@dataclass(frozen=True)
class Files:
    """A file, folder or glob of files of any kind that we read."""

    where: str
    rows: str | None = None
    """The table or query in a file that is a database."""

    def paths(self) -> list[Path]:
        """The files, in ascending order; raises InputError if there is none to read."""
        return find_files(self.where)

    def label(self, table: str) -> str:  # noqa: ARG002  (as of the others)
        """The name of the source in a message."""
        return self.where

    def __str__(self) -> str:
        return f"{self.where}#{self.rows}" if self.rows else self.where


@dataclass(frozen=True)
class Database:
    """A table or query of a database, by its URL as written: it may hold a password, which `label` leaves out."""

    url: str

    def paths(self) -> list[Path]:
        return []

    def label(self, table: str) -> str:  # noqa: ARG002
        return postgresql.redacted(self.url)

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, eq=False)
class Frame:
    """The table itself, in memory."""

    rows: pd.DataFrame | pa.Table

    def paths(self) -> list[Path]:
        return []

    def label(self, table: str) -> str:
        return f"the data frame of {table}"


TableSource: TypeAlias = Files | Database | Frame
TableLike: TypeAlias = str | Path | pd.DataFrame | pa.Table | TableSource
"""What a caller may give for a table: a path, glob or URL, the table itself, or a source told apart before."""


def parse_source(table: TableLike) -> TableSource:
    """The source that a caller means; text is a URL where it begins with a scheme, else a path.

    >>> parse_source("postgresql://host/shop#orders")
    Database(url='postgresql://host/shop#orders')
    >>> parse_source("visits/*.parquet")
    Files(where='visits/*.parquet', rows=None)
    >>> parse_source("shop.sqlite#orders")
    Files(where='shop.sqlite', rows='orders')
    """
    if isinstance(table, Files | Database | Frame):
        return table
    if isinstance(table, pd.DataFrame | pa.Table):
        return Frame(table)
    if postgresql.is_url(str(table)):
        return Database(str(table))
    in_database = IN_DATABASE.fullmatch(str(table))
    return Files(*in_database.groups()) if in_database else Files(str(table))
