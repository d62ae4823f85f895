"""The config of a label table as a frozen model, and its rows: read as text and told apart by their label."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np
import pandas as pd
from pydantic import Field

from features.arrays import Floats
from features.errors import InputError, nearest
from features.ingest.csv_checks import NOT_UTF8
from features.ingest.duckdb_connection import connect
from features.ingest.formats.delimited import CsvFile, in_western
from features.ingest.formats.open_file import OpenFile, open_file
from features.ingest.object_store import object_url
from features.ingest.read_options import ReadOptions
from features.ingest.sources import readable
from features.ingest.table_source import Files, Objects, TableSource
from models.labelled.table_columns import BLANKS, names_of
from pipelines.config import Config, is_label_config, load
from pipelines.shop_files.project_config import ProjectConfig, checked, read_toml
from pipelines.shop_files.read_settings import Section

STAYING = re.compile(r"retain|active|stay|renew|loyal|kept|alive|subscribed", re.IGNORECASE)
"""A label of such a name says who stayed: a yes there does not mean leaving."""
FEWEST_OF_A_KIND = 10
"""Rows of either label below which nothing can be judged."""
LEAVERS = (
    "yes",
    "y",
    "1",
    "true",
    "t",
    "left",
    "churned",
    "churn",
    "lost",
    "inactive",
    "cancelled",
    "canceled",
    "gone",
)
"""Values that mean that a customer left, in lower case, the surest first."""


YES = ("yes", "y", "1", "1.0", "true", "t")
"""Leavers, where the name of the label does not say the opposite."""


class LabelData(Section):
    """The place of the label table."""

    labelled: str
    """A file, folder or glob: one row per customer."""


class LabelColumnNames(Section):
    """The names that the table gives to our columns; every other column is a feature."""

    customer_id: str = "customer_id"
    churned: str = "churned"
    """The label: two values, one of which means that the customer left."""
    future_value: str | None = None
    """What the customer brought afterwards, in currency units, if known: never a feature."""


class LabelColumns(Section):
    """The column names of the table."""

    labelled: LabelColumnNames = LabelColumnNames()


class Label(Section):
    """What the label means, and columns that must not be learned from."""

    left: str | None = None
    """The value that means that a customer left; default: guessed, and said."""
    unused: tuple[str, ...] = ()
    """Columns not to learn from, such as those known only once a customer has left."""


class LabelMoney(Section):
    """The currency of values and offers."""

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")


class LabelTraining(Section):
    """The search for a model, and how it is judged."""

    trials: int = Field(default=20, ge=1, le=10_000)
    """Optuna trials, inside every fold."""
    folds: int = Field(default=5, ge=2, le=20)
    """Folds of customers, each judged by a model of the others."""
    repeats: int = Field(default=2, ge=1, le=20)
    """How often the folds are drawn anew; once above 20,000 rows."""
    seed: int = Field(default=7, ge=0, lt=2**31)
    monotone: dict[str, Literal[-1, 1]] = Field(default_factory=dict)
    """1 for a column with which the trees' probability may only rise, -1 for one with which it may only fall."""


class LabelConfig(ProjectConfig):
    """The whole of `stayworth.toml`, of a label table."""

    data: LabelData
    columns: LabelColumns = LabelColumns()
    label: Label = Label()
    money: LabelMoney = LabelMoney()
    train: LabelTraining = LabelTraining()

    @property
    def names(self) -> LabelColumnNames:
        return self.columns.labelled


def load_either(path: Path) -> Config | LabelConfig:
    """The config of a log, or that of a label table; raises InputError as `pipelines.config.load`."""
    content = read_toml(path)
    return checked(LabelConfig, content, path) if is_label_config(content) else load(path)


@dataclass(frozen=True)
class LabelledRows:
    """A label table, its rows told apart."""

    features: pd.DataFrame
    """The columns that may be learned from, as written; a row per customer with a label."""
    churned: Floats
    """1 where the customer left, else 0."""
    value: Floats | None
    """What they brought afterwards, currency units."""
    left: str
    """The value of the label that means leaving."""
    values: dict[str, int]
    """Rows by value of the label."""
    unlabelled: int
    """Rows left out because they have no label."""


def read_labelled(config: LabelConfig) -> LabelledRows:
    """Read the table; raises InputError for one that is not one row per customer with two labels."""
    names, where = config.names, config.data.labelled
    rows = read_rows(config.resolved(where))
    named = {"customer_id": names.customer_id, "churned": names.churned} | (
        {"future_value": names.future_value} if names.future_value else {}
    )
    for key, name in {**named, **{f"unused {place}": name for place, name in enumerate(config.label.unused)}}.items():
        require_column(rows, name, where=where, key=key)
    ids = names_of(rows[names.customer_id])
    if (again := int(ids.duplicated().sum() - max(ids.isna().sum() - 1, 0))) or ids.isna().any():
        raise InputError(
            f"of {len(rows):,} rows, {again:,} repeat a {names.customer_id} and {int(ids.isna().sum()):,} have none",
            where=where,
            next="Give one row per customer, or say which column is the id: [columns.labelled] customer_id.",
        )
    labels = names_of(rows[names.churned])
    counts = label_values(labels, where=where, column=names.churned)
    left = leaving_value(list(counts), config.label.left, column=names.churned, where=where)
    kept = labels.notna().to_numpy()
    value = None
    if names.future_value:
        value = pd.to_numeric(rows.loc[kept, names.future_value], errors="coerce").to_numpy(float)
        if unread := int((~np.isfinite(value)).sum()):
            raise InputError(
                f"{unread:,} of {len(value):,} values of {names.future_value} are no numbers",
                where=where,
                next="Write each as a plain number, 0 for a customer who brought nothing.",
            )
    unused = [*named.values(), *config.label.unused]
    features = rows[kept].drop(columns=unused).reset_index(drop=True)
    return LabelledRows(features, (labels[kept] == left).to_numpy(float), value, left, counts, int((~kept).sum()))


def read_rows(source: TableSource) -> pd.DataFrame:
    """All rows of a table in files, cells as they are written; ids and codes in a CSV stay text."""
    if not isinstance(source, Files | Objects):
        raise InputError("takes files, not a database", where="[data] labelled", next="Export the table as CSV.")
    parts: list[pd.DataFrame] = []
    for file in source.paths():
        with (
            readable(object_url(file)),
            connect() as db,
            tempfile.TemporaryDirectory(prefix="stayworth-") as folder,
            open_file(
                db, file, ReadOptions(), scratch=Path(folder), rows=source.rows, label=object_url(file)
            ) as tables,
        ):
            parts += [_read(db, table, Path(folder)) for table in tables]
    rows = pd.concat(parts, ignore_index=True)
    if rows.empty:
        raise InputError("has no rows", where=source.label("labelled"), next="Export it again.")
    return rows


def _read(db: duckdb.DuckDBPyConnection, table: OpenFile, scratch: Path) -> pd.DataFrame:
    """The rows; raises InputError where lines of a CSV do not fit its header: their customers would be missing."""
    if table.csv is None:
        return db.sql(f"select * from {table.scan}").df()
    rows, broken = _read_csv(db, table.csv)
    if any(kind == NOT_UTF8 for *_, kind in broken):
        rows, broken = _read_csv(db, in_western(table.csv, scratch=scratch))
    if broken:
        line, message, _ = broken[0]
        raise InputError(
            f"{len(broken):,} line{'s' * (len(broken) != 1)} cannot be read, the first is line {line}: {message}",
            where=table.label,
            next="Mend or remove them, or export the table again.",
        )
    return rows


def _read_csv(db: duckdb.DuckDBPyConnection, file: CsvFile) -> tuple[pd.DataFrame, list[tuple[int, str, str]]]:
    """The rows of a CSV, and its malformed lines: number, message, kind."""
    rows = db.sql(f"select * from {file.scan(rejects='store_rejects=true')}").df()
    broken = db.sql(
        "select line, min(error_message), min(error_type) from reject_errors group by line order by line"
    ).fetchall()
    db.execute("drop table reject_errors; drop table reject_scans")
    return rows, broken


def require_column(rows: pd.DataFrame, name: str, *, where: str, key: str) -> None:
    """Raise InputError for a column that the table does not have."""
    if name not in rows.columns:
        known = [str(column) for column in rows.columns]
        raise InputError(
            f"has no column '{name}' for {key}; {nearest(name, known) or 'it has ' + ', '.join(known[:30])}",
            where=where,
            next="Name one that it has: in [columns.labelled], or with --label and --column where `init` is asked.",
        )


def label_values(labels: pd.Series, *, where: str, column: str) -> dict[str, int]:
    """Rows by value of a label; raises InputError unless it has two values of enough rows."""
    counts = {str(value): int(rows) for value, rows in labels.value_counts().items()}
    shown = ", ".join(f"{value} ({rows:,})" for value, rows in list(counts.items())[:6])
    if len(counts) != 2:
        listed = f": {shown}{', …' if len(counts) > 6 else ''}" if counts else ""
        is_value = len(counts) > 10 and pd.to_numeric(pd.Series(list(counts)), errors="coerce").notna().all()
        raise InputError(
            f"the label {column} has {len(counts):,} different value{'s' * (len(counts) != 1)}, not two{listed}",
            where=where,
            next="A label says who left and who stayed: name a column with two values, or make one of it"
            + (
                f" (left = yes where {column} is 0, say) and keep this one as --column future_value={column}."
                if is_value
                else "; rows of which it is not known stay empty."
            ),
        )
    if min(counts.values()) < FEWEST_OF_A_KIND:
        raise InputError(
            f"the label {column} is {shown}: fewer than {FEWEST_OF_A_KIND} rows of one kind tell nothing",
            where=where,
            next="Give more customers who left, or who stayed.",
        )
    return counts


def leaving_value(values: list[str], given: str | None, *, column: str, where: str) -> str:
    """The value that means leaving: as given, else the one that says so; raises InputError where neither does."""
    if given is not None:
        if given.strip() not in values:
            raise InputError(
                f"'{given}' is not a value of the label; it has {' and '.join(values)}",
                where=f"{where}, [label] left",
                next="Name one of these.",
            )
        return given.strip()
    lower = {value.lower().removesuffix(".0"): value for value in values}
    found = [lower[word] for word in LEAVERS if word in lower]
    if len(found) != 1 or (STAYING.search(column) and found[0].lower() in YES):
        likely = next((value for value in values if value not in found), values[-1])
        raise InputError(
            f"which of {' and '.join(values)} means that a customer left cannot be guessed of a label named {column}",
            where=where,
            next=f'Say it: [label] left = "{likely}", or --column left={likely} with `init`.',
        )
    return found[0]


def missing_share(cells: pd.Series) -> float:
    """Share of cells that stand for no value."""
    text = cells.astype("str").str.strip().str.lower()
    return float((cells.isna() | text.isin(BLANKS)).mean())
