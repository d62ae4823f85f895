"""A first `stayworth.toml` for a file of orders: columns and formats read off the file, every key explained.

A config is always written. Where the file leaves something open, its line is marked FILL IN, and the error says what to
write there; nothing that money hangs on is guessed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from features.ingest.log import Log
from features.ingest.mistakes import export_statuses as statuses
from features.ingest.read_options import ReadOptions
from features.ingest.table_source import Database, Files, Objects, parse_source
from pipelines.shop_files import sample as samples
from pipelines.shop_files.column_guess import Guess, guess_columns
from pipelines.shop_files.project_config import place_of
from pipelines.shop_files.sample import Sample, Written
from pipelines.shop_files.template import TEMPLATE

FILL_IN = "FILL IN"
"""The mark of lines that the user has to write; a config with one may be replaced."""
SHOWN = ("refunded", "profit", "amount_in", "amount_of", "discount_in", "decimal")
"""The settings that change how the amount of an example is read."""


@dataclass(frozen=True)
class FirstConfig:
    """The text of a config, and what it leaves open."""

    text: str
    question: InputError | None
    """What the user has to decide; None if nothing."""
    missing: list[str]
    """Our columns that nothing looks like."""
    examples: list[dict[str, str]]
    """The first orders of the file as they are read; none while something is open."""
    platform: str | None


def first_config(
    orders: str,
    *,
    config_folder: Path,
    given: Mapping[str, str] | None = None,
    time_format: str | None = None,
    decimal: str | None = None,
    sheet: str | None = None,
) -> FirstConfig:
    """The config for a file, folder or glob of orders.

    given: our columns → theirs, as far as the user names them; the others are guessed. time_format, decimal, sheet: as
    the user says. Business numbers cannot be
    guessed: they are marked ASSUMED. Raises InputError for a file that cannot be read.
    """
    source = parse_source(orders)
    if not isinstance(source, Files | Objects):
        raise (
            InputError(
                "takes files and objects (s3://, gs://, az://), not another address",
                where="init",
                next="Give it a CSV of a few orders, then put the database in its place: docs/how-to/postgresql.md.",
            )
            if isinstance(source, Database)
            else InputError("takes files", where="init")
        )
    with samples.open_sample(source, ReadOptions(sheet=sheet)) as sample:
        guess = guess_columns(sample.types, given or {}, where=sample.where)
        settings, comments = _read_settings(sample, guess)
        settings |= {key: value for key, value in (("sheet", sheet), ("decimal", decimal)) if value}
        question = _missing(guess, sample)
        read = {"orders": ReadOptions(**{key: settings[key] for key in SHOWN if key in settings})}  # type: ignore[arg-type]
        zone = samples.zone_of(sample, guess)
        log = Log("", currency="USD", gross_margin=1.0, timezone=zone or "UTC", time_format=time_format, read=read)
        written = Written() if question else samples.written(sample, guess, log)
        question = question or written.question
        text = TEMPLATE.format(
            orders=json.dumps(place_of(source, config_folder), ensure_ascii=False),
            mapping=_mapping(guess),
            names=json.dumps(list(sample.types), ensure_ascii=False),
            unused=_unused(guess, sample, settings),
            read=_read_section(settings, comments, written.question),
            timezone=_timezone(written, zone),
            format=_format((time_format,) if time_format else written.formats, written.question),
            currency=json.dumps(written.currency or "USD"),
            currency_note="found in the file" if written.currency else "ASSUMED: ISO 4217",
        )
        examples = [] if question else samples.examples(sample, guess, log)
        return FirstConfig(text, question, guess.missing, examples, guess.platform.name if guess.platform else None)


def _missing(guess: Guess, sample: Sample) -> InputError | None:
    """The question which column is which, where no name says so."""
    if not guess.missing:
        return None
    return InputError(
        f"no column looks like {' or '.join(guess.missing)}; the columns are {', '.join(sample.types)}",
        where=sample.where,
        next="Say which they are: add "
        + " ".join(f"--column {ours}=NAME" for ours in guess.missing)
        + (" (quantity and unit_price stand in for amount)." if "amount" in guess.missing else ".")
        + _subscriptions(sample)
        + (
            " If it has one row per customer and a column that says who left: --label COLUMN."
            if "ordered_at" in guess.missing
            else ""
        ),
    )


def _subscriptions(sample: Sample) -> str:
    """What to do with a table of contracts."""
    names = " ".join(sample.types).lower()
    if ("start" in names and "end" in names) or "mrr" in names:
        return " A table of subscriptions has no orders: give the invoices or payments, one row each, as orders."
    return ""


def _read_settings(sample: Sample, guess: Guess) -> tuple[dict[str, str], list[str]]:
    """The settings of `[read.orders]`, and comments about what was seen."""
    if "currency" not in guess.columns and (currencies := samples.currency_column(sample, guess)):
        guess.columns["currency"] = currencies
    refunds = guess.read.get("refunded")
    if refunds and statuses.is_refund_flag(refunds, sample.values(refunds, most=statuses.MOST_VALUES)):
        del guess.read["refunded"]
    if time := samples.time_column(sample, guess):
        guess.read["time_of_day"] = time
    settings, comments = dict(guess.read), []
    where, values = samples.status_condition(sample, guess)
    if where:
        settings["where"] = where
    for name, cells in values.items():
        comments.append(f"# {json.dumps(name)} holds {', '.join(cells[:12])}{', …' if len(cells) > 12 else ''}")
    discount = samples.discount_setting(sample, guess)
    if discount == "code":
        comments.append(f"# {json.dumps(guess.columns.pop('discount'))} holds codes, not money: it is not used")
    elif discount:
        settings["discount_in"] = discount
    if settings.get("amount_in") == "cents" and not samples.is_whole(sample, guess.columns["amount"]):
        del settings["amount_in"]
    if settings.get("amount_of") == "order" and "order_id" not in guess.columns:
        del settings["amount_of"]
    settings |= {name: value for name, value in sample.notes.items() if name in ("encoding",)}
    return settings, comments


def _mapping(guess: Guess) -> str:
    lines = [f"{ours} = {_text(theirs)}" for ours, theirs in guess.columns.items() if ours != theirs]
    lines += [f'{ours} = ""                       # {FILL_IN}: the name of your column' for ours in guess.missing]
    return "\n".join(lines) or "# every column has our name already"


def _unused(guess: Guess, sample: Sample, settings: Mapping[str, str]) -> str:
    names = [name for name in guess.unused(list(sample.types)) if name not in str(settings.get("where", ""))]
    listed = ", ".join(json.dumps(name, ensure_ascii=False) for name in names)
    platform = f"\n# the header is that of {guess.platform.name}" if guess.platform else ""
    return platform + (f"\n# not used: {listed}" if names else "")


def _read_section(settings: Mapping[str, str], comments: list[str], question: InputError | None) -> str:
    """The section `[read.orders]`."""
    notes = {
        "amount_of": "the amount is the total of an order, on its first line or on each",
        "refunded": "taken off the amount",
        "profit": "the margin, in place of a cost",
        "time_of_day": "the time of day of each date",
        "where": "GUESS: the rows to keep; the others are counted, and left out",
        "amount_in": "GUESS: money is in minor units",
        "discount_in": "GUESS: the discount is a part of the price",
    }
    lines = [
        f"{key} = {_text(value)}" + (f"    # {notes[key]}" if key in notes else "") for key, value in settings.items()
    ]
    if question and "decimal" in question.next:
        lines.append(f'# decimal = "."                     # {FILL_IN}: "." or ",": {question.what.split(";")[0]}')
    if not lines and not comments:
        return "# [read.orders]                      # how the file is written, where that is not read off it\n"
    return "\n".join(["[read.orders]                        # how the rows are read", *comments, *lines]) + "\n"


def _text(value: str) -> str:
    """A TOML string; in single quotes where that is easier to read."""
    if '"' in value:
        return f"'''{value}'''" if "'" in value else f"'{value}'"
    return json.dumps(value, ensure_ascii=False)


def _timezone(written: Written, named: str | None) -> str:
    if written.is_zoned:
        return "# timezone is not needed: the times carry one"
    if named:
        return f"timezone = {json.dumps(named)}                 # as the file names it"
    return 'timezone = "UTC"                 # GUESS: the zone in which the times were written'


def _format(formats: tuple[str, ...], question: InputError | None) -> str:
    if question and "[time] format" in question.next:
        choices = question.next.partition("format = ")[2].rstrip(".")
        return f"# format = {choices}      # {FILL_IN}: {question.what.split(';')[0]}"
    if not formats:
        return '# format = "%d/%m/%Y %H:%M"      # strptime, where times are not read as they should be'
    listed = json.dumps(formats[0]) if len(formats) == 1 else json.dumps(list(formats))
    return f"format = {listed}                # as the times are written"
