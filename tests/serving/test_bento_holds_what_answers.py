"""The bento holds the code that answers and nothing else; it starts by itself, and never without its guard."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import httpx
import pytest
import yaml

from tests.serving.running import SECRET_ID, TOKEN

ROOT = Path(__file__).parents[2]
ROOMS = ("features", "models", "retention", "serving", "pipelines")
STARTED = ("serving.__main__", "serving.service", "serving.warm", "serving.processes.workers")
"""What is named as a word on the way to an answer; all else is imported."""
BROUGHT = {"h11": "uvicorn", "pydantic_core": "pydantic", "starlette": "fastapi"}
"""Packages that come with another."""
BENTOFILE = yaml.safe_load((ROOT / "bentofile.yaml").read_text("utf-8"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
}


def at_import(nodes):
    """What Python runs when it imports a module."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from at_import(ast.iter_child_nodes(node))


def imported(path):
    """Dotted names a file imports, and those that code it writes imports (features/kernel/code_generation.py)."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in at_import(tree.body):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^from ([a-z_.]+) import \w+$", node.value)


def closure():
    """Our modules that answering takes, and the names of the packages they import."""
    ours, theirs, left = set(), set(), list(STARTED)
    while left:
        name = left.pop()
        if name in MODULES and name not in ours:
            ours.add(name)
            left += [name.rpartition(".")[0], *imported(MODULES[name])]
        elif name and name.split(".")[0] not in (*ROOMS, *sys.stdlib_module_names):
            theirs.add(name.split(".")[0])
    return {str(MODULES[name].relative_to(ROOT)) for name in ours}, theirs


def packed():
    """The files that the patterns of bentofile.yaml take, and those that it leaves out of them."""
    taken = {str(path.relative_to(ROOT)) for pattern in BENTOFILE["include"] for path in ROOT.glob(pattern)}
    left_out = set(BENTOFILE["exclude"])
    assert left_out <= taken, "a name that is left out, but is not there"
    return taken - left_out, left_out


def test_the_rooms_packed_are_those_that_answer():
    """All that answering takes is packed, and no room of which it takes nothing."""
    taken, _ = packed()
    answering = closure()[0]
    assert answering <= taken
    assert {str(Path(name).parent) for name in taken} == {str(Path(name).parent) for name in answering}


def test_what_is_packed_needs_nothing_that_is_not():
    """Each packed module can be imported there; each one that is left out could not be."""
    taken, left_out = packed()
    packages = closure()[1]
    for name in taken | left_out:
        reached = set(imported(ROOT / name))
        ours = {str(MODULES[one].relative_to(ROOT)) for one in reached if one in MODULES}
        theirs = {one.split(".")[0] for one in reached} - {*ROOMS, *sys.stdlib_module_names}
        assert (ours <= taken and theirs <= packages) == (name in taken), name


def test_the_packages_are_those_it_imports_as_the_project_names_them():
    distributions = importlib.metadata.packages_distributions()
    needed = {distributions[name][0].lower().replace("_", "-") for name in closure()[1] - BROUGHT.keys()}
    for name, brings in BROUGHT.items():
        assert brings in needed
        assert any(re.match(rf"{name.replace('_', '.')}\b", one) for one in importlib.metadata.requires(brings))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    named = {re.split(r"[<>=]", one)[0]: one for one in project}
    # BentoML adds itself.
    assert BENTOFILE["python"]["packages"] == [named[name] for name in sorted(needed - {"bentoml"})]
    assert "://" not in (ROOT / "bentofile.yaml").read_text("utf-8")


@pytest.mark.parametrize("command", ["bentoml serve serving.service:Scoring --port 0", "python -c {init}"])
def test_it_does_not_start_without_its_guard(command, tmp_path):
    program, *words = command.format(init="x").split()
    if program == "python":
        words[-1] = "from serving.service import Scoring; Scoring()"
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        cwd=ROOT,
        env=os.environ | {"BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "true", "STAYWORTH_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "only behind its guard" in done.stderr
    assert "python -m serving" in done.stderr


@pytest.fixture(scope="module")
def bento(tmp_path_factory):
    """The bento, built without a network."""
    home = tmp_path_factory.mktemp("bentoml")
    nowhere = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https")}
    path = os.pathsep.join([str(ROOT / ".uv" / "bin"), os.environ["PATH"]])
    command = [Path(sys.executable).with_name("bentoml"), "build", "-o", "tag"]
    tracking = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true", "PATH": path}
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | nowhere | tracking, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name, version = done.stdout.strip().removeprefix("__tag__:").split(":")
    return home / "bentos" / name / version


@pytest.mark.slow
def test_a_bento_is_that_code_and_its_packages(bento):
    src = bento / "src"
    files = {str(path.relative_to(src)) for path in src.rglob("*") if path.is_file()}
    assert files == packed()[0] | {"bentofile.yaml"}
    required = (bento / "env" / "python" / "requirements.txt").read_text().split()
    assert required == [*BENTOFILE["python"]["packages"], f"bentoml=={importlib.metadata.version('bentoml')}"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_bento_answers_where_there_is_nothing_else(bento, batch, workers, tmp_path):
    """-S and PYTHONPATH: packages as they are installed, and not this repository, which is there by a .pth file."""
    told = {
        "STAYWORTH_SCORES": str(batch.folder / "scores.store"),
        "STAYWORTH_MODEL": str(batch.folder / "bundle"),
        "STAYWORTH_TOKEN": TOKEN,
        "STAYWORTH_PORT": "0",
        "STAYWORTH_WORKERS": workers,
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "HOME": str(tmp_path),
    }
    probe = [sys.executable, "-S", "-c", "import features, importlib.util as u; print(u.find_spec('pipelines'))"]
    found = subprocess.run(probe, cwd=bento / "src", env=os.environ | told, capture_output=True, text=True, check=True)
    assert found.stdout == "None\n"
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "serving"],
        cwd=bento / "src",
        env=os.environ | told,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline() + process.stdout.readline())[0]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            answer = client.post("/v1/score", json={"customer_ids": [SECRET_ID]}).json()
            assert answer["scores"][0]["clv"] == batch.scores["clv"].iloc[-1]
            order = {"ordered_at": "1998-03-02T00:00:00Z", "amount": 5.0, "quantity": 1}
            asked = {"as_of": "1998-04-02", "customers": [{"customer_id": "new", "orders": [order]}]}
            assert len(client.post("/v1/score_histories", json=asked).json()["scores"]) == 1
            assert client.post("/v1/explain", json={"customer_ids": [SECRET_ID]}).status_code == 200
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
