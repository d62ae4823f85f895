"""Windows far ahead have closed for young customers only: a planted hazard that falls with tenure is carried on."""

from types import SimpleNamespace

import numpy as np
import pytest

from models.lifetime.fit_state_value import _fit_tenure_fade
from models.lifetime.lattice import is_one_cohort
from models.lifetime.tenure_fade import LEVEL, TenureFade, TenureHazard, fit_hazard, oldest

WINDOW = 365 / 4
PLANTED = TenureHazard(np.log(0.2) - -0.8 * np.log(130), -0.8)
SEEN = (600.0, 500.0, 400.0, 300.0, 300.0)


def lasting(tenure, windows):
    """Orders after so many windows ÷ orders now, window by window, at the hazard of each one's middle."""
    return np.exp(-sum(PLANTED.of(tenure + (k + 0.5) * WINDOW) for k in range(windows)))


def test_a_planted_hazard_is_found_again():
    rng = np.random.default_rng(1)
    tenure, window = rng.uniform(0, 500, 60_000), rng.integers(1, 4, 60_000)
    first = rng.gamma(2, 0.5, 60_000)
    fade = np.exp(-window * PLANTED.of(tenure + window * WINDOW / 2))
    found = fit_hazard(tenure, window, rng.poisson(first * fade), first, window_days=WINDOW)
    at = np.array([50.0, 200.0, 600.0, 1000.0])
    assert found.of(at) == pytest.approx(PLANTED.of(at), rel=0.08)


def test_a_base_that_grows_with_tenure_is_carried_on_level():
    tenure = np.linspace(0, 500, 4000)
    first = np.ones(4000)
    found = fit_hazard(tenure, np.ones(4000, int), first * 1.2, first, window_days=WINDOW)
    fade = TenureFade(found, WINDOW, SEEN)
    assert np.abs(fade.longer(np.array([0.0, 700.0]), 1)).max() < 0.01


@pytest.mark.parametrize("window", [1, 2, 3])
def test_older_customers_last_as_long_as_their_hazard_says(window):
    """Trees tell of them as of the oldest seen; corrected, the ratio of the windows is that of the planted hazard."""
    tenure = np.array([0.0, SEEN[window], 700.0, 1500.0])
    told = lasting(np.minimum(tenure, SEEN[window]), window)
    corrected = told * np.exp(TenureFade(PLANTED, WINDOW, SEEN).longer(tenure, window))
    assert corrected == pytest.approx(lasting(tenure, window), rel=0.01)
    assert (corrected[:2] == told[:2]).all(), "what trees have seen, they say"


def test_later_years_fade_as_the_hazard_of_their_days_says():
    tenure, year = np.array([100.0, 300.0, 700.0]), 2
    windows = [round(4 * (year - 0.5)) + k for k in range(4)]  # from the middle of the year before to that of the year
    seen, own = (
        sum(PLANTED.of(days + (k + 0.5) * WINDOW) for k in windows) for days in (np.minimum(tenure, SEEN[-1]), tenure)
    )
    found = TenureFade(PLANTED, WINDOW, SEEN).year_longer(tenure, year=year)
    assert found == pytest.approx(seen - own, abs=0.003)
    assert (found[:2] == 0).all()


def test_where_nothing_was_learned_nothing_changes():
    assert (LEVEL.longer(np.array([0.0, 4000.0]), 3) == 0).all()
    assert (LEVEL.year_longer(np.array([0.0, 4000.0]), year=4) == 0).all()


def test_a_few_very_old_customers_teach_nothing():
    assert oldest(np.append(np.linspace(0, 100, 99), 5000)) == pytest.approx(90, abs=1)


def test_tenure_that_is_the_calendar_tells_no_fade():
    """Of one cohort, a fade by tenure is a fade of the shop: what a year did to all is no law of the next."""
    rng = np.random.default_rng(2)
    cohort, steady = rng.uniform(0, 100, 1000), rng.uniform(0, 900, 1000)
    seen_as_one = [is_one_cohort(days) for days in (cohort, 1500 - cohort, steady, 900 - steady)]
    assert seen_as_one == [True, True, False, False]
    rows = SimpleNamespace(lattice=SimpleNamespace(window_months=12), months_back=np.repeat([0, 12, 24], 1000))
    tenure = np.concatenate([1500 - cohort, 1135 - cohort, 770 - cohort])
    assert _fit_tenure_fade(rows, tenure, np.ones(3000), [np.ones(3000)] * 2) is LEVEL
