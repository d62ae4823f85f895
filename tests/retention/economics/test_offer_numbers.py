"""An offer is what the config says, and nothing is assumed."""

import numpy as np
import pytest
from pydantic import ValidationError

from retention.economics.offers import BetaPrior, Offer

VOUCHER = {"name": "voucher", "contact_cost": 0.5, "incentive_cost": 5, "save_rate": 0.1, "redeem_rate": 0.3}


def test_a_plain_save_rate_is_a_belief_of_twenty_customers():
    belief = Offer(**VOUCHER).save_rate_belief
    assert (belief.alpha, belief.beta) == pytest.approx((2, 18))
    assert Offer(**VOUCHER).save_rate_mean == 0.1


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_only_nobody_and_everybody_are_sure(rate):
    assert Offer(**VOUCHER | {"save_rate": rate}).save_rate_belief is None


def test_an_uncertain_save_rate_is_its_beta():
    offer = Offer(**VOUCHER | {"save_rate": {"alpha": 2, "beta": 18}})
    assert offer.save_rate_mean == pytest.approx(np.random.default_rng(7).beta(2, 18, 400_000).mean(), abs=5e-4)
    assert offer.save_rate_belief == BetaPrior(alpha=2, beta=18)
    assert offer == Offer(**VOUCHER | {"save_rate": BetaPrior(alpha=2, beta=18)})


@pytest.mark.parametrize("name", VOUCHER)
def test_no_business_number_has_a_default(name):
    with pytest.raises(ValidationError, match="Field required"):
        Offer(**{key: value for key, value in VOUCHER.items() if key != name})


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"save_rate": 1.2}, ("save_rate", "share")),
        ({"save_rate": "0.1"}, ("save_rate", "share")),
        ({"save_rate": True}, ("save_rate", "share")),
        ({"save_rate": float("nan")}, ("save_rate", "share")),
        ({"save_rate": {"alpha": 0, "beta": 1}}, ("save_rate", "prior", "alpha")),
        ({"save_rate": {"alpha": 1}}, ("save_rate", "prior", "beta")),
        ({"redeem_rate": -0.1}, ("redeem_rate",)),
        ({"contact_cost": -1}, ("contact_cost",)),
        ({"incentive_cost": float("inf")}, ("incentive_cost",)),
        ({"name": "=cmd"}, ("name",)),
        ({"name": "../up"}, ("name",)),
        ({"name": "x" * 65}, ("name",)),
        ({"name": "voucher\n"}, ("name",)),
        ({"discount": 3}, ("discount",)),
    ],
)
def test_a_wrong_offer_is_one_error_at_the_field_that_is_wrong(changed, where):
    with pytest.raises(ValidationError) as caught:
        Offer(**VOUCHER | changed)
    assert [error["loc"] for error in caught.value.errors()] == [where]


def test_an_offer_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Offer(**VOUCHER).contact_cost = 0
