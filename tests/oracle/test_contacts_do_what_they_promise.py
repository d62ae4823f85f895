"""A contact undoes the silence of would-be leavers with the chance that is said, and changes nothing else."""

import numpy as np
import pandas as pd
import pytest

from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.buying import orders
from pipelines.simulator.contact_response import NO_OFFER, respond_to_contacts
from pipelines.simulator.lifetimes import GONE
from pipelines.simulator.truth import truth

HOW = {"days": parameters.HORIZON_DAYS}


@pytest.fixture(scope="module")
def true(shop, base, stage):
    return truth(base.customers, stage, day=shop.day)


def ran(shop, base, offer):
    offers = np.full(len(base.customers), offer)
    return respond_to_contacts(base.customers, base.lifetimes, offers, seed=shop.seed, day=shop.day, **HOW)


@pytest.fixture(scope="module")
def voucher(shop, base):
    return ran(shop, base, 0)


def ordered(shop, base, lifetimes):
    """Who orders in the horizon."""
    placed = orders(base.customers, lifetimes.ended(shop.day + parameters.HORIZON_DAYS), seed=shop.seed)
    found = np.zeros(len(base.customers), bool)
    found[lifetimes.customer[placed.lifetime[placed.at >= shop.day]]] = True
    return found


def test_the_kept_order_in_the_horizon_and_all_others_live_on_as_they_would_have(shop, base, voucher):
    without = ordered(shop, base, base.lifetimes)
    assert (voucher.stays == without).all()
    assert not (voucher.kept & without).any()
    assert (ordered(shop, base, voucher.lifetimes) == (without | voucher.kept)).all()
    others = ~voucher.kept
    for name in ("start", "cooled", "gone", "until"):
        assert (getattr(voucher.lifetimes, name)[: len(others)] == getattr(base.lifetimes, name))[others].all()


def test_as_many_are_kept_and_redeem_as_is_said(stage, true, voucher):
    """Given who would leave; and before that is known, by p · s."""
    leaving = ~voucher.stays & (stage != GONE)
    share = true["keeps_voucher"][leaving]
    assert voucher.kept.sum() == pytest.approx(share.sum(), abs=4.5 * np.sqrt((share * (1 - share)).sum()))
    effect = true["effect_voucher"]
    assert voucher.kept.sum() == pytest.approx(effect.sum(), abs=4.5 * np.sqrt((effect * (1 - effect)).sum()))
    share = true["redeems_voucher"][voucher.stays]
    found = (voucher.redeemed & voucher.stays).sum()
    assert found == pytest.approx(share.sum(), abs=4.5 * np.sqrt((share * (1 - share)).sum()))
    assert voucher.redeemed[voucher.kept].all()
    offer = parameters.OFFERS[0]
    assert voucher.cost == pytest.approx(offer.contact_cost + offer.incentive_cost * voucher.redeemed)


def test_the_gone_hear_nothing(stage, voucher):
    assert not (voucher.kept | voucher.redeemed)[stage == GONE].any()


def test_two_campaigns_differ_only_where_their_contacts_do(shop, base, voucher):
    offer = np.where(np.arange(len(base.customers)) % 3 == 0, 0, NO_OFFER)
    half = respond_to_contacts(base.customers, base.lifetimes, offer, seed=shop.seed, day=shop.day, **HOW)
    treated = offer == 0
    assert (half.kept[treated] == voucher.kept[treated]).all()
    assert not half.kept[~treated].any()
    assert half.cost[~treated].sum() == 0
    assert (half.stays == voucher.stays).all()


def test_what_the_kept_bring_is_what_they_bring_when_they_stay(shop, base, true, voucher):
    """The margin of the horizon, over everybody: E[τ EV / (1 − p)], within its error."""
    offer = np.zeros(len(base.customers), np.int64)
    told = campaign_truth.totals_as_json(
        campaign_truth.offer_totals(base.customers, voucher, offer, seed=shop.seed, day=shop.day)
    )
    assert told["kept"] == voucher.kept.sum()
    assert told["cost"] == pytest.approx(voucher.cost.sum())
    bought, margin = campaign_truth.horizon_totals(base.customers, voucher, seed=shop.seed, day=shop.day)
    for name, found in (("orders", bought), ("margin", margin)):
        kept = found[voucher.kept]
        assert told[name] == pytest.approx(kept.sum())
        error = np.sqrt((kept**2).sum())
        assert told[name] == pytest.approx(told[f"expected_{name}"], abs=4.5 * error)
    assert told["expected_kept"] == pytest.approx(true["effect_voucher"].sum())
    assert told["expected_lifetime_profit"] == pytest.approx(true["profit_voucher"].sum())


def test_who_is_kept_is_who_answers(base, voucher):
    """Among those who would leave the kept open more mail: the truth can be seen in the log, in part."""
    frame = pd.DataFrame({"responsive": base.customers.responsive, "kept": voucher.kept, "stays": voucher.stays})
    by = frame[~frame["stays"]].groupby("kept")["responsive"].mean()
    assert by[True] > by[False] + 0.05
