"""Model health: the verdict, the figures of `stayworth monitor`, the champion's metrics, and one thing to do next."""

import json
from datetime import UTC, datetime

import pytest

from models.artifacts import bundle, registry
from serving.console import health
from tests.pipelines.monitoring.test_monitor import shop, told  # noqa: F401
from tests.serving.console.rooms import rooms_of, words
from tests.serving.served import written

HOSTILE = '<script>alert("x")</script>'


def page_of(folder, **places):
    with rooms_of(folder, **places) as client:
        answer = client.get("/health")
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
def at(monkeypatch):
    monkeypatch.setattr(health, "now", lambda: datetime(1998, 7, 1, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path, told):  # noqa: F811
    """An output folder with what monitor said; the champion is of another folder."""
    write(tmp_path, told)
    return tmp_path


@pytest.fixture(scope="module")
def places(shop, batch, tmp_path_factory):  # noqa: F811
    """The champion that was watched, and scores by it."""
    model = shop / "logged" / registry.BUNDLE
    scores = tmp_path_factory.mktemp("scores") / "scores.store"
    written(scores, bundle.read(model), batch.rows)
    return {"model": model, "scores": scores}


def write(folder, content):
    (folder / "monitor.json").write_text(json.dumps({name: content[name] for name in content if name != "written"}))


def minus(text):
    return text.replace("-", "−")


@pytest.mark.usefixtures("at")
def test_the_numbers_are_those_of_the_command(told, folder, places):  # noqa: F811
    said = words(page_of(folder, **places))
    assert "Monitoring verdict fine as of 1 July 1998" in said
    scores = [one for one in told["moved"]["columns"] if one["is_score"]]
    for one in scores:
        assert f"{one['column']} score {one['all']['value']:.2f} {one['quiet_all']:.2f}" in said
    latest = told["matured"][-1]
    for name, form in (("roc_auc", ".3f"), ("churn_rate", ".1%"), ("total_bias", "+.1%")):
        one = latest["figures"][name]
        assert minus(f"{one['value']:{form}} {one['low']:{form}} to {one['high']:{form}}") in said
    for tenth in latest["deciles"]:
        assert minus(f"{tenth['said']:,.2f} {tenth['value']:,.2f}") in said
    assert "Trained on data before 2 April 1998 90 days ago" in said
    assert "Scores as of 2 April 1998 90 days ago" in said
    assert told["model"]["bundle"] in said


@pytest.mark.usefixtures("at")
@pytest.mark.parametrize(
    ("changes", "next_step"),
    [
        ({}, "Nothing: the model is as good as it was at the gate."),
        ({"verdict": "retrain"}, "Retrain: stayworth monitor --retrain"),
        ({"verdict": "watch"}, "Keep an eye on it"),
        ({"model": "another"}, "Run stayworth monitor again: its last result is about another model"),
    ],
)
def test_the_next_step_follows_from_the_verdict(told, tmp_path, places, changes, next_step):  # noqa: F811
    if "model" in changes:
        changes = {"model": told["model"] | {"bundle": "0" * 12}}
    elif changes:
        reason = {"about": "money", "verdict": changes["verdict"], "found": HOSTILE, "next": "See."}
        changes = changes | {"reasons": [reason]}
    write(tmp_path, told | changes)
    text = page_of(tmp_path, **places)
    assert f"What to do next: {next_step}" in words(text)
    assert "<script>alert" not in text
    assert (HOSTILE in words(text)) == ("reasons" in changes)


def test_without_anything_it_says_what_to_run(tmp_path):
    said = words(page_of(tmp_path))
    assert "What to do next: Train a model: stayworth train." in said
    assert "none yet run stayworth monitor" in said


def test_scores_past_their_horizon_are_to_be_made_anew(folder, places, monkeypatch):
    monkeypatch.setattr(health, "now", lambda: datetime(1998, 7, 2, tzinfo=UTC))
    said = words(page_of(folder, **places))
    assert "What to do next: Score again, stayworth score --as-of DAY: the scores are older than their horizon" in said


@pytest.mark.parametrize("content", ["{", "[]", "{}", "null"])
def test_a_damaged_file_says_which_and_what_next(tmp_path, content):
    (tmp_path / "monitor.json").write_text(content)
    said = words(page_of(tmp_path))
    assert "monitor.json: " in said
    assert "Run stayworth monitor again." in said


def test_the_intervals_and_the_gate_are_those_of_its_own_training(tmp_path):
    champion = type("Champion", (), {"metrics": {"roc_auc": 0.9}})()
    found = {"roc_auc": {"value": 0.9, "low": 0.8, "high": 0.95}}
    gate = {"accepted": True, "reasons": [], "warnings": [], "findings": []}
    (tmp_path / "metrics.json").write_text(json.dumps({"models": {"stayworth": found}, "gate": gate}))
    assert health.champion_metrics(champion, tmp_path) == (gate, found)
    found["roc_auc"]["value"] = 0.91
    (tmp_path / "metrics.json").write_text(json.dumps({"models": {"stayworth": found}, "gate": gate}))
    assert health.champion_metrics(champion, tmp_path) == (None, {"roc_auc": {"value": 0.9, "low": None, "high": None}})
    (tmp_path / "metrics.json").unlink()
    assert health.champion_metrics(champion, tmp_path)[0] is None
    assert health.champion_metrics(None, tmp_path) == (None, {})


def test_scores_of_another_model_are_to_be_made_anew(folder, places, batch):
    said = words(page_of(folder, model=places["model"], scores=batch.folder / "scores.store"))
    assert "What to do next: Score again, stayworth score --as-of DAY: the scores were made by another model" in said
    assert "which is not the model in service" in said
