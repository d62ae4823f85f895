"""A plan on request keeps the capacities and leaves alone whom `stayworth plan` leaves alone."""

import json

import pandas as pd
import pytest
from pydantic import ValidationError

from features.errors import StayworthError
from retention.economics.offers import Offer
from serving import settings
from serving.contract import PlanRequest
from serving.hot_reload import HotReload
from serving.responses import CampaignSettings, Responses
from serving.store import score_store as store

OFFERS = (
    Offer(name="voucher", contact_cost=0.5, incentive_cost=5.0, save_rate=0.1, redeem_rate=0.3, channel="email"),
    Offer(name="call", contact_cost=6.0, incentive_share=0.1, save_rate=0.3, redeem_rate=0.1, channel="phone"),
)


@pytest.fixture
def answers(batch):
    """The answers to the batch under the shop's rules."""

    def under(**rules):
        scores = HotReload("scores", batch.folder / "scores.store", store.open_store, log_event=print)
        scores.refresh()
        nothing = HotReload("model", batch.folder / "none", store.open_store, log_event=print)
        return Responses(nothing, scores, CampaignSettings(OFFERS, 0.1, "salt", **rules))

    return under


def contacts(answers, **asked):
    return answers.plan(PlanRequest(**{"budget": 1000.0} | asked)).content


def test_all_offers_are_planned_with_unless_some_are_named(answers):
    assert {one["offer"] for one in contacts(answers())["contacts"]} == {"voucher", "call"}
    assert {one["offer"] for one in contacts(answers(), offers=["call", "call"])["contacts"]} == {"call"}
    with pytest.raises(StayworthError, match="it has voucher, call"):
        contacts(answers(), offers=["call", "nothing"])


def test_twenty_offers_may_be_named_and_no_more():
    PlanRequest(budget=1.0, offers=["a"] * 20)
    with pytest.raises(ValidationError, match="at most 20"):
        PlanRequest(budget=1.0, offers=["a"] * 21)


def test_capacities_hold(answers):
    told = contacts(answers(capacities={"phone": 3, "email": 30}), budget=1e6)
    treated = pd.Series([one["offer"] for one in told["contacts"] if one["treated"]]).value_counts()
    assert treated["call"] <= 3
    assert treated["voucher"] <= 30
    assert told["summary"]["capacities"] == {"phone": 3, "email": 30}


def test_who_is_on_the_list_is_left_alone_from_the_next_request_on(answers, tmp_path):
    listed = tmp_path / "list.csv"
    first, second = (answers(do_not_contact=str(listed)) for _ in range(2))
    listed.write_text("customer_id\n")
    before = [one["customer_id"] for one in contacts(first)["contacts"]]
    listed.write_text("\n".join(["customer_id", *before]))
    for asked in (first, second):
        assert not {one["customer_id"] for one in contacts(asked)["contacts"]} & set(before)


def test_whom_another_campaign_contacted_lately_is_left_alone(answers, batch, tmp_path):
    ids = batch.scores["customer_id"]
    for name, day in (("lately", "1998-03-20"), ("long ago", "1998-01-01")):
        treated = ids[ids.index % 2 == (name == "lately")]
        pd.DataFrame({"customer_id": treated, "treated": True}).to_parquet(tmp_path / f"{name}.parquet")
        (tmp_path / f"{name}.json").write_text(json.dumps({"campaign": name, "as_of": day}))
    told = contacts(answers(plans=str(tmp_path), quiet_days=30), budget=1e6)
    assert {one["customer_id"] for one in told["contacts"]} <= set(ids[ids.index % 2 == 0])
    assert told["summary"]["excluded"]["contacted within 30 days"]["customers"] == (ids.index % 2 == 1).sum()


def test_a_worker_is_told_all_rules(monkeypatch, tmp_path):
    rules = CampaignSettings(
        OFFERS, 0.2, "pepper", capacities={"phone": 3}, do_not_contact="list.csv", plans="plans", quiet_days=9
    )
    for name, value in settings.worker_environment(scores=tmp_path, model=tmp_path, campaigns=rules).items():
        monkeypatch.setenv(name, value)
    settings.responses.cache_clear()
    assert settings.responses().campaigns == rules
    settings.responses.cache_clear()
