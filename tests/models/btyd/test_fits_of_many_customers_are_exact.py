"""Beyond 80,000 customers a fit first looks at a sample; what it ends at is the maximum over all of them."""

import numpy as np
import pytest

from models.btyd import bgnbd, gamma_gamma, maximum_likelihood, pareto_nbd

N = 100_000


@pytest.fixture(scope="module")
def customers() -> dict[str, np.ndarray]:
    """Customers who leave after an order with chance .3; times to the microsecond; values around their own mean."""
    rng = np.random.default_rng(11)
    T, rate = rng.uniform(1, 700, N), rng.gamma(0.4, 1 / 40, N)
    stays = rng.geometric(0.3, N)
    came = rng.poisson(rate * T)
    x = np.minimum(came, stays)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), came - x + 1), 0.0)  # the x-th of `came` uniform times
    z = rng.gamma(5 * np.maximum(x, 1)) / rng.gamma(3.0, 1 / 20, N) / np.maximum(x, 1)
    return {"frequency": x.astype(float), "recency": t_x, "T": T, "monetary_value": np.where(x > 0, z, 0)}


FITS = {
    "bgnbd": (bgnbd.fit, ("frequency", "recency", "T")),
    "pareto_nbd": (pareto_nbd.fit, ("frequency", "recency", "T")),
    "gamma_gamma": (gamma_gamma.fit, ("frequency", "monetary_value")),
}


@pytest.mark.parametrize("name", FITS)
def test_the_sample_leaves_no_trace(name, customers, monkeypatch):
    fit, columns = FITS[name]
    twice = [np.tile(customers[column], 2) for column in columns]  # above the limit for those with a value too
    quick = vars(fit(*twice))
    monkeypatch.setattr(maximum_likelihood, "SAMPLE", 10**9)
    for parameter, value in vars(fit(*twice)).items():
        assert quick[parameter] == pytest.approx(value, rel=1e-10 if parameter == "log_likelihood" else 1e-4)


@pytest.mark.parametrize("name", FITS)
def test_the_order_of_the_customers_does_not_matter(name, customers):
    fit, columns = FITS[name]
    mixed = np.random.default_rng(0).permutation(N)
    one, other = (vars(fit(*(customers[column][rows] for column in columns))) for rows in (slice(None), mixed))
    assert one == pytest.approx(other, rel=1e-4)


def test_a_sample_without_a_repeat_order_is_no_hindrance():
    x, t_x, T = np.zeros(N), np.zeros(N), np.linspace(10, 700, N)
    x[:3], t_x[:3] = [1, 2, 5], [4.0, 7.0, 9.0]
    for model in (bgnbd, pareto_nbd):
        assert np.isfinite(model.fit(x, t_x, T).log_likelihood)


def test_times_in_whole_days_say_the_same(customers):
    """Rounding moves a fit far less than its standard error, about 1 %."""
    past = [customers[column] for column in ("frequency", "recency", "T")]
    for model in (bgnbd, pareto_nbd):
        exact, days = vars(model.fit(*past)), vars(model.fit(*(column.round() for column in past)))
        assert days == pytest.approx(exact, rel=5e-3)
