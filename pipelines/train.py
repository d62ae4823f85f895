"""Make a model, judge it on a window it has not seen, and put it in the registry.

tune        parameters, on inner folds before the test day
judge       a model made as of the test day, on what followed; read once
make        the same recipe as of the end of the data: the model that serves
track       run, metrics, pictures and bundle into MLflow; the alias `champion` moves to it
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models import STAYWORTH, bundle
from models.timeline import test_day
from pipelines import pictures, store, tracking
from pipelines.config import Config
from pipelines.learn import censored_rows, judge, learn, lesson
from pipelines.orders import read_orders, write_account
from pipelines.tune import tune

RESAMPLES = 200


@dataclass(frozen=True)
class Trained:
    """What a training run made."""

    metrics: dict[str, Any]
    version: str
    """The bundle's version."""
    registered: str
    """The number of the registered model in MLflow."""
    run_id: str
    cut_offs: int
    rows: int
    censored_rows: int


def train(config: Config, *, now: datetime, trials: int | None, say: Callable[[str], None]) -> Trained:
    """Train on the config's orders. Writes metrics.json and registers the bundle; raises InputError on bad input."""
    terms, seed = config.terms, config.train.seed
    store.writable(config.folder / store.METRICS)
    say("reading orders")
    ingested = read_orders(config, now=now)
    histories = ingested.histories
    test = test_day(histories.first_day, histories.end, horizon_days=terms.horizon_days)

    say("building snapshots")
    taught = lesson(histories, terms, as_of=test)
    params = tune(
        taught.rows,
        taught.features,
        taught.timeline.folds,
        trials=trials or config.train.trials,
        seed=seed,
        say=say,
    )
    say("judging against the opponents")
    model = learn(taught, terms, params=params, seed=seed)
    metrics = judge(histories, taught, model, terms, resamples=RESAMPLES, seed=seed)

    say("making the model that serves")
    latest = lesson(histories, terms, as_of=histories.end)
    served = learn(latest, terms, params=params, seed=seed)
    training = {
        "as_of": histories.end.isoformat(),
        "cut_offs": [day.isoformat() for day in [*latest.timeline.train, latest.timeline.calibrate]],
        "horizon_days": terms.horizon_days,
        "rows": len(latest.rows),
        "seed": seed,
        "params": params,
    }
    say("logging to MLflow")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        version = bundle.write(folder, served, training=training)[:12]
        run = tracking.log_run(
            uri=config.tracking_uri,
            bundle=folder,
            params=_flat(params) | {"horizon_days": terms.horizon_days, "seed": seed, "test_as_of": test.isoformat()},
            metrics={
                name: entry["value"]
                for name, entry in metrics["models"][STAYWORTH].items()
                if entry["value"] is not None
            },
            figures=pictures.evaluation(metrics),
            metrics_json=metrics,
        )
    store.write_json(config.folder / store.METRICS, metrics)
    write_account(config, ingested.account, [ingested.quarantine])
    return Trained(
        metrics=metrics,
        version=version,
        registered=run.version,
        run_id=run.run_id,
        cut_offs=len(taught.timeline.train),
        rows=len(taught.rows),
        censored_rows=censored_rows(histories, taught.timeline),
    )


def _flat(params: dict[str, dict[str, float]]) -> dict[str, float]:
    return {f"{task}_{name}": value for task, values in params.items() for name, value in values.items()}
