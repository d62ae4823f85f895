"""The belief about the worth factor after campaigns were read out, by Bayes' rule on a grid.

    margin effect of a campaign   ~ Normal(s · m(κ) · e^u, its standard error²)
    s  the save rate of its offer ~ Beta, as all campaigns with it measured it
    u  ~ Normal(0, DOUBT²)        what the power of kept_margin.py misses, common to all campaigns
    κ  before                     log κ is Student's t around log CENTRE; 80 % of it where SPREAD says

m(κ) is the margin within the window if everyone who can be saved were kept. Because s and u are integrated out, a
campaign that proves nothing hardly moves κ, and no number of campaigns makes it surer than u lets it be. The prior's
tails are heavier than a normal's: the spread was measured over worlds in which the kept do alike, and where they do
otherwise, campaigns that say so must be believed. The posterior is summed up by its median and its central 80 %.

Sources: Gelman et al., Bayesian Data Analysis, 3rd ed., chapters 5 and 17 (Student's t for robustness). Wrong where κ
is another one in each campaign: too sure then; and too wide, since the errors of a campaign's two effects, on staying
and on the margin, are taken to be independent, though both rest on the same customers.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from features.arrays import Floats
from models.evaluation.estimate import Z90
from models.keeping.worth_factor import CENTRE, PRIOR, SPREAD, WorthFactor
from retention.economics.offers import BetaPrior
from retention.measurement.kept_margin import DOUBT, MeasuredMargin

TAIL_DEGREES = 2
"""Degrees of freedom of the prior's Student's t."""
REACH, STEP = 4.0, 0.04
"""The grid of log κ goes so far to both sides of the centre, in such steps."""
MISSES = 15
"""Nodes of u, by Gauss and Hermite's rule."""
SAVE_RATES = 128
"""Nodes of s: the middles of equal parts of its distribution."""


class OfferMargins(NamedTuple):
    """The belief about the save rate of one offer, and the margins that campaigns with it measured, by campaign."""

    save_rate: BetaPrior
    campaigns: Mapping[str, MeasuredMargin]


def posterior_worth_factor(offers: Sequence[OfferMargins]) -> WorthFactor:
    """The belief after all campaigns with these offers; before the first it is the prior."""
    campaigns = {name for offer in offers for name in offer.campaigns}
    if not campaigns:
        return PRIOR
    log_worth = np.log(CENTRE) + np.arange(-REACH, REACH + STEP / 2, STEP)
    nodes, weights = np.polynomial.hermite_e.hermegauss(MISSES)
    log_likelihood = sum(_log_likelihood(offer, np.exp(log_worth), np.exp(DOUBT * nodes)) for offer in offers)
    scale = SPREAD * Z90 / stats.t.ppf(0.9, TAIL_DEGREES)
    log_density = stats.t.logpdf(log_worth, TAIL_DEGREES, np.log(CENTRE), scale)
    log_density += logsumexp(log_likelihood, axis=1, b=weights)
    below = np.cumsum(np.exp(log_density - log_density.max()))
    low, median, high = np.interp([0.1, 0.5, 0.9], (below - np.diff(below, prepend=0) / 2) / below[-1], log_worth)
    return WorthFactor(
        median=float(np.exp(median)),
        spread_below=float((median - low) / Z90),
        spread_above=float((high - median) / Z90),
        readouts=len(campaigns),
    )


def _log_likelihood(offer: OfferMargins, worth: Floats, misses: Floats) -> Floats:
    """Of all campaigns with one offer, by worth factor and miss; the save rate is integrated out."""
    levels = (np.arange(SAVE_RATES) + 0.5) / SAVE_RATES
    share = stats.beta.ppf(levels, offer.save_rate.alpha, offer.save_rate.beta)
    total = np.zeros((len(worth), len(misses), SAVE_RATES))
    for campaign in offer.campaigns.values():
        expected = np.multiply.outer(np.multiply.outer(campaign.of_all_kept(worth), misses), share)
        total -= ((campaign.effect - expected) / campaign.sd) ** 2 / 2
    return np.asarray(logsumexp(total, axis=2) - np.log(SAVE_RATES))
