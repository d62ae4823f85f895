"""The config `stayworth.toml` as one frozen model: unknown keys are refused, and no business number has a default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator

from features.errors import InputError, nearest
from features.ingest.log import Log
from features.ingest.schema import COSTS, CUSTOMERS, INTERACTIONS, ORDERS, TABLES, TREATMENTS, Column
from features.ingest.table_source import Files
from models.ensemble.business_terms import Terms
from pipelines.shop_files.project_config import ProjectConfig, checked, read_toml
from pipelines.shop_files.read_settings import Read, Section

LABEL_COMMANDS = "check, train, evaluate, score --input, plan where values are known, models and serve"
"""The commands that a label table has."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"is not a time zone; {nearest(name, sorted(available_timezones())) or 'e.g. Europe/London'}")
    return name


def _known_columns(table: str, columns: dict[str, Column]) -> AfterValidator:
    def check(mapping: dict[str, str]) -> dict[str, str]:
        for name in mapping:
            if name not in columns:
                near = nearest(name, list(columns)) or ", ".join(columns)
                raise ValueError(f"'{name}' is not a column of {table}; {near}")
        return mapping

    return AfterValidator(check)


class Data(Section):
    """The place of each table: a file, a folder or a glob, or the URL of a database.

    Files are CSV and its kin, Parquet, Excel, JSON lines, SQLite and DuckDB, by the endings of their names.

    Paths are relative to the config's folder.
    """

    orders: str
    """The order lines; required."""
    interactions: str | None = None
    """Events other than orders: visits, complaints, survey scores, …"""
    customers: str | None = None
    """A row per customer."""
    treatments: str | None = None
    """Past contacts of campaigns, and the customers held out of them."""
    costs: str | None = None
    """Costs of serving customers, beside those of their orders."""
    exclude_products: tuple[str, ...] = ()
    """Product ids that are not purchases (fees, tests); SQL LIKE patterns, in which case does not matter."""


class ColumnNames(Section):
    """The names that the tables give to our columns: ours = theirs."""

    orders: Annotated[dict[str, str], _known_columns("orders", ORDERS)] = Field(default_factory=dict)
    interactions: Annotated[dict[str, str], _known_columns("interactions", INTERACTIONS)] = Field(default_factory=dict)
    customers: Annotated[dict[str, str], _known_columns("customers", CUSTOMERS)] = Field(default_factory=dict)
    treatments: Annotated[dict[str, str], _known_columns("treatments", TREATMENTS)] = Field(default_factory=dict)
    costs: Annotated[dict[str, str], _known_columns("costs", COSTS)] = Field(default_factory=dict)


class Time(Section):
    """The format of times, and the horizons."""

    horizon_days: int = Field(ge=1, le=1095)
    """A customer who orders nothing for this long has churned, or one who leaves within it, where customers have
    `left_at`; value is the margin a customer brings in it."""
    horizons: tuple[Annotated[int, Field(ge=1, le=1095)], ...] = ()
    """Further horizons to score, in days: derived from the one of `horizon_days`, so that none contradicts another."""
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """The time zone of times written without one."""
    format: str | tuple[str, ...] | None = None
    """How times are written, where it is not read off them: strptime formats such as %d/%m/%Y %H:%M, or epoch_s,
    epoch_ms, epoch_us, epoch_ns or excel (days since 1899-12-30). An offset in a time wins over `timezone`."""


class Money(Section):
    """The business terms of value; no number here has a default."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    """ISO 4217; one for the whole log."""
    gross_margin: float = Field(gt=0, le=1)
    """Share of revenue that is margin, where an order line has no cost."""
    annual_discount_rate: float = Field(ge=0, le=1)
    """The rate at which money that comes a year later is discounted."""
    lifetime_days: int = Field(ge=1, le=36500)
    """The number of days over which customer lifetime value is counted."""


class Features(Section):
    """Features beside those of the catalogue."""

    attributes: tuple[str, ...] = ()
    """Columns of the table `customers`. They carry no time: name only facts that were true before every day scored."""


class Spark(Section):
    """The Spark on which `features` and `train` run with `--engine spark`."""

    master: str = "local[*]"
    """The address of a Spark master; local[*] is this machine with all its cores."""


class Train(Section):
    """The search for a model, and the growing of its trees."""

    trials: int = Field(default=30, ge=1, le=10_000)
    """Optuna trials, for the churn trees and for the value trees each."""
    seed: int = Field(default=7, ge=0, lt=2**31)
    """The same seed and data give the same model."""
    monotone: dict[str, Literal[-1, 1]] = Field(default_factory=dict)
    """1 for a feature with which the churn probability may only rise, -1 for one with which it may only fall."""
    device: Literal["cpu", "cuda"] = "cpu"
    """The device on which the trees are grown."""
    rows: int = Field(default=100_000, ge=10_000)
    """The most rows that the trees are grown on; rows that do not fit into memory are streamed from disk."""


class Report(Section):
    """Facts for the report that the tables do not contain."""

    tiers: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Status tiers: the least that a customer of each tier spends in a year, in currency units."""
    involuntary: tuple[str, ...] = ()
    """Values of `left_reason` that were not the customer's choice: moved away, payment failed, …"""
    survey_range: tuple[float, float] | None = None
    """The lowest and the highest possible answer of the surveys among the interactions (`survey_score`, `survey_…`)."""
    targets: dict[str, float] = Field(default_factory=dict)
    """Targets of the strategy map, by indicator; `stayworth report` lists the indicators."""

    @field_validator("survey_range")
    @classmethod
    def _ascending(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends and not ends[0] < ends[1]:
            raise ValueError("should be two numbers, the lowest answer first")
        return ends


class Config(ProjectConfig):
    """The whole of `stayworth.toml`, of a log of orders."""

    data: Data
    columns: ColumnNames = ColumnNames()
    read: Read = Read()
    time: Time
    money: Money
    features: Features = Features()
    spark: Spark = Spark()
    train: Train = Train()
    report: Report = Report()

    @property
    def terms(self) -> Terms:
        return Terms(horizon_days=self.time.horizon_days, **self.money.model_dump())

    @property
    def log(self) -> Log:
        """The shop's log, with its paths resolved."""
        places = self.data.model_dump(include=set(TABLES))
        sources = {table: None if where is None else self.resolved(where) for table, where in places.items()}
        return Log(
            **sources,  # type: ignore[arg-type]
            currency=self.money.currency,
            gross_margin=self.money.gross_margin,
            attributes=self.features.attributes,
            mapping=self.columns.model_dump(),
            timezone=self.time.timezone,
            time_format=self.time.format,
            read=self.read.options,
            exclude_products=self.data.exclude_products,
        )


def load(path: Path) -> Config:
    """Read and check the config of a log. Raises InputError naming the file, every wrong key and what to write."""
    content = read_toml(path)
    if is_label_config(content):
        raise InputError(
            "is the config of a label table, one row per customer without time: this command needs a log of orders",
            where=str(path),
            next=f"A label table has {LABEL_COMMANDS}. For the rest, name a log: stayworth init ORDERS.",
        )
    config = checked(Config, content, path)
    _refuse_own_output_as_input(config, path)
    return config


def _refuse_own_output_as_input(config: Config, path: Path) -> None:
    """Raise InputError if the output folder lies in a folder whose files are all read: the next run would read them."""
    for table, where in config.data.model_dump(include=set(TABLES)).items():
        source = config.resolved(where) if where else None
        if not isinstance(source, Files) or not Path(source.where).is_dir():
            continue
        if config.folder.resolve().is_relative_to(Path(source.where).resolve()):
            raise InputError(
                f"is a folder with the output folder in it, '{config.output.folder}', whose files would be read too",
                where=f"{path}: data.{table}",
                next=f'Name the files, {table} = "{where.rstrip("/")}/*.csv" for example, or another [output] folder.',
            )


def is_label_config(content: Mapping[str, Any]) -> bool:
    """True if the content of a config names a label table."""
    data = content.get("data")
    return isinstance(data, dict) and "labelled" in data
