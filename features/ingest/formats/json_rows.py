"""JSON lines, or a JSON array of objects: each object a row of text, one level of objects in it flattened."""

from pathlib import Path
from typing import Any

import duckdb

from features.errors import InputError


def scan_json(db: duckdb.DuckDBPyConnection, file: Path, *, label: str) -> str:
    """SQL that reads a file of JSON as text; the values of an inner object are columns such as `customer.id`.

    An object that only holds one list of objects, as an API answers, is that list.
    """
    place = "'" + str(file).replace("'", "''") + "'"
    try:
        described = db.sql(f"select * from read_json({place}, sample_size=-1)")
    except duckdb.Error as error:
        raise InputError(
            f"is not JSON: {str(error).splitlines()[0]}", where=label, next="Give one object a line, or a list of them."
        ) from None
    names, kinds = described.columns, described.types
    rows = f"read_json({place}, columns={{{', '.join(f'{_name(name)}: VARCHAR' for name in names)}}})"
    lists = [name for name, kind in zip(names, kinds, strict=True) if _is_list_of_objects(kind)]
    if len(lists) == 1 and db.sql(f"select count(*) from {rows}").fetchall()[0][0] == 1:
        inner = kinds[names.index(lists[0])].children[0][1]
        item = f"unnest(json_extract({_name(lists[0])}, '$[*]')) as item"
        return f"(select {_fields('item', '', inner)} from (select {item} from {rows}))"
    selected = [
        _fields(_name(name), f"{name}.", kind) if kind.id == "struct" else _name(name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    return f"(select {', '.join(selected)} from {rows})"


def _is_list_of_objects(kind: Any) -> bool:
    return kind.id == "list" and kind.children[0][1].id == "struct"


def _fields(column: str, prefix: str, kind: Any) -> str:
    """SQL: the values of an object's keys as text."""
    keys = [key for key, _ in kind.children]
    return ", ".join(f"{column} ->> {_path(key)} as {_name(prefix + key)}" for key in keys)


def _path(key: str) -> str:
    return "'$." + '"' + key.replace("'", "''") + '"' + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
