"""Many small functions compiled into one, kept on disk.

The features are compiled into a single pass. numba recompiles a cached function only when its own
file changes, not when a function that it calls does: so the pass is written to a file named by the hash of every
source that goes into it, and an edited feature can never meet stale machine code.
"""

import hashlib
import importlib.util
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from features import clock
from features.kernel import compiled_pass, numba_views, slices
from features.kernel.feature import Feature
from features.kernel.pass_arguments import Layout


@cache
def compile_pass(templates: tuple[Feature, ...]) -> ModuleType:
    """The module of the compiled pass: the functions of features/kernel/compiled_pass.py, with `fill` calling the
    templates.

    Each run names the templates it wants (`row_layout`), so that one pass serves any choice of them. Compiling takes
    some ten seconds the first time, loading it afterwards a fraction of a second.
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


def row_layout(templates: tuple[Feature, ...], wanted: Sequence[Feature], kinds: Iterable[str]) -> Layout:
    """Lay out a row of the wanted features in their order. kinds: those of the log, in the order of their codes.

    A feature of a kind that the log does not have sees no events.
    """
    place = {(template.function, template.days): i for i, template in enumerate(templates)}
    kinds = list(dict.fromkeys([*kinds, *(feature.kind for feature in wanted if feature.kind)]))
    uses_kinds = any(feature.kind or feature.kinds for feature in wanted)
    plain, of_kinds = np.full(len(templates), -1), np.full((len(kinds) if uses_kinds else 0, len(templates)), -1)
    for column, feature in enumerate(wanted):
        if feature.kind:
            of_kinds[kinds.index(feature.kind), place[feature.function, feature.days]] = column
        else:
            plain[place[feature.function, feature.days]] = column
    named = [kinds.index(kind) if kind in kinds else -1 for kind in _named_kinds(templates)]
    return Layout(plain, of_kinds, np.array(named, np.int64))


def _named_kinds(templates: tuple[Feature, ...]) -> list[str]:
    """The kinds that templates take by name."""
    return sorted({kind for template in templates for kind in template.kinds})


def _text(templates: tuple[Feature, ...]) -> str:
    """The source of compiled_pass.py with the features compiled and `fill` calling every one of templates."""
    modules = sorted({template.function.__module__ for template in templates})
    functions = sorted({(template.function.__module__, template.function.__name__) for template in templates})
    imports = [f"import {module}" for module in modules]
    compiled = "njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)"  # `fill` alone calls them: sooner compiled
    definitions = [f"{_compiled_name(module, name)} = {compiled}({module}.{name})" for module, name in functions]
    source = inspect.getsource(compiled_pass)
    source = _replaced(source, "# generated: the features", [*imports, "", *definitions])
    return _replaced(source, "    # generated: calls of the features", _calls(templates))


def _replaced(source: str, marker: str, lines: list[str]) -> str:
    """The source with lines in place of a line that is the marker, which it must have exactly once."""
    before, *after = re.split(f"^{re.escape(marker)}$", source, flags=re.MULTILINE)
    assert len(after) == 1, f"{marker!r} stands {len(after)} times in compiled_pass.py, not once"
    return before + "\n".join(lines) + after[0]


def _calls(templates: tuple[Feature, ...]) -> list[str]:
    """The body of `fill`: each wanted feature called and written into its column."""
    lines = [
        "    orders, refunds, items, interactions, kinds = slices",
        "    plain_columns, kind_columns, named_kinds = layout",
    ]
    for i, template in enumerate(templates):
        if not template.is_per_kind:
            lines.append(f"    if plain_columns[{i}] >= 0:")
            lines.append(f"        row[plain_columns[{i}]] = {_call(template, templates)}")
    if any(template.is_per_kind for template in templates):
        lines.append("    for kind in range(len(kind_columns)):")
        lines.append("        events = events_of(kinds, kind, as_of)")
    for i, template in enumerate(templates):
        if template.is_per_kind:
            lines.append(f"        if kind_columns[kind, {i}] >= 0:")
            lines.append(f"            row[kind_columns[kind, {i}]] = {_call(template, templates)}")
    return lines


def _call(template: Feature, templates: tuple[Feature, ...]) -> str:
    """The call of a feature, in currency units where it is money."""
    slices_of = {"days": str(template.days)}
    for i, kind in enumerate(_named_kinds(templates)):
        slices_of[kind] = f"events_of(kinds, named_kinds[{i}], as_of)"
    arguments = ", ".join(slices_of.get(name, name) for name in template.arguments)
    scale = " / minor_units" if template.unit == "money" else ""
    return f"{_compiled_name(template.function.__module__, template.function.__name__)}({arguments}){scale}"


def _compiled_name(module: str, function: str) -> str:
    return f"_{module.replace('.', '_')}_{function}"


def _digest(text: str, templates: tuple[Feature, ...]) -> str:
    """A short hash over the pass and every file whose functions or constants it compiles in."""
    modules = {template.function.__module__ for template in templates}
    modules |= {slices.__name__, clock.__name__, numba_views.__name__}
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
    """The folder of the pass: beside the package's bytecode, or a temporary one where that is read-only."""
    folder = Path(__file__).parent / "__pycache__"
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="stayworth-kernel-"))
