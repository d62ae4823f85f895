"""What the workers of a run do once for all of them: compile, and migrate MLflow's tables."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory, worker_id) -> Path:
    """A folder that the workers of a run share; of a run without workers, one of its own."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "of-all-workers"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def one_at_a_time(folder: Path, what: str) -> Iterator[None]:
    """Other workers wait at the same words until this one has left the block."""
    with (folder / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled(of_all_workers, worker_id) -> None:
    """In a fresh checkout each part is compiled by one worker while others do another; they read it from disk."""
    if worker_id == "master":
        return
    parts = [_compile_pass, _compile_store]
    for part in parts if int(worker_id.removeprefix("gw")) % 2 == 0 else parts[::-1]:
        with one_at_a_time(of_all_workers, part.__name__):
            part()


def _compile_pass() -> None:
    from features.ingest.build_histories import ingest
    from features.ingest.log import Log
    from features.snapshots.labels import with_labels
    from features.snapshots.snapshot import snapshot

    days = ["2020-01-01", "2020-03-05"]
    orders = pd.DataFrame({"customer_id": ["ann", "bob"], "ordered_at": days, "amount": 1.0})
    histories = ingest(Log(orders, currency="USD", gross_margin=0.4, timezone="UTC"), now_us=None).histories
    with_labels(histories, snapshot(histories, as_of=[date(2020, 2, 1)]), horizon_days=30)


def _compile_store() -> None:
    from serving.warm import warm_store

    warm_store()


@pytest.fixture(scope="session", autouse=True)
def migrated_once(of_all_workers) -> Iterator[None]:
    """MLflow's migrations, seconds of them, run once: each new SQLite file gets a copy of the tables they made.

    Only in the processes of the tests: commands in processes of their own run them.
    """
    from models.artifacts import registry

    migrated, complete_database = of_all_workers / "migrated.db", registry._complete_database

    def completed(uri: str) -> AbstractContextManager[None]:
        from mlflow.store.db import utils

        if not isinstance(utils._upgrade_db, partial):
            patch.setattr(utils, "_upgrade_db", partial(copy_tables, utils._upgrade_db))
        return complete_database(uri)

    def copy_tables(migrate, engine) -> None:
        with one_at_a_time(of_all_workers, "migrating"):
            if not migrated.exists():
                migrate(engine)
                shutil.copyfile(engine.url.database, migrated)
        with closing(sqlite3.connect(migrated)) as tables, closing(sqlite3.connect(engine.url.database)) as new:
            tables.backup(new)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_complete_database", completed)
        yield
