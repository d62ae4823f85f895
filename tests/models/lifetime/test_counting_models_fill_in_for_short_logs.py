"""Where a log is too short, counting models give the lifetime value; one whose best fit lies at a bound is doubted."""

import numpy as np
import pandas as pd
import pytest

from features.errors import Refusal
from models.btyd import bgnbd, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.btyd.gamma_gamma import GammaGamma
from models.btyd.pareto_nbd import ParetoNBD
from models.btyd.purchase_model import bound_of
from models.lifetime.counting_value import CountingValue, fit_orders

BG = BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0)
PARETO = ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=81.0, log_likelihood=0)
SPEND = GammaGamma(p=6.0, q=4.0, gamma=15.0, log_likelihood=0)
FRAME = pd.DataFrame(
    {
        "repeat_orders": [0, 1, 6, 30],
        "recency_days": [40.0, 78.0, 10.0, 300.0],
        "tenure_days": [40.0, 90.0, 210.0, 600.0],
        "spend_total": [10.0, 30.0, 200.0, 900.0],
        "spend_first_order": [10.0, 10.0, 20.0, 30.0],
    }
)


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


def test_the_value_is_the_sum_over_windows_written_out():
    model = CountingValue((BG, PARETO), SPEND, 0.4)
    found = model.value(FRAME, lifetime_days=1000, annual_discount_rate=0.12)
    x, T = FRAME["repeat_orders"], FRAME["tenure_days"]
    history = (x, T - FRAME["recency_days"], T)
    mean = np.where(x > 0, (FRAME["spend_total"] - FRAME["spend_first_order"]) / x.clip(lower=1), 0)
    expected = np.zeros(4)
    day = 0.0
    while day < 1000:
        end = min(day + 365 / 4, 1000)
        for shape in (BG, PARETO):
            before = shape.expected_orders(day, *history) if day else 0
            expected += (shape.expected_orders(end, *history) - before) / 2 / 1.12 ** ((day + end) / 2 / 365)
        day = end
    assert found == pytest.approx(expected * 0.4 * SPEND.expected_value(x, mean), rel=1e-9)


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
