"""How the trees are grown, chosen on inner time folds only: the only file that imports Optuna.

fold        at most `MOST_ROWS` rows to fit on, those of customers drawn at random; quantised once for all trials
kind        of the value model, with the default parameters
search      trees grown fast and read after every few of them; a trial poor on the first fold is given up
decide      what the search found, grown slowly, against the defaults

Losses do not see the level of a prediction: season moves it from fold to fold, and it is set elsewhere. A kind or a
find replaces what is usual only where it is better by more than two standard errors of the difference.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from models.ensemble.recipe import Recipe
from models.trees import boosting, value
from pipelines.config import Train

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")  # of a notebook's progress bar that we do not use
    import optuna

Folds = list[tuple[list[date], date]]

MOST_ROWS = 60_000
FAST, SLOW = 0.1, 0.03
"""Learning rates of the search and of what it hands on; the number of trees grows in proportion."""
STANDARD_ERRORS = 2.0
"""How many standard errors of a difference decide."""
ROUNDS_READ = (15, 30, 60, 90, 120, 150, 180)
"""After how many trees a trial is read: the best number of them comes almost free."""


@dataclass(frozen=True)
class TuningResult:
    """What to grow the models with."""

    churn: boosting.Params
    value: boosting.Params
    kind: str
    """One of `models.trees.value.KINDS`."""
    scores: dict[str, float]
    """Mean loss over the judged rows: `value_KIND` of each kind, grown fast; `churn`, `churn_default`, `value` and
    `value_default`, grown slowly. Empty without folds."""

    def recipe(self, train: Train) -> Recipe:
        """With what the config says of training."""
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
    """One fold of a task: rows to fit on, rows to judge on and what they turned out to be."""

    fit: boosting.Matrix
    judge: boosting.Matrix
    truth: np.ndarray


@dataclass(frozen=True)
class Task:
    """A model to tune: how its trees are grown, what the first so many of them predict, and what errors cost."""

    name: str
    splits: list[Split]
    default: boosting.Params
    grow: Callable[[boosting.Matrix, boosting.Params], boosting.Booster]
    read: Callable[[boosting.Booster, boosting.Matrix, int], np.ndarray]
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray]


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
    inputs = boosting.inputs_of(rows, features)
    lot = random_ranks(rows["customer_id"], seed)
    everyone, buys = np.ones(len(rows), bool), value.bought(rows)
    margin = rows["future_value"].clip(lower=value.LEAST).to_numpy()
    scores: dict[str, float] = {}

    def split(fit_on: np.ndarray, target: np.ndarray, judge_on: np.ndarray, truth: np.ndarray) -> list[Split]:
        splits = []
        for early, late in folds:
            fit = fit_on & sample(rows["as_of"].isin(pd.to_datetime(early)).to_numpy(), lot)
            judge = judge_on & sample((rows["as_of"] == pd.Timestamp(late)).to_numpy(), lot)
            if len(np.unique(target[fit])) > 1 and len(np.unique(truth[judge])) > 1:
                data = boosting.matrix(rows[fit], inputs, target[fit])
                splits.append(Split(data, boosting.matrix(rows[judge], inputs), truth[judge]))
        return splits

    def value_task(kind: str) -> Task:
        kept, learnt = value.lesson(kind, rows)
        target = np.zeros(len(rows), np.float32)
        target[kept] = learnt
        return Task(
            "value",
            split(kept, target, buys, margin),
            boosting.defaults(int(buys.sum())),
            lambda data, params: value.grow_margin(kind, data, params=params, seed=seed, device=device),
            lambda booster, data, rounds: value.read_margin(kind, booster, data, rounds=rounds),
            value_loss,
        )

    def churn_trees(data: boosting.Matrix, params: boosting.Params) -> boosting.Booster:
        return boosting.grow(
            data, objective="binary:logistic", params=params, seed=seed, monotone=monotone, device=device
        )

    churned = rows["churned"].to_numpy(np.float32)
    churn_task = Task(
        "churn",
        split(everyone, churned, everyone, churned),
        boosting.defaults(len(rows)),
        churn_trees,
        lambda booster, data, rounds: booster.predict(data, output_margin=True, iteration_range=(0, rounds)),
        churn_loss,
    )
    churn_params = _tuned(churn_task, trials=trials, seed=seed, say=say, scores=scores)
    kind, chosen = _kind({kind: value_task(kind) for kind in value.KINDS}, say=say, scores=scores)
    value_params = _tuned(chosen, trials=trials, seed=seed, say=say, scores=scores)
    return TuningResult(churn_params, value_params, kind, scores)


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
    """A number in [0, 1) for each row, the same for all rows of a customer."""
    codes, ids = pd.factorize(customers, sort=True)
    return (np.random.default_rng(seed).permutation(len(ids)) / len(ids))[codes]


def sample(kept: np.ndarray, lot: np.ndarray) -> np.ndarray:
    """Those kept (bool), or about `MOST_ROWS` of them: the rows of the customers of the lowest lots."""
    return kept & (lot < MOST_ROWS / max(kept.sum(), 1))


def _kind(tasks: dict[str, Task], *, say: Callable[[str], None], scores: dict[str, float]) -> tuple[str, Task]:
    """The kind of value model: the first, unless another is clearly better."""
    usual, *others = tasks
    if not tasks[usual].splits:
        return usual, tasks[usual]
    losses = {}
    for kind, task in tasks.items():
        curves = [_curve(task, split, task.default) for split in task.splits]
        readings = np.concatenate(curves, axis=1)
        losses[kind] = readings[readings.mean(axis=1).argmin()]
        scores[f"value_{kind}"] = float(losses[kind].mean())
    better = [kind for kind in others if _clearly(losses[kind], losses[usual])]
    kind = min(better, key=lambda one: scores[f"value_{one}"], default=usual)
    say(f"tuning value: {kind}, loss " + ", ".join(f"{one} {scores[f'value_{one}']:.4f}" for one in tasks))
    return kind, tasks[kind]


def _curve(task: Task, split: Split, params: boosting.Params) -> np.ndarray:
    """Loss at each of `ROUNDS_READ` (axis 0) of each judged row (axis 1), trees grown fast."""
    booster = task.grow(split.fit, params | {"learning_rate": FAST, "rounds": ROUNDS_READ[-1]})
    return np.array([task.loss(split.truth, task.read(booster, split.judge, rounds)) for rounds in ROUNDS_READ])


def _tuned(
    task: Task, *, trials: int, seed: int, say: Callable[[str], None], scores: dict[str, float]
) -> boosting.Params:
    """The best parameters of a search if they are clearly better than the defaults, else those."""
    if not task.splits:
        return task.default
    found = _search(task, trials=trials, seed=seed, say=say)
    losses = []
    for params in (found, task.default):
        boosters = [task.grow(split.fit, params) for split in task.splits]
        read = [task.read(booster, split.judge, 0) for booster, split in zip(boosters, task.splits, strict=True)]
        losses.append(np.concatenate([task.loss(s.truth, r) for s, r in zip(task.splits, read, strict=True)]))
    taken = _clearly(*losses)
    scores[f"{task.name}_default"] = float(losses[1].mean())
    scores[task.name] = float(losses[0 if taken else 1].mean())
    say(f"tuning {task.name}: loss {losses[0].mean():.4f} found, {losses[1].mean():.4f} by default")
    return found if taken else task.default


def _clearly(losses: np.ndarray, usual: np.ndarray) -> bool:
    """Whether losses are lower than the usual ones of the same rows by more than `STANDARD_ERRORS` standard errors."""
    gain = usual - losses
    return bool(gain.mean() > STANDARD_ERRORS * gain.std() / np.sqrt(len(gain)))


def _search(task: Task, *, trials: int, seed: int, say: Callable[[str], None]) -> boosting.Params:
    """The parameters of the lowest loss among `trials`, the defaults first; for trees grown slowly."""
    leaf = task.default["min_child_weight"]

    def best_loss(trial: optuna.Trial) -> float:
        params: boosting.Params = {
            "max_depth": trial.suggest_int("max_depth", 2, 4),
            "min_child_weight": trial.suggest_float("min_child_weight", leaf / 10, leaf * 5, log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", 1.0, 50.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        }
        curves = np.empty((0, len(ROUNDS_READ)))
        for step, split in enumerate(task.splits):
            curves = np.vstack([curves, _curve(task, split, params).mean(axis=1)])
            trial.report(curves.mean(axis=0).min(), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("rounds", ROUNDS_READ[int(curves.mean(axis=0).argmin())])
        return float(curves.mean(axis=0).min())

    def tell(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        say(f"tuning {task.name}: trial {trial.number + 1} of {trials}, best loss {study.best_value:.4f}")

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed), pruner=optuna.pruners.MedianPruner(n_startup_trials=5)
    )
    study.enqueue_trial(
        {name: set_to for name, set_to in task.default.items() if name not in ("rounds", "learning_rate")}
    )
    study.optimize(best_loss, n_trials=trials, callbacks=[tell])
    rounds = round(study.best_trial.user_attrs["rounds"] * FAST / SLOW)
    return {"rounds": rounds, "learning_rate": SLOW, **study.best_params}
