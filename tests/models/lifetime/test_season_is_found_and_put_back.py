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


def fitted(days, came, expected):
    """Of one window after each cut-off, that begins with it."""
    return season.fit(days, days, came, expected)


@pytest.mark.parametrize("swing", [0.1, 0.25, 0.6])
@pytest.mark.parametrize("cut_offs", [12, 22, 36])
def test_a_planted_season_is_found(cut_offs, swing):
    found = fitted(*ratios(cut_offs, swing))
    days = np.arange(365.0)
    planted = 1 + swing * np.cos(2 * np.pi * days / 365.25)
    assert np.abs(found.at(days) - planted).max() < 0.1 * swing + 0.01


def test_a_trend_is_no_season():
    found = fitted(*ratios(24, 0.0, trend=0.2))
    assert np.abs(found.at(np.arange(365.0)) - 1).max() < 0.04


def test_noise_is_shrunk():
    spread = [
        np.abs(fitted(*ratios(13, 0.0, noise=0.1, seed=seed)).at(np.arange(365.0)) - 1).max() for seed in range(20)
    ]
    assert np.mean(spread) < 0.1


def test_the_mean_over_a_year_is_one_and_no_window_is_worthless():
    found = fitted(*ratios(24, 0.6))
    assert found.at(np.arange(0, 365.25, 0.25)).mean() == pytest.approx(1, abs=1e-3)
    assert Season((3.0, 0.0)).at(np.arange(365.0)).min() == season.LEAST


def test_without_a_year_of_cut_offs_there_is_no_season():
    assert fitted(*ratios(10, 0.5)) == Season()
    assert Season().at(5.0) == 1.0


@pytest.mark.parametrize("swing", [0.0, 0.25, 0.5])
def test_a_disguise_of_cut_offs_is_told_from_the_season_of_windows(swing):
    """Two windows after each cut-off, half a year apart; on the first of January everybody looks too busy."""
    days = np.arange(20) * 365 / 12
    cut_offs, first_days = np.concatenate([days, days[:14]]), np.concatenate([days, days[:14] + 365 / 2])
    planted = 1 - 0.15 * np.cos(2 * np.pi * cut_offs / 365.25)
    came = 1000 * planted * (1 + swing * np.cos(2 * np.pi * first_days / 365.25))
    found = season.fit(cut_offs, first_days, came, np.full(34, 1000.0))
    whole_year = np.arange(365.0)
    wave = np.cos(2 * np.pi * whole_year / 365.25)
    assert found.at(whole_year) == pytest.approx(1 + swing * wave, abs=0.03)
    assert found.of_cut_off(whole_year) == pytest.approx(1 - 0.15 * wave, abs=0.03)


@pytest.mark.parametrize("span", [30, 90, 365])
def test_what_the_season_made_of_past_orders_is_the_mean_of_their_days(span):
    """The season of single days, from which that of windows is a mean, written out."""

    def daily(day):
        return 1 + 0.5 * np.cos(2 * np.pi * (day - 20) / 365.25) + 0.2 * np.sin(4 * np.pi * day / 365.25)

    fine = np.arange(0, 365.25, 0.05)
    of_windows = [daily(np.arange(day, day + 365.25 / 4, 0.05) + 0.025).mean() for day in fine[::400]]
    waves = [wave(2 * np.pi * h * fine[::400] / 365.25) for h in (1, 2) for wave in (np.cos, np.sin)]
    found = Season(tuple(np.linalg.lstsq(np.column_stack(waves), np.array(of_windows) - 1, rcond=None)[0].tolist()))
    for day in (0.0, 100.0, 250.0):
        past = daily(np.arange(day - span, day, 0.05) + 0.025).mean()
        assert found.before(np.array([day]), span)[0] == pytest.approx(past, abs=0.01)
