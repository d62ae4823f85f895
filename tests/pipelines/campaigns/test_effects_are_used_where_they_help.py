"""Randomised treatments, effects, the next plan: an effect that differs is found and pays, one for all is left."""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError, Refusal
from models.uplift import learners
from pipelines import run_folder
from pipelines.campaigns.customer_effects import EFFECTS_FILE, EFFECTS_FOLDER
from pipelines.config import load
from pipelines.effects import learn_effects
from pipelines.plan import make_plan
from pipelines.screens.effects import show_effects
from pipelines.screens.plan import show_plan
from tests.scored import all_savable
from tests.shops import config_of

DAY, NEXT = date(2020, 1, 1), date(2020, 4, 1)
NOW = datetime(2020, 4, 2, tzinfo=UTC)
CUSTOMERS, LEAVING, CLV = 3_000, 0.5, 60.0
MOVED, OTHERS = 0.35, -0.05
"""What the offer adds to the stay of those who spent little, and of the others."""
MORE = """
[[offers]]
name = "voucher"
contact_cost = 0.5
incentive_cost = 5
redeem_rate = 0.3
save_rate = 0.3
[[offers]]
name = "call"
contact_cost = 3
incentive_cost = 0
redeem_rate = 0
save_rate = 0.1
"""


def made_in(folder, *, effect, customers=CUSTOMERS, seed=5):
    """A shop whose voucher was tried on half of its customers; what it changes hangs on what they had spent."""
    draw = np.random.default_rng(seed)
    ids = np.array([f"{number:05d}" for number in range(customers)])
    small, treated = draw.random(customers) < 0.5, draw.random(customers) < 0.5
    tau = np.where(small, *effect)
    stayed = draw.random(customers) < 1 - LEAVING + treated * tau
    before = pd.DataFrame({"customer_id": ids, "day": -draw.integers(1, 200, customers)})
    before["amount"] = np.where(small, draw.uniform(5, 20, customers), draw.uniform(30, 90, customers)).round(2)
    old = pd.DataFrame({"customer_id": ids, "day": -300, "amount": before["amount"]})
    after = pd.DataFrame({"customer_id": ids[stayed], "day": draw.integers(0, 90, stayed.sum()), "amount": 20.0})
    end = pd.DataFrame({"customer_id": ["last"], "day": 90, "amount": 1.0})
    orders = pd.concat([old, before, after, end], ignore_index=True)
    orders["ordered_at"] = pd.Timestamp(DAY) + pd.to_timedelta(orders.pop("day"), unit="D") + pd.Timedelta(hours=9)
    orders.to_parquet(folder / "orders.parquet")
    treatments = pd.DataFrame(
        {"customer_id": ids, "at": f"{DAY} 08:00:00", "campaign": "spring", "offer": "voucher", "treated": treated}
    )
    treatments.to_csv(folder / "treatments.csv", index=False)
    text = config_of("orders.parquet", data='treatments = "treatments.csv"', more=MORE)
    (folder / "stayworth.toml").write_text(text)
    scores = pd.DataFrame({"customer_id": ids, "as_of": pd.Timestamp(NEXT), "horizon_days": 90})
    scores = scores.assign(
        churn_probability=LEAVING, expected_orders=1.0, expected_value=CLV / 3, value_p10=10.0, value_p90=40.0
    )
    scores = all_savable(scores.assign(clv=CLV, clv_p10=30.0, clv_p90=120.0, segment="grow", model_version="none"))
    scores[["reason_1", "reason_2", "reason_3"]] = ""
    run_folder.write_table(folder / "runs" / run_folder.SCORES, scores)
    return pd.Series(tau, index=ids)


def learn(folder):
    return learn_effects(load(folder / "stayworth.toml"), now=NOW, say=lambda _: None)


def planned(folder, *, budget=1_500.0, offers=("voucher",)):
    config = load(folder / "stayworth.toml")
    return make_plan(config, budget=budget, capacity=None, offer_names=offers, campaign=None, outputs=[])


def true_profit(frame, tau):
    """What these contacts earn in truth: who stays by the offer brings his CLV, whoever redeems takes the incentive."""
    treated = frame.loc[frame["treated"], "customer_id"]
    effect = tau.loc[treated].to_numpy()
    redeem = np.maximum(effect, 0) + 0.3 * (1 - LEAVING + np.minimum(effect, 0))
    return float((effect * CLV - 5 * redeem - 0.5).sum())


def keep_plan(folder):
    """The campaign as `plan` would have kept it."""
    treatments = pd.read_csv(folder / "treatments.csv", dtype={"customer_id": str})
    treated = int(treatments["treated"].sum())
    kept = treatments[["customer_id", "offer", "treated"]].assign(churn_probability=LEAVING)
    run_folder.write_table(folder / "runs" / run_folder.PLANS / "spring.parquet", kept)
    offers = [{"offer": "voucher", "chosen": CUSTOMERS, "treated": treated, "holdout": CUSTOMERS - treated}]
    summary = {"campaign": "spring", "as_of": str(DAY), "chosen": CUSTOMERS, "offers": offers}
    run_folder.write_json(folder / "runs" / run_folder.PLANS / "spring.json", summary)


@pytest.fixture(scope="module")
def differing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("differing")
    tau = made_in(folder, effect=(MOVED, OTHERS))
    before = planned(folder)
    return folder, tau, before, learn(folder)


@pytest.fixture(scope="module")
def constant(tmp_path_factory):
    folder = tmp_path_factory.mktemp("constant")
    made_in(folder, effect=(0.15, 0.15))
    keep_plan(folder)
    before = planned(folder)
    return folder, before, learn(folder)


@pytest.mark.slow
def test_an_effect_that_differs_is_found_and_said(differing, capsys):
    folder, tau, _, told = differing
    found = told["offers"]["voucher"]
    assert found["learner"] in learners.KINDS
    assert found["in_words"].startswith(f"learner {found['learner']} helps: +")
    assert found["everybody"]["low"] < tau.mean() < found["everybody"]["high"]
    assert (found["customers"], found["left_out"]) == (CUSTOMERS, {})
    assert found["campaigns"][0]["known_from"] == "the treatments"
    assert told | {"written": None} == json.loads((folder / "runs" / EFFECTS_FILE).read_text()) | {"written": None}
    show_effects(told)
    assert "voucher: learner " in capsys.readouterr().out


@pytest.mark.slow
def test_the_next_plan_uses_it_says_so_and_earns_more(differing, capsys):
    folder, tau, before, _ = differing
    after = planned(folder)
    assert before.summary["effects"] == {}
    assert after.summary["effects"]["voucher"].endswith(", from 3,000 customers in 1 campaign up to 2020-01-01")
    assert true_profit(after.frame, tau) > true_profit(before.frame, tau) + 700
    moved = tau.loc[after.frame["customer_id"]] > 0
    assert moved.mean() > 0.9, "nearly all of the chosen are moved by it, half of all customers are"
    treated = after.frame[after.frame["treated"]]
    assert treated["expected_profit"].sum() == pytest.approx(true_profit(after.frame, tau), rel=0.2)
    show_plan(after.summary | {"currency": "USD"})
    assert "effect of voucher" in capsys.readouterr().out


@pytest.mark.slow
def test_an_offer_that_was_never_tried_keeps_its_save_rate(differing):
    summary = planned(differing[0], offers=()).summary
    assert summary["effects"]["call"] == "one save rate: never tried at random"
    assert summary["effects"]["voucher"].startswith("learner ")


@pytest.mark.slow
def test_one_effect_for_all_is_left_to_one_save_rate(constant):
    folder, before, told = constant
    found = told["offers"]["voucher"]
    assert found["learner"] is None
    assert found["in_words"].startswith("no learner helps: the best, ")
    assert found["in_words"].endswith(": the plan uses one save rate")
    assert not (folder / "runs" / EFFECTS_FOLDER / "voucher").exists()
    after = planned(folder)
    assert after.summary["effects"]["voucher"].startswith("one save rate: no learner helps")
    pd.testing.assert_frame_equal(before.frame, after.frame)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"horizon_days": 60}, "one save rate: its effects are of 60 days"),
        ({"last_day": "2018-01-01"}, "one save rate: its effects are too old, learned from contacts up to 2018-01-01"),
    ],
)
def test_effects_of_another_horizon_or_too_old_are_not_used(differing, tmp_path, change, says):
    folder = tmp_path / "shop"
    shutil.copytree(differing[0], folder)
    content = json.loads((folder / "runs" / EFFECTS_FILE).read_text())
    content["offers"]["voucher"] |= {name: value for name, value in change.items() if name == "last_day"}
    content |= {name: value for name, value in change.items() if name == "horizon_days"}
    run_folder.write_json(folder / "runs" / EFFECTS_FILE, content)
    assert planned(folder).summary["effects"]["voucher"] == says


@pytest.mark.slow
def test_a_changed_byte_is_refused_before_it_is_loaded(differing, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(differing[0], folder)
    (file,) = (folder / "runs" / EFFECTS_FOLDER / "voucher").glob("*/0.ubj")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match=r"0\.ubj does not match its hash; nothing of it was loaded\n  Learn it"):
        planned(folder)


@pytest.mark.slow
def test_the_design_of_the_kept_plan_and_its_churn_probabilities_are_what_counts(constant):
    folder, _, told = constant
    found, drawn = told["offers"]["voucher"], pd.read_csv(folder / "treatments.csv")["treated"].mean()
    assert found["campaigns"] == [
        {"campaign": "spring", "customers": CUSTOMERS, "share_treated": drawn, "known_from": "the plan"}
    ]
    assert found["churn_probability_from"] == "the plans of the campaigns"


def test_too_little_says_how_many_more(tmp_path):
    made_in(tmp_path, effect=(0.3, 0.0), customers=160)
    with pytest.raises(
        Refusal, match=r"160 customers are usable: \d+ of \d+ treated stayed, and \d+ of \d+ held out"
    ) as caught:
        learn(tmp_path)
    assert "more customers have been treated or held out at random and their horizon is over" in str(caught.value)


def test_open_repeated_and_unrandomised_treatments_are_left_out(tmp_path):
    made_in(tmp_path, effect=(0.3, 0.0), customers=160)
    file = tmp_path / "treatments.csv"
    rows = pd.read_csv(file, dtype=str)
    later = rows.iloc[:7].assign(at=str(DAY + timedelta(days=60)), campaign="open")
    later["treated"] = ["True", "False"] * 3 + ["True"]
    again = rows.iloc[:5].assign(at="2019-12-30", campaign="before")
    again["treated"] = ["True", "False", "True", "False", "True"]
    alone = rows.iloc[:3].assign(campaign="all", treated="True", at="2019-12-01")
    pd.concat([rows, later, again, alone]).to_csv(file, index=False)
    with pytest.raises(Refusal) as caught:
        learn(tmp_path)
    said = str(caught.value)
    assert (
        "3 in a campaign that treated everybody, or nobody; 7 whose horizon is not over; 5 after an earlier one" in said
    )


def test_offers_that_the_config_does_not_have_are_named(tmp_path):
    made_in(tmp_path, effect=(0.3, 0.0), customers=50)
    file = tmp_path / "treatments.csv"
    pd.read_csv(file, dtype=str).assign(offer="vouchr").to_csv(file, index=False)
    with pytest.raises(
        InputError,
        match="name no offer of the config: they have vouchr, the config has call, voucher",
    ):
        learn(tmp_path)
