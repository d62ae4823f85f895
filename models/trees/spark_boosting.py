"""Trees grown by Apache Spark on rows in files: the twin of boosting's `matrix_from_parquet` and `grow_trees`.

The workers of `xgboost.spark` each read their share of the files into their own memory and agree on every split, so the
booster is like any other. The same files, seed and number of workers give the same booster; it differs slightly from
that of one machine, since each worker samples its own rows.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from models.trees import boosting

if TYPE_CHECKING:
    from features.large_logs.spark import Session

LABEL, OFFSET = "label", "offset"
ROWS = "20000"
"""Rows that Spark passes to XGBoost at a time."""


def grow_trees(
    spark: "Session",
    paths: Sequence[Path],
    inputs: boosting.Inputs,
    *,
    label: str,
    objective: str | boosting.Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = boosting.FREE,
    offset: str | None = None,
    other_columns: Sequence[str] = (),
    changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]] = (),
) -> boosting.Booster:
    """Fit trees on the rows of Parquet files with as many workers as Spark runs tasks at once, one file each at least.

    label, offset, other_columns, changes: as of `boosting.matrix_from_parquet`; every worker must be able to read the
    files and to unpack the changes. The rest is as of `boosting.grow_trees`.
    """
    from xgboost.spark import SparkXGBRegressor  # needs PySpark, which only --engine spark asks for

    names = [f"feature_{number}" for number in range(len(inputs))]  # Spark reads a dot in a name as its own
    targets = {LABEL: label, **({OFFSET: offset} if offset else {})}
    workers = min(spark.sparkContext.defaultParallelism, len(paths))
    settings: dict[str, Any] = boosting.xgboost_settings(
        list(inputs), objective=objective, params=params, seed=seed, monotone=monotone
    ) | boosting.columns(inputs)
    settings |= {"n_estimators": int(params["rounds"]), "num_workers": workers, "verbose": False}
    settings |= {"features_col": names, "label_col": LABEL, "base_margin_col": OFFSET if offset else None}
    settings["disable_default_eval_metric"] = True
    if not isinstance(objective, str):  # passed on to `xgboost.train`, though the estimator's page does not say so
        settings["obj"] = objective.derivatives
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", ROWS)
    logging.getLogger("XGBoost-PySpark").setLevel(logging.WARNING)
    wanted = list(dict.fromkeys([*inputs, *(other_columns or targets.values())]))
    read = partial(_read_share, columns=wanted, changes=changes, inputs=inputs, targets=targets, names=names)
    shares = [(number, [str(path) for path in paths[number::workers]]) for number in range(workers)]
    plan = spark.createDataFrame(shares, "worker int, files array<string>").repartitionById(workers, "worker")
    rows = plan.mapInArrow(read, ", ".join(f"{name} float" for name in [*names, *targets]))
    grown = SparkXGBRegressor(**settings).fit(rows).get_booster()
    return boosting.Booster(model_file=bytearray(boosting.to_ubj(grown)))  # without the settings of the workers


def _read_share(
    batches: Iterator[pa.RecordBatch],
    *,
    columns: Sequence[str],
    changes: Sequence[Callable[[pd.DataFrame], pd.DataFrame]],
    inputs: boosting.Inputs,
    targets: Mapping[str, str],
    names: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """The task of a Spark worker: read the rows of its files in the columns XGBoost takes."""
    for share in (row for batch in batches for row in batch.to_pylist()):
        for rows in boosting.read_batches([Path(file) for file in share["files"]], columns, changes):
            target_columns = [rows[column].to_numpy(np.float32) for column in targets.values()]
            arrays = [pa.array(column) for column in (*boosting.values(rows, inputs).T, *target_columns)]
            yield pa.record_batch(arrays, names=[*names, *targets])
