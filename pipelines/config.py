"""`stayworth.toml` as one frozen model: every key known, every business number given by its owner."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from features.errors import InputError, nearest
from features.ingest.log import Log
from features.ingest.postgresql import is_url
from features.ingest.schema import COSTS, CUSTOMERS, INTERACTIONS, ORDERS, TABLES, TREATMENTS, Column
from models.ensemble.business_terms import Terms
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


class Section(BaseModel):
    """A section of the config: frozen, and no key that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Section):
    """Where the tables are: a file, a folder or a glob of CSV or Parquet files, or a database's URL.

    Paths are relative to the config's folder.
    """

    orders: str
    """The order lines; required."""
    interactions: str | None = None
    """What customers did beside buying."""
    customers: str | None = None
    """A row per customer."""
    treatments: str | None = None
    """What campaigns did."""
    costs: str | None = None
    """What customers cost beside what they bought."""
    exclude_products: tuple[str, ...] = ()
    """Product ids that are no purchases (fees, tests); SQL LIKE patterns, upper and lower case alike."""


class ColumnNames(Section):
    """Our column names to theirs."""

    orders: Annotated[dict[str, str], _known_columns("orders", ORDERS)] = Field(default_factory=dict)
    interactions: Annotated[dict[str, str], _known_columns("interactions", INTERACTIONS)] = Field(default_factory=dict)
    customers: Annotated[dict[str, str], _known_columns("customers", CUSTOMERS)] = Field(default_factory=dict)
    treatments: Annotated[dict[str, str], _known_columns("treatments", TREATMENTS)] = Field(default_factory=dict)
    costs: Annotated[dict[str, str], _known_columns("costs", COSTS)] = Field(default_factory=dict)


class Time(Section):
    """How times are written and how far ahead to look."""

    horizon_days: int = Field(ge=1, le=1095)
    """Who orders nothing for this long has churned, or who leaves in it where customers have `left_at`; value is what
    a customer brings in it."""
    horizons: tuple[Annotated[int, Field(ge=1, le=1095)], ...] = ()
    """Further horizons to score, in days: derived from that of `horizon_days`, so that none contradicts another."""
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """The zone of times written without one."""
    format: str | None = None
    """strptime format of times that are not ISO, e.g. %d/%m/%Y %H:%M."""


class Money(Section):
    """The business terms of value; no number here has a default."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    """ISO 4217; one for the whole log."""
    gross_margin: float = Field(gt=0, le=1)
    """Share of revenue that is margin, where a line has no cost."""
    annual_discount_rate: float = Field(ge=0, le=1)
    """What a year's waiting costs."""
    lifetime_days: int = Field(ge=1, le=36500)
    """How far CLV looks."""


class Features(Section):
    """What becomes a feature beside the catalogue."""

    attributes: tuple[str, ...] = ()
    """Columns of the table `customers`. They carry no time: name only what was true before every day asked about."""


class Spark(Section):
    """Where `features` and `train` with `--engine spark` run."""

    master: str = "local[*]"
    """The address of a Spark master; local[*] is this machine, all cores."""


class Train(Section):
    """How hard to look for a model."""

    trials: int = Field(default=30, ge=1, le=10_000)
    """Optuna trials for the churn trees and for the value trees."""
    seed: int = Field(default=7, ge=0, lt=2**31)
    """The same seed and data give the same model."""
    monotone: dict[str, Literal[-1, 1]] = Field(default_factory=dict)
    """1 for a feature with which the churn probability may only rise, -1 for one with which it may only fall."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the trees are grown."""
    rows: int = Field(default=100_000, ge=10_000)
    """On how many rows the trees are grown at most; more than fit into memory stream from disk."""


class Tracking(Section):
    """Where MLflow keeps runs and models; sqlite paths are relative to the config's folder."""

    uri: str = "sqlite:///mlflow.db"
    """sqlite:///FILE, or the address of an MLflow server."""


class PlanSettings(Section):
    """How a campaign is measured, and whom it may reach."""

    holdout_share: float = Field(default=0.1, ge=0, le=0.5)
    """Share of the chosen customers left alone at random, so that the effect can be measured."""
    salt: str = "stayworth"
    """Changes who is held out; keep it secret from those who could game it."""
    capacity: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """The most contacts of a channel, by the name that offers give it."""
    do_not_contact: str | None = None
    """A CSV or Parquet file with customer_id: nobody in it is contacted nor held out."""
    quiet_days: int | None = Field(default=None, ge=1)
    """Whom another campaign contacted less than so many days ago is left alone."""


class Report(Section):
    """What the report cannot read from the tables."""

    tiers: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Status tiers: the least a customer of each spends in a year, in currency units."""
    involuntary: tuple[str, ...] = ()
    """The values of `left_reason` that were not the customer's choice: moved away, payment failed, …"""
    survey_range: tuple[float, float] | None = None
    """The lowest and the highest answer of the surveys among the interactions (`survey_score`, `survey_…`)."""
    targets: dict[str, float] = Field(default_factory=dict)
    """Targets of the strategy map, by indicator; `stayworth report` names the indicators."""

    @field_validator("survey_range")
    @classmethod
    def _ascending(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends and not ends[0] < ends[1]:
            raise ValueError("should be two numbers, the lowest answer first")
        return ends


class Output(Section):
    """Where the latest bundle, scores, plan and metrics stand, for `plan`, `report` and `serve` to find."""

    folder: str = "runs"
    """Relative to the config."""


class Config(Section):
    """The whole of `stayworth.toml`."""

    data: Data
    columns: ColumnNames = ColumnNames()
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
        """The shop's log, its paths resolved."""
        return Log(
            **{table: self._resolved(where) for table, where in self.data.model_dump(include=set(TABLES)).items()},
            currency=self.money.currency,
            gross_margin=self.money.gross_margin,
            attributes=self.features.attributes,
            mapping=self.columns.model_dump(),
            timezone=self.time.timezone,
            time_format=self.time.format,
            exclude_products=self.data.exclude_products,
        )

    def _resolved(self, where: str | None) -> str | None:
        return where if where is None or is_url(where) else os.path.normpath(self.home / where)

    @property
    def folder(self) -> Path:
        return Path(os.path.normpath(self.home / self.output.folder))

    @property
    def tracking_uri(self) -> str:
        """The tracking URI, a relative sqlite path resolved against the config's folder."""
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
        problems = [_problem(one) for one in error.errors()]
        what = (
            problems[0]
            if len(problems) == 1
            else f"{len(problems)} problems:" + "".join(f"\n  - {p}" for p in problems)
        )
        raise InputError(
            what, where=str(path), next="`stayworth init FILE` writes a config with every key explained."
        ) from None
    config._home = path.resolve().parent
    return config


def _problem(error: Any) -> str:
    """One wrong key in words: where it stands, what was found, what to write."""
    *section, key = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    place = ".".join([*section, key])
    if error["type"] == "extra_forbidden":
        known = _keys(section)
        return f"unknown key '{place}'; {nearest(key, known) or 'known are ' + ', '.join(known)}"
    if error["type"] == "missing":
        return f"'{place}' is missing"
    expected = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"'{place}' {expected}, found {error['input']!r}"


def _keys(section: list[str]) -> list[str]:
    """The keys known in a section of the config."""
    part: Any = Offer if section[:1] == ["offers"] else Config
    for name in section if part is Config else []:
        part = part.model_fields[name].annotation
    return list(part.model_fields)
