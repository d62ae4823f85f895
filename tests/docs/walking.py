"""Through a page from top to bottom: its settings go into the config, its scripts into files, its commands are run."""

import tomllib
from typing import Any

from pipelines.config import load
from tests.docs.exempt import EXEMPT, MAY_SAY_NO
from tests.docs.pages import blocks_of, commands_of
from tests.docs.place import Place

SETTINGS = "in stayworth.toml"
"""The first line of a block of settings that the commands after it go by."""


def walk(page: str, place: Place) -> list[str]:
    """Run all there is to run on a page; returns the commands. Asserts that each ends well."""
    done = []
    for block in blocks_of(page):
        if block.language == "toml" and block.title == SETTINGS:
            settle(place, tomllib.loads(block.code))
        if block.language == "bash":
            (place.folder / block.title).write_text(block.code, "utf-8")
        if block.language != "sh":
            continue
        for command in commands_of(block):
            if command.startswith(tuple(EXEMPT)):
                continue
            code, said = place.run(command)
            allowed = {0, 1} if command.startswith(tuple(MAY_SAY_NO)) else {0}
            assert code in allowed, f"{page}, line {block.line}: {command}\nexit code {code}\n{said}"
            done.append(command)
    return done


def settle(place: Place, settings: dict[str, Any]) -> None:
    """Put settings into the config of the place, section by section, offers by their name; it is a config after."""
    path = place.folder / "stayworth.toml"
    config = tomllib.loads(path.read_text("utf-8"))
    for section, content in settings.items():
        if section == "offers":
            names = {one["name"] for one in content}
            config["offers"] = [one for one in config["offers"] if one["name"] not in names] + content
        else:
            config[section] = config.get(section, {}) | content
    text = "".join(f"{name} = {written(value)}\n" for name, value in config.items())
    for shown, meant in place.replaced.items():
        text = text.replace(shown, meant)
    path.write_text(text, "utf-8")
    load(path)


def written(value: Any) -> str:
    """A value as TOML, tables inline.

    >>> written({"a": [1, "x"], "b": True})
    '{"a" = [1, "x"], "b" = true}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}" = {written(one)}' for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
