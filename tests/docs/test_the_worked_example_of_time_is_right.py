"""The dates on the page about time are those that the code would use for that shop."""

import re
from datetime import date, timedelta

import duckdb

from models.training.temporal_splits import judged_window, timeline
from tests.docs.pages import blocks_of, commands_of, text_of
from tests.docs.place import Place

PAGE = text_of("docs/explanation/time.md")
FIRST, END = date(2023, 1, 2), date(2025, 1, 1)
MADE = judged_window(FIRST, END, horizon_days=90).as_of
TIMES = timeline(FIRST, as_of=MADE, horizon_days=90)


def row(beginning):
    """The dates in the row of a table that begins so."""
    [found] = re.findall(rf"^\| {beginning}(.*)$", PAGE, flags=re.MULTILINE)
    return [date.fromisoformat(one) for one in re.findall(r"\d{4}-\d\d-\d\d", found)]


def test_the_cut_offs_are_those_of_the_code():
    assert row("test:")[0] == MADE
    assert row("train:") == [TIMES.train[0], TIMES.train[-1], TIMES.calibrate]
    assert row("between:") == [*TIMES.between, MADE, TIMES.calibrate]
    assert row("calibrate:") == [TIMES.calibrate, MADE]
    assert row("censored:") == [*TIMES.censored, MADE]
    assert {b - a for a, b in zip(TIMES.train, TIMES.train[1:], strict=False)} == {timedelta(days=30)}


def test_the_drawn_timeline_has_the_same_dates():
    drawing = PAGE.split("```text")[2].split("```")[0]
    shown = {date.fromisoformat(one) for one in re.findall(r"\d{4}-\d\d-\d\d", drawing)}
    assert shown == {FIRST, END, MADE, TIMES.train[0], TIMES.train[-1], *TIMES.between, TIMES.calibrate}


def test_the_folds_are_those_of_the_code():
    for number, (fits, judged) in enumerate(TIMES.folds, start=1):
        assert row(f"{number} \\|") == [fits[0], fits[-1], judged]


def test_the_days_of_the_backtest_are_a_third_of_the_horizon_apart():
    days = [MADE - k * timedelta(days=30) for k in (3, 2, 1, 0)]
    assert ", ".join(map(str, days[:3])) + f" and {days[3]}" in " ".join(PAGE.split())


def test_the_shop_of_the_example_has_these_days(tmp_path):
    """The shop that docs/README.md simulates; the commands after it are not needed for its days."""
    commands = [command for block in blocks_of("docs/README.md", "sh") for command in commands_of(block)]
    [simulate] = [command for command in commands if command.startswith("stayworth simulate ")]
    assert Place(tmp_path).run(simulate)[0] == 0
    first = duckdb.sql(f"select min(ordered_at)::date::text from '{tmp_path}/shop/orders/*.parquet'").fetchall()[0][0]
    assert abs((date.fromisoformat(first) - FIRST).days) < 30
