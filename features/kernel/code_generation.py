"""One compiled function out of many small ones, kept on disk.

The features asked for are compiled into a single pass. numba recompiles a cached function only when its own
file changes, not when a function it calls does: so the pass is written to a file named by the hash of every
source that goes into it, and an edited feature can never be answered by stale machine code.
"""

import hashlib
import importlib.util
import inspect
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from features import clock
from features.histories.columns import Columns
from features.kernel import compiled_pass, slices
from features.kernel.feature import Feature
from features.kernel.slices import Kinds


@cache
def compiled(templates: tuple[Feature, ...]) -> ModuleType:
    """The module of the compiled pass: the functions of features/kernel/compiled_pass.py, with `fill` calling the
    wanted of templates.

    Which are wanted is said at every run (`layout`), so that one pass serves any choice of them. Compiling takes some
    ten seconds the first time, loading afterwards a fraction of one.
    """
    text = _text(templates)
    name = f"stayworth_kernel_{_digest(text, templates)}"
    if name in sys.modules:
        return sys.modules[name]
    path = _folder() / f"{name}.py"
    if not path.exists() or path.read_text() != text:
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(text)
        draft.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Layout(NamedTuple):
    """Where in a row the pass puts what; -1 for what is not wanted."""

    plain_columns: np.ndarray
    """The column of each template that is there once."""
    kind_columns: np.ndarray
    """The column of each template that is there for every kind; shape (kinds, templates), none if none is wanted."""
    named_kinds: np.ndarray
    """The codes of the kinds that templates name; -1 for one that the log does not have."""


def layout(templates: tuple[Feature, ...], wanted: Sequence[Feature], kinds: Iterable[str]) -> Layout:
    """A row with the wanted features in their order. kinds: those of the log, in the order of their codes.

    A feature of a kind that the log does not have sees no events.
    """
    place = {(one.function, one.days): i for i, one in enumerate(templates)}
    kinds = list(dict.fromkeys([*kinds, *(one.kind for one in wanted if one.kind)]))
    uses_kinds = any(one.kind or one.kinds for one in wanted)
    plain, of_kinds = np.full(len(templates), -1), np.full((len(kinds) if uses_kinds else 0, len(templates)), -1)
    for column, one in enumerate(wanted):
        if one.kind:
            of_kinds[kinds.index(one.kind), place[one.function, one.days]] = column
        else:
            plain[place[one.function, one.days]] = column
    named = [kinds.index(kind) if kind in kinds else -1 for kind in _named_kinds(templates)]
    return Layout(plain, of_kinds, np.array(named, np.int64))


def _named_kinds(templates: tuple[Feature, ...]) -> list[str]:
    """The kinds that templates ask for by name."""
    return sorted({kind for one in templates for kind in one.kinds})


def _text(templates: tuple[Feature, ...]) -> str:
    """The source of walk.py, cached on disk, with `fill` calling every template."""
    modules = sorted({one.function.__module__ for one in templates})
    functions = sorted({(one.function.__module__, one.function.__name__) for one in templates})
    compiled = [f"_{m.replace('.', '_')}_{f} = njit({m}.{f})" for m, f in functions]
    fill = inspect.getsource(compiled_pass.fill.py_func)
    lines = fill.splitlines()
    for i, one in enumerate(templates):
        if not one.is_per_kind:
            lines.append(f"    if plain_columns[{i}] >= 0:")
            lines.append(f"        row[plain_columns[{i}]] = {_call(one, templates)}")
    if any(one.is_per_kind for one in templates):
        lines += ["    for kind in range(len(kind_columns)):", "        events = events_of(kinds, kind, as_of)"]
    for i, one in enumerate(templates):
        if one.is_per_kind:
            lines.append(f"        if kind_columns[kind, {i}] >= 0:")
            lines.append(f"            row[kind_columns[kind, {i}]] = {_call(one, templates)}")
    source = inspect.getsource(compiled_pass).replace(fill, "\n".join([*lines, ""]))
    source = source.replace("    row = 0\n", f"    row = 0\n{_borrow()}", 1)
    source = source.replace("@njit(nogil=True)", "@njit(nogil=True, cache=True)")
    head, body = source.split("LONG_AGO", 1)
    imports = [f"import {module}" for module in modules]
    imports += [
        "from features.kernel.numba_views import borrowed",
        "from features.histories.columns import Columns",
        "from features.kernel.slices import Kinds",
    ]
    return "\n".join([head.rstrip(), *imports, "", *compiled, "", f"LONG_AGO{body}"])


def _borrow() -> str:
    """Lines that make every array of `walk` a borrowed one."""
    alone = ("as_of", "known_at", "plain_columns", "kind_columns", "named_kinds", "out", "row_customer", "row_as_of")
    lines = [f"    {name} = borrowed({name})" for name in alone]
    for name, kind in (("columns", Columns), ("kinds", Kinds)):
        lines.append(f"    {name} = {kind.__name__}({', '.join(f'borrowed({name}.{one})' for one in kind._fields)})")
    return "\n".join([*lines, ""])


def _call(one: Feature, templates: tuple[Feature, ...]) -> str:
    """The call of a feature, in currency units where it is money."""
    named = {kind: f"events_of(kinds, named_kinds[{i}], as_of)" for i, kind in enumerate(_named_kinds(templates))}
    arguments = [str(one.days) if name == "days" else named.get(name, name) for name in one.arguments]
    scale = " / minor_units" if one.unit == "money" else ""
    return f"_{one.function.__module__.replace('.', '_')}_{one.function.__name__}({', '.join(arguments)}){scale}"


def _digest(text: str, templates: tuple[Feature, ...]) -> str:
    """A short hash over the pass and every file whose functions or constants it compiles in."""
    modules = {one.function.__module__ for one in templates} | {slices.__name__, clock.__name__}
    while used := {
        module
        for name in modules
        for item in vars(sys.modules[name]).values()
        if str(module := getattr(item, "__module__", "")).startswith("features.") and module not in modules
    }:
        modules |= used
    digest = hashlib.sha256(text.encode())
    for file in sorted(inspect.getfile(sys.modules[name]) for name in modules):
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _folder() -> Path:
    """Where the pass is kept: beside the package's bytecode; where that is read-only, for this process alone."""
    folder = Path(__file__).parent / "__pycache__"
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="stayworth-kernel-"))
