"""The save rate as campaigns measured it: an uncertain share, ready for the next plan.

A plan assumes that of the q of a customer who can be saved, the share s is kept: a contact adds q s to the chance that
they stay. So one campaign measures s as its effect on staying divided by the mean q of those treated, with the standard
deviation of that effect divided likewise; both are taken to be normal. The q are those of the scores the plan was made
with: where they are too high, s comes out too low, and their product, which is what a plan uses, right. Divided by the
churn probability instead, s would not hold on the next list: most of those who leave are long gone.

The belief about s is a Beta distribution. By Bayes' rule it becomes prior times likelihood on [0, 1], and that the
Beta of the same mean and variance (moment matching). Limits: an offer that drives customers away has s < 0, which no
share can be: s then comes out near 0 (`MeasuredSaveRate.share` has it as measured). Campaigns are taken to share one
s: where it changes between them, the posterior is too sure.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from retention.economics.offers import BetaPrior

FLAT_PRIOR = BetaPrior(alpha=1.0, beta=1.0)
"""The prior where the config gives a number without uncertainty, or none: every share is as likely."""
GRID_POINTS = 20_000


class MeasuredSaveRate(NamedTuple):
    """The save rate of one campaign."""

    share: float
    """Of the savable kept; may come out below 0 or above 1 by chance."""
    sd: float


def measured_save_rate(*, effect_on_staying: float, sd: float, mean_savable: float) -> MeasuredSaveRate:
    """The save rate behind an effect on staying (share of the treated) that was measured with `sd` above 0.

    >>> measured_save_rate(effect_on_staying=0.05, sd=0.02, mean_savable=0.5)
    MeasuredSaveRate(share=0.1, sd=0.04)
    """
    if not (mean_savable > 0 and sd > 0):
        raise ValueError(f"a mean probability to be savable and an sd above 0 are needed: {mean_savable}, {sd}")
    return MeasuredSaveRate(effect_on_staying / mean_savable, sd / mean_savable)


def posterior_save_rate(prior: BetaPrior, campaigns: Iterable[MeasuredSaveRate]) -> BetaPrior:
    """The belief about the save rate after these campaigns: the Beta with the posterior's mean and variance.

    Summed over a grid of angles t with s = sin²t, on which a prior that rises at 0 or 1 is smooth. Without campaigns
    it is the prior, to rounding.

    >>> after = posterior_save_rate(BetaPrior(alpha=2.0, beta=18.0), [MeasuredSaveRate(0.2, 0.05)])
    >>> round(after.alpha / (after.alpha + after.beta), 3)
    0.166
    """
    angle = (np.arange(GRID_POINTS) + 0.5) * (np.pi / 2 / GRID_POINTS)
    share = np.sin(angle) ** 2
    log_density = (2 * prior.alpha - 1) * np.log(np.sin(angle)) + (2 * prior.beta - 1) * np.log(np.cos(angle))
    for campaign in campaigns:
        log_density -= ((share - campaign.share) / campaign.sd) ** 2 / 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    mean = float(weight @ share)
    variance = float(weight @ (share - mean) ** 2)
    concentration = mean * (1 - mean) / variance - 1
    return BetaPrior(alpha=mean * concentration, beta=(1 - mean) * concentration)
