"""The four kinds of place that a table comes from, told apart once: files, objects, a database, a frame in memory.

TableSource
├── Files       a file, folder or glob
├── Objects     files in an object store
├── Database    a table or query of a PostgreSQL database
└── Frame       a pandas or Arrow table handed to the library
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

import pandas as pd
import pyarrow as pa

from features.ingest import object_store, postgresql
from features.ingest.input_files import IN_DATABASE, file_format, find_files


@dataclass(frozen=True)
class Files:
    """A file, folder or glob of files of any kind that we read."""

    where: str
    rows: str | None = None
    """The table or query in a file that is a database."""
    only: frozenset[str] | None = None
    """The files that are read, by path; None: all."""

    def paths(self) -> list[Path]:
        """The files, in ascending order; raises InputError if there is none to read."""
        return [file for file in find_files(self.where) if self.only is None or str(file) in self.only]

    def may_grow(self) -> bool:
        """True if rows can be added to it: files to a folder or glob, lines to a text file."""
        return not Path(self.where).is_file() or file_format(Path(self.where)) == "csv"

    def limited_to(self, names: Iterable[str]) -> "Files":
        """Only some of its files, by path."""
        return replace(self, only=frozenset(names))

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
    only: frozenset[str] | None = None
    """The objects that are read, by URL; None: all."""

    def paths(self) -> list[Path]:
        """Copies of the objects, in ascending order; raises InputError if there is none to read."""
        copies = object_store.fetch_objects(self.url)
        return [copy for copy in copies if self.only is None or object_store.object_url(copy) in self.only]

    def may_grow(self) -> bool:
        return True

    def limited_to(self, names: Iterable[str]) -> "Objects":
        """Only some of the objects, by URL."""
        return replace(self, only=frozenset(names))

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

    def may_grow(self) -> bool:
        return False

    def limited_to(self, names: Iterable[str]) -> Self:  # noqa: ARG002  (it has none)
        return self

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

    def may_grow(self) -> bool:
        return False

    def limited_to(self, names: Iterable[str]) -> Self:  # noqa: ARG002  (it has none)
        return self

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
    Files(where='visits/*.parquet', rows=None, only=None)
    >>> parse_source("shop.sqlite#orders")
    Files(where='shop.sqlite', rows='orders', only=None)
    >>> parse_source("s3://shop/orders/*.parquet")
    Objects(url='s3://shop/orders/*.parquet', rows=None, only=None)
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
    return kind(in_database[1], in_database[2]) if in_database else kind(str(table))
