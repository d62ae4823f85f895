"""The reference, generated from the code itself as Markdown: commands, settings, columns and features."""

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
from pipelines.shop_files.read_settings import ReadTable
from retention.economics.offers import Offer
from serving import contract

MEANINGS = {
    "customer_id": "the customer, as in the orders",
    "as_of": "midnight UTC at the beginning of this day: what was known before it counts",
    "horizon_days": "how many days ahead the row looks; one row per customer and horizon",
    "segment": "value quadrant among all customers of the batch: VIP, grow, maintain, let go (whom no plan contacts)",
    "reason_1": "the strongest reason for leaving, in words; then reason_2 and reason_3",
    "model_version": "the bundle that scored: the first 12 characters of its hash",
    "offer": "the best offer for this customer within the limits",
    "treated": "true: contact; false: held out at random, do not contact",
    "expected_cost": "currency units; 0 for customers held out",
    "expected_profit": "currency units, after deducting the cost",
    "profit_p10": "the profit is below it in one case of ten",
    "profit_p90": "the profit is above it in one case of ten",
    "rank": "1 is contacted first; customers held out come last",
    "do": "contact or leave alone, in words",
    "channel": "of the offer",
    "why": "churn probability, value and reasons in one sentence",
}
"""Descriptions of columns that the code does not describe itself."""
LISTED = ("customer_id", "offer", "treated", "expected_cost", "expected_profit", "profit_p10", "profit_p90", "rank")
"""The columns of a plan; the lists that `plan -o` writes also have `do`, `channel`, `segment` and `why`."""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown; a bar inside a cell is escaped."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return (
        "".join("| " + " | ".join(str(cell).replace("|", "&#124;") for cell in line) + " |\n" for line in lines) + "\n"
    )


def commands() -> str:
    """Every command: what it does, its arguments and options, read from the parser."""
    text = "# Commands\n\nExit codes: 0 done, 1 the data or the gate says no, "
    text += "2 the input, the config or the output folder cannot be used.\n\n"
    return text + _group(typer.main.get_command(app), "stayworth")


def _group(group: Any, name: str) -> str:
    text = ""
    for command_name, command in group.commands.items():
        if hasattr(command, "commands"):
            text += _group(command, f"{name} {command_name}")
            continue
        help_text = (command.help or "").replace("Example: ", "\n\nExample: ")
        rows = [
            (
                "`" + (", ".join(option.opts) if option.opts[0].startswith("-") else option.opts[0].upper()) + "`",
                "required" if option.required else "" if option.default in (None, False) else f"`{option.default}`",
                getattr(option, "help", "") or "",
            )
            for option in command.params
        ]
        text += f"## {name} {command_name}\n\n{help_text}\n\n" + table(("option", "default", "what it does"), rows)
    return text


def settings() -> str:
    """Every key of the config: kind and range, default, meaning."""
    json_schema = config.Config.model_json_schema()
    text = "# Settings\n\nThe keys of `stayworth.toml`. Unknown keys are refused; required keys have no default.\n\n"
    for section, field in config.Config.model_fields.items():
        part = {"offers": Offer, "read": ReadTable}.get(section, field.annotation)
        schema_of = json_schema["$defs"][part.__name__]
        docstrings = doc_ast.walk_tree(part).var_docstrings
        rows = []
        for name, value in schema_of["properties"].items():
            default = "required" if name in schema_of.get("required", ()) else _default(value.get("default"))
            meaning = " ".join((value.get("description") or docstrings.get(name, "")).split())
            rows.append((f"`{name}`", kind(value, json_schema["$defs"]), default, meaning))
        title = {"offers": "[[offers]]", "read": "[read.orders], and so for every table"}.get(section, f"[{section}]")
        intro = inspect.cleandoc(part.__doc__ or "").split(">>>")[0]
        text += f"## {title}\n\n{intro}\n\n" + table(("key", "is", "default", "meaning"), rows)
    return text


def _default(value: object) -> str:
    return "" if value in (None, [], {}) else f"`{value}`"


def kind(value: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Describe the kind and range of a value in words, from its JSON schema.

    >>> kind({"type": "integer", "minimum": 1, "maximum": 9}, {})
    'integer, at least 1, at most 9'
    """
    if "$ref" in value:
        return kind(definitions[value["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in value or "oneOf" in value:
        parts = [kind(part, definitions) for part in value.get("anyOf", value.get("oneOf", []))]
        return " or ".join(part for part in parts if part != "null")
    if "enum" in value or "const" in value:
        return " or ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    text = str(value.get("type", ""))
    if text == "array" and isinstance(value.get("items"), Mapping):
        text = f"list of {kind(value['items'], definitions)}"
    if text == "object":
        text = "table of " + (", ".join(f"`{name}`" for name in value.get("properties", ())) or "names")
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    return ", ".join([text, *(f"{words} {value[key]:,}" for key, words in limits.items() if key in value)])


def columns() -> str:
    """Every input and output column."""
    text = "# Columns\n\n## Input\n\n"
    for name, ours in schema.TABLES.items():
        rows = [(f"`{key}`", "required" if column.required else "", column.says) for key, column in ours.items()]
        text += f"### {name}\n\n" + table(("column", "", "holds"), rows)
    text += "## Output\n\n### scores\n\nIn `scores.parquet`, a table in PostgreSQL, and `POST /v1/score`.\n\n"
    fields = contract.Score.model_fields
    meanings = {name: field.description or MEANINGS.get(name, "") for name, field in fields.items()} | MEANINGS
    text += table(
        ("column", "type", "holds"),
        [(f"`{column.name}`", column.type, meanings.get(column.name, "")) for column in SCHEMA],
    )
    text += "### plan\n\nIn `plan.parquet`, and in what `plan -o` writes.\n\n"
    return text + table(
        ("column", "holds"), [(f"`{name}`", MEANINGS[name]) for name in (*LISTED, "do", "channel", "segment", "why")]
    )


def features() -> str:
    """Every possible feature: name, unit, meaning, and the columns it needs."""
    text = "# Features\n\nThe columns of `features.parquet` besides `customer_id` and `as_of`; undefined is NaN.\n\n"
    rows = [
        (f"`{feature['name']}`", feature["unit"], feature["meaning"].replace("<kind>", "`<kind>`"), feature["needs"])
        for feature in catalogue.list_features()
    ]
    return text + table(("feature", "unit", "meaning", "needs"), rows)
