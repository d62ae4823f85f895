"""The config `stayworth.toml` as one frozen model: unknown keys are refused, and no business number has a default."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError, field_validator

from features.errors import InputError, nearest
from features.ingest.log import Log
from features.ingest.schema import COSTS, CUSTOMERS, INTERACTIONS, ORDERS, TABLES, TREATMENTS, Column
from features.ingest.table_source import Files, TableSource, parse_source
from models.ensemble.business_terms import Terms
from pipelines.shop_files.read_settings import Read, Section
from retention.economics.offers import Offer


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


class Tracking(Section):
    """The place where MLflow keeps runs and models; sqlite paths are relative to the config's folder."""

    uri: str = "sqlite:///mlflow.db"
    """sqlite:///FILE, or the address of an MLflow server."""


class PlanSettings(Section):
    """The holdout of a campaign, and the customers it may contact."""

    holdout_share: float = Field(default=0.1, ge=0, le=0.5)
    """Share of the chosen customers held out at random, so that the effect can be measured."""
    salt: str = "stayworth"
    """Another salt holds out other customers; keep it secret from anyone who could exploit it."""
    capacity: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """The most contacts of each channel, by the name that offers give it."""
    do_not_contact: str | None = None
    """A CSV or Parquet file with customer_id: customers in it are neither contacted nor held out."""
    quiet_days: int | None = Field(default=None, ge=1)
    """Customers whom another campaign contacted less than so many days ago are suppressed."""


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


class Output(Section):
    """The folder of the latest scores, plan and metrics, where `plan`, `report` and `serve` find them."""

    folder: str = "runs"
    """Relative to the config's folder."""


class Config(Section):
    """The whole of `stayworth.toml`."""

    data: Data
    columns: ColumnNames = ColumnNames()
    read: Read = Read()
    time: Time
    money: Money
    features: Features = Features()
    spark: Spark = Spark()
    train: Train = Train()
    tracking: Tracking = Tracking()
    plan: PlanSettings = PlanSettings()
    report: Report = Report()
    output: Output = Output()
    offers: tuple[Offer, ...] = ()
    _home: Path = PrivateAttr()

    @property
    def home(self) -> Path:
        """The folder of the config file: relative paths start there."""
        return self._home

    @property
    def terms(self) -> Terms:
        return Terms(horizon_days=self.time.horizon_days, **self.money.model_dump())

    @property
    def log(self) -> Log:
        """The shop's log, with its paths resolved."""
        sources = {table: self._resolved(where) for table, where in self.data.model_dump(include=set(TABLES)).items()}
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

    def _resolved(self, where: str | None) -> TableSource | None:
        source = None if where is None else parse_source(where)
        if isinstance(source, Files):
            return Files(os.path.normpath(self.home / source.where), source.rows)
        return source

    @property
    def folder(self) -> Path:
        return Path(os.path.normpath(self.home / self.output.folder))

    @property
    def tracking_uri(self) -> str:
        """The tracking URI, with a relative sqlite path resolved against the config's folder."""
        scheme, _, path = self.tracking.uri.partition(":///")
        return f"sqlite:///{os.path.normpath(self.home / path)}" if scheme == "sqlite" else self.tracking.uri


def load(path: Path) -> Config:
    """Read and check a config. Raises InputError naming the file, every wrong key and what to write instead."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError("no such config", where=str(path), next="Make one: stayworth init FILE.") from None
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), next="Name a TOML file with -c."
        ) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", where=str(path), next="Name a TOML file with -c.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is not TOML: {error}", where=str(path), next="Compare with stayworth init FILE.") from None
    try:
        config = Config(**content)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        listed = f"{len(problems)} problems:" + "".join(f"\n  - {problem}" for problem in problems)
        raise InputError(
            problems[0] if len(problems) == 1 else listed,
            where=str(path),
            next="`stayworth init FILE` writes a config with every key explained.",
        ) from None
    config._home = path.resolve().parent
    return config


def _problem(error: Any) -> str:
    """Describe one wrong key: its place, the value found, and what to write instead."""
    *section, key = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    place = ".".join([*section, key])
    if error["type"] == "extra_forbidden":
        known = _keys(section)
        return f"unknown key '{place}'; {nearest(key, known) or 'known keys are ' + ', '.join(known)}"
    if error["type"] == "missing":
        return f"'{place}' is missing"
    expected = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"'{place}' {expected}, found {error['input']!r}"


def _keys(section: list[str]) -> list[str]:
    """The known keys of a section of the config."""
    part: Any = Offer if section[:1] == ["offers"] else Config
    for name in section if part is Config else []:
        part = part.model_fields[name].annotation
    return list(part.model_fields)
