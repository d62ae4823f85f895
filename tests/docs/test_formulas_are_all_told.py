"""Every file with a formula out of a paper stands on a page of formulas, with a test beside it."""

import ast
import re

import pytest

from retention.analyses.chapters import CHAPTERS
from tests.docs.pages import ROOT, text_of

PAGE = text_of("docs/explanation/formulas.md") + text_of("docs/explanation/formulas-of-plans.md")
CITED = re.compile(r"\b[A-Z]\w+[^.]{0,120}?\(?(?:19|20)\d\d\b")
"""A name and, soon after it, a year."""
ELSEWHERE = {
    "models/evaluation/estimate.py": "intervals that hold at once, a part of models/uplift/learner_selection.py",
    "models/trees/least_squares.py": "how the learners' trees are grown",
    "models/training/temporal_splits.py": "dates of an example; docs/explanation/time.md",
}
"""Files that cite something, or have a year, and have no formula of their own on the page."""


def cites(path):
    return bool(CITED.search(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""))


FILES = [
    str(path.relative_to(ROOT))
    for room in ("models", "retention")
    for path in sorted((ROOT / room).rglob("*.py"))
    if cites(path)
]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cites_is_on_the_page(name):
    assert (f"(../../{name})" in PAGE) != (name in ELSEWHERE)


def test_nothing_is_excused_that_is_not_there():
    assert {name for name in ELSEWHERE if (ROOT / name).exists()} == set(ELSEWHERE)


def test_every_section_names_a_file_and_a_test():
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        if title != "Analyses of the report":
            assert re.search(r"\]\(\.\./\.\./(models|retention|features)/[\w/]+\.py\)", section), title
            assert re.search(r"\]\(\.\./\.\./tests/", section), title


def test_every_analysis_of_the_report_is_on_the_page():
    placed = [module.__name__.rpartition(".")[2] for _, modules in CHAPTERS for module in modules]
    assert [name for name in placed if f"(../../retention/analyses/{name}.py)" not in PAGE] == []
