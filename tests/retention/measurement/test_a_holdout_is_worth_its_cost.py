"""The share to hold out is the one that earns most over a campaign and the next ones, counted campaign by campaign."""

import numpy as np
import pytest

from retention.measurement.holdout_value import SHARES, best_holdout

KNOWN = {"gain": 1500.0, "fixed": 1000.0, "effect": 0.05, "spread": 0.5, "customers": 5000}


def earned(share, *, gain, fixed, effect, spread, customers, doubt, campaigns, draws=400_000):
    """Mean profit of a first campaign with this holdout and of later ones that are run only if they seem to pay.

    The true save rate and what the readout measures of it are drawn; the shop believes the mean of the two, weighted by
    how sure each is.
    """
    rng = np.random.default_rng(5)
    true = rng.normal(1, doubt, draws)
    later = max(gain - fixed, 0)
    if share:
        held_out = round(share * customers)
        error = spread * np.sqrt(1 / held_out + 1 / (customers - held_out)) / effect
        seen = true + rng.normal(0, error, draws)
        weight = doubt**2 / (doubt**2 + error**2)
        believed = 1 + weight * (seen - 1)
        later = np.where(believed * gain > fixed, true * gain - fixed, 0.0).mean()
    return (1 - share) * (gain - fixed) + campaigns * later


@pytest.mark.parametrize(("doubt", "campaigns"), [(0.5, 4), (0.65, 1), (0.65, 12), (1.0, 4)])
def test_the_share_is_the_best_of_simulated_campaigns(doubt, campaigns):
    known = KNOWN | {"doubt": doubt, "campaigns": campaigns}
    told = best_holdout(**known)
    by_share = {float(share): earned(share, **known) for share in (0.0, *SHARES[1::4])}
    gained = earned(told.share, **known) - by_share[0.0]
    assert gained == pytest.approx(told.earned_later - told.forgone, abs=0.02 * by_share[0.0])
    assert gained >= max(by_share.values()) - by_share[0.0] - 0.02 * by_share[0.0]
    assert told.share > 0


@pytest.mark.parametrize(
    "changed",
    [
        {"doubt": 0.0},
        {"doubt": 0.05},
        {"gain": 900.0},
        {"effect": 0.0},
        {"customers": 1},
        {"customers": 0},
        {"gain": 0.0},
    ],
)
def test_who_would_learn_nothing_of_use_holds_nobody_out(changed):
    assert best_holdout(**KNOWN | {"doubt": 0.5, "campaigns": 4} | changed) == (0.0, 0.0, 0.0)


def test_the_more_campaigns_are_to_come_the_more_is_held_out():
    shares = [best_holdout(**KNOWN, doubt=0.6, campaigns=number).share for number in (0, 1, 2, 4, 8, 50)]
    assert shares == sorted(shares)
    assert shares[0] == 0 < shares[-1]
