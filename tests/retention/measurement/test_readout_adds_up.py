"""A readout's figures add up, its groups are told apart, its words are its figures, and it refuses what it must."""

import json

import numpy as np
import pandas as pd
import pytest

from features.errors import Refusal
from retention.measurement.campaign_readout import readout
from retention.measurement.findings import findings
from retention.measurement.sample_ratio import refuse_mismatch, sample_ratio_p
from tests.retention.simulated import SCORES, campaign, lots, shop


@pytest.fixture
def customers():
    """2,000 customers, of whom the offer keeps a third; contacting one costs 2."""
    rng = np.random.default_rng(1)
    base, treated = shop(rng, 2000), lots(rng, 2000, 0.2)
    done = campaign(rng, base, treated, save_rate=0.33, cost=2.0)
    return done.assign(lifetime_gain=done["stayed"] * done["clv"], segment=rng.choice(["VIP", "grow"], 2000))


@pytest.fixture
def told(customers):
    return readout(customers, scores=SCORES, expected_effect=0.05)


def plainly(customers):
    """Twelve customers held out who did nothing, twelve treated who ordered for 10 each at a cost of 1."""
    treated = np.arange(24) >= 12
    return pd.DataFrame(
        {"treated": treated, "offer": "voucher", "stayed": treated * 1.0, "orders": treated * 1.0}
    ).assign(margin=treated * 10.0, cost=treated * 1.0, **customers)


def test_a_campaign_without_doubt_by_hand():
    told = readout(plainly({}), scores=(), expected_effect=None)
    assert (told["treated"], told["holdout"], told["cost"]) == (12, 12, 12.0)
    assert told["margin"]["value"] == pytest.approx(10)
    assert told["margin"]["total"]["value"] == pytest.approx(120)
    assert told["profit"]["value"] == pytest.approx(108)
    assert told["return_on_cost"]["value"] == pytest.approx(9)
    assert told["proven"] == {"stayed": True, "profit": True}


def test_totals_are_means_times_the_treated_and_profit_is_margin_less_cost(customers, told):
    count = customers["treated"].sum()
    for name in ("stayed", "orders", "margin", "lifetime_gain"):
        one = told[name]
        assert one["treated"] == pytest.approx(customers.loc[customers["treated"], name].mean())
        assert one["treated"] - one["without"] == pytest.approx(one["value"])
        for bound in ("value", "low", "high"):
            assert one["total"][bound] == pytest.approx(count * one[bound])
    assert told["cost"] == pytest.approx(2 * count)
    for bound in ("value", "low", "high"):
        assert told["profit"][bound] == pytest.approx(told["margin"]["total"][bound] - told["cost"])
        assert told["return_on_cost"][bound] == pytest.approx(told["profit"][bound] / told["cost"])


def test_each_segment_is_the_readout_of_its_customers(customers, told):
    assert [one["segment"] for one in told["by_segment"]] == ["VIP", "grow"]
    for one in told["by_segment"]:
        alone = readout(customers[customers["segment"] == one["segment"]], scores=SCORES, expected_effect=None)
        for name in ("stayed", "orders", "margin", "lifetime_gain", "profit", "treated", "holdout"):
            assert one[name] == alone[name]
    assert told["by_offer"] == []


@pytest.mark.slow
def test_more_groups_prove_less():
    """Twenty offers without effect: whether any of them is told one is as rare as for a single campaign."""
    wrong = 0
    for seed in range(60):
        rng = np.random.default_rng([7, seed])
        done = campaign(rng, shop(rng, 2000), lots(rng, 2000, 0.3), save_rate=0.0)
        many = done.assign(offer=rng.integers(0, 10, 2000).astype(str))
        groups = readout(many, scores=SCORES, expected_effect=None)["by_offer"]
        assert len(groups) == 10
        wrong += any(any(one["proven"].values()) for one in groups)
    assert wrong <= 6


def test_a_group_too_small_to_compare_has_its_sizes_alone(customers):
    few = customers.assign(segment=np.where(np.arange(2000) < 12, "VIP", "grow"))
    told = {one["segment"]: one for one in readout(few, scores=SCORES, expected_effect=None)["by_segment"]}
    assert set(told["VIP"]) == {"segment", "treated", "holdout"}
    assert "profit" in told["grow"]


def test_it_is_json(told):
    assert json.loads(json.dumps(told, allow_nan=False))


def test_the_words_are_the_figures(told):
    said = findings(told, currency="GBP", days=90)
    kept, low, high = (round(1000 * told["stayed"][name]) for name in ("value", "low", "high"))
    assert said[0] == (
        f"Of 1,000 treated customers, {kept} more stayed than without the campaign "
        f"(95% interval: {low} to {high}): proven."
    )
    assert said[1].startswith(f"In 90 days the campaign earned {told['profit']['value']:,.0f} GBP (95% interval: ")
    assert said[1].endswith(f"after costs of {told['cost']:,.0f} GBP: proven.")
    assert len(said) == 2


def test_without_effect_it_says_so_and_what_it_takes():
    rng = np.random.default_rng(2)
    done = campaign(rng, shop(rng, 600), lots(rng, 600, 0.1), save_rate=0.0, cost=3.0)
    told = readout(done, scores=SCORES, expected_effect=0.05)
    said = findings(told, currency="GBP", days=90)
    more = told["needs"]["more_customers"]["stayed"]
    assert said[0] == "Whether the campaign changed anything cannot be told."
    assert f"Not enough data: {more:,} more customers, with the same share held out, would prove" in said[3]
    assert "keeps the expected 50 of 1,000" in said[3]


def test_an_effect_of_nothing_is_neither_more_nor_less(told):
    """Zero, a loss and one day read as plainly as a profit."""
    nothing = {"value": 0.0002, "low": -0.01, "high": 0.01}
    profit = told["profit"] | {"value": -0.3, "low": -1200.4, "high": -0.3}
    said = findings(told | {"stayed": told["stayed"] | nothing, "profit": profit}, currency="GBP", days=1)
    assert said[0] == (
        "Of 1,000 treated customers, as many stayed as without the campaign (95% interval: −10 to 10): proven."
    )
    assert said[1].startswith("In 1 day the campaign broke even (95% interval: −1,200 to 0) after costs of ")
    loss = told | {"profit": profit | {"value": -1200.4}, "stayed": told["stayed"] | {"value": -0.002}}
    said = findings(loss, currency="GBP", days=30)
    assert said[0].startswith("Of 1,000 treated customers, 2 fewer stayed than without the campaign (")
    assert said[1].startswith("In 30 days the campaign lost 1,200 GBP (")


def test_where_there_was_data_enough_it_does_not_ask_for_more():
    rng = np.random.default_rng(2)
    done = campaign(rng, shop(rng, 600), lots(rng, 600, 0.1), save_rate=0.0)
    said = findings(readout(done, scores=SCORES, expected_effect=0.9), currency="GBP", days=90)
    assert any("this one probably keeps fewer" in sentence for sentence in said)
    assert not any("Not enough data" in sentence for sentence in said)


def test_arms_of_another_size_than_drawn_are_refused():
    """The planned tenth passes; a holdout that lost a third of its customers on the way does not."""
    assert refuse_mismatch(treated=1800, holdout=200, holdout_share=0.1, campaign="spring") > 0.9
    with pytest.raises(Refusal, match=r"130 of 1,930 customers are in the holdout, 6.7% instead of the planned 10.0%"):
        refuse_mismatch(treated=1800, holdout=130, holdout_share=0.1, campaign="spring")


def test_the_sample_ratio_equals_the_sum_of_rarer_outcomes():
    from math import comb

    chances = [comb(40, held) * 0.25**held * 0.75 ** (40 - held) for held in range(41)]
    for held in range(41):
        rarer = sum(chance for chance in chances if chance <= chances[held] * (1 + 1e-9))
        assert sample_ratio_p(treated=40 - held, holdout=held, holdout_share=0.25) == pytest.approx(rarer)


def test_a_handful_is_not_compared():
    with pytest.raises(
        Refusal, match=r"4 of 40 customers are held out, and a comparison needs 10\n.* 60 more customers"
    ):
        readout(plainly({}).loc[[8, 9, 10, 11, *[20] * 36]], scores=(), expected_effect=None)
