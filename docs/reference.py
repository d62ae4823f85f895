"""The reference that is written from the code itself, as Markdown: commands, settings, columns and features."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import typer
from pdoc import doc_ast

from features.families import catalogue
from features.ingest import schema
from pipelines import config
from pipelines.batches.staged_scores import SCHEMA
from pipelines.cli import app
from retention.economics.offers import Offer
from serving import contract

SAYS = {
    "customer_id": "who, as in the orders",
    "as_of": "midnight UTC of this day: what was known before it counts",
    "horizon_days": "how far ahead the row looks; one row per customer and horizon",
    "segment": "value quadrant among all customers of the batch: VIP, grow, maintain, let go",
    "reason_1": "the strongest reason for leaving, in words; then reason_2 and reason_3",
    "model_version": "the bundle that scored: the first 12 signs of its hash",
    "offer": "the one that is best for this customer within the limits",
    "treated": "true: contact; false: held out at random, leave alone",
    "expected_cost": "currency units; 0 of the held-out",
    "expected_profit": "currency units, its cost deducted",
    "profit_p10": "the profit is below it in one case of ten",
    "profit_p90": "the profit is above it in one case of ten",
    "rank": "1 is contacted first; the held-out come last",
    "do": "contact, or leave alone, in words",
    "channel": "of the offer",
    "why": "probability, worth and reasons in one sentence",
}
"""What the code itself does not say of a column beside its name."""
LISTED = ("customer_id", "offer", "treated", "expected_cost", "expected_profit", "profit_p10", "profit_p90", "rank")
"""The columns of a plan; the lists that `plan -o` writes have `do`, `channel`, `segment` and `why` as well."""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; a bar in a cell is written so that it does not end it."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return (
        "".join("| " + " | ".join(str(cell).replace("|", "&#124;") for cell in line) + " |\n" for line in lines) + "\n"
    )


def commands() -> str:
    """Every command: what it does, its arguments and options, as the parser has them."""
    text = (
        "# Commands\n\nExit codes: 0 done, 1 the data or the gate says no, 2 the input or the place cannot be used.\n\n"
    )
    return text + _group(typer.main.get_command(app), "stayworth")


def _group(group: Any, name: str) -> str:
    text = ""
    for one, command in group.commands.items():
        if hasattr(command, "commands"):
            text += _group(command, f"{name} {one}")
            continue
        said = (command.help or "").replace("Example: ", "\n\nExample: ")
        rows = [
            (
                "`" + (", ".join(option.opts) if option.opts[0].startswith("-") else option.opts[0].upper()) + "`",
                "required" if option.required else "" if option.default in (None, False) else f"`{option.default}`",
                getattr(option, "help", "") or "",
            )
            for option in command.params
        ]
        text += f"## {name} {one}\n\n{said}\n\n" + table(("option", "default", "what it does"), rows)
    return text


def settings() -> str:
    """Every key of the config: its kind and range, its default, what it means."""
    whole = config.Config.model_json_schema()
    text = "# Settings\n\nThe keys of `stayworth.toml`. Unknown keys are refused; a required one has no default.\n\n"
    for section, field in config.Config.model_fields.items():
        part = Offer if section == "offers" else field.annotation
        schema_of = whole["$defs"][part.__name__]
        said = doc_ast.walk_tree(part).var_docstrings
        rows = []
        for name, one in schema_of["properties"].items():
            default = "required" if name in schema_of.get("required", ()) else _default(one.get("default"))
            meaning = " ".join((one.get("description") or said.get(name, "")).split())
            rows.append((f"`{name}`", kind(one, whole["$defs"]), default, meaning))
        title = f"[[{section}]]" if section == "offers" else f"[{section}]"
        intro = inspect.cleandoc(part.__doc__ or "").split(">>>")[0]
        text += f"## {title}\n\n{intro}\n\n" + table(("key", "is", "default", "meaning"), rows)
    return text


def _default(value: object) -> str:
    return "" if value in (None, [], {}) else f"`{value}`"


def kind(one: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """The kind and the range of a value in words, from its JSON schema.

    >>> kind({"type": "integer", "minimum": 1, "maximum": 9}, {})
    'integer, at least 1, at most 9'
    """
    if "$ref" in one:
        return kind(known[one["$ref"].rpartition("/")[2]], known)
    if "anyOf" in one or "oneOf" in one:
        parts = [kind(part, known) for part in one.get("anyOf", one.get("oneOf", []))]
        return " or ".join(part for part in parts if part != "null")
    if "enum" in one or "const" in one:
        return " or ".join(f"`{value}`" for value in one.get("enum", [one.get("const")]))
    said = str(one.get("type", ""))
    if said == "array" and isinstance(one.get("items"), Mapping):
        said = f"list of {kind(one['items'], known)}"
    if said == "object":
        said = "table of " + (", ".join(f"`{name}`" for name in one.get("properties", ())) or "names")
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return ", ".join([said, *(f"{words} {one[key]:,}" for key, words in limits.items() if key in one)])


def columns() -> str:
    """Every column that goes in and comes out."""
    text = "# Columns\n\n## What goes in\n\n"
    for name, ours in schema.TABLES.items():
        rows = [(f"`{one}`", "required" if column.required else "", column.says) for one, column in ours.items()]
        text += f"### {name}\n\n" + table(("column", "", "holds"), rows)
    text += "## What comes out\n\n### scores\n\n`scores.parquet`, a table of PostgreSQL, and `POST /v1/score`.\n\n"
    fields = contract.Score.model_fields
    said = {name: field.description or SAYS.get(name, "") for name, field in fields.items()} | SAYS
    text += table(("column", "type", "holds"), [(f"`{one.name}`", one.type, said.get(one.name, "")) for one in SCHEMA])
    text += "### plan\n\n`plan.parquet`, and what `plan -o` writes.\n\n"
    return text + table(
        ("column", "holds"), [(f"`{one}`", SAYS[one]) for one in (*LISTED, "do", "channel", "segment", "why")]
    )


def features() -> str:
    """Every feature there can be: name, unit, meaning, and what of the log it needs."""
    text = "# Features\n\nThe columns of `features.parquet` beside `customer_id` and `as_of`; undefined is NaN.\n\n"
    rows = [
        (f"`{one['name']}`", one["unit"], one["meaning"].replace("<kind>", "`<kind>`"), one["needs"])
        for one in catalogue.listed()
    ]
    return text + table(("feature", "unit", "meaning", "needs"), rows)
