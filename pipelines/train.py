"""Train a model, judge it on a window it has not seen, and promote it if it passes the gate.

tune        parameters, on inner folds before the test day
judge       a model made as of the test day, and the champion, on the window that followed; read once
simple      a simple model serves instead if it did clearly better there and over the test days before
lifetime    values learned from the log are judged on closed years; counting models give them if these were better
make        the same recipe as of the end of the data: the candidate
gate        numbered checks of the candidate and of its evaluation (pipelines/gate/gate.py)
track       run, metrics, charts, decision and bundle in MLflow, as a version that does not serve yet
promote     if the gate accepts: the alias `champion` moves to it, and metrics.json describes it
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from features.atomic_files import replacing
from features.errors import InputError
from features.large_logs.spark import Session, spark_session
from models import STAYWORTH
from models.artifacts import bundle
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.trees import boosting
from pipelines import promotion, registry_audit, run_folder
from pipelines.campaigns.configured_offers import evaluation_offer
from pipelines.config import Config
from pipelines.gate import gate
from pipelines.gate.evidence import Evidence, examine
from pipelines.leakage.leakage_probes import leakage_probes
from pipelines.order_log import write_reconciliation
from pipelines.reporting import evaluation_charts
from pipelines.training import champion_comparison, tracking
from pipelines.training.champion_comparison import ChampionComparison, comparable_champion
from pipelines.training.dataset_fingerprint import Dataset, fingerprint
from pipelines.training.holdout_evaluation import judged_days_before, labelled_rows
from pipelines.training.judgement import Judgement, expected_total, judgement, with_horizon
from pipelines.training.lifetime_choice import LifetimeChoice, fit_chosen, judge_learned_values
from pipelines.training.lifetime_summary import lifetime_summary
from pipelines.training.recipe_choice import evaluate_recipe
from pipelines.training.serving_costs import costs_if_any
from pipelines.training.tracking import LoggedRun
from pipelines.training.training_data import TrainingData, read_training_data
from pipelines.training.training_description import training_description
from pipelines.training.training_set import TrainingSet, censored_rows, training_set
from pipelines.training.tuning import tune

PROBED_CUSTOMERS = 5_000
"""The most customers of the test day that the leakage probes use: enough for 0.02 of AUC to show."""


@dataclass(frozen=True)
class Trained:
    """The result of a training run."""

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
    """In the whole log."""
    drawn: int
    """Of them, those used for everything that is learned in memory."""
    horizons: dict[int, str]
    """The further horizons it scores, in days, and how each was made."""
    attributes: list[str]
    """What became of the declared attributes of customers, in sentences."""
    streamed_rows: int
    """Rows of all of them on disk that the trees were grown on; 0 where memory held the rows asked for."""


def train(
    config: Config,
    *,
    now: datetime,
    trials: int | None,
    say: Callable[[str], None],
    horizons: Sequence[int] | None = None,
    engine: str = "duckdb",
) -> Trained:
    """Train on the config's orders; raises InputError on bad input.

    horizons: days to score beside the config's `horizon_days`; default those of the config. A log larger than the
    config's memory is drawn from and streamed (pipelines/training/training_data.py). engine: duckdb, here, or spark:
    its workers make the rows for the trees and grow these; all else is learned here. A promoted model leaves
    metrics.json and the account of the log. A refused one is a version in the registry and a line of the audit log.
    """
    boosting.check_device(config.train.device)
    if engine == "spark" and config.train.device != "cpu":
        raise InputError(
            f'is "{config.train.device}", but Spark grows the trees on CPUs',
            where="train.device",
            next='Set it to "cpu", or leave out --engine spark.',
        )
    for name in (run_folder.METRICS, registry_audit.FILE):
        run_folder.refuse_unwritable(config.folder / name)
    say("looking up the champion")
    champion = champion_comparison.current_champion(config.tracking_uri)
    say("reading orders")
    with _scratch_folder(config, engine) as (folder, spark):
        data = read_training_data(
            config,
            now=now,
            folder=folder,
            say=say,
            spark=spark,
        )
        further = config.time.horizons if horizons is None else tuple(horizons)
        return _train(config, data, champion, now=now, trials=trials or config.train.trials, horizons=further, say=say)


@contextmanager
def _scratch_folder(config: Config, engine: str) -> Iterator[tuple[Path, Session | None]]:
    """A temporary folder for rows, and the Spark session if there is to be one: then its workers reach the folder."""
    if engine != "spark":
        with tempfile.TemporaryDirectory(prefix="stayworth-rows-") as folder:
            yield Path(folder), None
        return
    within = next(path for path in (config.folder, *config.folder.parents) if path.exists())
    with (
        tempfile.TemporaryDirectory(prefix=".stayworth-", dir=within) as folder,
        spark_session(config.spark.master, Path(folder)) as spark,
    ):
        yield Path(folder), spark


def _train(
    config: Config,
    data: TrainingData,
    champion: ChampionComparison | None,
    *,
    now: datetime,
    trials: int,
    horizons: Sequence[int],
    say: Callable[[str], None],
) -> Trained:
    terms, histories = config.terms, data.histories
    window, judged = judgement(histories.first_day, histories.end, horizon_days=terms.horizon_days)
    day, judging = window.as_of, with_horizon(config, window.horizon_days)
    costs = costs_if_any(config, now=now)

    say("building snapshots")
    make = partial(training_set, histories, stream=data.stream, costs=costs)
    training = make(judging.terms, as_of=day, learned_days=window.learned_days, may_count=not judged.is_judged)
    test = labelled_rows(histories, judging.terms, as_of=day)
    tuned = tune(
        training.rows,
        training.features,
        training.timeline.folds,
        trials=trials,
        seed=config.train.seed,
        say=say,
        monotone=config.train.monotone,
        device=config.train.device,
    )
    say("comparing with the champion and the baselines")
    comparison = comparable_champion(champion, training, judging.terms, asked=terms) if champion else None
    recipe, metrics = evaluate_recipe(
        judging,
        training,
        test,
        tuned.recipe(config.train),
        comparison,
        days_before=judged_days_before(histories, judging.terms, window, may_count=not judged.is_judged),
        offer=evaluation_offer(config),
        say=say,
    )

    say("making the model that serves")
    final = make(terms, as_of=histories.end, horizons=horizons)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        say("judging lifetime values on years that have closed")
        lifetimes = judge_learned_values(histories, final, terms, recipe, champion, costs=costs)
        model, dataset = fit_chosen(final, terms, recipe, lifetimes), fingerprint(final)
        description = training_description(final, terms, dataset, recipe, judged)
        version = bundle.write(folder, model, training=description)[:12]
        shown = {name: value for name, value in description.items() if name not in ("recipe", "judged")}
        metrics["trained"] = {"version": version, "features": dataset.features, **shown}
        metrics["lifetime"] = lifetime_summary(model, final.current_rows) | {"judged": lifetimes.content}
        total = float(scorer.predict(model, final.current_rows)["expected_value"].sum())
        metrics["judgement"] = judged.content | {"expected_total": expected_total(final, total)}
        say("checking the model at the gate")
        decision = gate.decide(
            _evidence(config, folder, metrics, training, test, final, comparison, lifetimes=lifetimes, now=now)
        )
        metrics["gate"] = decision.content
        say("logging to MLflow")
        run = _log(config, folder, dataset, recipe, metrics, judged, test_as_of=day, now=now)
    if decision.accepted:
        say("promoting")
        _promote(config, data, run, metrics, now=now)
    else:
        why, before = decision.reasons("fail"), decision.champion
        promotion.record_refusal(config, run.version, bundle=version, before=before, why=why, now=now)
    return Trained(
        metrics=metrics,
        version=version,
        registered=run.version,
        promoted=decision.accepted,
        horizons={horizon.days: horizon.derivation for horizon in model.horizons},
        run_id=run.run_id,
        cut_offs=len(training.timeline.matured),
        rows=len(training.rows),
        censored_rows=censored_rows(histories, training.timeline),
        customers=data.customers,
        attributes=data.attribute_notes,
        drawn=histories.customers,
        streamed_rows=data.stream.rows if data.stream else 0,
    )


def _evidence(
    config: Config,
    folder: Path,
    metrics: dict[str, Any],
    training: TrainingSet,
    test: pd.DataFrame,
    final: TrainingSet,
    comparison: ChampionComparison | None,
    *,
    lifetimes: LifetimeChoice,
    now: datetime,
) -> Evidence:
    """The evidence for the gate; folder: the candidate's bundle, made from the training set `final`."""
    return Evidence(
        metrics=metrics,
        candidate=examine(folder, final.current_rows),
        rows=final.current_rows,
        log_features=training.features,
        probes=leakage_probes(training, test, customers=PROBED_CUSTOMERS, seed=config.train.seed),
        horizon_days=config.terms.horizon_days,
        now=now.date(),
        champion=comparison,
        lifetimes=lifetimes,
    )


def _log(
    config: Config,
    folder: Path,
    dataset: Dataset,
    recipe: Recipe,
    metrics: dict[str, Any],
    judged: Judgement,
    *,
    test_as_of: date,
    now: datetime,
) -> LoggedRun:
    """Log the run and register its bundle as a version that does not serve yet.

    Metrics of fewer days than the horizon carry these in their names: none of them is a metric of this model.
    """
    of_days = "" if judged.is_judged else f"_{judged.judged_days}d"
    values = {f"{name}{of_days}": entry["value"] for name, entry in metrics["models"][STAYWORTH].items()}
    return tracking.log_run(
        uri=config.tracking_uri,
        bundle=folder,
        dataset=dataset,
        source=config.log.tables,
        params=recipe.flat() | {"horizon_days": config.terms.horizon_days, "test_as_of": test_as_of.isoformat()},
        metrics={name: value for name, value in values.items() if value is not None},
        figures=evaluation_charts.evaluation_figures(metrics),
        metrics_json=metrics,
        made_at=now,
    )


def _promote(config: Config, data: TrainingData, run: LoggedRun, metrics: dict[str, Any], *, now: datetime) -> None:
    """Write the files first, so that a full disk leaves the old champion with its own metrics."""
    write_reconciliation(config, data.account, data.quarantine)
    with replacing(config.folder / run_folder.METRICS) as draft:
        draft.write_text(run_folder.json_text(metrics), "utf-8")
        promotion.promote(config, run.version, now=now, why="passed the gate")
