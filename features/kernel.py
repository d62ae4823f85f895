"""One compiled function out of many small ones, kept on disk.

The catalogue's features are compiled into a single pass. numba recompiles a cached function only when its own
file changes, not when a function it calls does: so the pass is written to a file named by the hash of every
source that goes into it, and an edited feature can never be answered by stale machine code.
"""

import hashlib
import importlib.util
import inspect
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType

from features import clock, feature, walk
from features.catalogue import CATALOGUE
from features.feature import Feature


@cache
def kernel() -> ModuleType:
    """The compiled pass over the catalogue: the functions of features/walk.py, with `fill` filled in.

    Compiling takes some seconds the first time, loading afterwards a fraction of one.
    """
    return compiled(tuple(CATALOGUE.values()))


def compiled(features: tuple[Feature, ...]) -> ModuleType:
    """The module of the compiled pass over `features`, in their order."""
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


def _text(features: tuple[Feature, ...]) -> str:
    """The source of walk.py, cached on disk, with `fill` calling every feature."""
    modules = sorted({one.function.__module__ for one in features})
    functions = sorted({(one.function.__module__, one.function.__name__) for one in features})
    compiled = [f"_{m.replace('.', '_')}_{f} = njit({m}.{f})" for m, f in functions]
    calls = [
        f"    row[{column}] = _{one.function.__module__.replace('.', '_')}_{one.function.__name__}"
        f"(orders, as_of{f', {one.days}' if one.days else ''})"
        for column, one in enumerate(features)
    ]
    fill = inspect.getsource(walk.fill.py_func).splitlines()[:2]
    source = inspect.getsource(walk).replace(inspect.getsource(walk.fill.py_func), "\n".join([*fill, *calls, ""]))
    source = source.replace("@njit(nogil=True)", "@njit(nogil=True, cache=True)")
    head, body = source.split("@njit", 1)
    imports = [f"import {module}" for module in modules]
    return "\n".join([head.rstrip(), *imports, "", *compiled, "", "", f"@njit{body}"])


def _digest(text: str, features: tuple[Feature, ...]) -> str:
    """A short hash over the pass and every file whose functions or constants it compiles in."""
    files = {inspect.getfile(one.function) for one in features}
    files |= {inspect.getfile(module) for module in (clock, feature)}
    digest = hashlib.sha256(text.encode())
    for file in sorted(files):
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
