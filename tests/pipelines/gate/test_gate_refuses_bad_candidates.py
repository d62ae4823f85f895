"""CHECKS 14: ten kinds of bad candidate are refused ten times of ten, each by its own check; a good one is accepted."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from features.errors import InputError
from models import STAYWORTH
from models.artifacts import bundle, signed_files
from models.prediction import Prediction
from models.scoring import batch_scores
from pipelines.gate import bundle_checks
from pipelines.gate import evidence as evidences
from pipelines.gate.evidence import examine
from pipelines.gate.gate import CHECKS, decide
from pipelines.training.champion_comparison import ChampionComparison


def resigned(folder, **changes):
    """The bundle with another manifest, signed as if it were right."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (folder / "manifest.json").write_text(text)
    (folder / "manifest.sha256").write_text(signed_files._sha256(text.encode()) + "\n")


def refused_by(evidence):
    decision = decide(evidence)
    assert not decision.accepted
    return [one.code for one in decision.findings if one.outcome == "fail"]


def test_a_good_candidate_is_accepted_with_a_reason_for_every_check(good):
    decision = decide(good)
    assert decision.accepted, decision.content["reasons"]
    assert [one.outcome for one in decision.findings] == ["pass"] * len(CHECKS)
    assert all(one.reason for one in decision.findings)
    assert len({one.code for one in CHECKS}) == len(CHECKS)
    assert json.loads(json.dumps(decision.content, allow_nan=False))["accepted"]


def test_one_worse_than_the_champion_is_refused(good, judged, predicted):
    """It ranks the customers at random."""
    order = np.random.default_rng(5).permutation(len(predicted.churn_probability))
    shuffled = Prediction(*(column[order] for column in predicted[:4]))
    assert "G10" in refused_by(replace(good, metrics=judged(shuffled)))


@pytest.mark.parametrize("part", ["churn_probability", "expected_value"])
def test_worse_in_one_of_probability_and_money_is_enough(good, judged, predicted, part):
    order = np.random.default_rng(5).permutation(len(predicted.churn_probability))
    shuffled = predicted._replace(**{part: getattr(predicted, part)[order]})
    decision = decide(replace(good, metrics=judged(shuffled)))
    named = {"churn_probability": "log loss", "expected_value": "value deviance"}
    (reason,) = [one.reason for one in decision.findings if one.code == "G10"]
    assert named[part] in reason
    assert "version 3 (its bundle)" in reason


@pytest.mark.parametrize("name", ["log_loss", "value_deviance", "roc_auc"])
@pytest.mark.parametrize("how", ["absent", "undefined"])
def test_one_with_a_missing_metric_is_refused(good, name, how):
    found = json.loads(json.dumps(good.metrics))
    if how == "absent":
        del found["models"][STAYWORTH][name]
    else:
        found["models"][STAYWORTH][name]["value"] = None
    assert refused_by(replace(good, metrics=found)) == ["G06"]


def test_one_that_was_never_held_against_the_champion_is_refused(good, judged, predicted):
    assert refused_by(replace(good, metrics=judged(predicted, champion=None))) == ["G06", "G10"]


def test_one_of_a_wrong_schema_is_refused(good, candidate_folder, taught):
    names = json.loads((candidate_folder / "manifest.json").read_text())["features"]
    resigned(candidate_folder, features=names[::-1])
    assert "G02" in refused_by(replace(good, candidate=examine(candidate_folder, taught[2])))


def test_one_of_another_order_of_columns_is_refused_even_if_its_schema_hash_fits(good, candidate_folder, taught):
    names = json.loads((candidate_folder / "manifest.json").read_text())["features"][::-1]
    resigned(candidate_folder, features=names, schema_hash=signed_files.schema_hash(names))
    assert "G02" in refused_by(replace(good, candidate=examine(candidate_folder, taught[2])))


def test_one_of_another_horizon_is_refused(good):
    assert refused_by(replace(good, horizon_days=30)) == ["G02"]


@pytest.mark.parametrize("column", bundle_checks.NUMBERS)
def test_one_with_a_score_that_is_no_number_is_refused(good, column):
    scores = good.candidate.scores.copy()
    scores.loc[17, column] = np.nan
    assert refused_by(replace(good, candidate=replace(good.candidate, scores=scores))) == ["G04"]


@pytest.mark.parametrize("change", ["a customer is missing", "a probability above 1", "an interval upside down"])
def test_one_with_impossible_scores_is_refused(good, change):
    scores = good.candidate.scores.copy()
    if change == "a customer is missing":
        scores = scores.drop(index=3)
    elif change == "a probability above 1":
        scores.loc[3, "churn_probability"] = 1.01
    else:
        scores.loc[3, ["value_p10", "value_p90"]] = [2.0, 1.0]
    assert refused_by(replace(good, candidate=replace(good.candidate, scores=scores))) == ["G04"]


def test_one_made_of_older_data_than_the_champion_is_refused(good, model):
    newer = ChampionComparison("3", date(1998, 4, 10), {"training": {"as_of": "1998-04-03"}}, model, "its bundle")
    assert refused_by(replace(good, champion=newer)) == ["G07"]


def test_a_leaky_one_is_refused(good, canaries_of):
    leaky = canaries_of(status=lambda rows: rows["churned"] * 1.0)
    decision = decide(replace(good, probes=leaky))
    assert [one.code for one in decision.findings if one.outcome == "fail"] == ["G09"]
    assert "status alone ranks better" in decision.reasons("fail")[0]


def test_one_too_good_to_be_true_is_refused(good, judged, predicted, taught):
    churned = taught[2]["churned"].to_numpy()
    knowing = predicted._replace(churn_probability=np.where(churned, 0.98, 0.02))
    assert refused_by(replace(good, metrics=judged(knowing))) == ["G09"]


def test_one_too_slow_is_refused(good, candidate_folder, taught, monkeypatch):
    real = batch_scores.score

    def slow(model, rows):
        started = evidences.process_time()
        while evidences.process_time() - started < 0.0022 * len(rows):
            pass
        return real(model, rows)

    monkeypatch.setattr(batch_scores, "score", slow)
    assert refused_by(replace(good, candidate=examine(candidate_folder, taught[2]))) == ["G05"]


@pytest.mark.parametrize("flaw", ["no manifest", "no signature", "a changed byte", "a foreign file"])
def test_an_unsigned_one_is_refused_and_nothing_of_it_is_read(good, candidate_folder, taught, flaw, monkeypatch):
    def parsed(*_: object) -> None:
        raise AssertionError("parsed before the hashes were checked")

    monkeypatch.setattr(bundle.boosting, "from_ubj", parsed)
    if flaw == "no manifest":
        (candidate_folder / "manifest.json").unlink()
    elif flaw == "no signature":
        (candidate_folder / "manifest.sha256").unlink()
    elif flaw == "a foreign file":
        (candidate_folder / "python_model.pkl").write_bytes(b"\x80\x04.")
    else:
        data = bytearray((candidate_folder / "quiet.ubj").read_bytes())
        data[len(data) // 2] ^= 1
        (candidate_folder / "quiet.ubj").write_bytes(bytes(data))
    assert refused_by(replace(good, candidate=examine(candidate_folder, taught[2]))) == ["G01"]


def test_one_that_needs_what_the_log_cannot_give_is_refused(good, candidate_folder, taught):
    offered = [name for name in good.log_features if name != "recency_days"]
    without = replace(
        good, log_features=offered, candidate=examine(candidate_folder, taught[2].drop(columns="recency_days"))
    )
    assert refused_by(without) == ["G03"]


def test_a_signed_manifest_is_told_with_the_hash_of_the_bundle(candidate_folder):
    manifest, sha256 = signed_files.signed_manifest(candidate_folder)
    assert manifest["training"]["as_of"] == "1998-04-02"
    assert sha256 == (candidate_folder / "manifest.sha256").read_text().strip()
    (candidate_folder / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match=r"manifest\.json does not match its hash"):
        signed_files.signed_manifest(candidate_folder)


def test_a_candidate_whose_content_makes_no_sense_is_no_crash(candidate_folder, taught):
    resigned(candidate_folder, features=None)
    assert "signed, but not a bundle that can be read" in str(examine(candidate_folder, taught[2]).unusable)
