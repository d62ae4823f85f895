"""The CSV and Parquet files that a path, folder or glob names."""

import glob
from pathlib import Path

from features.errors import InputError
from features.ingest import csv_checks

FORMATS = {".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def find_files(where: str | Path) -> list[Path]:
    """The files a path, folder or glob names, in ascending order; raises InputError if there is none to read."""
    path = Path(where)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file_format(file))
        if not files:
            raise InputError(
                "is a folder without CSV or Parquet files", where=str(where), next="Name a file or a glob."
            )
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
                f"'{file.suffix}' is not a kind of file we read", where=str(file), next="Give CSV or Parquet."
            )
        if file.stat().st_size == 0:
            raise InputError("is empty (0 bytes)", where=str(file), next="Export it again.")
    return files


def file_format(file: Path) -> str | None:
    """csv or parquet, by the ending; None for a file that we do not read."""
    return next((form for ending, form in FORMATS.items() if file.name.lower().endswith(ending)), None)


def scan_of(file: Path) -> str:
    """SQL that reads a file; a CSV as text, without its malformed lines."""
    return f"read_parquet({csv_checks.quoted(file)})" if file_format(file) == "parquet" else csv_checks.scan(file)
