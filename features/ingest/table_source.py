"""The four kinds of place that a table comes from, told apart once: files, objects, a database, a frame in memory.

TableSource
├── Files       a file, folder or glob
├── Objects     files in an object store
├── Database    a table or query of a PostgreSQL database
└── Frame       a pandas or Arrow table handed to the library
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from features.ingest import object_store, postgresql
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
class Objects:
    """An object, folder or glob of objects in a store, of any kind of file that we read, by its URL."""

    url: str
    rows: str | None = None
    """The table or query in an object that is a database."""

    def paths(self) -> list[Path]:
        """Copies of the objects, in ascending order; raises InputError if there is none to read."""
        return object_store.fetch_objects(self.url)

    def label(self, table: str) -> str:  # noqa: ARG002
        return self.url

    def __str__(self) -> str:
        return f"{self.url}#{self.rows}" if self.rows else self.url


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


TableSource: TypeAlias = Files | Objects | Database | Frame
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
    >>> parse_source("s3://shop/orders/*.parquet")
    Objects(url='s3://shop/orders/*.parquet', rows=None)
    """
    if isinstance(table, Files | Objects | Database | Frame):
        return table
    if isinstance(table, pd.DataFrame | pa.Table):
        return Frame(table)
    is_object = object_store.is_object_url(str(table))
    if postgresql.is_url(str(table)) and not is_object:
        return Database(str(table))
    in_database = IN_DATABASE.fullmatch(str(table))
    kind = Objects if is_object else Files
    return kind(*in_database.groups()) if in_database else kind(str(table))
