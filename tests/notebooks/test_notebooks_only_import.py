"""What a notebook may be: calls of what the rooms offer, a sentence before each, and nothing that a run left in it."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
from numba import njit

from features.clock import DAY
from features.families.catalogue import feature_named
from features.kernel.feature import feature
from retention.analyses.chapters import CHAPTERS

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = ("01_know_your_customers", "02_train_and_compare", "03_plan_a_campaign", "04_read_a_campaign")
NOTEBOOKS = {name: nbformat.read(FOLDER / f"{name}.ipynb", as_version=4) for name in NAMES}
ROOMS = {"features", "models", "retention", "pipelines"}
OTHERS = {"dataclasses", "datetime", "pathlib", "tempfile", "types", "numpy", "pandas"}
STATEMENTS = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
LOGIC = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.Compare, ast.NamedExpr, ast.UnaryOp)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
JOINS = (ast.Div, ast.BitOr)
"""Of paths, and of dicts: the only operators. What is computed is computed, and tested, elsewhere."""
HIDDEN = {"apply", "map", "agg", "eval", "query", "exec", "pipe", "transform"}
"""Calls that take logic in another shape."""
AGGREGATES = {"size", "sum", "mean"}
LONGEST = 12
everyone = pytest.mark.parametrize("name", NAMES)


def code(name):
    return [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]


def nodes(name):
    return [(cell.id, node) for cell in code(name) for node in ast.walk(ast.parse(cell.source))]


def test_there_are_four():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


@everyone
def test_a_cell_imports_assigns_calls_and_shows(name):
    for cell in code(name):
        strange = [ast.unparse(one) for one in ast.parse(cell.source).body if not isinstance(one, STATEMENTS)]
        assert not strange, f"{cell.id}: {strange}"
    for where, node in nodes(name):
        assert not isinstance(node, LOGIC), f"{where}: {ast.unparse(node)}"
        if isinstance(node, ast.BinOp):
            assert isinstance(node.op, JOINS), f"{where}: {ast.unparse(node)}"
        if isinstance(node, COMPREHENSIONS):
            assert node.lineno == node.end_lineno, f"{where}: {ast.unparse(node)}"


@everyone
def test_no_logic_hides_in_a_call(name):
    for where, node in nodes(name):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            texts = {one.value for given in node.args for one in ast.walk(given) if isinstance(one, ast.Constant)}
            assert called not in HIDDEN or (called == "agg" and texts <= AGGREGATES), f"{where}: {ast.unparse(node)}"


@everyone
def test_a_notebook_imports_from_the_rooms_and_little_else(name):
    for where, node in nodes(name):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {one.split(".")[0] for one in modules} <= ROOMS | OTHERS, where
        if isinstance(node, ast.ImportFrom):
            module = import_module(node.module)
            for one in node.names:
                is_there = hasattr(module, one.name) or find_spec(f"{node.module}.{one.name}")
                assert is_there, f"{where}: {node.module} has no {one.name}"
                assert not one.name.startswith("_"), f"{where}: {one.name} is for {node.module} alone"


@everyone
def test_cells_are_short_and_each_is_announced(name):
    cells = NOTEBOOKS[name].cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LONGEST, cell.id
            assert before.cell_type == "markdown", cell.id
            assert re.search(r"\w[^.]*[.?:]", before.source.partition("\n")[2] or before.source), cell.id


@everyone
def test_what_to_change_for_own_data_is_one_marked_cell_at_the_top(name):
    first, *rest = code(name)
    assert first.metadata == {"tags": ["parameters"]}
    assert "CONFIG = " in first.source
    place = NOTEBOOKS[name].cells.index(first)
    assert "your own data" in NOTEBOOKS[name].cells[place - 1].source
    assert 'CONFIG = Path("stayworth.toml")' in NOTEBOOKS[name].cells[place - 1].source.replace("BEFORE = ", "")
    for cell in rest:
        assert not cell.metadata
        paths = [text for text in re.findall(r'"([^"]*)"', cell.source) if "/" in text]
        assert not paths, f"{cell.id}: {paths}"


@everyone
def test_nothing_of_a_run_is_kept(name):
    text = (FOLDER / f"{name}.ipynb").read_text("utf-8")
    notebook = NOTEBOOKS[name]
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata.language_info == {"name": "python"}
    for cell in code(name):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert not re.search(r"/(home|work|root|Users|tmp)/|://", text)
    assert text == nbformat.writes(notebook, indent=1) + "\n"


@everyone
def test_ids_are_words_and_stay(name):
    ids = [cell.id for cell in NOTEBOOKS[name].cells]
    assert len(set(ids)) == len(ids)
    for one in ids:
        assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", one), f"{one}: an id made by chance changes with every save"


def test_the_first_notebook_has_every_analysis_of_the_report():
    shown = {cell.source for cell in code(NAMES[0])}
    analyses = [module.__name__.rpartition(".")[2] for _, modules in CHAPTERS for module in modules]
    missing = [one for one in analyses if f"from retention.analyses import {one}\n\n{one}.analyse(base)" not in shown]
    assert not missing, f"add a cell, with a sentence before it, for {', '.join(missing)}"


class Orders(NamedTuple):
    """A slice as a feature is given it."""

    at: Any


def test_the_feature_shown_as_an_example_is_one_and_is_not_there_yet():
    [block] = re.findall(r"```python\n(.+?)```", "\n".join(cell.source for cell in NOTEBOOKS[NAMES[1]].cells), re.S)
    room = {"feature": feature, "np": np, "DAY": DAY}
    exec(block, room)
    longest = room["gap_longest_days"]
    for plain_or_compiled in (longest, njit(longest)):
        assert plain_or_compiled(Orders(np.array([3, 10, 24]) * DAY)) == 14
        assert np.isnan(plain_or_compiled(Orders(np.array([DAY]))))
    assert feature_named("gap_longest_days") is None, "show another one"
