"""The season of windows is what was planted, shrunk where little is known, and of mean 1 over a year."""

import numpy as np
import pytest

from models.lifetime import window_season as season
from models.lifetime.window_season import Season


def ratios(cut_offs: int, swing: float, *, trend: float = 0.0, noise: float = 0.0, seed: int = 0):
    """Days, orders that came and orders expected, with a planted season that peaks at the turn of the year."""
    days = np.arange(cut_offs) * 365 / 12
    rng = np.random.default_rng(seed)
    ratio = (1 + swing * np.cos(2 * np.pi * days / 365.25)) * (1 + trend * days / 365) + rng.normal(0, noise, cut_offs)
    expected = np.full(cut_offs, 1000.0)
    return days, ratio * expected, expected


@pytest.mark.parametrize("swing", [0.1, 0.25, 0.6])
@pytest.mark.parametrize("cut_offs", [12, 22, 36])
def test_a_planted_season_is_found(cut_offs, swing):
    found = season.fit(*ratios(cut_offs, swing))
    days = np.arange(365.0)
    planted = 1 + swing * np.cos(2 * np.pi * days / 365.25)
    assert np.abs(found.at(days) - planted).max() < 0.1 * swing + 0.01


def test_a_trend_is_no_season():
    found = season.fit(*ratios(24, 0.0, trend=0.2))
    assert np.abs(found.at(np.arange(365.0)) - 1).max() < 0.04


def test_noise_is_shrunk():
    spread = [
        np.abs(season.fit(*ratios(13, 0.0, noise=0.1, seed=seed)).at(np.arange(365.0)) - 1).max() for seed in range(20)
    ]
    assert np.mean(spread) < 0.1


def test_the_mean_over_a_year_is_one_and_no_window_is_worthless():
    found = season.fit(*ratios(24, 0.6))
    assert found.at(np.arange(0, 365.25, 0.25)).mean() == pytest.approx(1, abs=1e-3)
    assert Season((3.0, 0.0)).at(np.arange(365.0)).min() == season.LEAST


def test_without_a_year_of_cut_offs_there_is_no_season():
    assert season.fit(*ratios(10, 0.5)) == Season()
    assert Season().at(5.0) == 1.0
