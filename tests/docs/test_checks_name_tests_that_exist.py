"""docs/checks.md names the first 36 checks, and nothing but tests and benchmarks that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checks.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, flags=re.MULTILINE)


def test_every_check_has_a_row():
    assert [int(number) for number, _ in ROWS] == list(range(1, 37))


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_what_gives_a_figure_is_there_and_slow_only_where_it_says_so(number, row):
    told = re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)`( \*slow\*)?", row)
    assert told, number
    for path, slow in told:
        text = (ROOT / path).read_text("utf-8")
        assert ("mark.slow" in text) or not slow, path
        assert "def " in text
