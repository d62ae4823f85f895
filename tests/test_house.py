"""The rules of the house, read off the syntax tree: who may import whom, where the clock is, how long a file is."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("features", "models", "retention", "pipelines", "serving")
MAY_IMPORT = {
    "features": {"features"},
    "models": {"features", "models"},
    "retention": {"features", "models", "retention"},
    "pipelines": {"features", "models", "retention", "pipelines", "serving"},
    "serving": {"features", "models", "retention", "serving"},
}
ONLY_IN = {
    "mlflow": {"models/artifacts/registry.py", "models/artifacts/pyfunc.py", "pipelines/training/tracking.py"},
    "optuna": {"pipelines/training/tuning.py"},
    "bentoml": {"serving/service.py"},
    "xgboost": {"models/trees/boosting.py", "models/trees/spark_boosting.py"},
    "plotly": {"retention/presentation/theme.py"},
    "adbc_driver_postgresql": {"features/ingest/postgresql.py"},
    "pyspark": {"features/large_logs/spark.py"},
}
MAY_REACH_SERVING = {"pipelines/serve.py", "pipelines/score.py"}
COMMANDS = "pipelines/commands/"
"""Typer reads the options off the arguments of these."""
CLOCK = {"pipelines/cli.py", "serving/score_log.py", "serving/console/now.py"}
CLOCK_CALLS = {"now", "utcnow", "today", "time", "time_ns", "perf_counter", "monotonic"}
CLOCK_OWNERS = {"datetime", "date", "time", "Timestamp", "dt"}
FORBIDDEN = {"pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
LONGEST = 300

FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts)
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in FILES}


def imports(name: str) -> list[str]:
    """Dotted names a file imports, at any depth."""
    found = []
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("name", TREES)
def test_imports_go_one_way(name):
    room = name.split("/")[0]
    reached = {one.split(".")[0] for one in imports(name)} & set(ROOMS)
    assert reached <= MAY_IMPORT[room]
    if room == "pipelines" and "serving" in reached:
        assert name in MAY_REACH_SERVING


def test_the_picture_of_the_house_shows_its_imports():
    picture = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    arrows = re.findall(r"^ *(\w+)(?:\[.*?\])? --> (\w+)", picture, flags=re.MULTILINE)
    drawn = {(source, target) for source, target in arrows if source in ROOMS and target in ROOMS}
    reached = {(one.split(".")[0], name.split("/")[0]) for name in TREES for one in imports(name)}
    assert drawn == {(source, target) for source, target in reached if source in ROOMS and source != target}


def test_no_two_files_import_each_other():
    modules = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in TREES}
    edges = {
        module: {
            target
            for one in imports(name)
            for target in (one, one.rpartition(".")[0])
            if target in modules and target != module and modules[target].count("__init__") == 0
        }
        for module, name in modules.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join([*path, module])
        if module not in done:
            for target in edges[module]:
                visit(target, (*path, module))
            done.add(module)

    for module in edges:
        visit(module, ())


@pytest.mark.parametrize("heavy", ONLY_IN)
def test_one_file_per_heavy_dependency(heavy):
    users = {name for name in TREES if any(one.split(".")[0] == heavy for one in imports(name))}
    assert users == ONLY_IN[heavy]


@pytest.mark.parametrize("name", TREES)
def test_nobody_below_the_command_line_reads_the_clock(name):
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_CALLS
        and ast.unparse(node.func.value).split(".")[-1] in CLOCK_OWNERS
    ]
    assert not calls or name in CLOCK


@pytest.mark.parametrize("name", TREES)
def test_nothing_is_unpickled_or_evaluated(name):
    assert not {one.split(".")[0] for one in imports(name)} & FORBIDDEN
    called = {
        node.func.id for node in ast.walk(TREES[name]) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"eval", "exec"}


@pytest.mark.parametrize("name", TREES)
def test_files_are_short_named_and_explained(name):
    path = ROOT / name
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST
    assert path.stem not in VAGUE
    assert ast.get_docstring(TREES[name])


def test_as_of_is_keyword_only_and_has_no_default():
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not name.startswith(COMMANDS) and not is_compiled(node):
                assert "as_of" not in [argument.arg for argument in node.args.args], f"{name}: {node.name}"
                defaults = dict(zip([one.arg for one in node.args.kwonlyargs], node.args.kw_defaults, strict=True))
                assert defaults.get("as_of") is None, f"{name}: {node.name}"


def is_compiled(node: ast.FunctionDef) -> bool:
    """Features and the compiled pass take `as_of` by place: (orders, as_of)."""
    return any(re.match(r"(njit|feature)\b", ast.unparse(one)) for one in node.decorator_list)


@pytest.mark.parametrize("room", ROOMS)
def test_our_package_names_are_ours(room):
    """They stand at the top level (docs/decisions/0001): another package of that name must not win."""
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert Path(str(spec.origin)).is_relative_to(ROOT)


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-test.lock", "requirements-spark.lock", "requirements-postgres.lock"]
)
def test_locks_have_hashes_and_no_addresses(lock):
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^([a-z0-9._-]+)==", text, flags=re.MULTILINE)
    assert len(pinned) > 80
    assert text.count("--hash=sha256:") > len(pinned)


def test_tests_and_benchmarks_are_no_longer():
    others = [path for folder in ("tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py")]
    own = [path for path in others if not {".peers", "__pycache__"} & set(path.parts)]
    assert [str(path) for path in own if len(path.read_text("utf-8").splitlines()) > LONGEST] == []


def test_a_usual_file_is_half_as_long_as_the_longest_may_be():
    lengths = sorted(len(path.read_text("utf-8").splitlines()) for path in FILES)
    assert lengths[len(lengths) // 2] <= LONGEST / 2


def test_features_need_no_tracking_tuning_or_serving():
    modules = [name.removesuffix(".py").replace("/", ".") for name in TREES if name.startswith("features/")]
    wanted = ", ".join(
        one for one in modules if one not in ("features.__init__", "features.warm", "features.large_logs.spark")
    )
    code = f"import sys, features, {wanted}; print({{'mlflow', 'optuna', 'bentoml'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "set()"


def test_help_answers_without_a_heavy_import():
    """What makes `stayworth --help` quick: importing the command line loads none of the heavy packages."""
    heavy = [
        "mlflow",
        "bentoml",
        "optuna",
        "xgboost",
        "sklearn",
        "scipy",
        "numba",
        "pandas",
        "pyarrow",
        "duckdb",
        "plotly",
        "numpy",
    ]
    code = f"import sys, pipelines.cli; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
