"""Runs in MLflow: of a training, its data set, parameters, metrics, charts, the gate's decision and the bundle; of a
backtest, the metrics of every test day.

Only calls of the client, no global run and no global URI. A SQLite file is the default; the artifacts lie in the folder
`mlartifacts` beside it. The first run of a new file takes some seconds more: MLflow makes its tables.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.artifacts import registry
from models.evaluation.metric_labels import HEADLINE
from pipelines import run_folder
from pipelines.training.dataset_fingerprint import Dataset, LabelDataset

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo

ROOT = Path(__file__).resolve().parents[2]

CODE = ("features", "models")
"""The packages a logged model takes with it."""

REQUIREMENTS = (
    "duckdb",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
    "xgboost",
)
"""Imports of those packages; named, because MLflow would take 16 s to find out."""

MAX_REASONS, MAX_REASON_LENGTH = 8, 500
"""The most reasons of the gate that a version carries, and the most characters of each: a tag may have 5000."""


@dataclass(frozen=True)
class LoggedRun:
    """The ids of a run and of the version registered by it."""

    run_id: str
    version: str
    """The number of the registered version."""


def log_run(
    *,
    uri: str,
    bundle: Path,
    dataset: Dataset | LabelDataset,
    source: Mapping[str, Any],
    params: dict[str, Any],
    metrics: dict[str, float],
    figures: dict[str, Any],
    metrics_json: dict[str, Any],
    made_at: datetime,
    example: pd.DataFrame | None = None,
) -> LoggedRun:
    """Log one run and register its bundle as the newest version of the model, without an alias.

    source: the place of each table of the log; figures: Plotly figures by name; metrics_json: the whole evaluation with
    the gate's decision under `gate`, kept as metrics.json and gate.json. example: rows of a label table, whose model
    it is; None for a model of orders.
    """
    digest = (bundle / "manifest.sha256").read_text("ascii")[:12]
    training = json.loads((bundle / "manifest.json").read_bytes())["training"]
    decision = metrics_json["gate"]
    gate_tags = {
        "gate": "accepted" if decision["accepted"] else "refused",
        "gate_reasons": json.dumps(
            [reason[:MAX_REASON_LENGTH] for reason in decision["reasons"][:MAX_REASONS]], ensure_ascii=False
        ),
    }
    with registry.session(uri) as client:
        experiment = _experiment(client, uri)
        tags = {"mlflow.source.name": "stayworth train", **gate_tags}
        run = client.create_run(experiment, tags=tags, run_name=digest).info
        status = "FAILED"
        try:
            _log_dataset(client, run.run_id, dataset, source)
            client.log_dict(run.run_id, metrics_json, run_folder.METRICS)
            client.log_dict(run.run_id, decision, "gate.json")
            client.log_text(run.run_id, _figures_page(figures), "figures.html")
            model, contents = _log_model(client, bundle, example, experiment=experiment, run_id=run.run_id)
            _log_numbers(client, run, params, metrics, model_id=model.model_id)
            number = registry.register(
                client,
                source=model.artifact_location,
                run_id=run.run_id,
                model_id=model.model_id,
                tags=gate_tags
                | {
                    "bundle": digest,
                    "contents": contents,
                    "made_at": made_at.isoformat(timespec="seconds"),
                    **{name: str(training[name]) for name in ("as_of", "horizon_days") if name in training},
                    "headline": json.dumps({name: metrics[name] for name in HEADLINE if name in metrics}),
                },
            )
            status = "FINISHED"
        finally:
            client.set_terminated(run.run_id, status)
    return LoggedRun(run.run_id, number)


def log_backtest(
    *, uri: str, results: Sequence[Mapping[str, Any]], params: Mapping[str, Any], figures: Mapping[str, Any]
) -> str:
    """Log the evaluations of several test days as one run; returns its id.

    Headline metrics are `model/metric`, a step per test day, oldest first; backtest.json holds them all; figures:
    Plotly figures by name, of the latest day.
    """
    from mlflow.entities import Metric, Param

    with registry.session(uri) as client:
        days = [evaluation["as_of"] for evaluation in results]
        tags = {"mlflow.source.name": "stayworth evaluate"}
        run = client.create_run(_experiment(client, uri), tags=tags, run_name=f"backtest {days[0]} to {days[-1]}").info
        status = "FAILED"
        try:
            params = {**params, "test_days": ", ".join(days)}
            client.log_batch(run.run_id, params=[Param(name, str(value)) for name, value in params.items()])
            for step, evaluation in enumerate(results):
                metrics = [
                    Metric(f"{model}/{name}", values[name]["value"], run.start_time, step)
                    for model, values in evaluation["models"].items()
                    for name in HEADLINE
                    if values[name]["value"] is not None
                ]
                client.log_batch(run.run_id, metrics=metrics)
            client.log_text(run.run_id, json.dumps(list(results)), run_folder.BACKTEST)
            client.log_text(run.run_id, _figures_page(figures), "figures.html")
            status = "FINISHED"
        finally:
            client.set_terminated(run.run_id, status)
    return run.run_id


def _log_dataset(
    client: "MlflowClient", run_id: str, dataset: Dataset | LabelDataset, source: Mapping[str, Any]
) -> None:
    """Log the data set by plain entities: MLflow's own data set classes would import and profile the frame."""
    from mlflow.entities import Dataset as Entity
    from mlflow.entities import DatasetInput, InputTag

    places = {table: registry.shown(str(place)) for table, place in source.items()}
    entity = Entity(
        name="labelled rows",
        digest=dataset.sha256[:32],
        source_type="local",
        source=json.dumps(places),
        profile=json.dumps(asdict(dataset)),
    )
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def _log_numbers(
    client: "MlflowClient", run: "RunInfo", params: dict[str, Any], metrics: dict[str, float], *, model_id: str
) -> None:
    """Log metrics and parameters in one call: one by one they take thirty times as long."""
    from mlflow.entities import Metric, Param

    client.log_batch(
        run.run_id,
        metrics=[Metric(name, value, run.start_time, 0, model_id) for name, value in metrics.items()],
        params=[Param(name, str(value)) for name, value in params.items()],
    )


def _log_model(
    client: "MlflowClient", bundle: Path, example: pd.DataFrame | None, *, experiment: str, run_id: str
) -> tuple["LoggedModel", str]:
    """Log the bundle as a models-from-code pyfunc, data and source text, nothing pickled; returns its hash too."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    if example is None:
        from models.artifacts import pyfunc

        code, signature = pyfunc.__file__, pyfunc.signature()
        shown: Any = (pyfunc.example(), {"as_of": pyfunc.EXAMPLE_AS_OF})
    else:
        from models.artifacts import label_bundle, label_pyfunc

        code, signature, shown = label_pyfunc.__file__, label_pyfunc.signature(label_bundle.read(bundle)), example
    model = client.create_logged_model(experiment, name=registry.NAME, source_run_id=run_id)
    with tempfile.TemporaryDirectory() as scratch:
        folder, renamed = Path(scratch) / "model", Path(scratch) / Path(registry.BUNDLE).name
        shutil.copytree(bundle, renamed)  # MLflow keeps the folder's own name
        save_model(
            folder,
            python_model=code,
            artifacts={"bundle": str(renamed)},
            code_paths=[str(ROOT / package) for package in CODE],
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            signature=signature,
            input_example=shown,
            mlflow_model=Model(run_id=run_id, model_id=model.model_id),
        )
        contents = registry.contents_hash(folder)
        client.log_model_artifacts(model.model_id, str(folder))
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return client.finalize_logged_model(model.model_id, "READY"), contents


def _experiment(client: "MlflowClient", uri: str) -> str:
    """The experiment's id; its artifacts lie beside a SQLite file, or else where the server puts them."""
    experiment = client.get_experiment_by_name(registry.NAME)
    if experiment:
        return experiment.experiment_id
    scheme, _, path = uri.partition(":///")
    folder = (Path(path).resolve().parent / "mlartifacts").as_uri() if scheme == "sqlite" else None
    return client.create_experiment(registry.NAME, artifact_location=folder)


def _figures_page(figures: Mapping[str, Any]) -> str:
    """All figures on one HTML page that opens offline: it contains Plotly's script, 5 MB, once."""
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=place == 0, div_id=name)
        for place, (name, figure) in enumerate(figures.items())
    ]
    return "<!doctype html><meta charset=utf-8><title>Stayworth</title>" + "\n".join(parts)
