"""CSV and its kin: any separator, lines above the header, encodings other than UTF-8.

What DuckDB finds out by itself is left to it: plain UTF-8 with a comma, semicolon, tab or bar.
"""

import codecs
import csv
import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from features.errors import InputError
from features.ingest.input_files import KINDS
from features.ingest.read_options import ReadOptions

HEAD_BYTES = 1 << 18
SEPARATORS = ",;\t|^~\x1f\x01¦"
USUAL = ",;\t|"
"""Separators that DuckDB finds by itself."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The first bytes of a file → its encoding."""
WESTERN = "cp1252"
"""The encoding of spreadsheets on Windows, for text that is not UTF-8."""


@dataclass(frozen=True)
class CsvFile:
    """A delimited file as it is read."""

    path: Path
    """The bytes that DuckDB reads, in UTF-8."""
    label: str
    """The file in messages: the one that the user knows."""
    separator: str | None = None
    """None: DuckDB finds it."""
    skip: int = 0
    """Lines above the header."""
    encoding: str = "utf-8"
    """Of the file itself."""

    def scan(self, *, header: bool = True, rejects: str = "ignore_errors=true") -> str:
        """SQL that reads it as text; rejects: the option for malformed lines."""
        options = f"header={header}, all_varchar=true, quote='\"', escape='\"', {rejects}"
        if self.separator is not None:
            options += f", delim={_quoted(self.separator)}"
        if self.skip:
            options += f", skip={self.skip}"
        return f"read_csv({_quoted(self.path)}, {options})"

    @property
    def is_gzip(self) -> bool:
        return self.path.name.lower().endswith(".gz")

    def open(self) -> IO[bytes]:
        """The bytes, unpacked."""
        return _unpacked(self.path)


def _unpacked(file: Path) -> IO[bytes]:
    """A file open for reading, unpacked if it is gzip."""
    return gzip.open(file) if file.name.lower().endswith(".gz") else file.open("rb")  # type: ignore[return-value]


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def open_delimited(file: Path, options: ReadOptions, *, scratch: Path, label: str | None = None) -> CsvFile:
    """Find out how a file is encoded and divided; text that is not UTF-8 is copied to `scratch` as UTF-8."""
    label = label or str(file)
    head = _head(file, label)
    encoding = options.encoding or encoding_of(head)
    if _codec(encoding, label) not in ("utf-8", "utf-8-sig"):
        file = _as_utf8(file, encoding, scratch=scratch, label=label)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if "\0" in text:
        raise InputError("is not a table: it is not text", where=label, next=f"Give {KINDS}, by its ending.")
    lines = text.splitlines()[:-1] if len(head) == HEAD_BYTES else text.splitlines()
    separator, skip = layout_of(lines, options.delimiter)
    if options.header_line:
        skip = options.header_line - 1
    return CsvFile(file, label, options.delimiter or separator, skip, encoding)


def in_western(file: CsvFile, *, scratch: Path) -> CsvFile:
    """The file read as Windows-1252, once a line has turned out not to be UTF-8."""
    path = _as_utf8(file.path, WESTERN, scratch=scratch, label=file.label)
    return CsvFile(path, file.label, file.separator, file.skip, WESTERN)


def _head(file: Path, label: str) -> bytes:
    try:
        with _unpacked(file) as bytes_:
            return bytes_.read(HEAD_BYTES)
    except (gzip.BadGzipFile, EOFError) as error:
        raise InputError(f"cannot be unpacked: {error}", where=label, next="Export it again.") from None


def encoding_of(head: bytes) -> str:
    """The encoding of a file that begins like this.

    >>> encoding_of("a;b".encode("utf-16")), encoding_of("Müller".encode("latin-1"))
    ('utf-16', 'cp1252')
    """
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    zeros = [head[place::2].count(0) for place in (0, 1)]
    if max(zeros) * 4 > len(head) > 8 and min(zeros) * 20 < max(zeros):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return WESTERN
    return "utf-8"


def _codec(encoding: str, label: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            f"'{encoding}' is no encoding", where=label, next="For example utf-8, cp1252, utf-16 or cp1251."
        ) from None


def _as_utf8(file: Path, encoding: str, *, scratch: Path, label: str) -> Path:
    """Copy a file to `scratch` in UTF-8; bytes that the encoding does not have become �."""
    copy = scratch / f"{len(list(scratch.iterdir()))}.csv"
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace" if encoding == WESTERN else "strict")
    try:
        with _unpacked(file) as bytes_, copy.open("w", encoding="utf-8", newline="") as text:
            while chunk := bytes_.read(1 << 22):
                text.write(decoder.decode(chunk))
            text.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError as error:
        raise InputError(
            f"is not {encoding} text: {error.reason}", where=label, next="Set encoding in [read], or save it as UTF-8."
        ) from None
    return copy


def layout_of(lines: list[str], separator: str | None = None) -> tuple[str | None, int]:
    """The separator, None where DuckDB finds it by itself, and the number of lines above the header.

    >>> layout_of(["Orders of 2024", "", "id;amount", "1;5,00", "2;6,00"])
    (';', 2)
    """
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) <= 6:
        return lines[0][4:] or "\t", 1
    best, fields = _separator(lines, separator)
    if best is None:
        return None, 0
    rows = list(csv.reader(lines[:200], delimiter=best))
    skip = _lines_above(lines, rows, fields)
    return (best if skip or best not in USUAL or separator else None), skip


def _separator(lines: list[str], given: str | None) -> tuple[str | None, int]:
    """The separator that divides most lines into equally many fields, more than one; and how many."""
    best, score, fields = None, 0.0, 0
    for candidate in [given] if given else SEPARATORS:
        if len(candidate) > 1:
            continue
        try:
            counts = Counter(len(row) for row in csv.reader(lines[:200], delimiter=candidate) if row)
        except csv.Error:
            continue
        wide = {count: rows for count, rows in counts.items() if count > 1}
        if not wide:
            continue
        count, rows = max(wide.items(), key=lambda item: item[1])
        quality = rows / sum(counts.values()) + min(count, 20) / 1000
        if quality > score:
            best, score, fields = candidate, quality, count
    return (best, fields) if score >= FEWEST_ALIKE else (None, 0)


FEWEST_ALIKE = 0.5
"""The share of lines that a separator must divide alike."""


def _lines_above(lines: list[str], rows: list[list[str]], fields: int) -> int:
    """The lines above the header: those with fewer fields, or mostly empty, before the first full line of names."""
    for place, row in enumerate(rows[:50]):
        names = [cell for cell in row if cell.strip()]
        is_header = len(row) >= fields and len(names) * 2 > len(row) and not any(_is_value(cell) for cell in names)
        if is_header:
            above = _lines_of(lines, place)
            return above if place else 0
        if len(row) >= fields and len(names) * 2 > len(row):
            return 0  # data from the first line on: no names to look for
    return 0


def _lines_of(lines: list[str], rows: int) -> int:
    """The number of lines that the first rows take: a quoted cell may hold line breaks, an empty line is a row."""
    reader = csv.reader(lines)
    for _ in range(rows):
        next(reader)
    return reader.line_num


def _is_value(cell: str) -> bool:
    """True for a cell that is a number or a time, not a name."""
    text = cell.strip().strip("€$£")
    return (
        bool(text)
        and text[0].isdigit()
        and not any(letter.isalpha() for letter in text.replace("T", "").replace("Z", ""))
    )
