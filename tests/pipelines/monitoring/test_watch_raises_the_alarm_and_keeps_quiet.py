"""Planted drift is seen, quiet shops are left in peace, and an own campaign raises no alarm by itself.

One model, made of one shop that stands still, watches others that it never saw: twenty to which something happens
after it was made, twenty like the one it was made of, and some with a campaign that works.
"""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest

from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from models.scoring import scorer
from pipelines.monitoring.matured_scores import MaturedBatch, evaluate_batch
from pipelines.monitoring.monitored_model import MonitoredModel, monitor_model
from pipelines.monitoring.usual_drift import usual_pairs
from pipelines.training.holdout_evaluation import labelled_rows
from pipelines.training.training_set import fit_model, training_set
from tests.pipelines.watched_shops import AS_OF, BATCH, HAPPENS, HORIZON_DAYS, MADE, World, shop, with_campaign
from tests.registered import RECIPE
from tests.retention.bases import held_out

pytestmark = pytest.mark.slow

TERMS = Terms(horizon_days=HORIZON_DAYS, currency="USD", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=1095)
CHOSEN, SAVE_RATE = 800, 0.4


def histories_of(made):
    terms = {"currency": "USD", "gross_margin": 0.4, "timezone": "UTC"}
    return ingest(Log(made.orders, interactions=made.interactions, **terms), now_us=None).histories


@pytest.fixture(scope="module")
def watched():
    """The model, with what it reached on the window before it was made, as at a gate."""
    histories = histories_of(shop(0))
    day = MADE - timedelta(days=HORIZON_DAYS)
    before = fit_model(training_set(histories, TERMS, as_of=day), TERMS, RECIPE)
    said = scorer.predict(before, labelled_rows(histories, TERMS, as_of=day))
    at_gate = evaluate_batch(MaturedBatch(day, HORIZON_DAYS, "gate", said, is_kept=False), histories, {}, seed=1)[
        "figures"
    ]
    seen = {name: at_gate[name]["value"] for name in ("roc_auc", "ece", "total_bias")}
    return MonitoredModel(fit_model(training_set(histories, TERMS, as_of=MADE), TERMS, RECIPE), "1", MADE, seen)


@pytest.fixture(scope="module")
def watch(watched):
    """The content of the monitor for a shop, its scores of `BATCH` matured, with these campaigns."""

    def over(made, campaigns=None, *, scored=None, as_of=AS_OF, batches=True):
        histories = histories_of(made)
        scores = scored_by(watched.model, histories) if scored is None else scored
        kept = [MaturedBatch(BATCH, HORIZON_DAYS, watched.model.version, scores, is_kept=True)] if batches else []
        return monitor_model(histories, watched, kept, lambda *_: campaigns or {}, as_of=as_of, say=lambda _: None)

    return over


def scored_by(model, histories):
    rows = snapshot(histories, as_of=[BATCH], features=list(model.inputs))
    return scorer.predict(model, rows.to_pandas(date_as_object=False))


def about(told):
    return {one["about"] for one in told["reasons"] if one["verdict"] == "retrain"}


@pytest.mark.parametrize("happens", ["churn doubles", "prices rise by 40 %"])
def test_what_happens_is_seen(watch, happens):
    assert watch(shop(200, HAPPENS[happens]))["verdict"] == "retrain"


@pytest.mark.parametrize("seed", [100, 101])
def test_where_nothing_happens_nothing_is_said(watch, seed):
    told = watch(shop(seed))
    assert (told["verdict"], told["reasons"]) == ("fine", [])


def test_planted_drift_alarms_twenty_times_of_twenty(watch):
    quiet = [(name, seed) for name, world in HAPPENS.items() for seed in (210, 211) if _calm(watch, seed, world)]
    assert quiet == []


def _calm(watch, seed: int, world: World) -> bool:
    return watch(shop(seed, world))["verdict"] != "retrain"


def test_quiet_runs_alarm_at_most_once_in_twenty(watch):
    verdicts = {seed: watch(shop(seed))["verdict"] for seed in range(110, 130)}
    assert sum(said == "retrain" for said in verdicts.values()) <= 1
    assert sum(said != "fine" for said in verdicts.values()) <= 2


def campaign_of(watched, made, *, share, seed):
    """The scores of the shop, whom a campaign chose by them, and the shop after it."""
    scores = scored_by(watched.model, histories_of(made))
    chosen = scores[scores["churn_probability"] < 0.97].nlargest(CHOSEN, "churn_probability")["customer_id"]
    left_alone = held_out(chosen, share=share, campaign="spring", salt="pepper")
    plan = pd.DataFrame({"customer_id": chosen.to_numpy(), "treated": ~left_alone})
    return scores, plan, with_campaign(made, plan["customer_id"][plan["treated"]], save_rate=SAVE_RATE, seed=seed)


@pytest.mark.parametrize("share", [0.15, 0.0])
def test_our_own_campaign_raises_no_alarm_though_blindly_it_would(watched, watch, share):
    scores, plan, after = campaign_of(watched, shop(302), share=share, seed=2)
    assert about(watch(after, scored=scores)) == {"probabilities"}
    told = watch(after, {"spring": plan}, scored=scores)
    assert told["verdict"] == "fine"
    apart = told["matured"][0]["own_campaigns"]
    assert apart["treated"]["left"] < 0.85 * apart["treated"]["said_to_leave"]
    assert (apart["nobody_stands_for"] == {}) == (share > 0)
    assert ("nobody was held out of 'spring'" in told["moved"].get("note", "")) == (share == 0)


def test_no_campaign_of_ten_raises_an_alarm(watched, watch):
    for seed in range(310, 320):
        scores, plan, after = campaign_of(watched, shop(seed), share=0.1, seed=seed)
        assert watch(after, {"spring": plan}, scored=scores)["verdict"] != "retrain"


def test_what_happens_is_seen_behind_a_campaign(watched, watch):
    scores, plan, after = campaign_of(watched, shop(303, HAPPENS["one order in two is lost"]), share=0.15, seed=3)
    assert watch(after, {"spring": plan}, scored=scores)["verdict"] == "retrain"


def test_reasons_say_what_was_found_the_limit_and_what_next(watch):
    told = watch(shop(200, HAPPENS["a new channel"]))
    assert told["verdict"] == "retrain"
    (reason,) = told["reasons"]
    assert reason["about"] == "features"
    assert "first_order_channel" in reason["found"]
    assert "new: app" in reason["found"]
    assert "PSI 0.39, usual up to 0.00, at most 0.27" in reason["found"]
    assert "Check whether the data still come as they did" in reason["next"]


def test_a_table_that_is_gone_is_a_reason(watch):
    made = shop(100)
    told = watch(replace(made, interactions=None), scored=pd.DataFrame(columns=["customer_id"]), batches=False)
    assert about(told) == {"log"}
    assert "the log no longer gives 13 of the model's features: interactions, " in told["reasons"][0]["found"]
    assert told["moved"]["columns"], "the features that are left are compared"


def test_on_the_day_it_was_made_nothing_has_moved(watch):
    told = watch(shop(100), as_of=MADE, batches=False)
    assert (told["verdict"], told["moved"]["columns"]) == ("fine", [])
    assert told["first_matures"] == (MADE + timedelta(days=HORIZON_DAYS)).isoformat()


def test_quiet_days_are_as_far_apart_and_before_the_model_was_made():
    first, made, as_of = date(2010, 1, 1), date(2011, 6, 1), date(2011, 8, 30)
    pairs = usual_pairs(first, made=made, as_of=as_of)
    assert pairs[0] == (date(2011, 3, 3), made)
    assert pairs[1] == (date(2011, 2, 1), date(2011, 5, 2))
    assert (date(2010, 6, 1), date(2010, 8, 30)) in pairs, "the same season a year before"
    assert {other - one for one, other in pairs} == {as_of - made}
    assert all(one >= first + timedelta(days=60) and other <= made for one, other in pairs)


def test_a_log_too_short_for_quiet_days_is_watched_on(watch):
    assert usual_pairs(MADE - timedelta(days=150), made=MADE, as_of=AS_OF) == []
    made = shop(100)
    young = pd.Timestamp(MADE - timedelta(days=150))
    cut = replace(
        made,
        orders=made.orders[made.orders["ordered_at"] >= young],
        interactions=made.interactions[made.interactions["at"] >= young],
    )
    told = watch(cut, batches=False)
    assert told["verdict"] == "watch"
    assert "is too short to say what is usual within 80 days" in told["reasons"][0]["found"]
