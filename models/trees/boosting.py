"""Gradient-boosted trees by XGBoost, which only this file and models/trees/spark_boosting.py import.

Trees are kept shallow, slow and regularised: in our trials depth 3 to 4 won everywhere, depth 6 lost .002–.018 AUC.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import xgboost as xgb
from pandas.api.types import is_numeric_dtype

from features.errors import InputError

Booster = xgb.Booster
Matrix = xgb.DMatrix
VERSION = xgb.__version__
Params = dict[str, float]
DEVICES = ("cpu", "cuda")
BATCH = 131_072
"""Rows read from Parquet at a time: with 50 features 26 MB."""
FREE: Mapping[str, int] = MappingProxyType({})
"""No monotone constraints."""
PATIENCE = 10
"""Rounds without a smaller loss on unseen rows, after which no more trees are grown."""


def defaults(rows: int) -> Params:
    """Untuned parameters of trees for a number of rows.

    Fewer rows support fewer trees and need lighter leaves: with 800 rows of which a tenth stayed, leaves of weight 100
    allow no split at all, and leaves of weight 4 overfit.
    """
    return {
        "rounds": min(max(rows // 75, 150), 400),
        "max_depth": 3,
        "learning_rate": 0.03,
        "min_child_weight": min(max(rows / 25, 1.0), 100.0),
        "reg_lambda": 5.0,
        "subsample": 0.8,
        "colsample_bytree": 0.4,
    }


DEFAULTS: Params = defaults(30_000)
"""Untuned parameters for 30,000 rows or more."""

Inputs = Mapping[str, Sequence[str] | None]
"""The features of the trees, in their order; for a feature of names, the names in training, else None."""


@dataclass(frozen=True)
class Objective:
    """A custom loss of one or more outputs."""

    gradient: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    """(outputs (rows, n), target (rows,)) → first and second derivative of each row's loss, both (rows, n)."""
    start: Sequence[float]
    """Each output before the first tree; stored in the booster, so `predict(..., output_margin=True)` includes it."""

    def derivatives(self, outputs: np.ndarray, data: Matrix) -> tuple[np.ndarray, np.ndarray]:
        """`gradient` with the arguments of XGBoost."""
        return self.gradient(outputs, data.get_label())


def inputs_of(rows: pd.DataFrame, features: Sequence[str]) -> dict[str, list[str] | None]:
    """The inputs of trees: features with the names that occur in them."""
    return {name: None if is_numeric_dtype(rows[name]) else sorted(rows[name].dropna().unique()) for name in features}


def matrix(
    rows: pd.DataFrame, inputs: Inputs, target: np.ndarray | None = None, *, offset: np.ndarray | None = None
) -> Matrix:
    """Features in the order of `inputs`, quantised once so that several fits can share it if it has a target.

    A name that training did not have is missing: XGBoost itself would score it like one of the known names. offset: the
    raw score of each row before the first tree, which predictions do not include; the trees learn the rest.
    """
    return matrix_of(values(rows, inputs), inputs, target, offset=offset)


def matrix_of(
    matrix_values: np.ndarray,
    inputs: Inputs,
    target: np.ndarray | None = None,
    *,
    offset: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    beside: Matrix | None = None,
) -> Matrix:
    """The same of `values`; weight: by how much each row counts, above 0; beside: a matrix quantised alike."""
    named = columns(inputs)
    if target is None:
        return xgb.DMatrix(matrix_values, **named, enable_categorical=True)
    return xgb.QuantileDMatrix(
        matrix_values, label=target, base_margin=offset, weight=weight, ref=beside, **named, enable_categorical=True
    )


def matrix_from_parquet(
    paths: Sequence[Path],
    inputs: Inputs,
    *,
    label: str,
    cache: Path,
    offset: str | None = None,
    other_columns: Sequence[str] = (),
    changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]] = (),
) -> Matrix:
    """The matrix of the rows of Parquet files, never all in memory: they stream from the folder `cache`.

    label: the column to learn, a bool or a number; offset: as of `matrix`, a column. changes: transformations of each
    batch of rows, which also has `other_columns`; they may create label and offset, and drop rows. The cache takes a
    byte or two per value and must stay as long as the matrix is used. Quantiles are sketched batch by batch, so trees
    differ slightly from those of `matrix`.
    """
    wanted = list(dict.fromkeys([*inputs, *(other_columns or [label, *([offset] if offset else [])])]))
    batches = _Batches(partial(read_batches, paths, wanted, changes), inputs, label, offset, cache)
    return xgb.ExtMemQuantileDMatrix(batches, enable_categorical=True)


def read_batches(
    paths: Sequence[Path], columns: Sequence[str], changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]]
) -> Iterator[pd.DataFrame]:
    """Read columns of Parquet files batch by batch and apply the changes; no batch is empty."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, columns=list(columns), use_threads=False):
                rows = batch.to_pandas(date_as_object=False)
                for change in changes:
                    rows = change(rows)
                if len(rows):
                    yield rows


class _Batches(xgb.DataIter):
    """Batches of rows that XGBoost reads several times over."""

    def __init__(
        self,
        read: Callable[[], Iterator[pd.DataFrame]],
        inputs: Inputs,
        label: str,
        offset: str | None,
        cache: Path,
    ):
        self.read, self.inputs, self.label, self.offset = read, inputs, label, offset
        self.batches = read()
        super().__init__(cache_prefix=str(cache / "matrix"))

    def reset(self) -> None:
        """Start again at the first batch."""
        self.batches = self.read()

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Give XGBoost the next batch; False after the last."""
        rows = next(self.batches, None)
        if rows is None:
            return False
        base_margin = {"base_margin": rows[self.offset].to_numpy(np.float32)} if self.offset else {}
        target = rows[self.label].to_numpy(np.float32)
        input_data(data=values(rows, self.inputs), label=target, **base_margin, **columns(self.inputs))
        return True


def values(rows: pd.DataFrame, inputs: Inputs) -> np.ndarray:
    """Features in the order of `inputs`, float32 of shape (rows, inputs): names as codes, unknown names as NaN."""
    matrix_values = np.empty((len(rows), len(inputs)), np.float32)
    for column, (name, names) in enumerate(inputs.items()):
        matrix_values[:, column] = rows[name] if names is None else _codes(rows[name], names)
    return matrix_values


def columns(inputs: Inputs) -> dict[str, list[str]]:
    """XGBoost's `feature_names` and `feature_types`."""
    kinds = ["float" if names is None else "c" for names in inputs.values()]
    return {"feature_names": list(inputs), "feature_types": kinds}


def _codes(column: pd.Series, names: Sequence[str]) -> np.ndarray:
    codes = pd.Index(names, dtype=object).get_indexer(column).astype(np.float32)
    return np.where(codes < 0, np.nan, codes)


def grow_trees(
    data: Matrix,
    *,
    objective: str | Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = FREE,
    device: str = "cpu",
    unseen: Matrix | None = None,
) -> Booster:
    """Fit `params["rounds"]` trees, or as many for each output of an `Objective`.

    monotone: features along which the raw score may only rise (1) or only fall (-1), all else equal. device: one of
    `DEVICES`. unseen: labelled rows to judge by when to stop: the trees end where its loss is least, and `PATIENCE`
    rounds without less end the search. Raises InputError for an unknown feature or an absent device.
    """
    names = data.feature_names
    settings = xgboost_settings(names or (), objective=objective, params=params, seed=seed, monotone=monotone)
    settings["device"] = check_device(device)
    obj = None if isinstance(objective, str) else objective.derivatives
    judged_by: dict[str, Any] = {"evals": [(unseen, "unseen")], "early_stopping_rounds": PATIENCE} if unseen else {}
    matrices = [data, unseen] if unseen else [data]
    for matrix in matrices:
        matrix.feature_names = None  # XGBoost compares the names before every tree: a fifth of the time of a small fit
    try:
        booster = xgb.train(settings, data, int(params["rounds"]), obj=obj, verbose_eval=False, **judged_by)
    finally:
        for matrix in matrices:
            matrix.feature_names = names
    booster.feature_names = names
    return booster if not unseen else booster[: booster.best_iteration + 1]


def raised(booster: Booster, factor: float) -> Booster:
    """The same trees of a log, from a start `factor` times as high."""
    content = json.loads(booster.save_raw("json"))
    start = content["learner"]["learner_model_param"]
    start["base_score"] = f"[{json.loads(start['base_score'])[0] * factor!r}]"
    higher = xgb.Booster()
    higher.load_model(bytearray(json.dumps(content).encode()))
    return higher


def xgboost_settings(
    features: Sequence[str],
    *,
    objective: str | Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = FREE,
) -> dict[str, Any]:
    """XGBoost's parameters, without the rounds and the derivatives of an `Objective`."""
    settings: dict[str, Any] = {name: value for name, value in params.items() if name != "rounds"}
    settings |= {"max_depth": int(settings["max_depth"]), "seed": seed, "tree_method": "hist", "verbosity": 0}
    settings["monotone_constraints"] = _directions(monotone, features)
    if isinstance(objective, str):
        return settings | {"objective": objective}
    return settings | {"num_target": len(objective.start), "base_score": list(objective.start)}


def _directions(monotone: Mapping[str, int], features: Sequence[str]) -> str:
    unknown = sorted(set(monotone) - set(features))
    if unknown:
        raise InputError(
            f"there is no feature '{unknown[0]}' among the {len(features)} to learn from",
            where="train.monotone",
            next="`stayworth features --list` shows them.",
        )
    return f"({','.join(str(monotone.get(name, 0)) for name in features)})"


def check_device(device: str) -> str:
    """Return the device, or raise InputError if this machine does not have it: XGBoost itself would go on without."""
    if device not in DEVICES:
        raise InputError(f"'{device}' is not one of {', '.join(DEVICES)}", where="train.device", next="Choose one.")
    if device == "cuda":
        row = xgb.DMatrix(np.zeros((1, 1)), label=[0.0])
        with xgb.config_context(verbosity=0):
            booster_config = json.loads(xgb.train({"device": device, "verbosity": 0}, row, 0).save_config())
        if not booster_config["learner"]["generic_param"]["device"].startswith("cuda"):
            raise InputError(
                'is "cuda", but XGBoost finds no GPU on this machine',
                where="train.device",
                next='Set it to "cpu", or train where `nvidia-smi` lists a GPU.',
            )
    return device


def contributions(booster: Booster, data: Matrix) -> np.ndarray:
    """Contributions of each feature to the raw score (log-odds for churn), exact for trees (Lundberg et al. 2020).

    Shape (rows, features + 1); the last column is the base; a row sums to its raw score. For a booster of several
    outputs (rows, outputs, features + 1).
    """
    return booster.predict(data, pred_contribs=True)


def to_ubj(booster: Booster) -> bytes:
    """Write the booster as UBJSON."""
    return bytes(booster.save_raw("ubj"))


def from_ubj(data: bytes) -> Booster:
    """Read a booster, on one thread: a request is too small to split."""
    if not data:  # XGBoost would end the process
        raise InputError("contains no trees", where="UBJSON", next="Restore the bundle, or train again.")
    booster = xgb.Booster(model_file=bytearray(data))
    booster.set_param({"nthread": 1})
    return booster
