"""Tuning of the trees of a label table by Optuna, on folds of customers inside the rows that are given.

The search grows trees fast, each trial as many as the unseen fold bears; what it finds replaces the defaults only where
it is better by more than a standard error of the difference.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from features.arrays import Floats
from models.labelled.label_model import default_params
from models.labelled.table_encoding import fit_encoding
from models.trees import boosting

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")  # of a notebook's progress bar that we do not use
    import optuna

MOST_ROWS = 20_000
"""Rows that the search uses at most, drawn at random."""
FOLDS = 3
FAST, MOST_ROUNDS = 0.1, 600
STANDARD_ERRORS = 1.0


@dataclass(frozen=True)
class TreeSplit:
    """Rows to grow trees on and rows to judge them by, as matrices."""

    seen: boosting.Matrix
    unseen: boosting.Matrix
    churned: Floats
    monotone: Mapping[str, int]


def tune_classifier(
    parsed: pd.DataFrame,
    churned: Floats,
    *,
    trials: int,
    seed: int,
    monotone: Mapping[str, int] = boosting.FREE,
    say: Callable[[str], None],
) -> boosting.Params:
    """Parameters of the trees by their log loss for unseen customers, among parsed rows with labels 0 or 1."""
    default = default_params(*parsed.shape)
    drawn = np.random.default_rng(seed).permutation(len(churned))[:MOST_ROWS]
    rows, labels = parsed.iloc[drawn], churned[drawn]
    if np.bincount(labels.astype(int), minlength=2).min() < FOLDS:
        return default
    splits = [
        _split(rows, labels, seen, unseen, seed, monotone)
        for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, labels)
    ]
    losses: dict[int, Floats] = {}

    def mean_loss(trial: optuna.Trial) -> float:
        params: boosting.Params = {
            "max_depth": trial.suggest_int("max_depth", 2, 9),
            "min_child_weight": trial.suggest_float("min_child_weight", 1.0, 30.0, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.5, 50.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.6, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        }
        parts: list[Floats] = []
        for step, split in enumerate(splits):
            parts.append(_loss(split, params, seed))
            trial.report(float(np.concatenate(parts).mean()), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        losses[trial.number] = np.concatenate(parts)
        return float(losses[trial.number].mean())

    def report(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        say(f"tuning: trial {trial.number + 1} of {trials}, best log loss {study.best_value:.4f}")

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    study.enqueue_trial({name: value for name, value in default.items() if name not in ("rounds", "learning_rate")})
    study.optimize(mean_loss, n_trials=trials, callbacks=[report])
    gain = losses[0] - losses[study.best_trial.number]
    is_better = gain.mean() > STANDARD_ERRORS * gain.std() / np.sqrt(len(gain))
    return default | study.best_params if is_better else default


def _split(
    rows: pd.DataFrame, labels: Floats, seen: Floats, unseen: Floats, seed: int, monotone: Mapping[str, int]
) -> TreeSplit:
    encoding, values = fit_encoding(rows.iloc[seen], labels[seen], seed=seed)
    data = boosting.matrix_of(values, encoding.inputs, labels[seen])
    judged = boosting.matrix_of(encoding.values(rows.iloc[unseen]), encoding.inputs, labels[unseen], beside=data)
    return TreeSplit(data, judged, labels[unseen], encoding.by_place(monotone))


def _loss(split: TreeSplit, params: boosting.Params, seed: int) -> Floats:
    """The log loss of each unseen row."""
    booster = boosting.grow_trees(
        split.seen,
        objective="binary:logistic",
        params=params | {"rounds": MOST_ROUNDS, "learning_rate": FAST},
        seed=seed,
        monotone=split.monotone,
        unseen=split.unseen,
    )
    odds = booster.predict(split.unseen, output_margin=True).astype(float)
    return np.logaddexp(0, odds) - split.churned * odds
