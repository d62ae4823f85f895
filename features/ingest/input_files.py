"""The files that a path, folder or glob names, and the kind of each by the ending of its name."""

import glob
import re
from pathlib import Path

from features.errors import InputError

FORMATS = {
    "csv": (".csv", ".tsv", ".txt", ".tab", ".psv", ".dat", ".csv.gz", ".tsv.gz", ".txt.gz"),
    "parquet": (".parquet", ".pq"),
    "workbook": (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "sqlite": (".sqlite", ".sqlite3", ".db", ".db3"),
    "duckdb": (".duckdb", ".ddb"),
    "zip": (".zip",),
}
"""Kind of file → endings."""
KIND_OF = {ending: kind for kind, endings in FORMATS.items() for ending in endings}
KINDS = "CSV (also .tsv, .txt, .gz, .zip), Parquet, Excel, JSON lines, SQLite or DuckDB"
IN_DATABASE = re.compile(r"(.*\.(?:sqlite3?|db3?|duckdb|ddb))#(.+)", re.DOTALL | re.IGNORECASE)
"""A file that is a database, and the table or query in it."""
DUCKDB_MARK = b"DUCK"


def find_files(where: str | Path) -> list[Path]:
    """The files a path, folder or glob names, in ascending order; raises InputError if there is none to read."""
    path = Path(where)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file_format(file))
        if not files:
            raise InputError("is a folder without a file that we read", where=str(where), next=f"We read {KINDS}.")
    elif glob.has_magic(str(where)) and not path.exists():
        files = sorted(Path(file) for file in glob.glob(str(where), recursive=True) if Path(file).is_file())
        if not files:
            raise InputError(
                "no file matches", where=str(where), next="Check the path; a config names it under [data]."
            )
    elif path.exists():
        files = [path]
    else:
        raise InputError("no such file", where=str(where), next="Check the path; a config names it under [data].")
    for file in files:
        if not file_format(file):
            raise InputError(
                f"'{file.suffix}' is not a kind of file we read", where=str(file), next=f"Give {KINDS}, by its ending."
            )
        if file.stat().st_size == 0:
            raise InputError("is empty (0 bytes)", where=str(file), next="Export it again.")
    return files


def file_format(file: Path) -> str | None:
    """The kind of a file, by its ending; None for one that we do not read.

    >>> file_format(Path("orders.csv.gz")), file_format(Path("orders.pdf"))
    ('csv', None)
    """
    name = file.name.lower()
    kind = next((kind for ending, kind in KIND_OF.items() if name.endswith(ending)), None)
    if kind == "sqlite" and file.is_file():
        with file.open("rb") as bytes_:
            return "duckdb" if bytes_.read(12)[8:12] == DUCKDB_MARK else kind
    return kind
