"""What a training run leaves in MLflow: numbers, pictures, and a model that runs elsewhere and holds no pickle."""

import ast
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import plotly.graph_objects as go
import pytest

from features.errors import InputError
from models.artifacts import registry
from models.evaluation.metric_labels import HEADLINE
from pipelines.training import tracking
from pipelines.training.dataset_fingerprint import Dataset
from tests.pipelines.logged_elsewhere import BUNDLE_STUB, ELSEWHERE, SCORER_STUB, SCORING_STUB

HASH = "0123456789abcdef" * 4
METRICS = {"roc_auc": 0.78, "total_bias": -0.02}
DECISION = {"accepted": False, "reasons": ["G07 it knows no less than the champion: it does"], "warnings": []}
JUDGED = {"models": {"stayworth": METRICS}, "gate": DECISION}
DATASET = Dataset(rows=90, customers=30, first_day="2011-01-01", last_day="2011-09-01", features=2, sha256="ab" * 32)
PARAMS = {"churn_max_depth": 3, "test_as_of": "1998-01-01"}


def folder_of(uri):
    return Path(url2pathname(urlparse(uri).path))


def scatter(name):
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name=name))


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """The packages a model takes along, with a scorer that needs no training."""
    root = tmp_path_factory.mktemp("code")
    shutil.copytree(tracking.ROOT / "features", root / "features", ignore=shutil.ignore_patterns("__pycache__"))
    stubs = {
        "__init__": "",
        "artifacts/__init__": "",
        "artifacts/bundle": BUNDLE_STUB,
        "scoring/__init__": "",
        "scoring/scorer": SCORER_STUB,
        "scoring/batch_scores": SCORING_STUB,
    }
    for name, text in stubs.items():
        file = root / "models" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for real in ("prediction.py", "artifacts/pyfunc.py"):
        shutil.copy(tracking.ROOT / "models" / real, root / "models" / real)
    return root


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "manifest.sha256").write_text(HASH + "\n")
    (folder / "quiet.ubj").write_bytes(bytes(range(256)))
    (folder / "manifest.json").write_text('{"training": {"as_of": "2011-12-01", "horizon_days": 90}}')
    return folder


@pytest.fixture(scope="module")
def once(tmp_path_factory, bundle, code):
    """Logs a run into one SQLite file, from an empty working folder and an empty home."""
    place, empty = tmp_path_factory.mktemp("tracked"), tmp_path_factory.mktemp("empty")

    def log():
        return tracking.log_run(
            uri=log.uri,
            bundle=bundle,
            dataset=DATASET,
            source={"orders": "postgresql://ann:a-secret@host/shop#orders"},
            params=PARAMS,
            metrics=METRICS,
            figures={"gains": scatter("gains"), "deciles": scatter("deciles")},
            metrics_json=JUDGED,
            made_at=datetime(2011, 12, 2, 9, 30, tzinfo=UTC),
        )

    log.uri, log.place, log.empty = f"sqlite:///{place / 'mlflow.db'}", place, empty
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(empty)
        patch.setenv("HOME", str(empty))
        patch.setattr(tracking, "ROOT", code)
        yield log


@pytest.fixture(scope="module")
def first(once):
    return once()


@pytest.fixture
def serving(once, first):
    """The first run's version, promoted."""
    registry.set_champion(once.uri, first.version)
    return registry.find(once.uri, "champion")


def test_parameters_and_metrics_are_in_the_run(once, first):
    with registry.session(once.uri) as client:
        run = client.get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == METRICS
    assert run.data.params == {name: str(value) for name, value in PARAMS.items()}


def test_the_run_names_the_model_it_made(once, first):
    with registry.session(once.uri) as client:
        (output,) = client.get_run(first.run_id).outputs.model_outputs
        model = client.get_logged_model(output.model_id)
    assert (model.source_run_id, model.status) == (first.run_id, "READY")
    assert {one.key: one.value for one in model.metrics} == METRICS


def test_pictures_open_offline_on_one_page_and_the_evaluation_lies_beside(once, first):
    with registry.session(once.uri) as client:
        artifacts = folder_of(client.get_run(first.run_id).info.artifact_uri)
    page = (artifacts / "figures.html").read_text("utf-8")
    assert 'id="gains"' in page
    assert 'id="deciles"' in page
    assert "<script src=" not in page
    assert page.count("plotly.js v") == 1, "Plotly's own script is in it, once"
    assert json.loads((artifacts / "metrics.json").read_text()) == JUDGED
    assert json.loads((artifacts / "gate.json").read_text()) == DECISION


def test_a_run_is_a_version_that_serves_nobody_and_says_what_it_is(once, first):
    (version,) = registry.versions(once.uri)
    assert (version.number, version.run_id, version.aliases) == (first.version, first.run_id, ())
    contents = version.tags.pop("contents")
    assert len(contents) == 64
    assert version.tags == {
        "bundle": HASH[:12],
        "made_at": "2011-12-02T09:30:00+00:00",
        "as_of": "2011-12-01",
        "horizon_days": "90",
        "headline": json.dumps(METRICS),
        "gate": "refused",
        "gate_reasons": json.dumps(DECISION["reasons"]),
    }
    with registry.session(once.uri) as client:
        assert client.get_run(first.run_id).data.tags["gate"] == "refused"


def test_what_was_logged_is_what_its_hash_says(once, first, tmp_path):
    version = registry.numbered(once.uri, first.version)
    assert registry.contents_hash(registry.fetch(once.uri, version.number, tmp_path)) == version.tags["contents"]


def test_a_run_names_its_data_and_no_password(once, first):
    with registry.session(once.uri) as client:
        (logged,) = client.get_run(first.run_id).inputs.dataset_inputs
    assert logged.dataset.digest == "ab" * 16
    assert json.loads(logged.dataset.profile)["sha256"] == "ab" * 32
    assert json.loads(logged.dataset.profile)["rows"] == 90
    assert logged.dataset.source == '{"orders": "postgresql://…@host/shop#orders"}'.replace("…", "\\u2026")


@pytest.mark.usefixtures("serving")
def test_the_bundle_comes_back_as_it_was(once, bundle, tmp_path):
    fetched = registry.fetch(once.uri, registry.find(once.uri, "champion").number, tmp_path, part=registry.BUNDLE)
    assert {one.name: one.read_bytes() for one in fetched.iterdir()} == {
        one.name: one.read_bytes() for one in bundle.iterdir()
    }


@pytest.mark.usefixtures("first")
def test_nothing_is_said_and_everything_lies_beside_the_database(once, capfd):
    once()
    assert capfd.readouterr() == ("", "")
    assert list(once.empty.iterdir()) == []
    assert {one.name for one in once.place.iterdir()} == {"mlflow.db", "mlartifacts"}


@pytest.mark.usefixtures("first")
def test_no_file_of_a_logged_model_is_a_pickle(once):
    files = [
        file for file in (once.place / "mlartifacts").rglob("*") if file.is_file() and "__pycache__" not in file.parts
    ]
    marks = [file for file in files if file.name == "py.typed"]
    assert all(file.stat().st_size == 0 for file in marks)
    kinds = {file.suffix or file.name for file in files if file not in marks}
    assert kinds == {"MLmodel", ".html", ".json", ".py", ".sha256", ".txt", ".ubj", ".yaml"}


def test_a_run_cut_short_is_marked_failed_and_makes_no_version(once, serving, monkeypatch):
    before = registry.versions(once.uri)
    monkeypatch.setattr(tracking, "CODE", ("no_such_package",))
    with pytest.raises(InputError, match="no_such_package"):
        once()
    with registry.session(once.uri) as client:
        experiment = client.get_experiment_by_name("stayworth").experiment_id
        newest = client.search_runs([experiment], order_by=["attributes.start_time DESC"], max_results=1)[0]
    assert newest.info.status == "FAILED"
    assert registry.versions(once.uri) == before
    assert registry.find(once.uri, "champion") == serving


@pytest.mark.usefixtures("serving")
def test_the_logged_model_scores_orders_elsewhere_with_the_code_it_brought(once, tmp_path):
    ours = [str(Path(tracking.__file__).parents[2]), ""]
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE.format(ours=ours, uri=once.uri)],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["scores"] == [
        {"customer_id": "007", "clv": 5, "model_version": HASH[:12]},
        {"customer_id": "7", "clv": 7, "model_version": HASH[:12]},
    ]
    assert all(str(once.place) in file for file in said["files"])
    assert list(said["example"])[:3] == ["customer_id", "ordered_at", "amount"]
    assert said["beside"] == [105, 207]
    assert 'params["interactions"]: is not a JSON array of rows' in said["torn"]
    assert said["pickles"] == 0
    assert "the day to score is missing" in said["none"]
    assert "'soon' is not a day" in said["nonsense"]


def test_the_requirements_are_what_the_code_imports():
    imported = set()
    for package in tracking.CODE:
        for file in (Path(tracking.__file__).parents[2] / package).rglob("*.py"):
            if "__pycache__" in file.parts:
                continue  # a compiled pass, of a test's own features maybe
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add(node.module.split(".")[0])
    outside = (
        imported
        - set(sys.stdlib_module_names)
        - set(tracking.CODE)
        - {"sqlalchemy", "adbc_driver_postgresql", "pyspark", "python_calamine"}
    )  # MLflow brings the first, two are extras, and the last reads Excel files: a model is handed frames
    sources = packages_distributions()
    named = {name: {source.lower() for source in sources[name]} & set(tracking.REQUIREMENTS) for name in outside}
    assert [name for name in outside if not named[name]] == []
    assert set().union(*named.values()) == set(tracking.REQUIREMENTS)


def test_a_backtest_is_one_run_with_a_step_per_test_day(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    numbers = {name: {"value": None if name == "total_bias" else 0.5} for name in HEADLINE}
    days = [{"as_of": day, "models": {"stayworth": numbers, "hiatus": numbers}} for day in ("2011-06-01", "2011-07-01")]
    run_id = tracking.log_backtest(uri=uri, results=days, params={"kind": "gamma"}, figures={"gains": scatter("g")})
    with registry.session(uri) as client:
        run = client.get_run(run_id)
        steps = client.get_metric_history(run_id, "hiatus/log_loss")
        files = {one.path for one in client.list_artifacts(run_id)}
    assert run.info.status == "FINISHED"
    assert [(one.step, one.value) for one in steps] == [(0, 0.5), (1, 0.5)]
    assert len(run.data.metrics) == 2 * (len(HEADLINE) - 1)
    assert run.data.params == {"kind": "gamma", "test_days": "2011-06-01, 2011-07-01"}
    assert files == {"backtest.json", "figures.html"}
