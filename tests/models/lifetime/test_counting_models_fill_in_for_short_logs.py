"""Where a log is too short, counting models extend the horizon's value; one whose best fit is at a bound is doubted."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betainc

from features.errors import Refusal
from models.btyd import bgnbd, gamma_gamma, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD
from models.btyd.purchase_model import bound_of
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction
from models.lifetime import counting_value
from models.lifetime.counting_value import CountingValue, fit_orders

BG = BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0)
PARETO = ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=81.0, log_likelihood=0)
MEAN_ORDERS = 1.7
FRAME = pd.DataFrame(
    {"repeat_orders": [0, 1, 6, 300], "recency_days": [40.0, 78.0, 10.0, 2996.0], "tenure_days": [40.0, 90, 210, 3000]}
)
VALUE = np.array([4.0, 10.0, 55.5, -2.0])
SEASON = np.array([1.3, 1.2, 0.9, 1.0])
HORIZON, LIFETIME, RATE = 90, 1000, 0.12
"""Eleven whole periods and ten days."""


def known(seed: int, leaving: float) -> pd.DataFrame:
    """Customers of two years who order every 40 days on average, and leave at a rate per day."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(600):
        T, rate = rng.uniform(200, 730), rng.gamma(2, 1 / 80)
        end = min(rng.exponential(1 / leaving) if leaving else np.inf, T)
        times = np.cumsum(rng.exponential(1 / rate, 400))
        times = times[times < end]
        rows.append((len(times), T - times[-1] if len(times) else T, T))
    return pd.DataFrame(rows, columns=["repeat_orders", "recency_days", "tenure_days"])


def orders_until(t: float, T: float, shape: BGNBD | ParetoNBD) -> float:
    """Expected orders in (T, T + t] up to a factor, without closed forms: a sum over orders, an integral over time."""
    if isinstance(shape, ParetoNBD):
        return quad(lambda y: (1 + y / (shape.beta + T)) ** -shape.s, 0, t, epsabs=0, epsrel=1e-12)[0]
    z, k, stays, total, term = t / (shape.alpha + T + t), 0, 1.0, 0.0, np.inf
    while term > 1e-14 * total:
        k += 1
        term = stays * betainc(k, shape.r + MEAN_ORDERS, z)
        stays *= (shape.b + MEAN_ORDERS + k - 1) / (shape.a + shape.b + MEAN_ORDERS + k - 1)
        total += term
    return total


@pytest.mark.parametrize("shapes", [(BG,), (PARETO,), (BG, PARETO)], ids=["bgnbd", "pareto_nbd", "both"])
@pytest.mark.parametrize("level", [None, 0.8])
def test_the_value_is_the_sum_over_periods_written_out(shapes, level):
    """With a level: the horizon as it is, what follows from the value without its season, at that level."""
    found = CountingValue(shapes, MEAN_ORDERS, level).value(
        VALUE, SEASON, FRAME, horizon_days=HORIZON, lifetime_days=LIFETIME, annual_discount_rate=RATE
    )
    for value, season, T, got in zip(VALUE, SEASON, FRAME["tenure_days"], found, strict=True):
        expected = value / (1 + RATE) ** (HORIZON / 2 / 365)
        day = float(HORIZON)
        while day < LIFETIME:
            end = min(day + HORIZON, LIFETIME)
            share = np.mean(
                [
                    (orders_until(end, T, shape) - orders_until(day, T, shape)) / orders_until(HORIZON, T, shape)
                    for shape in shapes
                ]
            )
            later = value if level is None else level * value / season
            expected += later * share / (1 + RATE) ** ((day + end) / 2 / 365)
            day = end
        assert got == pytest.approx(expected, rel=1e-9)


def test_costs_to_serve_take_their_share():
    terms = {"horizon_days": HORIZON, "lifetime_days": LIFETIME, "annual_discount_rate": RATE}
    gross, net = (
        CountingValue([PARETO], MEAN_ORDERS, 0.8, cost_share=share).value(VALUE, SEASON, FRAME, **terms)
        for share in (0.0, 0.25)
    )
    assert net == pytest.approx(0.75 * gross)


def test_the_level_is_half_way_between_what_is_told_and_what_is_counted():
    frame = known(1, leaving=1 / 300).assign(spend_first_order=10.0)
    frame["spend_total"] = 10.0 + frame["repeat_orders"] * np.random.default_rng(1).gamma(5, 4, len(frame))
    history = frame["repeat_orders"], frame["tenure_days"] - frame["recency_days"], frame["tenure_days"]
    mean = (frame["spend_total"] - 10) / frame["repeat_orders"].clip(lower=1)
    spend = gamma_gamma.fit(frame["repeat_orders"], mean).expected_value(frame["repeat_orders"], mean)
    counted = float((PARETO.expected_orders(HORIZON, *history) * spend).sum() * 0.4)
    frame["as_of"] = pd.Timestamp("2020-01-01")
    told = np.log(np.full(len(frame), 2 * 4 * counted / len(frame)))
    blended, calibration = LogPrediction(np.zeros(len(frame)), told), SeasonalCalibration([], [], [])
    how = {"horizon_days": HORIZON, "margin_rate": 0.4, "cost_share": 0.0, "doubts": ()}
    assert counting_value.fit([PARETO], frame, blended, calibration, **how).level == pytest.approx(0.5, rel=1e-9)
    free = frame.assign(spend_total=10.0)
    assert counting_value.fit([PARETO], free, blended, calibration, **how).level == 1.0


def test_the_season_of_a_day_is_what_its_shifts_do_to_a_customer():
    calibration = SeasonalCalibration(["2019-06-01", "2019-12-01"], [0.4, -0.4], [0.0, 0.2])
    odds, value = calibration.shifts_at(as_of=date(2020, 1, 1))
    (found,) = calibration.season_of(1.5, as_of=np.array(["2020-01-01"], "datetime64[D]"))
    chance, usual = 1 / (1 + np.exp(1.5 + odds)), 1 / (1 + np.exp(1.5))
    assert found == pytest.approx(chance * np.exp(value) / (usual * np.exp(0.1)), rel=1e-12)
    assert SeasonalCalibration([], [], []).season_of(1.5, as_of=np.array(["2020-01-01"], "datetime64[D]")) == 1


def test_where_customers_leave_no_model_is_doubted():
    models, doubts = fit_orders(known(1, leaving=1 / 300))
    assert [type(model) for model in models] == [BGNBD, ParetoNBD]
    assert doubts == []


def test_a_base_that_nobody_leaves_is_said_to_be_one():
    frame = known(2, leaving=0)
    models, doubts = fit_orders(frame)
    assert models
    assert doubts
    assert all("nobody ever leaves" in doubt for doubt in doubts)


def test_a_model_at_its_bound_does_not_decide_beside_one_that_is_not(monkeypatch):
    dead = ParetoNBD(r=0.5, alpha=70.0, s=1e-3, beta=9e4, log_likelihood=0)
    monkeypatch.setattr(pareto_nbd, "fit", lambda *_: dead)
    models, doubts = fit_orders(known(1, leaving=1 / 300))
    assert [type(model) for model in models] == [BGNBD]
    assert doubts == ["Pareto/NBD has its best fit at a bound, where nobody ever leaves"]


def test_a_model_without_a_maximum_is_left_out(monkeypatch):
    def refuse(*_: object) -> None:
        raise Refusal("the likelihood has no maximum that can be found")

    frame = known(1, leaving=1 / 300)
    monkeypatch.setattr(bgnbd, "fit", refuse)
    assert [type(model) for model in fit_orders(frame)[0]] == [ParetoNBD]
    monkeypatch.setattr(pareto_nbd, "fit", refuse)
    with pytest.raises(Refusal, match="no maximum"):
        fit_orders(frame)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (BG, None),
        (PARETO, None),
        (BGNBD(r=0.3, alpha=30, a=1e-3, b=1000, log_likelihood=0), "nobody ever leaves"),
        (ParetoNBD(r=0.3, alpha=30, s=1e-3, beta=100, log_likelihood=0), "nobody ever leaves"),
        (ParetoNBD(r=90, alpha=30, s=0.5, beta=100, log_likelihood=0), "all customers order at one rate"),
    ],
)
def test_bounds_are_put_in_words(model, said):
    assert bound_of(model) == said
