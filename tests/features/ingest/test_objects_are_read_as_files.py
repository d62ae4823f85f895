"""Objects in a store are read as files are, and a store that gives none says why, on emulators of S3, GCS and Azure."""

import gzip
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from features.errors import InputError
from features.ingest import object_store
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.ingest.object_store import fetch_objects
from pipelines.config import load
from pipelines.init import first_config
from tests.features.ingest.object_stores import STORES, s3

NOW_US = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1_000_000)
DAYS = pd.to_datetime(["2026-01-05", "2026-03-01", "2026-02-02"])
ORDERS = pd.DataFrame({"customer_id": ["007", "007", "12"], "ordered_at": DAYS, "amount": [9.5, 3.25, 20.0]})
VARIABLES = ("AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT")
KEYS = {"AWS_ACCESS_KEY_ID": "ann", "AWS_SECRET_ACCESS_KEY": "secret"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=STORES)
def store(request):
    """A running store with the same orders as CSV, gzip and Parquet."""
    with STORES[request.param]() as running, pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name, value in running.environment.items():
            patch.setenv(name, value)
        text = ORDERS.to_csv(index=False).encode()
        running.put("day/orders.csv", text)
        running.put("packed/2026/orders.csv.gz", gzip.compress(text))
        running.put("packed/_SUCCESS", b"done")
        running.put("parquet/one.parquet", ORDERS.iloc[:2].to_parquet())
        running.put("parquet/deep/two.parquet", ORDERS.iloc[2:].to_parquet())
        yield running


def read(url: str):
    return ingest(Log(url, currency="EUR", gross_margin=0.4, timezone="UTC"), now_us=NOW_US)


@pytest.mark.parametrize(
    "key",
    [
        "day/orders.csv",
        "day",
        "day/",
        "packed",
        "packed/**/*.csv.gz",
        "packed/*/orders.csv*",
        "parquet",
        "parquet/**/*.parquet",
        "*/orders.csv",
    ],
)
def test_an_object_a_folder_and_a_glob_are_read(store, key):
    result = read(f"{store.scheme}://shop/{key}")
    assert result.histories.customer_ids.to_pylist() == ["007", "12"]
    assert result.histories.columns.amount_cents.tolist() == [950, 325, 2000]


def test_a_glob_of_one_folder_leaves_deeper_ones_out(store):
    assert len(fetch_objects(f"{store.scheme}://shop/parquet/*.parquet")) == 1


@pytest.mark.parametrize("key", ["bad/orders.csv", "bad/orders.parquet"])
def test_what_is_set_aside_is_named_by_its_url(store, key):
    rows = pd.concat([ORDERS, ORDERS.head(1).assign(customer_id=None)])
    url = store.put(key, rows.to_parquet() if key.endswith("parquet") else rows.to_csv(index=False).encode())
    quarantine = read(url).quarantine.to_pylist()
    assert [(row["file"], row["row"], row["reason"]) for row in quarantine] == [(url, 4, "no customer_id")]


def test_a_changed_object_is_read_anew(store):
    url = store.put("changing/orders.csv", ORDERS.to_csv(index=False).encode())
    (first,) = fetch_objects(url)
    before = first.stat()
    assert fetch_objects(url) == [first]
    assert first.stat().st_ino == before.st_ino, "what has not changed is not fetched again"
    store.put("changing/orders.csv", ORDERS.head(1).to_csv(index=False).encode())
    assert read(url).histories.customer_ids.to_pylist() == ["007"]


def test_init_writes_a_config_that_names_the_url(store, tmp_path):
    url = f"{store.scheme}://shop/day/orders.csv"
    config = first_config(url, config_folder=tmp_path)
    (tmp_path / "stayworth.toml").write_text(config.text)
    log = load(tmp_path / "stayworth.toml").log
    assert str(log.source("orders")) == url
    assert ingest(log, now_us=NOW_US).histories.columns.amount_cents.tolist() == [950, 325, 2000]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("shop/none.csv", "no such object"),
        ("shop/none/*.csv", "no object matches"),
        ("shop/packed/_SUCCESS", "not a kind of file we read"),
        ("nowhere/orders.csv", "no such"),
        ("shop", "names no object"),
        ("shop/", "names no object"),
        ("ann:hush@shop/orders.csv", "holds no credentials"),
    ],
)
def test_a_place_without_objects_is_one_clear_error(store, place, words):
    with pytest.raises(InputError, match=words) as error:
        read(f"{store.scheme}://{place}")
    assert store.scheme in error.value.where
    assert "hush" not in str(error.value)
    assert error.value.next


def test_an_empty_object_is_refused(store):
    url = store.put("empty/orders.csv", b"")
    with pytest.raises(InputError, match="is empty") as error:
        read(url)
    assert error.value.where == url


def test_wrong_keys_are_refused_by_name(monkeypatch):
    with s3(allowed_calls=3) as guarded:
        for name, value in guarded.environment.items():
            monkeypatch.setenv(name, value)
        for _ in range(4):
            with pytest.raises(InputError) as error:
                read("s3://shop/orders/*.csv")
    assert error.value.what.startswith("the store refuses access: ")
    assert "AWS_ACCESS_KEY_ID" in error.value.next
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        (
            "s3://shop/orders.csv",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        ),
        ("gs://shop/orders.csv", {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}),
        (
            "az://shop/orders.csv",
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a"},
        ),
    ],
)
def test_a_store_that_does_not_answer_is_one_clear_error(monkeypatch, url, environment):
    monkeypatch.setattr(object_store, "PATIENCE", object_store.PATIENCE / 10)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="the store cannot be reached") as error:
        read(url)
    assert error.value.where == url


def test_azure_without_an_account_says_what_to_set(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="names no storage account") as error:
        read("az://shop/orders.csv")
    assert "AZURE_STORAGE_CONNECTION_STRING" in error.value.next


def test_the_copies_vanish_with_the_process(store):
    code = "import sys; from features.ingest.object_store import fetch_objects; print(fetch_objects(sys.argv[1])[0])"

    words = [sys.executable, "-c", code, f"{store.scheme}://shop/day/orders.csv"]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.stdout.strip().endswith("orders.csv")
    assert not Path(done.stdout.strip()).exists()
