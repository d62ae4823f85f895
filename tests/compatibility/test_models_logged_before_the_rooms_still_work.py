"""A model trained, logged and scored by the code before the rooms is loaded, served, scored with and rolled back to.

That code is taken out of git as it was (commit 420ff18), so the artefacts are the real ones; a clone without that
history cannot run these tests and says so.
"""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx
import pandas as pd
import pytest

from models.artifacts.registered_model import load_champion
from pipelines.config import load
from tests.registered import registered
from tests.serving.served import pessimist
from tests.shops import QUICK

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BEFORE = "420ff18"
DAY = "1998-05-01"
TOKEN = "a-token-of-this-test"
RUN = "import sys; sys.argv[0] = 'stayworth'; from pipelines.cli import main; main()"
LOADED = """
import sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/stayworth@champion")
orders = pd.read_parquet("orders.parquet")
model.predict(orders, params={"as_of": sys.argv[2]}).to_parquet(sys.argv[3])
import models
print(models.__file__)
"""


def run(code, *arguments, cwd, path):
    """Run Python code in a process of its own, `path` in front of all other modules; returns its standard output."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    command = [sys.executable, "-P", "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def earlier_code(tmp_path_factory):
    """The five packages as they were in the commit before the rooms."""
    command = ["git", "archive", BEFORE, "features", "models", "retention", "pipelines", "serving"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"the history of this clone does not reach back to {BEFORE}")
    folder = tmp_path_factory.mktemp("code")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory, earlier_code, cdnow_path):
    """A shop that the earlier code trained and scored: its folder, with those scores in earlier.parquet."""
    folder = tmp_path_factory.mktemp("shop")
    duckdb.sql(f"""copy (select customer_id, ordered_at, amount from '{cdnow_path}' where customer_id::int % 10 = 0)
                   to '{folder / "orders.parquet"}'""")
    (folder / "stayworth.toml").write_text(QUICK)
    run(RUN, "train", "--json", cwd=folder, path=earlier_code)
    run(RUN, "score", "--as-of", DAY, "-o", "earlier.parquet", "--json", cwd=folder, path=earlier_code)
    (version,) = json.loads(run(RUN, "models", "list", "--json", cwd=folder, path=earlier_code))
    assert "champion" in version["aliases"]
    return folder


@pytest.fixture
def today(shop, monkeypatch, stayworth):
    """Runs a command of today's code in the shop."""
    monkeypatch.chdir(shop)

    def command(*arguments):
        code, _, errors = stayworth(*arguments, "--json")
        assert code == 0, errors

    return command


@pytest.fixture
def scored(shop, today):
    """The scores of the day by today's code and the champion, after writing them to a file."""

    def into(name):
        today("score", "--as-of", DAY, "-o", name)
        return pd.read_parquet(shop / name)

    return into


def equal(scores, others):
    """Every number equal to the bit; the words of the reasons may have been put better since."""
    numbers = [name for name in others if not name.startswith("reason_")]
    pd.testing.assert_frame_equal(scores[numbers], others[numbers], check_exact=True)


def test_today_s_code_scores_with_it_as_the_earlier_code_did(shop, scored):
    equal(scored("today.parquet"), pd.read_parquet(shop / "earlier.parquet"))


def test_it_loads_through_mlflow_with_the_code_it_brought(shop, tmp_path):
    """In a process where today's packages are installed, and behind them on the path."""
    uri, out = f"sqlite:///{shop / 'mlflow.db'}", tmp_path / "predicted.parquet"
    brought = run(LOADED, uri, DAY, str(out), cwd=shop, path=tmp_path)
    assert str(shop) in brought
    assert not brought.startswith(str(ROOT))
    earlier = pd.read_parquet(shop / "earlier.parquet").set_index("customer_id")
    predicted = pd.read_parquet(out).set_index("customer_id").loc[earlier.index]
    for name in ("churn_probability", "expected_value", "clv"):
        pd.testing.assert_series_equal(predicted[name], earlier[name], check_exact=True)
    assert (predicted["model_version"] == earlier["model_version"]).all()


def test_it_is_served(shop, scored):
    scored("served.parquet")
    earlier = pd.read_parquet(shop / "earlier.parquet").head(3)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", RUN, "serve", "--port", "0"],
        cwd=shop,
        env=os.environ | {"PYTHONPATH": str(ROOT), "STAYWORTH_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            answer = client.post("/v1/score", json={"customer_ids": list(earlier["customer_id"])}).json()
            assert [row["clv"] for row in answer["scores"]] == list(earlier["clv"])
            orders = pd.read_parquet(shop / "orders.parquet")
            orders["ordered_at"] = pd.to_datetime(orders["ordered_at"])
            histories = [
                {
                    "customer_id": customer_id,
                    "orders": [
                        {"ordered_at": at.isoformat() + "Z", "amount": float(amount)}
                        for at, amount in rows[["ordered_at", "amount"]].itertuples(index=False)
                        if at < pd.Timestamp(DAY)
                    ],
                }
                for customer_id, rows in orders[orders["customer_id"].isin(earlier["customer_id"])].groupby(
                    "customer_id"
                )
            ]
            deadline = time.monotonic() + 60  # the batch is served at once; the model is fetched meanwhile
            reply = client.post("/v1/score_histories", json={"as_of": DAY, "customers": histories})
            while reply.status_code == 503 and time.monotonic() < deadline:
                time.sleep(1)
                reply = client.post("/v1/score_histories", json={"as_of": DAY, "customers": histories})
            assert reply.status_code == 200, reply.text
            answer = reply.json()
            churn = {row["customer_id"]: row["churn_probability"] for row in answer["scores"]}
            assert [churn[name] for name in earlier["customer_id"]] == pytest.approx(
                list(earlier["churn_probability"]), abs=1e-6
            )
    finally:
        process.terminate()
        _, messages = process.communicate(timeout=30)
    assert process.returncode == 0, messages


def test_a_later_model_takes_its_place_and_is_rolled_back_to_it(shop, taught, today, scored):
    config = load(shop / "stayworth.toml")
    later = pessimist(load_champion(config.tracking_uri).scorer)
    registered(config, shop / "later", later, taught[0], seed=2, made_at=datetime.now(UTC))
    today("models", "promote", "2")
    later = scored("later.parquet")
    earlier = pd.read_parquet(shop / "earlier.parquet")
    assert (later["model_version"] != earlier["model_version"]).all()
    today("models", "rollback")
    equal(scored("back.parquet"), earlier)
