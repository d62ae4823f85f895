"""CHECKS 19, 20 and 22 for train and promote, in processes of their own: killed, out of room, watched for pickles."""

import json
import os
import random
import subprocess
import sys

import pandas as pd
import pytest

from models.artifacts import registry
from models.artifacts.registered_model import load_untouched
from pipelines.config import load
from tests.forked_commands import seconds_of, start
from tests.shops import QUICK

KILLS = 12
"""Of train, and of promote; CHECKS asks for 200 over all commands."""

WATCHED = """
import sys
import pytest
from tests.shops import train_sooner
train_sooner(pytest.MonkeyPatch())
found = []

def watch(event, details):
    if event != "pickle.find_class":
        return
    frame = sys._getframe(1)
    while frame is not None:
        if "/numba/" in frame.f_code.co_filename:
            return  # its cache of compiled code, in our own folder, is pickles: the stated exemption
        frame = frame.f_back
    found.append(details)

sys.addaudithook(watch)
from pipelines.cli import main
for arguments in (["train"], ["score", "--as-of", "1998-07-01"]):
    sys.argv = ["stayworth", *arguments, "--json"]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
print("unpickled", found)
"""


@pytest.fixture(scope="module")
def new_shop(tmp_path_factory, cdnow_path):
    """Makes folders of a shop with a twentieth of CDNOW's customers."""

    def made():
        folder = tmp_path_factory.mktemp("shop")
        orders = pd.read_parquet(cdnow_path)
        orders[orders["customer_id"].astype(int) % 20 == 0].to_parquet(folder / "orders.parquet")
        (folder / "stayworth.toml").write_text(QUICK)
        return folder

    return made


@pytest.fixture(scope="module")
def trained(new_shop):
    """A shop that was trained twice."""
    folder = new_shop()
    finished(folder, "train")
    finished(folder, "train")
    return folder


def finished(folder, *arguments):
    """Run a command to its good end; returns the seconds it took."""
    return seconds_of(start(folder, *arguments, sooner=True))


def killed(folder, *arguments, after):
    start(folder, *arguments, sooner=True).kill(after)


def whole(folder):
    """No torn file, and the champion, if there is one, is a version whose every byte is verified."""
    for path in (folder / "runs").glob("[!.]*.json"):
        json.loads(path.read_text())
    log = folder / "runs" / "audit.jsonl"
    if log.exists():
        assert all(json.loads(line) for line in log.read_text().splitlines())
    uri = load(folder / "stayworth.toml").tracking_uri
    version = registry.holder(uri, "champion")
    if version is not None:
        assert load_untouched(uri, version).scorer.version == version.bundle
    return version


@pytest.mark.slow
def test_training_killed_at_random_moments_leaves_a_verified_champion_or_none(new_shop):
    random.seed(19)
    first, again = new_shop(), new_shop()
    seconds = finished(first, "train")
    assert whole(first).number == "1"
    for turn in range(KILLS):
        folder = first if turn % 2 else again
        killed(folder, "train", after=random.uniform(turn, turn + 1) / KILLS * seconds)
        version = whole(folder)
        assert version is not None or folder is again
    for folder in (first, again):
        finished(folder, "train")
        assert whole(folder).bundle == whole(first).bundle


@pytest.mark.slow
def test_promotion_killed_at_random_moments_leaves_a_verified_champion(trained):
    random.seed(20)
    folder = trained
    seconds = finished(folder, "models", "promote", "1")
    for turn in range(KILLS):
        number = str(turn % 2 + 1)
        killed(folder, "models", "promote", number, after=random.uniform(0, 1.1) * seconds)
        assert whole(folder) is not None
        finished(folder, "models", "promote", number)
        assert whole(folder).number == number


@pytest.mark.slow
def test_out_of_room_the_old_model_stands(trained):
    """A real limit on the size of any file written, below that of what MLflow logs."""
    folder = trained
    before, metrics = whole(folder), (folder / "runs" / "metrics.json").read_bytes()
    code, _, errors = start(folder, "train", room_bytes=3_000_000, sooner=True).end()
    assert code == 2, errors
    assert "File too large" in errors
    assert "Traceback" not in errors
    assert whole(folder) == before
    assert (folder / "runs" / "metrics.json").read_bytes() == metrics
    finished(folder, "train")


@pytest.mark.slow
def test_from_training_to_scores_nothing_is_unpickled(new_shop):
    folder = new_shop()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=folder, capture_output=True, text=True, timeout=500, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "unpickled []"
