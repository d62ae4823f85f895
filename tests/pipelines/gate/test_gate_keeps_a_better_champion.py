"""What refuses only while a champion stands, when the champion excuses it, and what a refusal says."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import expit, logit

from features.errors import Refusal
from pipelines.gate import gate, merit_checks
from pipelines.gate.gate import decide


def refused_by(evidence):
    decision = decide(evidence)
    assert not decision.accepted
    return [one.code for one in decision.findings if one.outcome == "fail"]


def test_an_uncalibrated_one_is_refused_while_a_champion_stands_and_promoted_with_a_warning_if_none(
    good, judged, predicted
):
    moved = predicted._replace(churn_probability=expit(logit(predicted.churn_probability) - 1.2))
    assert "G12" in refused_by(replace(good, metrics=judged(moved)))
    first = decide(replace(good, metrics=judged(moved, champion=None), champion=None))
    assert first.accepted
    assert any("G12" in warning for warning in first.reasons("warn"))


def test_one_that_is_not_calibrated_but_no_worse_than_the_champion_is_not_kept_back(good, judged, predicted):
    moved = predicted._replace(churn_probability=expit(logit(predicted.churn_probability) - 1.2))
    decision = decide(replace(good, metrics=judged(moved, champion=moved)))
    assert decision.accepted
    assert any("the champion is no better" in warning for warning in decision.reasons("warn"))


def test_a_champion_of_another_horizon_is_not_replaced_by_one_that_is_clearly_worse_than_a_simple_model(
    good, judged, predicted
):
    moved = predicted._replace(churn_probability=expit(logit(predicted.churn_probability) - 1.2))
    other = replace(good.champion, scorer=None, basis="not compared: its horizon_days is 90, the config's 60")
    assert "G11" in refused_by(replace(good, metrics=judged(moved, champion=None), champion=other))
    assert decide(replace(good, metrics=judged(moved, champion=None), champion=replace(other, stands=False))).accepted


def test_one_off_the_level_is_refused(good, judged, predicted):
    doubled = predicted._replace(expected_value=2.5 * predicted.expected_value)
    assert "G13" in refused_by(replace(good, metrics=judged(doubled)))


def test_one_made_of_stale_data_is_refused_while_a_champion_stands(good):
    assert refused_by(replace(good, now=date(1999, 4, 10))) == ["G08"]
    assert decide(replace(good, now=date(1999, 4, 10), champion=None, metrics=good.metrics)).accepted


def test_an_archive_may_be_trained_on_again(good):
    """The champion was made long after its data too."""
    archive = replace(good.champion, made_at=date(1999, 4, 1))
    assert decide(replace(good, now=date(1999, 4, 10), champion=archive)).accepted
    assert refused_by(replace(good, now=date(1999, 12, 1), champion=archive)) == ["G08"]


def test_an_honest_column_that_ranks_best_by_chance_is_no_leak(good):
    lucky = {"feature": "orders", "auc": 0.856, "others_auc": 0.84, "suspicious": True, "low": 0.002, "worth": 0.004}
    assert decide(replace(good, probes=good.probes | {"strongest": [lucky]})).accepted


def test_one_clearly_worse_than_a_simple_model_is_refused_unless_the_champion_is_too(good, judged, predicted):
    flat = predicted._replace(expected_value=predicted.expected_value.mean() + predicted.expected_value / 1000)
    assert "G11" in refused_by(replace(good, metrics=judged(flat)))
    assert decide(replace(good, metrics=judged(flat, champion=flat))).accepted
    assert decide(replace(good, metrics=judged(flat, champion=None), champion=None)).accepted


def test_what_a_champion_that_cannot_be_compared_would_refuse_is_a_warning(good, judged, predicted):
    gone = replace(
        good.champion, scorer=None, stands=False, basis="not compared: the log gives 1 of its features no longer: x"
    )
    doubled = predicted._replace(expected_value=2.5 * predicted.expected_value)
    decision = decide(replace(good, metrics=judged(doubled, champion=None), champion=gone))
    assert decision.accepted
    assert any("not compared: the log gives" in warning for warning in decision.reasons("warn"))


def test_a_refusal_says_how_many_why_and_what_next(good):
    content = decide(replace(good, horizon_days=30)).content
    with pytest.raises(Refusal, match=r"gate: 1 check failed, version 5 is not promoted:\n  - G02") as caught:
        gate.refuse(content, version="5")
    assert caught.value.exit_code == 1
    assert "Version 3 stays champion" in caught.value.next
    assert "stayworth models promote 5" in caught.value.next
    gate.refuse(decide(good).content, version="5")


def test_chance_is_what_calibrated_models_show():
    """Against simulation: a perfect model stays below it about 39 times of 40."""
    rng = np.random.default_rng(3)
    share = np.linspace(0.95, 0.2, 10)
    bins = [{"predicted": p, "observed": p, "customers": 300} for p in share]
    limit = merit_checks.by_chance(bins)
    shown = np.abs(rng.binomial(300, share, (20_000, 10)) / 300 - share).mean(1)
    assert (shown <= limit).mean() == pytest.approx(0.975, abs=0.01)
