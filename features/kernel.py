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
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from features import clock, slices, walk
from features.feature import Feature
from features.histories import Columns
from features.slices import Kinds


@cache
def compiled(features: tuple[Feature, ...]) -> ModuleType:
    """The module of the compiled pass over `features`, whose rows have their columns in their order.

    The functions of features/walk.py, with `fill` filled in. Compiling takes some seconds the first time, loading
    afterwards a fraction of one.
    """
    text = _text(features)
    name = f"stayworth_kernel_{_digest(text, features)}"
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


def layout(features: tuple[Feature, ...], kinds: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Where the pass finds its kinds: `kind_columns` and `named_kinds` of features/walk.py.

    kinds: those of the log, in the order of their codes; a feature of another kind sees no events.
    """
    kinds = list(dict.fromkeys([*kinds, *(one.kind for one in features if one.kind)]))
    each = _each_kind(features)
    columns = np.full((len(kinds), len(each)), -1)
    for column, one in enumerate(features):
        if one.kind in kinds:
            columns[kinds.index(one.kind), each.index((one.function, one.days))] = column
    named = [kinds.index(kind) if kind in kinds else -1 for kind in _named_kinds(features)]
    return columns, np.array(named, np.int64)


def _each_kind(features: tuple[Feature, ...]) -> list[tuple[Callable, int | None]]:
    """The functions that are called once for every kind of interaction, with their windows."""
    return list(dict.fromkeys((one.function, one.days) for one in features if one.kind))


def _named_kinds(features: tuple[Feature, ...]) -> list[str]:
    """The kinds that features ask for by name."""
    return sorted({kind for one in features for kind in one.kinds})


def _text(features: tuple[Feature, ...]) -> str:
    """The source of walk.py, cached on disk, with `fill` calling every feature."""
    modules = sorted({one.function.__module__ for one in features})
    functions = sorted({(one.function.__module__, one.function.__name__) for one in features})
    compiled = [f"_{m.replace('.', '_')}_{f} = njit({m}.{f})" for m, f in functions]
    fill = inspect.getsource(walk.fill.py_func)
    lines = fill.splitlines()
    for i, kind in enumerate(_named_kinds(features)):
        lines.append(f"    {kind} = events_of(kinds, named_kinds[{i}], as_of)")
    lines += [f"    row[{column}] = {_call(one)}" for column, one in enumerate(features) if not one.kind]
    if each := _each_kind(features):
        lines += ["    for kind in range(len(kind_columns)):", "        events = events_of(kinds, kind, as_of)"]
        for i, key in enumerate(each):
            one = next(one for one in features if (one.function, one.days) == key)
            lines.append(f"        if kind_columns[kind, {i}] >= 0:")
            lines.append(f"            row[kind_columns[kind, {i}]] = {_call(one)}")
    source = inspect.getsource(walk).replace(fill, "\n".join([*lines, ""]))
    if _each_kind(features) or _named_kinds(features):
        source = source.replace("USES_KINDS = False", "USES_KINDS = True")
    source = source.replace("    row = 0\n", f"    row = 0\n{_borrow()}", 1)
    source = source.replace("@njit(nogil=True)", "@njit(nogil=True, cache=True)")
    head, body = source.split("LONG_AGO", 1)
    imports = [f"import {module}" for module in modules]
    imports += [
        "from features.borrowing import borrowed",
        "from features.histories import Columns",
        "from features.slices import Kinds",
    ]
    return "\n".join([head.rstrip(), *imports, "", *compiled, "", f"LONG_AGO{body}"])


def _borrow() -> str:
    """Lines that make every array of `walk` a borrowed one."""
    plain = ("as_of", "known_at", "kind_columns", "named_kinds", "out", "row_customer", "row_as_of")
    lines = [f"    {name} = borrowed({name})" for name in plain]
    for name, kind in (("columns", Columns), ("kinds", Kinds)):
        lines.append(f"    {name} = {kind.__name__}({', '.join(f'borrowed({name}.{one})' for one in kind._fields)})")
    return "\n".join([*lines, ""])


def _call(one: Feature) -> str:
    """The call of a feature, in currency units where it is money."""
    arguments = [str(one.days) if name == "days" else name for name in one.arguments]
    scale = " / minor_units" if one.unit == "money" else ""
    return f"_{one.function.__module__.replace('.', '_')}_{one.function.__name__}({', '.join(arguments)}){scale}"


def _digest(text: str, features: tuple[Feature, ...]) -> str:
    """A short hash over the pass and every file whose functions or constants it compiles in."""
    modules = {one.function.__module__ for one in features} | {slices.__name__, clock.__name__}
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
