"""Compute feature rows and labelled rows of a log with Apache Spark, on as many machines as it has.

Spark hands out the partitions of the files and shuffles their rows into buckets of customers
(features/large_logs/partitions.py); each bucket is then read, cleaned and computed like any small log, so every cell
equals that of a single machine.

On a cluster every worker needs this Python with Stayworth installed, and the log's files and the staging folder under
the same paths.
"""

import json
import math
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from features.errors import InputError
from features.ingest import sources
from features.ingest.log import Log
from features.ingest.open_log import Reading
from features.large_logs import partitions
from features.large_logs.merge import StagedFeatures, merge_buckets, merge_partitions
from features.snapshots.labels import labelled_rows
from features.snapshots.snapshot import feature_columns, snapshot_chunks

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUCKET_BYTES = 32_000_000
"""Bytes of the log's files per bucket."""
LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""The addresses on which a Spark on this machine alone listens."""
ERRORS_ONLY = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark: %m%n
"""
"""Spark's logging: errors only."""
Session: TypeAlias = "SparkSession"
"""A running Spark."""


def stage_snapshot(
    log: Log,
    *,
    as_of: list[date],
    known_at: date | None,
    features: Sequence[str] | None,
    staging: Path,
    master: str,
    now_us: int | None,
    before_us: int | None = None,
) -> StagedFeatures:
    """Write the rows of `snapshot` to files in an empty folder, with a Spark of its own at the address `master`.

    now_us, before_us: see `reading`.
    Raises InputError for a log that cannot be read or used, for a source other than files, and where Spark is missing.
    """

    def wanted(whole: Reading) -> list[str]:
        return feature_columns(whole, as_of=as_of, known_at=known_at) if features is None else list(features)

    rows = partial(snapshot_chunks, as_of=as_of, known_at=known_at)
    with spark_session(master, staging) as spark:
        return _stage_rows(spark, log, rows, wanted, staging=staging, now_us=now_us, before_us=before_us)


def stage_labelled_rows(
    spark: Session,
    log: Log,
    *,
    whole: tuple[date, date],
    as_of: list[date],
    features: list[str],
    horizon_days: int,
    share: float,
    seed: int,
    staging: Path,
    now_us: int | None,
) -> StagedFeatures:
    """Write the rows of `labelled_rows` to files in an empty folder; raises the errors of `stage_snapshot`."""
    rows = partial(labelled_rows, whole=whole, as_of=as_of, horizon_days=horizon_days, share=share, seed=seed)
    return _stage_rows(spark, log, rows, lambda _: features, staging=staging, now_us=now_us)


def _stage_rows(
    spark: Session,
    log: Log,
    rows: Callable[..., Iterator[pa.Table]],
    wanted: Callable[[Reading], list[str]],
    *,
    staging: Path,
    now_us: int | None,
    before_us: int | None = None,
) -> StagedFeatures:
    """Write the tables that `rows` makes of each bucket's histories; wanted: the features, given the whole log."""
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "16")  # a record is a table
    tasks = partitions.partitions_of(log)
    log = sources.with_styles(log)
    size = sum(Path(file).stat().st_size for file in {partition.file for partition in tasks})
    buckets = max(2 * spark.sparkContext.defaultParallelism, math.ceil(size / BUCKET_BYTES))
    split = partial(_split_task, log=log, buckets=buckets, now_us=now_us, before_us=before_us)
    plan = spark.createDataFrame(tasks, "number int, table string, file string, first long, last long")
    sent = plan.repartitionById(len(tasks), "number").mapInArrow(split, "bucket int, name string, rows binary")
    sent = sent.persist()
    about = sent.where(f"bucket = {partitions.ABOUT}").select("name", "rows").collect()
    whole, schemas = merge_partitions(log, about, scratch=staging)
    names = wanted(whole)
    walk = partial(
        _bucket_task,
        log=log,
        schemas=schemas,
        kinds=whole.kinds,
        rows=partial(rows, features=names),
        staging=staging,
        now_us=now_us,
        before_us=before_us,
    )
    by_bucket = sent.where(f"bucket <> {partitions.ABOUT}").repartitionById(buckets, "bucket")
    done = [json.loads(text) for (text,) in by_bucket.mapInArrow(walk, "done string").collect()]
    sent.unpersist()
    return merge_buckets(whole, names, done, staging=staging)


@contextmanager
def spark_session(master: str, staging: Path) -> Iterator[Session]:
    """Run a Spark at the address `master`, working in the folder `staging`; it logs errors only and leaves no files.

    Raises InputError where PySpark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise InputError(
            "PySpark is not installed", where="--engine spark", next="Install it: pip install 'stayworth[spark]'"
        ) from None
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise InputError(
            "Spark needs Java, which is not installed", where="--engine spark", next="Install Java 17 or 21."
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging = staging / "log4j2.properties"
    logging.write_text(ERRORS_ONLY)
    settings: dict[str, str | bool | int | float | None] = {
        "spark.local.dir": str(staging / "spark"),
        "spark.sql.warehouse.dir": str(staging / "spark"),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging}",
        **(LOOPBACK if master.startswith("local") else {}),
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # it is given plain numbers only
        spark = SparkSession.builder.master(master).appName("stayworth").config(map=settings).getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()


def _split_task(
    batches: Iterator[pa.RecordBatch], *, log: Log, buckets: int, now_us: int | None, before_us: int | None
) -> Iterator[pa.RecordBatch]:
    """Spark's task over partitions."""
    for batch in batches:
        for row in batch.to_pylist():
            partition = partitions.Partition(**row)
            yield from partitions.split_partition(log, partition, buckets=buckets, now_us=now_us, before_us=before_us)


def _bucket_task(
    batches: Iterator[pa.RecordBatch],
    *,
    log: Log,
    schemas: dict[str, pa.Schema],
    kinds: dict[str, int],
    rows: partitions.RowsOfHistories,
    staging: Path,
    now_us: int | None,
    before_us: int | None,
) -> Iterator[pa.RecordBatch]:
    """Spark's task over the messages of a bucket."""
    messages = [row for batch in batches for row in batch.to_pylist()]
    if not messages:
        return
    try:
        done = partitions.write_bucket(
            log,
            messages,
            schemas=schemas,
            kinds=kinds,
            rows=rows,
            staging=staging,
            now_us=now_us,
            before_us=before_us,
        )
    except InputError as error:
        done = {"error": [error.what, error.where, error.next]}
    yield pa.record_batch([[json.dumps(done)]], names=["done"])
