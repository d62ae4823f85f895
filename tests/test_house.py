"""The rules of the house, read off the syntax tree: who may import whom, where the clock is, how long a file is."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("features", "models", "retention", "pipelines", "serving")
MAY_IMPORT = {
    "features": {"features"},
    "models": {"features", "models"},
    "retention": {"features", "models", "retention"},
    "pipelines": {"features", "models", "retention", "pipelines", "serving"},
    "serving": {"features", "models", "retention", "serving"},
}
ONLY_IN = {
    "mlflow": {
        "models/artifacts/registry.py",
        "models/artifacts/pyfunc.py",
        "models/artifacts/label_pyfunc.py",
        "pipelines/training/tracking.py",
    },
    "optuna": {"pipelines/training/tuning.py", "pipelines/labelled/tune_classifier.py"},
    "bentoml": {"serving/service.py"},
    "xgboost": {"models/trees/boosting.py", "models/trees/spark_boosting.py"},
    "plotly": {"retention/presentation/theme.py"},
    "adbc_driver_postgresql": {"features/ingest/postgresql.py"},
    "pyspark": {"features/large_logs/spark.py"},
    "python_calamine": {"features/ingest/formats/workbook.py"},
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
WIDEST = 22
WIDER = {"retention/analyses"}
"""One file a question of the report."""
LAYERS = {
    "features": (
        ("histories",),
        ("kernel", "ingest"),
        ("families",),
        ("snapshots",),
        ("large_logs",),
        ("history_store",),
        ("online",),
    ),
    "models": (
        ("btyd", "trees", "evaluation"),
        ("ensemble", "uplift", "labelled"),
        ("horizons", "lifetime"),
        ("keeping",),
        ("scoring",),
        ("training", "artifacts"),
    ),
    "retention": (("economics", "presentation"), ("measurement", "customer_base"), ("planning", "analyses")),
    "pipelines": (
        ("simulator", "training", "shop_files"),
        ("batches", "gate", "leakage"),
        ("campaigns",),
        ("monitoring", "reporting", "labelled"),
        ("screens",),
        ("commands",),
    ),
    "serving": (("store", "guard"), ("processes", "console")),
}
"""The rooms of each package from the lowest to the highest; those of one layer know nothing of each other."""

FILES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts
)
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in FILES}
MODULE_OF = {name: name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in TREES}
MODULES = {module: name for name, module in MODULE_OF.items()}


def imports(name: str) -> list[str]:
    """Dotted names a file imports, at any depth."""
    targets = []
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            targets += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            targets += [f"{node.module}.{alias.name}" for alias in node.names]
    return targets


def test_imports_go_one_way():
    for name in TREES:
        package = name.split("/")[0]
        reached = {target.split(".")[0] for target in imports(name)} & set(PACKAGES)
        assert reached <= MAY_IMPORT[package], name
        if package == "pipelines" and "serving" in reached:
            assert name in MAY_REACH_SERVING, name


def room_of(module: str) -> str:
    """The room of a module or package, "" for what stands at the top of a package: "models.trees.churn" → "trees"."""
    path = ROOT / module.replace(".", "/")
    parts = module.split(".")[1:] if path.is_dir() else module.split(".")[1:-1]
    return parts[0] if parts else ""


def reached_modules(name: str) -> set[str]:
    """The modules of ours that a file imports, by their full names."""
    return {module for target in imports(name) for module in (target, target.rpartition(".")[0]) if module in MODULES}


@pytest.mark.parametrize("package", LAYERS)
def test_rooms_of_a_package_are_layered(package):
    """A room imports from rooms below it, never from one beside or above it."""
    layers = LAYERS[package]
    height = {room: place for place, rooms in enumerate(layers) for room in rooms}
    rooms = {path.name for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()}
    assert set(height) == rooms
    upward = [
        f"{name} → {target}"
        for name in TREES
        if name.startswith(f"{package}/") and (own := room_of(MODULE_OF[name]))
        for target in reached_modules(name)
        if target.startswith(f"{package}.")
        and (room := room_of(target))
        and room != own
        and height[room] >= height[own]
    ]
    assert upward == []


def test_no_room_is_wider_than_22_modules():
    width = Counter(str(Path(name).parent) for name in TREES if not name.endswith("__init__.py"))
    assert {room: modules for room, modules in width.items() if modules > WIDEST and room not in WIDER} == {}


def repeated(places: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Names that stand in several places: name → places. places: (name, place) pairs."""
    by_name: dict[str, list[str]] = {}
    for name, place in places:
        by_name.setdefault(name, []).append(place)
    return {name: sorted(where) for name, where in by_name.items() if len(where) > 1}


def test_no_two_modules_have_one_name():
    """But for the parts of one command: its work, its options and what it prints are targets under its name."""
    modules = [(Path(name).stem, name) for name in TREES if not name.endswith("__init__.py")]
    again = repeated(modules)
    of_commands = {name: [f"pipelines/{room}{name}.py" for room in ("", "commands/", "screens/")] for name in again}
    assert {name: where for name, where in again.items() if not set(where) <= set(of_commands[name])} == {}


def test_no_two_public_classes_have_one_name():
    classes = [
        (node.name, name)
        for name, tree in TREES.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert repeated(classes) == {}


def test_the_picture_of_the_house_shows_its_imports():
    picture = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    arrows = re.findall(r"^ *(\w+)(?:\[.*?\])? --> (\w+)", picture, flags=re.MULTILINE)
    drawn = {(source, target) for source, target in arrows if source in PACKAGES and target in PACKAGES}
    reached = {(one.split(".")[0], name.split("/")[0]) for name in TREES for one in imports(name)}
    assert drawn == {(source, target) for source, target in reached if source in PACKAGES and source != target}


def test_no_two_files_import_each_other():
    edges = {
        module: {
            target
            for one in imports(name)
            for target in (one, one.rpartition(".")[0])
            if target in MODULES and target != module and MODULES[target].count("__init__") == 0
        }
        for module, name in MODULES.items()
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


def test_nobody_below_the_command_line_reads_the_clock():
    calls = [
        f"{name}: {ast.unparse(node.func)}"
        for name, tree in TREES.items()
        if name not in CLOCK
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_CALLS
        and ast.unparse(node.func.value).split(".")[-1] in CLOCK_OWNERS
    ]
    assert calls == []


def test_nothing_is_unpickled_or_evaluated():
    for name, tree in TREES.items():
        assert not {target.split(".")[0] for target in imports(name)} & FORBIDDEN, name
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"eval", "exec"}, name


def test_files_are_short_named_and_explained():
    for name, tree in TREES.items():
        assert len((ROOT / name).read_text("utf-8").splitlines()) <= LONGEST, name
        assert Path(name).stem not in VAGUE, name
        assert ast.get_docstring(tree), name


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


@pytest.mark.parametrize("package", PACKAGES)
def test_our_package_names_are_ours(package):
    """They stand at the top level (docs/decisions/0001): another package of that name must not win."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert Path(str(spec.origin)).is_relative_to(ROOT)


@pytest.mark.parametrize(
    ("lock", "fewest"),
    [("", 80), ("-test", 80), ("-spark", 80), ("-postgres", 80), ("-emulators", 20)],
)
def test_locks_have_hashes_and_no_addresses(lock, fewest):
    text = (ROOT / f"requirements{lock}.lock").read_text("utf-8")
    assert "://" not in text
    pinned = re.findall(r"^([a-z0-9._-]+)==", text, flags=re.MULTILINE)
    assert len(pinned) > fewest
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
    heavy = ["mlflow", "bentoml", "optuna", "xgboost", "sklearn", "scipy", "numba", "pandas", "pyarrow", "duckdb"]
    heavy += ["plotly", "numpy", "python_calamine"]
    code = f"import sys, pipelines.cli; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
