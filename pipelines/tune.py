"""How the trees are grown, chosen on inner time folds only: the only file that imports Optuna."""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import optuna
import pandas as pd
from sklearn.metrics import log_loss, mean_gamma_deviance

from models import trees
from models.value import LEAST

Folds = list[tuple[list[date], date]]


def tune(
    rows: pd.DataFrame, features: Sequence[str], folds: Folds, *, trials: int, seed: int, say: Callable[[str], None]
) -> dict[str, trees.Params]:
    """Parameters for the churn trees and for the value trees, best mean loss over the folds.

    rows: labelled feature rows of all the cut-offs in `folds` (fit on, judge on). The defaults are the first trial,
    so that tuning never does worse on the folds than not tuning. Without folds, the defaults come back.
    """
    inputs = trees.inputs_of(rows, features)
    churned = rows["churned"].to_numpy()
    margin = rows["future_value"].clip(lower=LEAST).to_numpy()
    tasks = {
        "churn": (np.ones(len(rows), bool), churned.astype(float), "binary:logistic", log_loss),
        "value": (~churned, margin, "reg:gamma", mean_gamma_deviance),
    }
    best = {}
    for task, (kept, target, objective, loss) in tasks.items():
        splits = [_split(rows, inputs, kept, target, early, late) for early, late in folds]
        splits = [split for split in splits if len(np.unique(split[1])) > 1]
        best[task] = (
            _search(task, splits, objective, loss, trials=trials, seed=seed, say=say) if splits else trees.DEFAULTS
        )
    return best


def _split(
    rows: pd.DataFrame, inputs: trees.Inputs, kept: np.ndarray, target: np.ndarray, early: list[date], late: date
) -> tuple:
    """The quantised matrix to fit on, and the targets and matrix to judge on; built once for all trials."""
    fit = kept & rows["as_of"].isin(pd.to_datetime(early)).to_numpy()
    judge = kept & (rows["as_of"] == pd.Timestamp(late)).to_numpy()
    return trees.matrix(rows[fit], inputs, target[fit]), target[judge], trees.matrix(rows[judge], inputs)


def _search(
    task: str,
    splits: list[tuple],
    objective: str,
    loss: Callable[..., float],
    *,
    trials: int,
    seed: int,
    say: Callable[[str], None],
) -> trees.Params:
    def mean_loss(trial: optuna.Trial) -> float:
        params = {
            "rounds": trial.suggest_int("rounds", 50, 400, step=25),
            "max_depth": trial.suggest_int("max_depth", 2, 4),
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", 5.0, 200.0, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 1.0, 50.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.6, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.5, 1.0),
        }
        losses = []
        for step, (fit, target, judge) in enumerate(splits):
            booster = trees.grow(fit, objective=objective, params=params, seed=seed)
            losses.append(loss(target, booster.predict(judge)))
            trial.report(float(np.mean(losses)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(losses))

    def tell(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        say(f"tuning {task}: trial {trial.number + 1} of {trials}, best loss {study.best_value:.4f}")

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    study.enqueue_trial(trees.DEFAULTS)
    study.optimize(mean_loss, n_trials=trials, callbacks=[tell])
    return dict(study.best_params)
