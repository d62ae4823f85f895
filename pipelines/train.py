"""Make a model, judge it on a window it has not seen, and promote it if it deserves it.

tune        parameters, on inner folds before the test day
judge       a model made as of the test day, and the champion, on what followed; read once
simple      if a simple model did better there, it serves
make        the same recipe as of the end of the data: the candidate
gate        numbered checks of the candidate and of its judgement (pipelines/gate/gate.py)
track       run, metrics, pictures, decision and bundle into MLflow, as a version that serves nobody
promote     if the gate says yes: the alias `champion` moves to it, and metrics.json describes it
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.atomic_files import replacing
from features.errors import InputError
from features.large_logs.spark import Session, session
from models import STAYWORTH
from models.artifacts import bundle
from models.ensemble.recipe import Recipe
from models.training.temporal_splits import test_day
from models.trees import boosting
from pipelines import promotion, registry_audit, run_folder
from pipelines.campaigns.configured_offers import evaluation_offer
from pipelines.config import Config
from pipelines.gate import gate
from pipelines.gate.evidence import Evidence, examine
from pipelines.gate.gate import Decision
from pipelines.leakage.leakage_probes import leakage_probes
from pipelines.memory import machine_memory
from pipelines.order_log import write_reconciliation
from pipelines.reporting import evaluation_charts
from pipelines.training import champion_comparison, tracking
from pipelines.training.baseline_comparison import MODELS, better_baseline
from pipelines.training.dataset_fingerprint import Dataset, fingerprint
from pipelines.training.holdout_evaluation import evaluate_model, labelled_rows
from pipelines.training.learning_curve import in_words, learning_curve
from pipelines.training.tracking import LoggedRun
from pipelines.training.training_data import TrainingData, read_training_data
from pipelines.training.training_set import TrainingSet, censored_rows, fit_model, training_set
from pipelines.training.tuning import tune

RESAMPLES = 200
CANARY_CUSTOMERS = 5_000
"""Customers of the test day the canaries are shown, at most: among as many, 0.02 of AUC shows."""


@dataclass(frozen=True)
class Trained:
    """What a training run made."""

    metrics: dict[str, Any]
    """The evaluation, with the gate's decision under `gate`."""
    version: str
    """The bundle's version."""
    registered: str
    """The number of the registered model in MLflow."""
    promoted: bool
    run_id: str
    cut_offs: int
    rows: int
    censored_rows: int
    customers: int
    """How many the log has."""
    drawn: int
    """How many of them taught what is learnt in memory."""
    horizons: dict[int, str]
    """The further days it looks ahead, and how each came to be."""
    streamed_rows: int
    """Rows of all of them on disk that the trees were grown on; 0 where memory held what was asked for."""


def train(
    config: Config,
    *,
    now: datetime,
    trials: int | None,
    say: Callable[[str], None],
    horizons: Sequence[int] | None = None,
    memory_bytes: int | None = None,
    engine: str = "duckdb",
) -> Trained:
    """Train on the config's orders; raises InputError on bad input.

    horizons: days to look ahead beside the config's `horizon_days`; default those of the config.
    memory_bytes: what the run may take, all in all; what does not fit is drawn from and streamed
    (pipelines/training/training_data.py). engine: duckdb, on this machine, or spark: its workers make the rows for the
    trees and grow these; all else, tuning and other horizons among it, is learnt here as ever. A promoted model leaves
    metrics.json and the account of the log. A refused one is a version in the registry and a line of the audit log;
    nothing else changes.
    """
    boosting.present(config.train.device)
    if engine == "spark" and config.train.device != "cpu":
        raise InputError(
            f'is "{config.train.device}", but Spark grows the trees on CPUs',
            where="train.device",
            next='Set it to "cpu", or leave out --engine spark.',
        )
    for name in (run_folder.METRICS, registry_audit.FILE):
        run_folder.refuse_unwritable(config.folder / name)
    say("looking up the champion")
    standing = champion_comparison.current_champion(config.tracking_uri)
    say("reading orders")
    with _workplace(config, engine) as (folder, spark):
        log = read_training_data(
            config,
            now_us=int(now.timestamp() * 1_000_000),
            memory_bytes=memory_bytes or machine_memory(),
            folder=folder,
            say=say,
            spark=spark,
        )
        ahead = config.time.horizons if horizons is None else tuple(horizons)
        return _train(config, log, standing, now=now, trials=trials or config.train.trials, horizons=ahead, say=say)


@contextmanager
def _workplace(config: Config, engine: str) -> Iterator[tuple[Path, Session | None]]:
    """A folder for rows that vanishes, and the Spark that is asked for: its folder is where the workers reach it."""
    if engine != "spark":
        with tempfile.TemporaryDirectory(prefix="stayworth-rows-") as folder:
            yield Path(folder), None
        return
    within = next(path for path in (config.folder, *config.folder.parents) if path.exists())
    with (
        tempfile.TemporaryDirectory(prefix=".stayworth-", dir=within) as folder,
        session(config.spark.master, Path(folder)) as spark,
    ):
        yield Path(folder), spark


def _train(
    config: Config,
    log: TrainingData,
    standing: champion_comparison.ChampionComparison | None,
    *,
    now: datetime,
    trials: int,
    horizons: Sequence[int],
    say: Callable[[str], None],
) -> Trained:
    terms, seed = config.terms, config.train.seed
    histories = log.histories
    day = test_day(histories.first_day, histories.end, horizon_days=terms.horizon_days)

    say("building snapshots")
    taught = training_set(histories, terms, as_of=day, more=log.more)
    test = labelled_rows(histories, terms, as_of=day)
    tuned = tune(
        taught.rows,
        taught.features,
        taught.timeline.folds,
        trials=trials,
        seed=seed,
        say=say,
        monotone=config.train.monotone,
        device=config.train.device,
    )
    say("judging against the champion and the opponents")
    against = champion_comparison.comparable_champion(standing, taught, terms) if standing else None
    recipe, metrics = _judged(config, taught, test, tuned.recipe(config.train), against, say=say)

    say("making the model that serves")
    latest = training_set(histories, terms, as_of=histories.end, horizons=horizons, more=log.more)
    served, made_of = fit_model(latest, terms, recipe), fingerprint(latest)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        training = _training(latest, made_of, recipe)
        version = bundle.write(folder, served, training=training)[:12]
        metrics["trained"] = {"version": version, "features": made_of.features, **training}
        del metrics["trained"]["recipe"]
        say("at the gate")
        evidence = Evidence(
            metrics=metrics,
            candidate=examine(folder, latest.now),
            rows=latest.now,
            offered=taught.features,
            canaries=leakage_probes(taught, test, config.features.attributes, customers=CANARY_CUSTOMERS, seed=seed),
            horizon_days=terms.horizon_days,
            now=now.date(),
            rival=against,
        )
        decision = gate.decide(evidence)
        metrics["gate"] = decision.content
        say("logging to MLflow")
        run = tracking.log_run(
            uri=config.tracking_uri,
            bundle=folder,
            dataset=made_of,
            source=config.log.tables,
            params=recipe.flat() | {"horizon_days": terms.horizon_days, "test_as_of": day.isoformat()},
            metrics={
                name: entry["value"]
                for name, entry in metrics["models"][STAYWORTH].items()
                if entry["value"] is not None
            },
            figures=evaluation_charts.evaluation(metrics),
            metrics_json=metrics,
            made_at=now,
        )
    if decision.accepted:
        say("promoting")
        _promote(config, log, run, metrics, now=now)
    else:
        _refuse(config, decision, run, bundle_hash=version, now=now)
    return Trained(
        metrics=metrics,
        version=version,
        registered=run.version,
        promoted=decision.accepted,
        horizons={one.days: one.how for one in served.horizons},
        run_id=run.run_id,
        cut_offs=len(taught.timeline.matured),
        rows=len(taught.rows),
        censored_rows=censored_rows(histories, taught.timeline),
        customers=log.customers,
        drawn=histories.customers,
        streamed_rows=log.more.rows if log.more else 0,
    )


def _judged(
    config: Config,
    taught: TrainingSet,
    test: pd.DataFrame,
    recipe: Recipe,
    against: champion_comparison.ChampionComparison | None,
    *,
    say: Callable[[str], None],
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe that is to serve, and the evaluation of its model; a simple model alone where that is no worse."""
    how: dict[str, Any] = {
        "offer": evaluation_offer(config),
        "resamples": RESAMPLES,
        "seed": config.train.seed,
        "champion": against.scorer if against else None,
    }
    metrics = evaluate_model(test, taught, fit_model(taught, config.terms, recipe), config.terms, **how)
    simple = None if taught.is_contractual else better_baseline(metrics)  # no simple model knows contracts
    if simple:
        say(f"no better than {MODELS[simple]}: that serves")
        recipe = replace(recipe, alone=simple)
        metrics = evaluate_model(test, taught, fit_model(taught, config.terms, recipe), config.terms, **how)
    curve = learning_curve(
        test, replace(taught, more=None), config.terms, recipe, whole=metrics, seed=config.train.seed, say=say
    )
    return recipe, metrics | {
        "alone": simple,
        "learning_curve": {"curve": curve, "in_words": in_words(curve)},
    }


def _promote(config: Config, log: TrainingData, run: LoggedRun, metrics: dict[str, Any], *, now: datetime) -> None:
    """The files first, so that a full disk leaves the old champion with its own metrics."""
    write_reconciliation(config, log.account, log.quarantine)
    with replacing(config.folder / run_folder.METRICS) as draft:
        draft.write_text(run_folder.json_text(metrics), "utf-8")
        promotion.promote(config, run.version, now=now, why="passed the gate")


def _refuse(config: Config, decision: Decision, run: LoggedRun, *, bundle_hash: str, now: datetime) -> None:
    registry_audit.write(
        config.folder / registry_audit.FILE,
        at=now,
        what="refuse",
        version=run.version,
        bundle=bundle_hash,
        before=decision.champion,
        why="; ".join(decision.said("fail")),
    )


def _training(taught: TrainingSet, made_of: Dataset, recipe: Recipe) -> dict[str, Any]:
    """What the manifest says of what a bundle was made of: enough to make its like again
    (pipelines/training/champion_comparison.py).
    """
    line = taught.timeline
    return {
        "as_of": line.as_of.isoformat(),
        "cut_offs": [day.isoformat() for day in line.matured],
        "horizon_days": (line.as_of - line.calibrate).days,
        "rows": len(taught.rows),
        "rows_sha256": made_of.sha256,
        "recipe": asdict(recipe),
    } | ({"streamed_rows": taught.more.rows, "engine": taught.more.engine} if taught.more else {})
