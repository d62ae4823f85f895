"""The Qini curve against loops over customers, against Radcliffe's counts, and in what it promises."""

import numpy as np
import pytest

from models.uplift.experiment import Experiment
from models.uplift.qini import mean_effect, qini, qini_curve

N = 97


@pytest.fixture(params=["no ties", "ties", "two scores"])
def case(request):
    rng = np.random.default_rng(3)
    digits = {"no ties": 12, "ties": 1, "two scores": 0}[request.param]
    return rng.normal(size=N), np.round(rng.random(N), digits), rng.multinomial(N, np.full(N, 1 / N)).astype(float)


def looped(effects, score, shares):
    """G at each share: customer by customer from the top, those of equal score taken in equal parts."""
    found = []
    for share in shares:
        room, gained = share * len(score), 0.0
        for level in sorted(set(score.tolist()), reverse=True):
            tied = [one for one, at in zip(effects.tolist(), score.tolist(), strict=True) if at == level]
            part = min(1.0, max(0.0, room / len(tied)))
            gained += part * sum(tied)
            room -= len(tied)
        found.append(gained / len(score))
    return np.array(found)


def test_curve_and_area_are_those_of_the_loop(case):
    effects, score, _ = case
    shares = np.linspace(0, 1, N + 1)
    by_hand = looped(effects, score, shares)
    assert qini_curve(effects, score, shares) == pytest.approx(by_hand)
    area = sum((by_hand[k] + by_hand[k + 1]) / 2 / N for k in range(N))
    assert qini(effects, score) == pytest.approx(area - by_hand[-1] / 2)
    assert mean_effect(effects) == pytest.approx(by_hand[-1])


def test_a_weight_is_a_customer_counted_as_often(case):
    effects, score, weights = case
    often = np.repeat(np.arange(N), weights.astype(int))
    stack, shares = np.stack([weights, np.ones(N)]), np.array([0.1, 0.5, 1.0])
    expected = [float(qini(effects[often], score[often])), float(qini(effects, score))]
    assert qini(effects, score, stack) == pytest.approx(expected)
    expected = [qini_curve(effects[often], score[often], shares), qini_curve(effects, score, shares)]
    assert qini_curve(effects, score, shares, stack) == pytest.approx(np.array(expected))


def test_with_even_arms_it_is_radcliffes_count():
    """Pairs of one treated and one not: his u(k) = R_t - R_c N_t / N_c at the end of each pair."""
    rng = np.random.default_rng(5)
    pairs = 50
    treated = np.tile([True, False], pairs)
    outcome = (rng.random(2 * pairs) < 0.3).astype(float)
    score = -np.arange(2.0 * pairs)
    effects = Experiment(treated, outcome, np.full(2 * pairs, 0.5)).effects()
    for k in range(1, pairs + 1):
        top = np.arange(2 * k)
        in_treated, in_control = top[treated[top]], top[~treated[top]]
        u = outcome[in_treated].sum() - outcome[in_control].sum() * len(in_treated) / len(in_control)
        assert qini_curve(effects, score, np.array([k / pairs]))[0] == pytest.approx(u / pairs)


def test_one_score_for_all_is_exactly_nothing(case):
    effects, _, weights = case
    assert qini(effects, np.full(N, 0.3)) == 0
    assert qini(effects, np.full(N, 0.3), weights[None]) == [0]


def test_the_other_way_round_is_the_negative_and_the_level_of_the_effect_is_no_merit(case):
    effects, score, _ = case
    assert qini(effects, -score) == pytest.approx(-qini(effects, score))
    assert qini(effects + 7, score) == pytest.approx(qini(effects, score))


def test_no_ranking_beats_the_effects_themselves(case):
    effects, score, _ = case
    assert qini(effects, score) <= qini(effects, effects)
