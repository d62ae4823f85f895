"""The speed benchmark of fits at a small size: all judged by one likelihood, and who is not there is named."""

import pytest

from benchmarks import fit
from benchmarks.environments import Unavailable
from benchmarks.shoppers import log_likelihood, shoppers
from models.btyd import bgnbd, gamma_gamma, pareto_nbd

CUSTOMERS = shoppers(2000, seed=1)
PAST = [CUSTOMERS[name] for name in ("frequency", "recency", "T")]
SPEND = [CUSTOMERS[name] for name in ("frequency", "monetary_value")]


@pytest.mark.parametrize(
    ("model", "fitted"),
    [("bgnbd", bgnbd.fit(*PAST)), ("pareto_nbd", pareto_nbd.fit(*PAST)), ("gamma_gamma", gamma_gamma.fit(*SPEND))],
)
def test_the_judges_likelihood_is_what_our_fits_say_of_themselves(model, fitted):
    assert log_likelihood(model, vars(fitted), CUSTOMERS) == pytest.approx(fitted.log_likelihood, rel=1e-9)


def test_simulated_customers_have_the_parameters_they_were_made_with():
    many = shoppers(100_000, seed=2)
    orders = bgnbd.fit(*(many[name] for name in ("frequency", "recency", "T")))
    values = gamma_gamma.fit(many["frequency"], many["monetary_value"])
    assert (orders.r, orders.alpha, orders.a, orders.b) == pytest.approx((0.25, 31, 0.8, 2.4), rel=0.1)
    assert (values.p, values.q, values.gamma) == pytest.approx((6, 3.7, 15), rel=0.1)


def test_ratios_are_to_ours_of_the_same_size_and_what_is_skipped_says_why():
    one = {"model": "bgnbd", "parameters": {}}
    found = fit.lines(
        [
            {
                **one,
                "customers": 10,
                "library": "stayworth",
                "seconds": 2.0,
                "cpu_seconds": 1.0,
                "log_likelihood": -5.0,
            },
            {
                **one,
                "customers": 10,
                "library": "lifetimes",
                "seconds": 50.0,
                "cpu_seconds": 3.0,
                "log_likelihood": -6.0,
            },
            {**one, "customers": 10, "library": "pymc_marketing", "skipped": "would take about 12 minutes"},
        ]
    )
    assert found[1] == ["BG/NBD, 10", "lifetimes", "50.00", "25", "3.00", "3.00", "-1.000"]
    assert found[2] == ["BG/NBD, 10", "pymc-marketing", *"––––", "would take about 12 minutes"]


def test_a_peer_too_slow_for_more_customers_is_not_tried(monkeypatch):
    tried = []

    def fit_of(library: str, _model: str, path) -> dict:
        tried.append((library, path.stem))
        if library == "broken":
            raise Unavailable("failed: no such thing")
        return {"seconds": 50.0, "cpu_seconds": 50.0, "parameters": vars(bgnbd.fit(*PAST))}

    monkeypatch.setattr(fit, "fit", fit_of)
    found = fit.race("bgnbd", [100, 2000], ["slow", "broken"], repetitions=1)
    assert tried == [("slow", "100"), ("broken", "100")]
    assert [one.get("skipped") for one in found] == [
        None, "failed: no such thing", "would take about 17 minutes", "not finished with fewer customers",
    ]  # fmt: skip
