"""The architecture shows every room and what it builds on; the glossary is in order and says where each word lives."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, ROOT, text_of

PACKAGES = ("features", "models", "retention", "pipelines", "serving")
TABLE = text_of("docs/architecture.md").split("\n## Rooms\n")[1].split("\n## ")[0]
ROWS = dict(re.findall(r"^\| `([\w/]+)` \| [^|]+ \|([^|]*)\|$", TABLE, flags=re.MULTILINE))
IN_WORDS = {"features/online", "pipelines/"}
"""Rooms of which the table says "all of the above" or "the rooms below"."""
WORDS = re.findall(r"^- \*\*([^*]+)\*\*(.*?)(?=^- |\Z)", text_of("docs/glossary.md"), flags=re.MULTILINE | re.DOTALL)
OTHER_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


def room_of(module: str) -> str:
    """The room of a dotted name: `features/ingest`, or `features/` for a module at the top of its package."""
    package, *rest = module.split(".")
    return f"{package}/{rest[0]}" if rest and (ROOT / package / rest[0]).is_dir() else f"{package}/"


def built_on() -> dict[str, set[str]]:
    """By room, the names of the other rooms of its package that it imports."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        if "__pycache__" in path.parts:
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        room = room_of(name)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            reached = {room_of(module) for module in modules if module.split(".")[0] == name.split(".")[0]}
            rooms[room] |= {one.split("/")[1] for one in reached - {room}} - {""}
    return rooms


def test_every_room_is_in_the_table():
    assert set(ROWS) == set(built_on()) - {"retention/"}


def test_a_room_builds_on_what_the_table_says():
    shown = {room: {name.strip() for name in cell.split(",")} - {""} for room, cell in ROWS.items()}
    real = built_on()
    assert {room: names for room, names in shown.items() if room not in IN_WORDS} == {
        room: real[room] for room in ROWS if room not in IN_WORDS
    }


def test_the_glossary_is_in_alphabetical_order():
    words = [word.rstrip(".").lower().replace("_", " ") for word, _ in WORDS]
    assert len(words) > 40
    assert words == sorted(words)


@pytest.mark.parametrize(("word", "meaning"), WORDS)
def test_a_word_is_explained_in_a_few_sentences_and_says_where_it_lives(word, meaning):
    assert re.search(r"\]\([\w/.#-]+\)", meaning), word
    assert 0 < len(re.findall(r"[.?](?=\s|$)", meaning)) <= 4, word


@pytest.mark.parametrize("page", OTHER_PAGES)
def test_links_of_the_other_pages_lead_to_files(page):
    prose = FENCE.sub("", text_of(page))
    assert [link for link in re.findall(r"\]\(([^)#\s]+)", prose) if not Path(ROOT / link).exists()] == []
