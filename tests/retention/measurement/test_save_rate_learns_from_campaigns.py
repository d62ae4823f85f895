"""The measured save rate is Bayes' rule, and it is right about campaigns of a known one."""

import numpy as np
import pytest
from scipy import integrate, stats

from retention.economics.offers import BetaPrior
from retention.measurement.save_rate import FLAT_PRIOR, MeasuredSaveRate, measured_save_rate, posterior_save_rate

PRIOR = BetaPrior(alpha=2.0, beta=18.0)


def mean_and_sd(law):
    beta = stats.beta(law.alpha, law.beta)
    return beta.mean(), beta.std()


@pytest.mark.parametrize(
    "prior", [PRIOR, FLAT_PRIOR, BetaPrior(alpha=0.7, beta=3.0), BetaPrior(alpha=200.0, beta=800.0)]
)
@pytest.mark.parametrize("said", [(0.12, 0.03), (-0.04, 0.05), (1.1, 0.2), (0.6, 0.01)])
def test_it_has_the_mean_and_spread_of_prior_times_likelihood(prior, said):
    """The oracle: adaptive quadrature of s² and s against Beta density times normal density."""
    peak = max(0.02, min(0.98, said[0]))
    bounds = {"points": sorted({0.001, peak, min(0.999, peak + said[1])}), "limit": 500}

    def moment(power):
        density = stats.beta(prior.alpha, prior.beta)
        return integrate.quad(
            lambda s: s**power * np.exp(density.logpdf(s) - ((s - said[0]) / said[1]) ** 2 / 2 + 300), 0, 1, **bounds
        )[0]

    total, mean, square = moment(0), moment(1), moment(2)
    expected = mean / total, np.sqrt(square / total - (mean / total) ** 2)
    assert mean_and_sd(posterior_save_rate(prior, [MeasuredSaveRate(*said)])) == pytest.approx(expected, rel=2e-3)


def test_without_a_campaign_nothing_is_learnt():
    after = posterior_save_rate(PRIOR, [])
    assert (after.alpha, after.beta) == pytest.approx((2, 18), rel=1e-4)


def test_campaigns_add_up_in_any_order():
    one, other = MeasuredSaveRate(0.2, 0.05), MeasuredSaveRate(0.1, 0.04)
    after = posterior_save_rate(PRIOR, [one, other])
    assert after == posterior_save_rate(PRIOR, [other, one])
    weights = np.array([1 / one.sd**2, 1 / other.sd**2])
    pooled = MeasuredSaveRate(float(weights @ [0.2, 0.1] / weights.sum()), float(weights.sum() ** -0.5))
    assert mean_and_sd(after) == pytest.approx(mean_and_sd(posterior_save_rate(PRIOR, [pooled])))


def test_a_large_campaign_outweighs_what_was_believed():
    mean, sd = mean_and_sd(posterior_save_rate(PRIOR, [MeasuredSaveRate(0.3, 0.002)]))
    assert mean == pytest.approx(0.3, abs=1e-3)
    assert sd == pytest.approx(0.002, rel=0.02)


def test_four_of_five_of_its_80_percent_intervals_hold_the_truth():
    """Save rates drawn from the prior, measured with an error: the posterior knows how sure it is."""
    rng = np.random.default_rng(1)
    true = rng.beta(2, 18, 500)
    laws = [posterior_save_rate(PRIOR, [MeasuredSaveRate(float(rng.normal(one, 0.05)), 0.05)]) for one in true]
    places = np.array([stats.beta.cdf(one, law.alpha, law.beta) for one, law in zip(true, laws, strict=True)])
    assert np.mean((places > 0.1) & (places < 0.9)) == pytest.approx(0.8, abs=0.05)  # sd .018


def test_it_is_the_share_of_those_who_can_be_saved():
    """1,000 treated of whom 400 can be saved, 40 of them kept: a tenth."""
    assert measured_save_rate(effect_on_staying=40 / 1000, sd=0.01, mean_savable=0.4).share == pytest.approx(0.1)
    with pytest.raises(ValueError, match="above 0"):
        measured_save_rate(effect_on_staying=0.04, sd=0.0, mean_savable=0.4)
