"""The rows of one customer come from the store where it has the log as it is, and are those that the log has."""

import shutil

import numpy as np
import pandas as pd
import pytest

from features.clock import microseconds
from features.history_store.stored_customer import StoredCustomers, rows_of
from features.ingest import sources
from features.ingest.log import Log
from features.online.one_customer import customer_history, read_customer_rows
from features.snapshots.snapshot import snapshot
from tests.features.generated.conftest import day_of
from tests.features.history_store.arrivals import TERMS, opened, some_interactions, some_orders, write


@pytest.fixture(params=["csv", "parquet"])
def shop(request, tmp_path):
    """A log in two files that came one after the other, and its store."""
    rng = np.random.default_rng(7)
    orders = some_orders(rng, 900)
    log = Log(tmp_path / "orders", interactions=tmp_path / f"visits.{request.param}", **TERMS)
    write(some_interactions(rng, 300), tmp_path / f"visits.{request.param}")
    for name, part in (("a", orders[:600]), ("b", orders[600:])):
        write(part, tmp_path / "orders" / f"{name}.{request.param}")
        opened(log, tmp_path / "store")
    return log, tmp_path / "store"


def test_rows_of_the_store_are_those_of_the_log(shop):
    log, home = shop
    stored = StoredCustomers(log, home).entry()
    for customer in ("c0", "c7", "c39", "c55", "nobody"):
        found, wanted = read_customer_rows(log, customer, stored), read_customer_rows(log, customer)
        assert found.keys() == wanted.keys()
        for table, rows in wanted.items():
            assert found[table].to_pylist() == rows.to_pylist()
            assert set(found[table].schema) == set(rows.schema)


def test_a_history_out_of_the_store_has_the_features_of_the_log_also_cut_at_a_day(shop):
    log, home = shop
    stored = StoredCustomers(log, home).entry()
    day = day_of(0).replace(year=2024, month=9)
    for before_us in (None, microseconds(day)):
        for customer in ("c1", "c12"):
            found, wanted = (
                snapshot(
                    customer_history(log, read_customer_rows(log, customer, at), now_us=None, before_us=before_us),
                    as_of=[day],
                    known_at=day,
                )
                for at in (stored, None)
            )
            pd.testing.assert_frame_equal(found.to_pandas(), wanted.to_pandas(), check_exact=True)
            assert len(found) == 1


def test_text_that_is_in_the_store_is_not_read(shop, monkeypatch):
    log, home = shop
    wanted, stored = read_customer_rows(log, "c3"), StoredCustomers(log, home).entry()
    monkeypatch.setattr(sources, "_copy_file", None)
    assert read_customer_rows(log, "c3", stored)["orders"].num_rows == wanted["orders"].num_rows > 5


def test_a_log_that_changed_is_not_in_the_store(shop):
    log, home = shop
    customers = StoredCustomers(log, home)
    assert customers.entry() is not None
    (path, *_) = log.source("orders").paths()
    path.unlink()
    assert customers.entry() is None


def test_a_store_that_was_emptied_meanwhile_is_not_in_the_way(shop):
    log, home = shop
    stored = StoredCustomers(log, home).entry()
    assert rows_of(stored, log, ["c3", "c4"])["orders"].num_rows > 10
    shutil.rmtree(home)
    assert read_customer_rows(log, "c3", stored)["orders"].num_rows > 5
