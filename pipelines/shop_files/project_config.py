"""What every config has, whatever its data are: tracking, plan, output and offers; how a config is read and checked."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError

from features.errors import InputError, nearest
from features.ingest.table_source import Files, TableSource, parse_source
from pipelines.run_folder import parse_size
from pipelines.shop_files.read_settings import Section
from retention.economics.offers import Offer

AnyConfig = TypeVar("AnyConfig", bound="ProjectConfig")


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


def _known_size(text: str) -> str:
    try:
        parse_size(text)
    except InputError:
        raise ValueError("is not a size such as 20GB or 500MB") from None
    return text


class Output(Section):
    """The folder of the latest scores, plan and metrics, where `plan`, `report` and `serve` find them."""

    folder: str = "runs"
    """Relative to the config's folder."""
    store: Annotated[str, AfterValidator(_known_size)] = "20GB"
    """The most that the histories of logs take there, so that a log is not read again; 0 keeps none."""


SHARE_OF_MEMORY = 0.6
"""The share of the machine's memory that a run may take by default."""


def machine_memory() -> int:
    """Bytes that a run may take by default: a share of the machine's memory."""
    return int(SHARE_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


class ProjectConfig(Section):
    """The parts of a config that do not depend on what the data are."""

    tracking: Tracking = Tracking()
    plan: PlanSettings = PlanSettings()
    output: Output = Output()
    offers: tuple[Offer, ...] = ()
    _home: Path = PrivateAttr()
    _is_read_anew: bool = PrivateAttr(default=False)
    _memory_bytes: int | None = PrivateAttr(default=None)

    @property
    def home(self) -> Path:
        """The folder of the config file: relative paths start there."""
        return self._home

    @property
    def is_read_anew(self) -> bool:
        """True if the log is to be read again, whatever the store holds."""
        return self._is_read_anew

    @property
    def store_bytes(self) -> int:
        """The most bytes that the store of histories may have."""
        return parse_size(self.output.store)

    @property
    def memory_bytes(self) -> int:
        """The memory that a run may take, all in all."""
        return self._memory_bytes or machine_memory()

    def run_with(self, *, is_fresh: bool = False, memory_bytes: int | None = None) -> Self:
        """The same config for a run: its log is read again if `is_fresh`; memory_bytes: None takes the default."""
        config = self.model_copy()
        config._is_read_anew, config._memory_bytes = is_fresh, memory_bytes
        return config

    @property
    def folder(self) -> Path:
        return Path(os.path.normpath(self.home / self.output.folder))

    @property
    def tracking_uri(self) -> str:
        """The tracking URI, with a relative sqlite path resolved against the config's folder."""
        scheme, _, path = self.tracking.uri.partition(":///")
        return f"sqlite:///{os.path.normpath(self.home / path)}" if scheme == "sqlite" else self.tracking.uri

    def resolved(self, where: str) -> TableSource:
        """The source of a table, its path resolved against the config's folder."""
        source = parse_source(where)
        if isinstance(source, Files):
            return Files(os.path.normpath(self.home / source.where), source.rows)
        return source


def place_of(source: TableSource, config_folder: Path) -> str:
    """A source as a config in that folder names it."""
    if not isinstance(source, Files):
        return str(source)
    path = Path(source.where).absolute()
    relative = path.relative_to(config_folder) if path.is_relative_to(config_folder) else path
    return relative.as_posix() + (f"#{source.rows}" if source.rows else "")


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; raises InputError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
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


def checked(kind: type[AnyConfig], content: Mapping[str, Any], path: Path) -> AnyConfig:
    """The config that a file's content makes; raises InputError naming every wrong key."""
    try:
        config = kind(**content)
    except ValidationError as error:
        problems = [_problem(detail, kind) for detail in error.errors()]
        listed = f"{len(problems)} problems:" + "".join(f"\n  - {problem}" for problem in problems)
        raise InputError(
            problems[0] if len(problems) == 1 else listed,
            where=str(path),
            next="`stayworth init FILE` writes a config with every key explained.",
        ) from None
    config._home = path.resolve().parent
    return config


def _problem(error: Any, kind: type[ProjectConfig]) -> str:
    """Describe one wrong key: its place, the value found, and what to write instead."""
    *section, key = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    place = ".".join([*section, key])
    if error["type"] == "extra_forbidden":
        known = _keys(section, kind)
        return f"unknown key '{place}'; {nearest(key, known) or 'known keys are ' + ', '.join(known)}"
    if error["type"] == "missing":
        return f"'{place}' is missing"
    expected = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"'{place}' {expected}, found {error['input']!r}"


def _keys(section: list[str], kind: type[ProjectConfig]) -> list[str]:
    """The known keys of a section of the config."""
    part: Any = Offer if section[:1] == ["offers"] else kind
    for name in section if part is kind else []:
        part = part.model_fields[name].annotation
    return list(part.model_fields)
