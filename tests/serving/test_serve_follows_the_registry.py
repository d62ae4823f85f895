"""`stayworth serve` with the real registry: up within 15 s, a promoted version answers soon, and MLflow may be gone."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import plotly.graph_objects as go
import pytest

from models import bundle
from pipelines import champion, tracking
from pipelines.config import load
from pipelines.dataset import described
from tests.serving.running import TOKEN
from tests.serving.served import asked_of, pessimist
from tests.shops import config_of

COMMAND = Path(sys.executable).with_name("stayworth")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
READY_S = 15
SOON_S = 20
"""The registry is asked every 5 s, and what it has is looked for every second; the rest is the fetching."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, model, taught, cdnow_path):
    """A shop with two versions, the first the champion; nothing is scored yet."""
    home = tmp_path_factory.mktemp("shop")
    (home / "stayworth.toml").write_text(config_of(cdnow_path))
    config = load(home / "stayworth.toml")
    for number, made in ((1, model), (2, pessimist(model))):
        folder = home / f"bundle-{number}"
        folder.mkdir()
        bundle.write(folder, made, training={"as_of": "1998-04-02", "horizon_days": 90, "seed": number, "params": {}})
        tracking.log_run(
            uri=config.tracking_uri,
            bundle=folder,
            dataset=described(taught[0]),
            source={},
            params={},
            metrics={"roc_auc": 0.8},
            figures={"one": go.Figure()},
            metrics_json={"gate": {"accepted": True, "reasons": [], "warnings": []}},
            made_at=NOW,
        )
    champion.promote(config, "1", now=NOW, why="passed the gate")
    return config


@contextmanager
def serving(shop, journal):
    """A client of `stayworth serve`, how long it took to answer, and in the end its journal in the list."""
    begun = time.monotonic()
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
                yield client, time.monotonic() - begun
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
        champion.promote(shop, "2", now=NOW, why="by hand")
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


def answer_of(client, asked):
    return client.post("/v1/score_histories", json=asked).json()["scores"][0]["model_version"]


def test_without_a_champion_and_without_scores_it_does_not_start_and_says_what_to_do(tmp_path, cdnow_path):
    (tmp_path / "stayworth.toml").write_text(config_of(cdnow_path))
    done = subprocess.run([COMMAND, "serve", "--port", "0"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no model has the alias 'champion'" in done.stderr
    assert "stayworth train" in done.stderr
