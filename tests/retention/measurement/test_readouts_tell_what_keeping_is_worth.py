"""Readouts move the worth factor by Bayes' rule: as brute force says, and as often right as it claims to be."""

from datetime import date

import numpy as np
import pytest
from scipy import stats

from models.keeping.worth_factor import CENTRE, PRIOR, SPREAD, WorthFactor
from retention.economics.offers import BetaPrior, Offer
from retention.economics.profit_curve import profit_curve
from retention.measurement.kept_margin import DOUBT, MeasuredMargin
from retention.measurement.worth_posterior import OfferMargins, posterior_worth_factor
from retention.planning.holdout_choice import choose_holdout
from retention.planning.retention_plan import plan
from tests.scored import scored

DAY = date(2020, 1, 1)
KNOWN, UNSURE = BetaPrior(alpha=60.0, beta=240.0), BetaPrior(alpha=3.0, beta=12.0)
VOUCHER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, redeem_rate=0.3, save_rate={"alpha": 4, "beta": 16})
T80 = stats.t.ppf(0.9, 2)
"""Written out here again: the prior is Student's t of two degrees, 80 % of it as SPREAD says."""


def measured(effect, sd=0.5, *, gain=40.0, order_margin=10.0):
    return MeasuredMargin(effect, sd, gain, order_margin, 90)


def drawn(rng, count):
    """Worth factors and misses as they are believed to be before any readout."""
    factor = CENTRE * np.exp(SPREAD * 1.2816 / T80 * rng.standard_t(2, count))
    return factor, rng.normal(0, DOUBT, count)


CASES = {
    "one campaign": [OfferMargins(KNOWN, {"a": measured(5.5)})],
    "a campaign that proves nothing": [OfferMargins(UNSURE, {"a": measured(-1.0, 6.0)})],
    "three, of two offers": [
        OfferMargins(KNOWN, {"a": measured(7.0, 0.8), "b": measured(6.0, 1.5)}),
        OfferMargins(UNSURE, {"b": measured(3.0, 1.0, gain=20.0)}),
    ],
    "far less than comparables": [OfferMargins(KNOWN, {"a": measured(2.1, 0.3)})],
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_prior_times_likelihood(name):
    """The oracle: half a million draws of factor, miss and save rates, weighted by what they say of the effects."""
    rng = np.random.default_rng(5)
    factor, miss = drawn(rng, 500_000)
    log_weight = np.zeros(len(factor))
    for offer in CASES[name]:
        share = rng.beta(offer.save_rate.alpha, offer.save_rate.beta, len(factor))
        for seen in offer.campaigns.values():
            all_kept = seen.order_margin * (factor * seen.gain / seen.order_margin) ** 0.49 * np.exp(miss)
            log_weight += stats.norm.logpdf(seen.effect, share * all_kept, seen.sd)
    weight = np.exp(log_weight - log_weight.max())
    order = np.argsort(factor)
    low, middle, high = np.interp([0.1, 0.5, 0.9], np.cumsum(weight[order]) / weight.sum(), factor[order])
    after = posterior_worth_factor(CASES[name])
    assert (after.interval[0], after.median, after.interval[1]) == pytest.approx((low, middle, high), rel=0.03)


def test_without_a_readout_it_is_the_prior():
    assert posterior_worth_factor([]) == posterior_worth_factor([OfferMargins(KNOWN, {})]) == PRIOR
    assert PRIOR.times_scored == 1


def test_a_readout_that_proves_nothing_leaves_it_where_it_was():
    after = posterior_worth_factor([OfferMargins(UNSURE, {"a": measured(4.0, 1e6)})])
    assert (after.median, *after.interval) == pytest.approx((PRIOR.median, *PRIOR.interval), rel=0.01)
    assert after.readouts == 1


def test_many_readouts_are_no_surer_than_the_share_of_the_window_is():
    campaigns = {str(number): measured(3.65, 0.05) for number in range(20)}
    after = posterior_worth_factor([OfferMargins(BetaPrior(alpha=2e4, beta=8e4), campaigns)])
    assert after.readouts == 20
    assert min(after.spread_below, after.spread_above) > 0.1


@pytest.mark.slow
def test_after_three_readouts_four_of_five_intervals_hold_the_truth():
    """Factors drawn as believed, three campaigns each, all of one shop: their window misses in the same way."""
    rng, held, count = np.random.default_rng(3), 0, 250
    factors, misses = drawn(rng, count)
    for factor, miss in zip(factors, misses, strict=True):
        rate = rng.beta(KNOWN.alpha, KNOWN.beta)
        seen = {}
        for name in "abc":
            gain, sd = rng.uniform(15, 60), rng.uniform(0.4, 2.0)
            true = rate * 10.0 * (factor * gain / 10.0) ** 0.49 * np.exp(miss)
            seen[name] = measured(rng.normal(true, sd), sd, gain=gain)
        low, high = posterior_worth_factor([OfferMargins(KNOWN, seen)]).interval
        held += low <= factor <= high
    assert stats.binomtest(held, count, 0.8).pvalue > 1e-3, f"{held} of {count}"


def test_a_plan_takes_gains_as_readouts_say():
    """As if the gains were scored so, but for the gains of its list, which stay as scored, and its interval."""
    scores = scored(300, DAY)
    doubled = scores.assign(gain=2 * scores["gain"])
    limits = {"budget": 150.0, "campaign": "spring", "salt": "pepper"}
    worth = WorthFactor(median=2 * CENTRE, readouts=3)
    made = plan(scores, [VOUCHER], worth=worth, holdout_share=0.1, **limits)
    same = plan(doubled, [VOUCHER], holdout_share=0.1, **limits)
    assert made.frame.drop(columns="gain").equals(same.frame.drop(columns="gain"))
    assert made.frame["gain"].tolist() == (same.frame["gain"] / 2).tolist()
    assert made.summary.pop("worth_factor")["times_scored"] == pytest.approx(2)
    del same.summary["worth_factor"]
    assert made.summary == same.summary
    curve = profit_curve(scores, [VOUCHER], points=9, worth=worth)
    assert curve.equals(profit_curve(doubled, [VOUCHER], points=9))
    chosen = choose_holdout(scores, [VOUCHER], worth=worth, later_campaigns=4, **limits)
    assert chosen == choose_holdout(doubled, [VOUCHER], later_campaigns=4, **limits)


def test_what_readouts_narrowed_is_narrower_in_the_plan():
    narrow = WorthFactor(spread_below=0.1, spread_above=0.2, readouts=2)
    how = {"budget": 1e4, "holdout_share": 0, "campaign": "spring", "salt": "pepper"}
    wide, made = plan(scored(300, DAY), [VOUCHER], **how), plan(scored(300, DAY), [VOUCHER], worth=narrow, **how)
    assert made.summary["gain_doubt"] == pytest.approx([np.exp(-0.1 * 1.2816), np.exp(0.2 * 1.2816)])
    assert made.summary["profit_p10"] > wide.summary["profit_p10"]
    assert made.summary["profit_p90"] < wide.summary["profit_p90"]
