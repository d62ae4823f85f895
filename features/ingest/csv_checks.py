"""Check a CSV file as a whole: broken lines, a file cut short, two columns of one name.

CSV is read as text, so that ids keep their leading zeros and only our own code parses amounts.
"""

import duckdb

from features.errors import InputError
from features.ingest.formats.delimited import CsvFile

NOT_UTF8 = "INVALID ENCODING"
"""DuckDB's kind of error for bytes that are not UTF-8."""


def quoted(text: object) -> str:
    """An SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(column: str) -> str:
    """An SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def collect_malformed(db: duckdb.DuckDBPyConnection, table: str, file: CsvFile) -> bool:
    """Move the lines that DuckDB rejected to `malformed_<table>`; refuse a file that breaks off.

    Returns False, having moved none, for a file that turns out not to be UTF-8.

    DuckDB rejects lines that an open quote runs together as one; here each of those lines counts.
    """
    open_quote = "min(byte_position) filter (error_type = 'UNQUOTED VALUE')"
    rejects = db.sql(
        f"select line, min(error_type), min(error_message), {open_quote} from reject_errors group by line order by line"
    ).fetchall()
    db.execute("drop table reject_errors; drop table reject_scans")
    if any(kind == NOT_UTF8 for _, kind, *_ in rejects):
        return False
    rows = db.sql(f"select count(*) from loaded_{table} where file = {quoted(file.label)}").fetchall()[0][0]
    if rejects and rejects[-1][0] >= rows + len(rejects) + 1 + file.skip:
        line, _, message, quote = rejects[-1]
        what = f"breaks off in its last line: {message}"
        if quote:
            what = "breaks off, or a quote that is opened in this line is never closed"
        last_line, is_ended = _last_line(file)
        if quote or (line >= last_line and not is_ended):
            next_ = "Export it again." if quote else "Export it again; if the line is a remark, remove it."
            raise InputError(what, where=f"{file.label}, line {line}", next=next_)
    if rejects:
        counts = [(line, _run_together(file, quote) if quote else 1) for line, *_, quote in rejects]
        lines = [[file.label, line - 1 - file.skip, "malformed line"] for line, count in counts for _ in range(count)]
        db.executemany(f"insert into malformed_{table} values (?, ?, ?)", lines)
    return True


def _last_line(file: CsvFile) -> tuple[int, bool]:
    """The number of the last line of a file, and whether a newline ends it: a cell with line breaks takes several."""
    lines, last = 0, b""
    with file.open() as bytes_:
        while chunk := bytes_.read(1 << 22):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n"), last in (b"\n", b"\r")


def _run_together(file: CsvFile, behind_quote: int) -> int:
    """Count the lines from a quote left open to the next one, which closes it; both their lines count."""
    with file.open() as bytes_:
        bytes_.seek(behind_quote)
        lines = 0
        for text in bytes_:
            lines += 1
            if b'"' in text.replace(b'""', b""):
                break
        return lines


def refuse_if_cut(db: duckdb.DuckDBPyConnection, file: CsvFile) -> None:
    """Refuse a CSV without a final newline whose last value is written unlike all the others: "12.5", not "12.50"."""
    with file.path.open("rb") as bytes_:
        bytes_.seek(-1, 2)
        if file.is_gzip or bytes_.read(1) in b"\r\n":
            return
    rows_of = file.scan()
    last_column = db.sql(f"describe select * from {rows_of}").fetchall()[-1][0]
    shape = f"regexp_replace(regexp_replace({identifier(last_column)}, '^-?[0-9]+', 'n'), '[0-9]', '9', 'g')"
    last, others = db.sql(
        f"with shapes as (select {shape} as shape, row_number() over () as row from {rows_of}) "
        "select (select shape from shapes order by row desc limit 1), "
        "(select list(distinct shape) from (from shapes order by row desc offset 1))"
    ).fetchall()[0]
    if others and len(others) == 1 and last != others[0]:
        raise InputError(
            f"breaks off: the last value of '{last_column}' is not written like the others, and no newline follows",
            where=file.label,
            next="Export it again; if it is complete, end it with a newline.",
        )


def refuse_twins(db: duckdb.DuckDBPyConnection, file: CsvFile) -> None:
    """Refuse a CSV in which two columns have the same name: DuckDB would read the first and rename the second."""
    first = db.sql(f"select * from {file.scan(header=False)} limit 1").fetchall()
    names = [name for name in first[0] if name] if first else []
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InputError(f"two columns are named '{twins[0]}'", where=file.label, next="Rename or remove one of them.")
