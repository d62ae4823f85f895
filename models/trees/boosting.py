"""Gradient-boosted trees: the only file that imports XGBoost, but for its side that Spark runs
(models/trees/spark_boosting.py).

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
"""No feature is held to a direction."""


def defaults(rows: int) -> Params:
    """What the trees are grown with where nothing was tuned, on so many rows.

    Fewer rows bear fewer trees and ask for lighter leaves: with 800 rows of which a tenth stayed, leaves of weight 100
    allow no split at all, and leaves of weight 4 learn the rows by heart.
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
"""Those of 30,000 rows and more."""


Inputs = Mapping[str, Sequence[str] | None]
"""The features trees take, in their order; for one of names, the names they learnt, else None."""


@dataclass(frozen=True)
class Objective:
    """A loss that XGBoost does not have, of one or more outputs."""

    gradient: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    """(outputs (rows, n), target (rows,)) → first and second derivative of each row's loss, both (rows, n)."""
    start: Sequence[float]
    """What each output is before the first tree; in the booster, so `predict(..., output_margin=True)` has it."""

    def derivatives(self, outputs: np.ndarray, data: Matrix) -> tuple[np.ndarray, np.ndarray]:
        """`gradient` as XGBoost asks for it."""
        return self.gradient(outputs, data.get_label())


def inputs_of(rows: pd.DataFrame, features: Sequence[str]) -> dict[str, list[str] | None]:
    """Features with the names that occur in them."""
    return {name: None if is_numeric_dtype(rows[name]) else sorted(rows[name].dropna().unique()) for name in features}


def matrix(
    rows: pd.DataFrame, inputs: Inputs, target: np.ndarray | None = None, *, offset: np.ndarray | None = None
) -> Matrix:
    """Features in the order of `inputs`, quantised once so that several fits can share it if it has a target.

    A name that was not learnt is missing: XGBoost itself would score it like one of the known. offset: what each row's
    raw score has before the first tree, for the trees to learn the rest; no prediction has it.
    """
    if target is None:
        return xgb.DMatrix(values(rows, inputs), **columns(inputs), enable_categorical=True)
    given = {"label": target, "base_margin": offset}
    return xgb.QuantileDMatrix(values(rows, inputs), **given, **columns(inputs), enable_categorical=True)


def matrix_from_parquet(
    paths: Sequence[Path],
    inputs: Inputs,
    *,
    label: str,
    cache: Path,
    offset: str | None = None,
    beside: Sequence[str] = (),
    changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]] = (),
) -> Matrix:
    """The rows of Parquet files as `matrix` has them, never all in memory: they stream from the folder `cache`.

    label, offset: the columns to learn, a bool or a number, and to begin with. changes: what is done to each batch of
    rows first, with the columns `beside` at hand; label and offset may come of it, and rows may go. The cache holds a
    byte or two per value and must stay as long as the matrix is used. Quantiles are sketched batch by batch, so trees
    differ slightly from those of `matrix`.
    """
    wanted = list(dict.fromkeys([*inputs, *(beside or [label, *([offset] if offset else [])])]))
    batches = _Batches(partial(read, paths, wanted, changes), inputs, label, offset, cache)
    return xgb.ExtMemQuantileDMatrix(batches, enable_categorical=True)


def read(
    paths: Sequence[Path], columns: Sequence[str], changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]]
) -> Iterator[pd.DataFrame]:
    """These columns of Parquet files batch by batch, after the changes; no batch is empty."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, columns=list(columns), use_threads=False):
                rows = batch.to_pandas(date_as_object=False)
                for change in changes:
                    rows = change(rows)
                if len(rows):
                    yield rows


class _Batches(xgb.DataIter):
    """Rows batch by batch, as XGBoost asks for them, several times over."""

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
        """Begin again."""
        self.batches = self.read()

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand over one batch; False after the last."""
        rows = next(self.batches, None)
        if rows is None:
            return False
        given = {"base_margin": rows[self.offset].to_numpy(np.float32)} if self.offset else {}
        target = rows[self.label].to_numpy(np.float32)
        input_data(data=values(rows, self.inputs), label=target, **given, **columns(self.inputs))
        return True


def values(rows: pd.DataFrame, inputs: Inputs) -> np.ndarray:
    """Features in the order of `inputs`, float32 of shape (rows, inputs): a name is its code, one not learnt NaN."""
    given = np.empty((len(rows), len(inputs)), np.float32)
    for column, (name, names) in enumerate(inputs.items()):
        given[:, column] = rows[name] if names is None else _codes(rows[name], names)
    return given


def columns(inputs: Inputs) -> dict[str, list[str]]:
    """What XGBoost is told of the features: `feature_names` and `feature_types`."""
    kinds = ["float" if names is None else "c" for names in inputs.values()]
    return {"feature_names": list(inputs), "feature_types": kinds}


def _codes(column: pd.Series, names: Sequence[str]) -> np.ndarray:
    codes = pd.Index(names, dtype=object).get_indexer(column).astype(np.float32)
    return np.where(codes < 0, np.nan, codes)


def grow(
    data: Matrix,
    *,
    objective: str | Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = FREE,
    device: str = "cpu",
) -> Booster:
    """Fit `params["rounds"]` trees, or as many for each output of an `Objective`.

    monotone: features along which the raw score may only rise (1) or only fall (-1), all else equal. device: one of
    `DEVICES`. Raises InputError for a feature or a device that is not there.
    """
    told = settings(data.feature_names or (), objective=objective, params=params, seed=seed, monotone=monotone)
    told["device"] = present(device)
    obj = None if isinstance(objective, str) else objective.derivatives
    return xgb.train(told, data, int(params["rounds"]), obj=obj)


def settings(
    features: Sequence[str],
    *,
    objective: str | Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = FREE,
) -> dict[str, Any]:
    """What XGBoost is told beside the rows, the rounds and the derivatives of an `Objective`."""
    told: dict[str, Any] = {name: value for name, value in params.items() if name != "rounds"}
    told |= {"max_depth": int(told["max_depth"]), "seed": seed, "tree_method": "hist", "verbosity": 0}
    told["monotone_constraints"] = _directions(monotone, features)
    if isinstance(objective, str):
        return told | {"objective": objective}
    return told | {"num_target": len(objective.start), "base_score": list(objective.start)}


def _directions(monotone: Mapping[str, int], features: Sequence[str]) -> str:
    unknown = sorted(set(monotone) - set(features))
    if unknown:
        raise InputError(
            f"there is no feature '{unknown[0]}' among the {len(features)} to learn from",
            where="train.monotone",
            next="`stayworth features --list` shows them.",
        )
    return f"({','.join(str(monotone.get(name, 0)) for name in features)})"


def present(device: str) -> str:
    """The device, if this machine has it, else InputError: XGBoost itself would go on without."""
    if device not in DEVICES:
        raise InputError(f"'{device}' is not one of {', '.join(DEVICES)}", where="train.device", next="Choose one.")
    if device == "cuda":
        row = xgb.DMatrix(np.zeros((1, 1)), label=[0.0])
        with xgb.config_context(verbosity=0):
            found = json.loads(xgb.train({"device": device, "verbosity": 0}, row, 0).save_config())
        if not found["learner"]["generic_param"]["device"].startswith("cuda"):
            raise InputError(
                'is "cuda", but XGBoost finds no GPU on this machine',
                where="train.device",
                next='Set it to "cpu", or train where `nvidia-smi` lists a GPU.',
            )
    return device


def contributions(booster: Booster, data: Matrix) -> np.ndarray:
    """What each feature adds to the raw score (log-odds for churn), exact for trees (Lundberg et al. 2020).

    Shape (rows, features + 1); the last column is the base; a row sums to its raw score. For a booster of several
    outputs (rows, outputs, features + 1).
    """
    return booster.predict(data, pred_contribs=True)


def to_ubj(booster: Booster) -> bytes:
    """The booster as UBJSON."""
    return bytes(booster.save_raw("ubj"))


def from_ubj(data: bytes) -> Booster:
    """The booster read back, on one thread: a request is too small to share."""
    if not data:  # XGBoost would end the process
        raise InputError("there are no trees in it", where="UBJSON", next="Restore the bundle, or train again.")
    booster = xgb.Booster(model_file=bytearray(data))
    booster.set_param({"nthread": 1})
    return booster
