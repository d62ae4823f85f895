"""The planner where there is nothing to plan, and addresses that somebody made up: said in words, shown as text."""

import pytest

from features.errors import InputError, StayworthError
from retention.economics.offers import Offer
from serving.responses import Unavailable
from tests.serving.console.campaign_shop import scored, shop_in
from tests.serving.console.rooms import rooms_of, words

OFFER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5.0, save_rate=0.1, redeem_rate=0.3)
DEAR = Offer(name="dear", contact_cost=1e6, incentive_cost=0.0, save_rate=0.1, redeem_rate=0.0)
UNMEASURED = Offer(name="call", contact_cost=1.0, incentive_cost=0.0, save_rate="measured", redeem_rate=0.0)
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shop_in(tmp_path_factory.mktemp("shop")).folder


def test_before_the_first_batch_it_says_how_to_make_one(tmp_path):
    with rooms_of(tmp_path, offers=[OFFER]) as rooms:
        assert "stayworth score --as-of DAY" in words(rooms.get("/plan").text)
        with pytest.raises(Unavailable, match="no batch of scores yet"):
            rooms.get("/data/plan?offer=voucher")


@pytest.mark.parametrize("offers", [[], [UNMEASURED]])
def test_without_an_offer_whose_save_rate_is_known_it_says_so(folder, offers):
    with rooms_of(folder, offers=offers) as rooms:
        said = words(rooms.get("/plan").text)
    assert "no offer whose save rate is known" in said
    assert "stayworth init FILE" in said


def test_what_the_address_says_is_text(folder):
    with rooms_of(folder, offers=[OFFER]) as rooms:
        text = rooms.get("/plan", params=dict.fromkeys(("budget", "capacity", "campaign", "offer"), HOSTILE)).text
        assert "<script>alert" not in text
        assert text.count("&lt;script&gt;") == 3
        with pytest.raises(StayworthError, match="the config has no such offer; it has voucher"):
            rooms.get("/data/plan", params={"offer": HOSTILE})


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf", "1e13", "0x10", "1_000_", ""])
def test_a_budget_that_is_none_is_refused(folder, budget):
    with rooms_of(folder, offers=[OFFER]) as rooms:
        asked = {"offer": "voucher", "campaign": "x", "budget": budget}
        if not budget:
            assert "Nothing is planned yet" in words(rooms.get("/data/plan", params=asked).text)
            return
        with pytest.raises(InputError, match="is not a budget"):
            rooms.get("/data/plan", params=asked)


@pytest.mark.parametrize("capacity", ["0", "-1", "1.5", "many", "1" * 10, "٣"])
def test_a_number_of_contacts_that_is_none_is_refused(folder, capacity):
    with rooms_of(folder, offers=[OFFER]) as rooms:
        asked = {"offer": "voucher", "campaign": "x", "budget": "100", "capacity": capacity}
        with pytest.raises(InputError, match="is not a number of contacts"):
            rooms.get("/data/plan", params=asked)


def test_an_offer_that_never_pays_says_why_nobody_is_contacted(folder):
    with rooms_of(folder, offers=[DEAR]) as rooms:
        said = words(rooms.get("/data/plan", params={"offer": "dear", "campaign": "x", "budget": "1,000"}).text)
        assert "Nobody is contacted: at a save rate of 10.0% the offer 'dear' is expected to cost more" in said
        assert "no contact is expected to earn more" in words(rooms.get("/data/plan?offer=dear").text)


def test_a_page_beyond_the_last_is_empty(folder):
    asked = {"offer": "voucher", "campaign": "x", "budget": "1e9", "page": "99999"}
    with rooms_of(folder, offers=[OFFER]) as rooms:
        said = words(rooms.get("/data/plan", params=asked).text)
    assert f"of {len(scored()):,} customers" in said
    assert "Rank" not in said
