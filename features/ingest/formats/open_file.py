"""Open a file of any kind that we read: SQL that reads its rows, while it is open."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from features.errors import InputError
from features.ingest.formats import database_files
from features.ingest.formats.delimited import CsvFile, open_delimited
from features.ingest.formats.json_rows import scan_json
from features.ingest.formats.workbook import read_sheets
from features.ingest.input_files import file_format
from features.ingest.read_options import ReadOptions


@dataclass(frozen=True)
class OpenFile:
    """A table in a file."""

    scan: str
    """SQL that reads it; of a delimited file without its malformed lines."""
    label: str
    """The file, and the sheet or member, in messages."""
    csv: CsvFile | None = None
    """The delimited file, whose lines are checked."""
    notes: dict[str, str] = field(default_factory=dict)
    """How it is read, where that is not self-evident: encoding, lines above the header, sheets left out."""


@contextmanager
def open_file(
    db: duckdb.DuckDBPyConnection,
    file: Path,
    options: ReadOptions,
    *,
    scratch: Path,
    table: str = "orders",
    rows: str | None = None,
    label: str | None = None,
) -> Iterator[list[OpenFile]]:
    """Open the tables in a file. scratch: a folder for what must be unpacked. rows: the table or query in a database.

    Raises InputError for a file that is not what its name says.
    """
    label = label or str(file)
    kind = file_format(file)
    if kind == "parquet":
        yield [OpenFile(f"read_parquet({_quoted(file)})", label)]
    elif kind == "json":
        yield [OpenFile(scan_json(db, file, label=label), label)]
    elif kind == "workbook" and _is_text(file):
        if file.read_bytes()[:2_000].lstrip().startswith(b"<"):
            raise InputError(
                "is a web page or XML that is named like a workbook", where=label, next="Save it as .xlsx or CSV."
            )
        csv = open_delimited(file, options, scratch=scratch, label=label)
        yield [OpenFile(csv.scan(), label, csv, _notes(csv))]
    elif kind == "workbook":
        yield _sheets(db, file, options, label=label)
    elif kind == "sqlite":
        with database_files.open_sqlite(file, rows, table, label=label) as reader:
            db.register("of_sqlite", reader)
            yield [OpenFile("of_sqlite", label)]
    elif kind == "duckdb":
        with database_files.open_duckdb(db, file, rows, table, label=label) as scan:
            yield [OpenFile(scan, label)]
    elif kind == "zip":
        with _members(db, file, options, scratch=scratch, label=label) as opened:
            yield opened
    else:
        csv = open_delimited(file, options, scratch=scratch, label=label)
        yield [OpenFile(csv.scan(), label, csv, _notes(csv))]


def _is_text(file: Path) -> bool:
    """True for a workbook that is none, but text: a shop system that writes `.xls` and means a CSV."""
    with file.open("rb") as bytes_:
        head = bytes_.read(512)
    return b"\0" not in head.removeprefix(b"\xff\xfe")[1::2] and not head.startswith((b"PK", b"\xd0\xcf"))


def _notes(csv: CsvFile) -> dict[str, str]:
    notes = {} if csv.encoding in ("utf-8", "utf-8-sig") else {"encoding": csv.encoding}
    if csv.skip:
        notes["header_line"] = str(csv.skip + 1)
    return notes | ({"delimiter": csv.separator} if csv.separator else {})


def _sheets(db: duckdb.DuckDBPyConnection, file: Path, options: ReadOptions, *, label: str) -> list[OpenFile]:
    sheets, others = read_sheets(file, options, label=label)
    opened = []
    for place, sheet in enumerate(sheets):
        db.register(f"sheet_{place}", sheet.rows)
        notes = {"sheet": sheet.name} | ({"other_sheets": ", ".join(others)} if others else {})
        opened.append(
            OpenFile(f"sheet_{place}", f"{label}, sheet {sheet.name}" if len(sheets) > 1 else label, None, notes)
        )
    return opened


@contextmanager
def _members(
    db: duckdb.DuckDBPyConnection, file: Path, options: ReadOptions, *, scratch: Path, label: str
) -> Iterator[list[OpenFile]]:
    """The tables in a zip: those of its members that we read, except workbooks, unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir()
                and not Path(member.filename).name.startswith((".", "__"))
                and not member.filename.startswith("__MACOSX")
                and file_format(Path(member.filename)) in ("csv", "json", "parquet")
            ]
            paths = []
            for place, member in enumerate(members):
                paths.append(scratch / f"member-{place}-{Path(member.filename).name}")
                with archive.open(member) as packed, paths[-1].open("wb") as copy:
                    shutil.copyfileobj(packed, copy)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"cannot be unpacked: {error}", where=label, next="Unpack it, and name the file.") from None
    if not paths:
        raise InputError("has no table in it", where=label, next="Put a CSV, JSON or Parquet file into it.")
    opened: list[OpenFile] = []
    for path, member in zip(paths, members, strict=True):
        if path.stat().st_size == 0:
            raise InputError("is empty (0 bytes)", where=f"{label}/{member.filename}", next="Export it again.")
        with open_file(db, path, options, scratch=scratch, label=f"{label}/{member.filename}") as tables:
            opened += tables
    yield opened


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"
