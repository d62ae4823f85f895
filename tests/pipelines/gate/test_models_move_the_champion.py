"""models list, promote and rollback, and a training run that the gate refuses, as a user types them.

The shop trains twice: on its whole log, and on a log that ends two months earlier, which the gate refuses.
"""

import json
import shutil
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from models.artifacts import registry
from pipelines.cli import main
from tests.shops import QUICK, train_sooner

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stayworth(tmp_path_factory):
    """Runs a command in the shop's folder; returns its exit code."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("shop"))
    train_sooner(patch)

    def run(*arguments: str) -> int:
        patch.setattr(sys, "argv", ["stayworth", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    yield run
    patch.undo()


@pytest.fixture(scope="module")
def shop(stayworth, cdnow_path):
    """A shop with a champion, version 1; what it had then; and version 2, refused."""
    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 40 == 0]
    Path("stayworth.toml").write_text(QUICK)
    orders.to_parquet("orders.parquet")
    assert stayworth("train", "--json") == 0
    shutil.copytree("runs", "runs_of_1")
    orders[orders["ordered_at"] < date(1998, 5, 1)].to_parquet("orders.parquet")
    assert stayworth("train", "--json") == 1
    orders.to_parquet("orders.parquet")
    return Path.cwd()


def said(capsys):
    return json.loads(capsys.readouterr().out)


def audited(shop):
    return [json.loads(line) for line in (shop / "runs" / "audit.jsonl").read_text().splitlines()]


def uri(shop):
    return f"sqlite:///{shop / 'mlflow.db'}"


def scores(stayworth):
    assert stayworth("score", "--as-of", "1998-07-01", "--json") == 0
    return pd.read_parquet("runs/scores.parquet")


def test_a_refused_model_is_registered_and_serves_nobody(shop):
    two, one = registry.versions(uri(shop))
    assert (one.aliases, one.tags["gate"]) == (("champion",), "accepted")
    assert (two.aliases, two.tags["gate"]) == ((), "refused")
    (reason,) = [text for text in json.loads(two.tags["gate_reasons"]) if "G07" in text]
    assert "its data end before 1998-05-01, the champion's before 1998-07-01" in reason


def test_a_refusal_changes_no_file_but_the_audit_log(shop):
    before = {path.name: path.read_bytes() for path in (shop / "runs_of_1").iterdir() if path.is_file()}
    after = {path.name: path.read_bytes() for path in (shop / "runs").iterdir() if path.name in before}
    assert set(after) == set(before) == {"metrics.json", "quarantine.parquet", "reconciliation.json", "audit.jsonl"}
    assert [name for name in before if after[name] != before[name]] == ["audit.jsonl"]
    assert after["audit.jsonl"].startswith(before["audit.jsonl"])


def test_every_decision_is_in_metrics_json_in_mlflow_and_in_the_audit_log(shop):
    assert json.loads((shop / "runs" / "metrics.json").read_text())["gate"]["accepted"]
    accepted, refused = audited(shop)[:2]
    assert (accepted["what"], accepted["version"], accepted["from"], accepted["why"]) == (
        "promote",
        "1",
        None,
        "passed the gate",
    )
    assert (refused["what"], refused["version"], refused["from"]) == ("refuse", "2", "1")
    assert "G07" in refused["why"]
    for version, line in zip(registry.versions(uri(shop))[::-1], (accepted, refused), strict=True):
        assert line["bundle"] == version.bundle
        with registry.session(uri(shop)) as client:
            run = client.get_run(version.run_id)
            decision = json.loads(Path(client.download_artifacts(version.run_id, "gate.json")).read_text())
        assert run.data.tags["gate"] == version.tags["gate"]
        assert decision["accepted"] == (version.tags["gate"] == "accepted")
        assert {one["outcome"] for one in decision["findings"]} <= {"pass", "warn", "fail", "not examined"}


def test_a_run_names_the_data_it_was_made_of(shop):
    with registry.session(uri(shop)) as client:
        runs = [client.get_run(one.run_id) for one in registry.versions(uri(shop))]
    (two,), (one,) = [run.inputs.dataset_inputs for run in runs]
    first, second = json.loads(one.dataset.profile), json.loads(two.dataset.profile)
    assert first["sha256"].startswith(one.dataset.digest)
    assert first["sha256"] != second["sha256"]
    assert (first["last_day"], second["last_day"]) == ("1998-05-02", "1998-03-02")
    assert first["customers"] == 589
    assert json.loads(one.dataset.source) == {"orders": str(shop / "orders.parquet")}


def test_list_shows_every_version_with_what_it_is(shop, stayworth, capsys):
    capsys.readouterr()
    assert stayworth("models", "list", "--json") == 0
    two, one = said(capsys)
    assert (one["version"], one["aliases"], one["gate"], one["as_of"], one["horizon_days"]) == (
        "1",
        ["champion"],
        "accepted",
        "1998-07-01",
        60,
    )
    assert len(one["bundle"]) == 12
    assert 0.5 < one["metrics"]["roc_auc"] < 1
    assert two["gate"] == "refused"
    assert any("G07" in reason for reason in two["gate_reasons"])
    assert stayworth("models", "list") == 0
    table = capsys.readouterr().out
    assert "champion" in table
    assert "refused: G07" in table
    assert not shop.joinpath("mlruns").exists()


def test_promote_by_hand_and_rollback_give_the_scores_of_before(shop, stayworth, capsys):
    """CHECKS 21: one command, and every score is the earlier version's."""
    first = scores(stayworth)
    capsys.readouterr()
    assert stayworth("models", "promote", "2", "--json") == 0
    moved = said(capsys)
    assert (moved["champion"], moved["before"], moved["changed"]) == ("2", "1", True)
    second = scores(stayworth)
    assert not second["churn_probability"].equals(first["churn_probability"])
    capsys.readouterr()
    assert stayworth("models", "rollback", "--json") == 0
    assert said(capsys)["champion"] == "1"
    pd.testing.assert_frame_equal(scores(stayworth), first)
    by_hand, back = audited(shop)[-2:]
    assert (by_hand["what"], by_hand["version"], by_hand["from"], by_hand["why"]) == ("promote", "2", "1", "by hand")
    assert (back["what"], back["version"], back["from"]) == ("rollback", "1", "2")
    assert set(by_hand) == {"at", "who", "what", "version", "bundle", "from", "why"}
    tags = {one.number: one.tags for one in registry.versions(uri(shop))}
    assert tags["2"]["promoted_at"] == by_hand["at"]
    assert tags["2"]["promoted_by"] == by_hand["who"]


def test_a_rollback_can_be_rolled_back(shop, stayworth):
    assert stayworth("models", "promote", "1") == 0
    assert stayworth("models", "promote", "2") == 0
    assert stayworth("models", "rollback") == 0
    assert stayworth("models", "rollback") == 0
    assert registry.find(uri(shop), "champion").number == "2"
    assert stayworth("models", "rollback") == 0


def test_promoting_the_champion_changes_nothing_and_says_so(shop, stayworth, capsys):
    lines = len(audited(shop))
    capsys.readouterr()
    assert stayworth("models", "promote", registry.find(uri(shop), "champion").number) == 0
    assert "is the champion already; nothing changed" in capsys.readouterr().out
    assert len(audited(shop)) == lines


def test_an_unknown_version_is_refused_with_those_there_are(shop, stayworth, capsys):
    before = registry.versions(uri(shop))
    assert stayworth("models", "promote", "9") == 2
    assert "there is no version 9; registered: 2, 1" in capsys.readouterr().err
    assert registry.versions(uri(shop)) == before


def test_training_again_on_the_same_data_gives_the_same_bundle(shop, stayworth, capsys):
    """CHECKS 15. Its champion is judged by its recipe, and equals it."""
    assert stayworth("models", "promote", "1") == 0
    capsys.readouterr()
    assert stayworth("train", "--json") == 0
    again = said(capsys)
    three, _, one = registry.versions(uri(shop))
    assert three.bundle == one.bundle == again["version"]
    assert three.aliases == ("champion",)
    (judged,) = [one for one in again["metrics"]["gate"]["findings"] if one["code"] == "G10"]
    assert "its recipe, refitted as of 1998-05-02" in judged["reason"]
    assert again["metrics"]["differences"]["champion"]["log_loss"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_without_any_version_the_commands_say_so(tmp_path, monkeypatch, capsys, stayworth):
    monkeypatch.chdir(tmp_path)
    Path("stayworth.toml").write_text(QUICK)
    assert stayworth("models", "list") == 0
    assert "No version is registered yet" in capsys.readouterr().out
    assert stayworth("models", "rollback") == 2
    assert "stayworth train" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["stayworth.toml"]
