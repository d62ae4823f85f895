"""Tuning of the trees, on inner time folds only: the only file that imports Optuna.

fold        at most `MAX_ROWS` rows to fit on, those of customers drawn at random; quantised once for all trials
kind        the kind of value model, with the default parameters
search      trees grown fast and judged after every few of them; a trial poor on the first fold is given up
decide      the parameters that the search found, grown slowly, against the defaults

Losses ignore the level of a prediction: season moves it from fold to fold, and it is calibrated elsewhere. A kind or
parameters replace the defaults only where they are better by more than two standard errors of the difference.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from features.families.catalogue import feature_named
from models.ensemble.recipe import Recipe
from models.trees import boosting, value
from pipelines.config import Train

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")  # of a notebook's progress bar that we do not use
    import optuna

Folds = list[tuple[list[date], date]]

MAX_ROWS = 60_000
FAST, SLOW = 0.1, 0.03
"""Learning rates of the search and of the parameters it returns; the number of trees grows in proportion."""
STANDARD_ERRORS = 2.0
"""Standard errors by which a difference must exceed zero to decide."""
DEEPEST, DEEPEST_WITH_ATTRIBUTES = 4, 9
"""The deepest trees that are tried. The features of a log say much the same in many ways, and deeper ones overfit;
attributes of customers say other things, which may count only together."""
ROUNDS_JUDGED = (15, 30, 60, 90, 120, 150, 180)
"""Numbers of trees after which a trial is judged: the best of them comes almost free."""


@dataclass(frozen=True)
class TuningResult:
    """The parameters to grow the models with."""

    churn: boosting.Params
    value: boosting.Params
    kind: str
    """One of `models.trees.value.KINDS`."""
    scores: dict[str, float]
    """Mean loss over the judged rows: `value_KIND` of each kind, grown fast; `churn`, `churn_default`, `value` and
    `value_default`, grown slowly. Empty without folds."""

    def recipe(self, train: Train) -> Recipe:
        """The recipe of the model, with the config's settings of training."""
        return Recipe(
            churn=self.churn,
            value=self.value,
            kind=self.kind,
            seed=train.seed,
            monotone=train.monotone,
            device=train.device,
            rows=train.rows,
        )


@dataclass(frozen=True)
class Split:
    """One fold of a task: rows to fit on, rows to judge on and their true outcomes."""

    fit: boosting.Matrix
    judge: boosting.Matrix
    truth: np.ndarray


@dataclass(frozen=True)
class Task:
    """A model to tune: how its trees are grown, how the first so many of them predict, and the loss of a prediction."""

    name: str
    splits: list[Split]
    default: boosting.Params
    grow: Callable[[boosting.Matrix, boosting.Params], boosting.Booster]
    predict: Callable[[boosting.Booster, boosting.Matrix, int], np.ndarray]
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
    deepest: int
    """The largest depth of a tree that is tried."""


@dataclass(frozen=True)
class FoldedRows:
    """Labelled rows with their folds and the random rank of each customer."""

    rows: pd.DataFrame
    inputs: boosting.Inputs
    folds: Folds
    ranks: np.ndarray

    def splits(self, fit_on: np.ndarray, target: np.ndarray, judge_on: np.ndarray, truth: np.ndarray) -> list[Split]:
        """The folds of a task; one with a single outcome on either side is left out.

        fit_on, judge_on: which rows may be used (bool); target, truth: of each row, to fit on and to judge by.
        """
        splits = []
        for early, late in self.folds:
            fit = fit_on & sample(self.rows["as_of"].isin(pd.to_datetime(early)).to_numpy(), self.ranks)
            judge = judge_on & sample((self.rows["as_of"] == pd.Timestamp(late)).to_numpy(), self.ranks)
            if len(np.unique(target[fit])) > 1 and len(np.unique(truth[judge])) > 1:
                data = boosting.matrix(self.rows[fit], self.inputs, target[fit])
                splits.append(Split(data, boosting.matrix(self.rows[judge], self.inputs), truth[judge]))
        return splits

    @property
    def deepest(self) -> int:
        """The largest depth of a tree worth trying, by what the rows hold."""
        has_attributes = any(feature_named(name) is None for name in self.inputs)
        return DEEPEST_WITH_ATTRIBUTES if has_attributes else DEEPEST


def tune(
    rows: pd.DataFrame,
    features: Sequence[str],
    folds: Folds,
    *,
    trials: int,
    seed: int,
    say: Callable[[str], None],
    monotone: Mapping[str, int] = boosting.FREE,
    device: str = "cpu",
) -> TuningResult:
    """Parameters of the churn trees, the kind of value model and its parameters, by their losses on the folds.

    rows: labelled feature rows of all the cut-offs in `folds` (fit on, judge on). monotone holds for the churn trees.
    Where no fold has two outcomes to tell apart, the defaults come back.
    """
    folded = FoldedRows(rows, boosting.inputs_of(rows, features), folds, random_ranks(rows["customer_id"], seed))
    scores: dict[str, float] = {}
    churn_task = _churn_task(folded, seed=seed, monotone=monotone, device=device)
    churn_params = _tuned(churn_task, trials=trials, seed=seed, say=say, scores=scores)
    kind, value_task = _best_kind(
        {kind: _value_task(folded, kind, seed=seed, device=device) for kind in value.KINDS}, say=say, scores=scores
    )
    value_params = _tuned(value_task, trials=trials, seed=seed, say=say, scores=scores)
    return TuningResult(churn_params, value_params, kind, scores)


def _churn_task(folded: FoldedRows, *, seed: int, monotone: Mapping[str, int], device: str) -> Task:
    churned, everyone = folded.rows["churned"].to_numpy(np.float32), np.ones(len(folded.rows), bool)

    def grow(data: boosting.Matrix, params: boosting.Params) -> boosting.Booster:
        return boosting.grow_trees(
            data, objective="binary:logistic", params=params, seed=seed, monotone=monotone, device=device
        )

    return Task(
        "churn",
        folded.splits(everyone, churned, everyone, churned),
        boosting.defaults(len(folded.rows)),
        grow,
        lambda booster, data, rounds: booster.predict(data, output_margin=True, iteration_range=(0, rounds)),
        churn_loss,
        folded.deepest,
    )


def _value_task(folded: FoldedRows, kind: str, *, seed: int, device: str) -> Task:
    buys = value.bought(folded.rows)
    margin = folded.rows["future_value"].clip(lower=value.MIN_MARGIN).to_numpy()
    kept, kept_target = value.margin_target(kind, folded.rows)
    target = np.zeros(len(folded.rows), np.float32)
    target[kept] = kept_target
    return Task(
        "value",
        folded.splits(kept, target, buys, margin),
        boosting.defaults(int(buys.sum())),
        lambda data, params: value.grow_margin(kind, data, params=params, seed=seed, device=device),
        lambda booster, data, rounds: value.read_margin(kind, booster, data, rounds=rounds),
        value_loss,
        folded.deepest,
    )


def churn_loss(churned: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Log loss of each row once all log-odds are shifted by one number, so that as many are expected as churned."""
    log_odds = log_odds.astype(np.float64)
    reach = np.abs(log_odds).max() + 50
    log_odds = log_odds + brentq(lambda shift: (expit(log_odds + shift) - churned).sum(), -reach, reach, xtol=1e-4)
    return np.logaddexp(0, log_odds) - churned * log_odds


def value_loss(margin: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Tweedie deviance of power 1.5 of each row, margins and expectations both as multiples of their mean; margin >= 0.

    Lowest in expectation at the mean (Jørgensen 1987, JRSS B 49); for power 1.5 it is 4 (√y − √mu)² / √mu: between
    Poisson, where the largest customers decide, and gamma, where all count alike.
    """
    margin, expected = margin / margin.mean(), expected / expected.mean()
    return 4 * (np.sqrt(margin) - np.sqrt(expected)) ** 2 / np.sqrt(expected)


def random_ranks(customers: pd.Series, seed: int) -> np.ndarray:
    """A random number in [0, 1) for each row, the same for all rows of a customer."""
    codes, ids = pd.factorize(customers, sort=True)
    return (np.random.default_rng(seed).permutation(len(ids)) / len(ids))[codes]


def sample(kept: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The kept rows (bool), or about `MAX_ROWS` of them: those of the customers of the lowest random ranks."""
    return kept & (ranks < MAX_ROWS / max(kept.sum(), 1))


def _best_kind(tasks: dict[str, Task], *, say: Callable[[str], None], scores: dict[str, float]) -> tuple[str, Task]:
    """The kind of value model: the first, unless another is clearly better."""
    default, *others = tasks
    if not tasks[default].splits:
        return default, tasks[default]
    losses = {}
    for kind, task in tasks.items():
        curves = [_curve(task, split, task.default) for split in task.splits]
        curve = np.concatenate(curves, axis=1)
        losses[kind] = curve[curve.mean(axis=1).argmin()]
        scores[f"value_{kind}"] = float(losses[kind].mean())
    better = [kind for kind in others if _is_clearly_lower(losses[kind], losses[default])]
    best = min(better, key=lambda kind: scores[f"value_{kind}"], default=default)
    say(f"tuning value: {best}, loss " + ", ".join(f"{kind} {scores[f'value_{kind}']:.4f}" for kind in tasks))
    return best, tasks[best]


def _curve(task: Task, split: Split, params: boosting.Params) -> np.ndarray:
    """Loss at each of `ROUNDS_JUDGED` (axis 0) of each judged row (axis 1), trees grown fast."""
    booster = task.grow(split.fit, params | {"learning_rate": FAST, "rounds": ROUNDS_JUDGED[-1]})
    return np.array([task.loss(split.truth, task.predict(booster, split.judge, rounds)) for rounds in ROUNDS_JUDGED])


def _tuned(
    task: Task, *, trials: int, seed: int, say: Callable[[str], None], scores: dict[str, float]
) -> boosting.Params:
    """The best parameters of a search if they are clearly better than the defaults, else those."""
    if not task.splits:
        return task.default
    best = _search(task, trials=trials, seed=seed, say=say)
    losses = []
    for params in (best, task.default):
        boosters = [task.grow(split.fit, params) for split in task.splits]
        predictions = [task.predict(grown, split.judge, 0) for grown, split in zip(boosters, task.splits, strict=True)]
        judged = zip(task.splits, predictions, strict=True)
        losses.append(np.concatenate([task.loss(split.truth, prediction) for split, prediction in judged]))
    is_better = _is_clearly_lower(*losses)
    scores[f"{task.name}_default"] = float(losses[1].mean())
    scores[task.name] = float(losses[0 if is_better else 1].mean())
    say(f"tuning {task.name}: loss {losses[0].mean():.4f} found, {losses[1].mean():.4f} by default")
    return best if is_better else task.default


def _is_clearly_lower(losses: np.ndarray, default: np.ndarray) -> bool:
    """True if losses are lower than the default ones of the same rows by more than `STANDARD_ERRORS`."""
    gain = default - losses
    return bool(gain.mean() > STANDARD_ERRORS * gain.std() / np.sqrt(len(gain)))


def _search(task: Task, *, trials: int, seed: int, say: Callable[[str], None]) -> boosting.Params:
    """The parameters of the lowest loss among `trials`, the defaults first; for trees grown slowly."""
    leaf = task.default["min_child_weight"]

    def best_loss(trial: optuna.Trial) -> float:
        params: boosting.Params = {
            "max_depth": trial.suggest_int("max_depth", 2, task.deepest),
            "min_child_weight": trial.suggest_float("min_child_weight", leaf / 10, leaf * 5, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 1.0, 50.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        }
        curves = np.empty((0, len(ROUNDS_JUDGED)))
        for step, split in enumerate(task.splits):
            curves = np.vstack([curves, _curve(task, split, params).mean(axis=1)])
            trial.report(curves.mean(axis=0).min(), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("rounds", ROUNDS_JUDGED[int(curves.mean(axis=0).argmin())])
        return float(curves.mean(axis=0).min())

    def report(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        say(f"tuning {task.name}: trial {trial.number + 1} of {trials}, best loss {study.best_value:.4f}")

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner(n_startup_trials=5)
    )
    study.enqueue_trial(
        {name: set_to for name, set_to in task.default.items() if name not in ("rounds", "learning_rate")}
    )
    study.optimize(best_loss, n_trials=trials, callbacks=[report])
    rounds = round(study.best_trial.user_attrs["rounds"] * FAST / SLOW)
    return {"rounds": rounds, "learning_rate": SLOW, **study.best_params}
