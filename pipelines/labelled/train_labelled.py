"""Train on a label table: judged by folds of customers, checked at the gate, registered, promoted."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.atomic_files import replacing
from features.errors import InputError
from models import CHAMPION, STAYWORTH
from models.artifacts import label_bundle, registry
from models.artifacts.registered_model import load_label_version
from models.labelled.label_model import fit_label_model
from models.labelled.label_scorer import LabelScorer
from models.labelled.label_value import fit_label_value
from models.labelled.table_columns import parse_columns
from pipelines import promotion, registry_audit, run_folder
from pipelines.gate import gate
from pipelines.labelled.judge_folds import TrainingTable, judge_folds, training_table
from pipelines.labelled.label_config import LabelConfig, LabelledRows, read_labelled
from pipelines.labelled.label_gate import LABEL_CHECKS, LabelChampion, LabelEvidence, examine_label_candidate
from pipelines.labelled.label_model_card import label_model_card
from pipelines.labelled.tune_classifier import tune_classifier
from pipelines.leakage.leaking_columns import LEAK_AUC, leaking_columns
from pipelines.training import tracking
from pipelines.training.dataset_fingerprint import fingerprint_table

MODEL_CARD = "model_card.md"
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class LabelTrained:
    """The result of a training run on a label table."""

    metrics: dict[str, Any]
    version: str
    registered: str
    promoted: bool
    run_id: str


def train_labelled(
    config: LabelConfig, *, now: datetime, trials: int | None, say: Callable[[str], None]
) -> LabelTrained:
    """Train on the config's label table; raises InputError on bad input. A promoted model leaves metrics.json."""
    for name in (run_folder.METRICS, MODEL_CARD, registry_audit.FILE):
        run_folder.refuse_unwritable(config.folder / name)
    trials = trials or config.train.trials
    rows, table = _read(config, say)
    champion = _champion(config, table)
    metrics = judge_folds(
        table,
        config.train,
        trials=trials,
        champion=(champion.params, champion.scorer.needs) if champion and champion.scorer else None,
        say=say,
    )
    say("making the model that serves")
    scorer, params = _fit(config, table, trials=trials, say=say)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        dataset = fingerprint_table(rows.features, features=len(table.used))
        training = {"rows": len(table.churned), "rows_sha256": dataset.sha256, "recipe": params}
        training |= {"label": config.names.churned, "left": rows.left, "churn_rate": float(table.churned.mean())}
        version = label_bundle.write(folder, scorer, training=training)[:12]
        metrics["trained"] = training | {"version": version, "features": len(table.used), "currency": scorer.currency}
        say("checking the model at the gate")
        named = rows.features.assign(customer_id=range(len(rows.features)))
        decision = gate.decide(
            LabelEvidence(
                metrics=metrics,
                candidate=examine_label_candidate(folder, named),
                champion=champion,
                customers=len(named),
                leaks=[
                    leak
                    for leak in leaking_columns(
                        parse_columns(rows.features, table.columns), rows.churned, seed=config.train.seed
                    )
                    if leak["auc"] >= LEAK_AUC
                ],
            ),
            LABEL_CHECKS,
        )
        metrics["gate"] = decision.content
        say("logging to MLflow")
        own = {name: entry["value"] for name, entry in metrics["models"][STAYWORTH].items()}
        run = tracking.log_run(
            uri=config.tracking_uri,
            bundle=folder,
            dataset=dataset,
            source={"labelled": config.resolved(config.data.labelled)},
            params=params | {"trials": trials, "folds": metrics["folds"], "repeats": metrics["repeats"]},
            metrics={name: value for name, value in own.items() if value is not None},
            figures={},
            metrics_json=metrics,
            made_at=now,
            example=rows.features.head(EXAMPLE_ROWS).assign(
                **{config.names.customer_id: [f"{place:05d}" for place in range(min(EXAMPLE_ROWS, len(rows.features)))]}
            ),
        )
    if decision.accepted:
        say("promoting")
        with replacing(config.folder / run_folder.METRICS) as draft:
            draft.write_text(run_folder.json_text(metrics), "utf-8")
            promotion.promote(config, run.version, now=now, why="passed the gate")
        run_folder.write_text(config.folder / MODEL_CARD, label_model_card(metrics))
    else:
        why, before = decision.reasons("fail"), decision.champion
        promotion.record_refusal(config, run.version, bundle=version, before=before, why=why, now=now)
    return LabelTrained(metrics, version, run.version, decision.accepted, run.run_id)


def evaluate_labelled(config: LabelConfig, *, trials: int | None, say: Callable[[str], None]) -> dict[str, Any]:
    """Judge the recipe by folds of customers, beside the baselines; written to backtest.json. Nothing is registered."""
    path = config.folder / run_folder.BACKTEST
    run_folder.refuse_unwritable(path)
    _, table = _read(config, say)
    metrics = judge_folds(table, config.train, trials=trials or config.train.trials, say=say)
    run_folder.write_json(path, metrics)
    return metrics


def _read(config: LabelConfig, say: Callable[[str], None]) -> tuple[LabelledRows, TrainingTable]:
    say("reading the table")
    rows = read_labelled(config)
    table = training_table(rows)
    if not table.used:
        raise InputError(
            "no column can be learned from: all are constant, empty or ids",
            where=config.data.labelled,
            next="`stayworth check` says why of each; add columns that describe the customers.",
        )
    if unknown := sorted(set(config.train.monotone) - set(table.used)):
        raise InputError(
            f"there is no column '{unknown[0]}' among the {len(table.used)} to learn from",
            where="train.monotone",
            next="`stayworth check` lists them.",
        )
    return rows, table


def _fit(
    config: LabelConfig, table: TrainingTable, *, trials: int, say: Callable[[str], None]
) -> tuple[LabelScorer, dict[str, float]]:
    """The model of all rows, and the parameters of its trees."""
    settings = config.train
    params = tune_classifier(
        table.parsed, table.churned, trials=trials, seed=settings.seed, monotone=settings.monotone, say=say
    )
    model = fit_label_model(
        table.parsed,
        table.columns,
        table.churned,
        params=params,
        folds=settings.folds,
        seed=settings.seed,
        monotone=settings.monotone,
    )
    value = None
    if table.value is not None:
        value = fit_label_value(table.parsed, table.churned, table.value, seed=settings.seed)
    names = config.names
    return LabelScorer(names.customer_id, names.churned, model, value, config.money.currency), params


def _champion(config: LabelConfig, table: TrainingTable) -> LabelChampion | None:
    """The champion, whose recipe is refitted in every fold: it has seen the labels of these rows."""
    version = registry.holder(config.tracking_uri, CHAMPION)
    if version is None:
        return None
    try:
        served = load_label_version(config.tracking_uri, version)
    except InputError as error:
        return LabelChampion(version.number, None, f"not compared: {error.what}", {})
    recipe = dict(served.manifest["training"]["recipe"])
    if absent := [name for name in served.scorer.needs if name not in table.used]:
        return LabelChampion(version.number, None, f"not compared: the table lacks its {', '.join(absent[:5])}", {})
    return LabelChampion(version.number, served.scorer, "its recipe, refitted in every fold", recipe)
