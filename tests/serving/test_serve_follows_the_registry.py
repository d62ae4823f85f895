"""`stayworth serve` with the real registry: up soon, a promoted version answers soon, and MLflow may be gone."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest

from pipelines import promotion
from pipelines.config import load
from tests.registered import registered
from tests.serving.running import TOKEN
from tests.serving.served import asked_of, pessimist
from tests.shops import config_of

COMMAND = Path(sys.executable).with_name("stayworth")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
READY_S = 15
"""Of one core, so that a busy machine fails nobody."""
SOON_S = 20
"""The registry is asked every 5 s, and what it has is looked for every second; the rest is the fetching."""


def shop_of(home, model, taught, orders, *, more=""):
    """The config of a shop with two versions, the first the champion; nothing is scored yet."""
    (home / "stayworth.toml").write_text(config_of(orders, more=more))
    config = load(home / "stayworth.toml")
    for number, made in ((1, model), (2, pessimist(model))):
        registered(config, home / f"bundle-{number}", made, taught[0], seed=number, made_at=NOW)
    promotion.promote(config, "1", now=NOW, why="passed the gate")
    return config


@pytest.fixture(scope="module")
def shop(tmp_path_factory, model, taught, cdnow_path):
    """A shop whose registry is a file."""
    return shop_of(tmp_path_factory.mktemp("shop"), model, taught, cdnow_path)


@contextmanager
def mlflow_server(home):
    """An MLflow server on loopback, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [COMMAND.with_name("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", f"{home}/artifacts"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (home / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=home, env=os.environ | quiet, stdout=log, stderr=log, start_new_session=True
        )

        def signalled(number):
            """The server and its workers."""
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)

        try:
            begun = time.monotonic()
            while True:
                assert process.poll() is None, (home / "mlflow.log").read_text()
                assert time.monotonic() - begun < 120, (home / "mlflow.log").read_text()
                try:
                    if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield url, signalled
        finally:
            signalled(signal.SIGKILL)
            process.wait(20)


@contextmanager
def serving(shop, journal):
    """A client of `stayworth serve`, the CPU seconds it took to answer, and in the end its journal in the list."""
    with (shop.home / "journal").open("w+") as said:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            cwd=shop.home,
            env=os.environ | {"STAYWORTH_TOKEN": TOKEN},
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            url = re.search(r"http://\S+", process.stdout.readline())
            assert url, (process.wait(20), said.seek(0), said.read())
            with httpx.Client(base_url=url[0], headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
                assert client.get("/readyz").status_code == 200
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                yield client, sum(sum(one.cpu_times()[:4]) for one in family)
        finally:
            process.terminate()
            process.communicate(timeout=30)
        said.seek(0)
        journal += [json.loads(line) for line in said]
        assert process.returncode == 0


@pytest.mark.slow
def test_it_is_up_soon_follows_promotions_and_needs_no_registry_to_go_on(shop, batch):
    asked = asked_of(batch, batch.scores["customer_id"].head(3).tolist())
    journal, seen = [], []
    database = Path(shop.tracking_uri.removeprefix("sqlite:///"))
    with serving(shop, journal) as (client, ready_s):
        assert ready_s < READY_S

        def answer():
            reply = client.post("/v1/score_histories", json=asked)
            assert reply.status_code == 200, reply.text
            scores = reply.json()["scores"]
            seen.append((scores[0]["model_version"], tuple(one["churn_probability"] for one in scores)))
            return seen[-1]

        first = answer()
        assert client.get("/v1/model").json()["registered"] == "1"
        promotion.promote(shop, "2", now=NOW, why="by hand")
        begun = time.monotonic()
        while answer() == first and time.monotonic() - begun < SOON_S:
            time.sleep(0.02)
        told = client.get("/v1/model").json()
        assert (told["registered"], told["version"], told["metrics"]) == ("2", seen[-1][0], {"roc_auc": 0.8})
        assert all(new > old for new, old in zip(seen[-1][1], first[1], strict=True))
        assert len(set(seen)) == 2, "each answer is wholly of the one or of the other"

        shutil.move(database, database.with_name("away"))
        time.sleep(6)
        assert answer() == seen[-2]
        assert client.get("/readyz").status_code == 200
    events = [line["event"] for line in journal if line["event"] != "request"]
    assert [events.count(one) for one in ("model loaded", "champion brought", "champion not brought")] == [2, 1, 1]

    with serving(shop, journal) as (client, ready_s):
        assert ready_s < READY_S
        assert answer_of(client, asked) == seen[-1][0], "the last good champion, without the registry"
    shutil.move(database.with_name("away"), database)


@pytest.mark.slow
def test_a_registry_on_another_server_may_go_and_come_without_a_caller_noticing(
    tmp_path, model, taught, batch, cdnow_path
):
    asked = asked_of(batch, batch.scores["customer_id"].head(3).tolist())
    with mlflow_server(tmp_path) as (url, signalled):
        shop = shop_of(tmp_path, model, taught, cdnow_path, more=f'[tracking]\nuri = "{url}"\n')
        journal = []
        with serving(shop, journal) as (client, _):
            first = answer_of(client, asked)
            promotion.promote(shop, "2", now=NOW, why="by hand")
            begun = time.monotonic()
            while answer_of(client, asked) == first and time.monotonic() - begun < SOON_S:
                time.sleep(0.02)
            second = answer_of(client, asked)
            assert second != first

            signalled(signal.SIGSTOP)  # takes connections, and never answers
            begun, slowest_s = time.monotonic(), 0.0
            while time.monotonic() - begun < 10:
                slowest_s = max(slowest_s, client.post("/v1/score_histories", json=asked).elapsed.total_seconds())
            signalled(signal.SIGKILL)
            time.sleep(10)
            assert answer_of(client, asked) == second
            assert slowest_s < 1
    assert "error" not in {line["event"] for line in journal}
    assert {line["status"] for line in journal if line["event"] == "request"} == {200}

    with serving(shop, journal) as (client, ready_s):
        assert ready_s < READY_S
        assert answer_of(client, asked) == second, "the last good champion, without the registry"


def answer_of(client, asked):
    return client.post("/v1/score_histories", json=asked).json()["scores"][0]["model_version"]


def test_without_a_champion_and_without_scores_it_does_not_start_and_says_what_to_do(tmp_path, cdnow_path):
    (tmp_path / "stayworth.toml").write_text(config_of(cdnow_path))
    done = subprocess.run([COMMAND, "serve", "--port", "0"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no model has the alias 'champion'" in done.stderr
    assert "stayworth train" in done.stderr
