"""The doubly robust value: unbiased with wrong expectations, its interval as sure as it says, its parts exact."""

import numpy as np
import pytest

from features.errors import InputError
from models.uplift import policy_value
from models.uplift.experiment import Experiment
from models.uplift.policy_value import ExpectedOutcomes

N, TIMES = 600, 3_000


def simulated():
    """Experiments on new customers each time: outcome and effect rise with x, treated with .2 + .6 x."""
    rng = np.random.default_rng(1)
    for _ in range(TIMES):
        x = rng.random(N)
        e = 0.2 + 0.6 * x
        treated = rng.random(N) < e
        yield x, Experiment(treated, x + treated * (2 * x - 0.5) + rng.exponential(1, N), e)


TRUTH = 0.5 + 1 + (0.75 - 0.25) - 0.25 * 0.5
"""E[x + noise] = 1.5; the policy treats x > 1/2: E[2x - .5; x > 1/2] = .75 - .25; a half of them at a cost of .25."""


@pytest.fixture(scope="module", params=["wrong", "right"])
def found(request):
    """Values of the policy that treats x above 1/2, with expectations that are right, or wrong in arm and shape."""
    right = request.param == "right"
    arms = (lambda x: ExpectedOutcomes(3 * x + 0.5, x + 1)) if right else (lambda x: ExpectedOutcomes(1 - x, 2 + x**2))
    return [
        policy_value.policy_value(x > 0.5, experiment, arms(x), cost=0.25, confidence=0.95)
        for x, experiment in simulated()
    ]


def test_the_value_is_unbiased(found):
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(TRUTH, abs=4 * values.std() / np.sqrt(TIMES))


def test_the_interval_holds_as_often_as_it_says(found):
    covered = np.mean([one.low <= TRUTH <= one.high for one in found])
    assert 0.93 <= covered <= 0.97


def test_good_expectations_make_it_surer_and_a_paired_advantage_surer_still():
    x, experiment = next(simulated())
    right, zero = ExpectedOutcomes(3 * x + 0.5, x + 1), ExpectedOutcomes(np.zeros(N), np.zeros(N))
    how = {"cost": 0.0, "confidence": 0.95}
    widths = [
        one.high - one.low
        for one in (policy_value.policy_value(x > 0.5, experiment, of, **how) for of in (right, zero))
    ]
    assert widths[0] < 0.8 * widths[1]
    near, other = x > 0.5, x > 0.55
    ahead = policy_value.policy_advantage(near, other, experiment, right, **how)
    one, two = (policy_value.policy_value(policy, experiment, right, **how) for policy in (near, other))
    assert ahead.value == pytest.approx(one.value - two.value)
    assert ahead.high - ahead.low < 0.5 * widths[0]


def test_the_value_is_the_sum_written_out():
    x, experiment = next(simulated())
    arms, policy = ExpectedOutcomes(1 - x, 2 + x**2), np.where(x > 0.7, 1.0, 0.3)
    total = 0.0
    for k in range(N):
        t, y, e, pi = experiment.treated[k], experiment.outcome[k], experiment.propensity[k], policy[k]
        with_it = arms.treated[k] + (t / e) * (y - arms.treated[k])
        without = arms.untreated[k] + ((1 - t) / (1 - e)) * (y - arms.untreated[k])
        total += pi * (with_it - 0.1) + (1 - pi) * without
    value = policy_value.policy_value(policy, experiment, arms, cost=0.1, confidence=0.95)
    assert value.value == pytest.approx(total / N)
    assert value.times(N).value == pytest.approx(total)
    assert value.times(N).low == pytest.approx(N * value.low)


def test_everybody_above_nobody_is_the_mean_of_the_doubly_robust_effects():
    x, experiment = next(simulated())
    arms = ExpectedOutcomes(1 - x, 2 + x**2)
    ahead = policy_value.policy_advantage(1.0, 0.0, experiment, arms, cost=0.0, confidence=0.95)
    assert ahead.value == pytest.approx(experiment.effects(arms.expected(experiment.propensity)).mean())


def test_a_policy_is_a_probability():
    x, experiment = next(simulated())
    with pytest.raises(InputError, match=r"policy: 2 of 600 probabilities of treating lie outside 0 … 1"):
        policy_value.policy_value(
            np.where(np.arange(N) < 2, 1.5, 0), experiment, ExpectedOutcomes(x, x), cost=0.0, confidence=0.95
        )
