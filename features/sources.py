"""Where a table comes from: a file, a folder or a glob of CSV or Parquet files, read as they are into DuckDB.

CSV is read as text, so that an id keeps its leading zeros and an amount is parsed by us alone.
"""

import glob
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from features.errors import InputError
from features.schema import theirs

KINDS = {".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def find(where: str | Path) -> list[Path]:
    """The files a path, folder or glob names, in ascending order; raises InputError if there is none to read."""
    path = Path(where)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if _kind(file))
        if not files:
            raise InputError(
                "is a folder without CSV or Parquet files", where=str(where), next="Name a file or a glob."
            )
    elif glob.has_magic(str(where)) and not path.exists():
        files = sorted(Path(file) for file in glob.glob(str(where), recursive=True) if Path(file).is_file())
        if not files:
            raise InputError("no file matches", where=str(where), next="Check data.orders in the config.")
    elif path.exists():
        files = [path]
    else:
        raise InputError("no such file", where=str(where), next="Check data.orders in the config.")
    for file in files:
        if not _kind(file):
            raise InputError(
                f"'{file.suffix}' is not a kind of file we read", where=str(file), next="Give CSV or Parquet."
            )
    return files


def _kind(file: Path) -> str | None:
    return next((kind for ending, kind in KINDS.items() if file.name.lower().endswith(ending)), None)


def read(db: duckdb.DuckDBPyConnection, file: Path, mapping: dict[str, str], types: dict[str, str]) -> None:
    """Append a file to the table `raw`, under our column names, with `file` and `row` (1 = first row of data).

    Creates `raw` on the first call; `types` collects the DuckDB type of each of our columns. Malformed lines of a
    CSV go to the table `malformed` (file, row, reason).
    """
    try:
        if file.stat().st_size == 0:
            raise InputError("is empty (0 bytes)", where=str(file), next="Export it again.")
        if _kind(file) == "csv":
            _refuse_twins(db, file)
        append(db, scan_of(file, rejects="store_rejects=true"), str(file), mapping, types)
        if _kind(file) == "csv":
            _collect_malformed(db, file)
            _refuse_if_cut(db, file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from None
    except duckdb.Error as error:
        what = str(error).splitlines()[0]
        raise InputError(
            f"cannot be read: {what}",
            where=str(file),
            next="Is it complete, and CSV or Parquet? Export it again.",
        ) from None


def arrow_of(frame: pd.DataFrame, *, where: str) -> pa.Table:
    """A frame as Arrow, which knows the type of a whole column where DuckDB would look at some rows of it."""
    columns = {}
    for name, column in frame.items():
        try:
            if isinstance(column.dtype, pd.DatetimeTZDtype):
                utc = pa.array(column.dt.tz_convert(None).to_numpy()).cast(pa.timestamp("us"), safe=False)
                columns[str(name)] = utc.cast(pa.timestamp("us", "UTC"))
            else:
                columns[str(name)] = pa.array(column, from_pandas=True)
        except pa.ArrowException as error:
            raise InputError(f"column {name} mixes types: {error}", where=where, next="Give it one type.") from None
    return pa.table(columns)


def scan_of(file: Path, *, header: bool = True, rejects: str = "ignore_errors=true") -> str:
    """SQL that scans a file; a CSV as text, with what to do about malformed lines."""
    if _kind(file) == "parquet":
        return f"read_parquet({quoted(file)})"
    return f"read_csv({quoted(file)}, header={header}, all_varchar=true, quote='\"', escape='\"', {rejects})"


def append(
    db: duckdb.DuckDBPyConnection, scan: str, where: str, mapping: dict[str, str], types: dict[str, str]
) -> None:
    """Append whatever `scan` reads to `raw`; see `read`."""
    described = {row[0]: row[1] for row in db.sql(f"describe select * from {scan}").fetchall()}
    if not all(name.isprintable() for name in described):
        raise InputError("is not a table: its first line is not text", where=where, next="Give CSV or Parquet.")
    if len(described) == 1 and any(mark in next(iter(described)) for mark in ",;\t|"):
        raise InputError(
            "cannot be split into columns: a quote is left open, as where a file breaks off",
            where=where,
            next="Export it again.",
        )
    present = theirs(list(described), mapping, where=where)
    changed = [ours for ours, name in present.items() if types.setdefault(ours, described[name]) != described[name]]
    if changed:
        raise InputError(
            f"column {changed[0]} is {described[present[changed[0]]]}, but {types[changed[0]]} in the files before",
            where=where,
            next="Give all files of a table the same types.",
        )
    columns = ", ".join(f"{named(name)} as {ours}" for ours, name in present.items())
    select = f"select {columns}, {quoted(where)} as file, row_number() over () as row from {scan}"
    exists = db.sql("select 1 from duckdb_tables() where table_name = 'raw'").fetchall()
    db.execute("create temp table if not exists malformed (file text, row bigint, reason text)")
    if exists and set(present) - {row[0] for row in db.sql("describe raw").fetchall()}:
        for ours in present:
            db.execute(f"alter table raw add column if not exists {ours} {types[ours]}")
    db.execute(f"insert into raw by name {select}" if exists else f"create temp table raw as {select}")


def _collect_malformed(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Move the lines DuckDB rejected to `malformed`; a file that breaks off or is not text is refused."""
    rejects = db.sql(
        "select line, min(error_type), min(error_message) from reject_errors group by line order by line"
    ).fetchall()
    db.execute("drop table reject_errors; drop table reject_scans")
    if any(kind == "INVALID ENCODING" for _, kind, _ in rejects):
        raise InputError("is not UTF-8 text", where=f"{file}, line {rejects[0][0]}", next="Save it as UTF-8.")
    rows = db.sql(f"select count(*) from raw where file = {quoted(file)}").fetchall()[0][0]
    if rejects and rejects[-1][0] >= rows + len(rejects) + 1:
        line, _, message = rejects[-1]
        raise InputError(
            f"breaks off in its last line: {message}", where=f"{file}, line {line}", next="Export it again."
        )
    if rejects:
        lines = [[str(file), line - 1, "malformed line"] for line, *_ in rejects]
        db.executemany("insert into malformed values (?, ?, ?)", lines)


def _refuse_if_cut(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Refuse a CSV without a final newline whose last value is written unlike all the others: "12.5", not "12.50"."""
    with file.open("rb") as bytes_:
        bytes_.seek(-1, 2)
        if file.name.endswith(".gz") or bytes_.read(1) in b"\r\n":
            return
    scan = scan_of(file)
    last_column = db.sql(f"describe select * from {scan}").fetchall()[-1][0]
    shape = f"regexp_replace(regexp_replace({named(last_column)}, '^-?[0-9]+', 'n'), '[0-9]', '9', 'g')"
    last, others = db.sql(
        f"with shapes as (select {shape} as shape, row_number() over () as row from {scan}) "
        "select (select shape from shapes order by row desc limit 1), "
        "(select list(distinct shape) from (from shapes order by row desc offset 1))"
    ).fetchall()[0]
    if others and len(others) == 1 and last != others[0]:
        raise InputError(
            f"breaks off: the last value of '{last_column}' is not written like the others, and no newline follows",
            where=str(file),
            next="Export it again; if it is complete, end it with a newline.",
        )


def _refuse_twins(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Refuse a CSV in which two columns have the same name: DuckDB would read the first and rename the second."""
    first = db.sql(f"select * from {scan_of(file, header=False)} limit 1").fetchall()
    names = [name for name in first[0] if name] if first else []
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InputError(f"two columns are named '{twins[0]}'", where=str(file), next="Rename or remove one of them.")


def named(column: str) -> str:
    """A column's name as SQL."""
    return '"' + column.replace('"', '""') + '"'


def quoted(text: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
