"""The planner of the console and `stayworth plan`: the same plan, kept the same way, known to the same commands."""

import pandas as pd
import pytest

from features.errors import InputError, StayworthError
from features.ingest.build_histories import ingest
from features.snapshots.snapshot import snapshot
from pipelines import run_folder
from pipelines.campaigns.campaign import kept_plan_file, read_campaign
from pipelines.campaigns.save_rates import record_save_rate
from pipelines.config import load
from pipelines.plan import make_plan
from pipelines.serve import campaigns
from retention.economics.profit_curve import profit_curve
from retention.measurement.kept_margin import MeasuredMargin
from retention.measurement.save_rate import MeasuredSaveRate
from retention.planning.learned_effects import read_learned_effects
from retention.planning.plan_archive import archived_plan
from serving import settings
from serving.console.campaign_plans import CampaignRequest, campaign_plans
from serving.console.plan_files import csv_chunks, readable_list
from serving.console.planner import free_name
from serving.contract import PlanRequest
from serving.store import score_store as served
from tests.pipelines.campaigns.test_effects_are_used_where_they_help import learn, made_in, planned
from tests.serving.console.campaign_shop import DAY, STRANGE, planning_of, score, scored, shop_in


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The shop and, as a worker of its console has them, the plans."""
    config = shop_in(tmp_path)
    return config, planning_of(config, monkeypatch)


@pytest.fixture(autouse=True)
def _forget():
    yield
    for one in (settings.responses, settings.order_log, campaign_plans):
        one.cache_clear()


def commanded(config, *, budget=300.0, capacity=None, offers=(), campaign="spring", outputs=()):
    return make_plan(
        config, budget=budget, capacity=capacity, offer_names=offers, campaign=campaign, outputs=list(outputs)
    )


def wish(budget=300.0, *, capacity=None, offers=("voucher", "call"), campaign="spring"):
    return CampaignRequest(tuple(offers), budget, capacity, campaign)


def keep(plans, asked, *, before=str):
    return plans.keep(asked, scores=settings.responses().scores.current.hash, before=before)


def files(config):
    """Every file of the output folder but the audit log."""
    return {path: path.read_bytes() for path in config.folder.rglob("*") if path.is_file() and path.suffix != ".jsonl"}


@pytest.mark.parametrize(
    "asked",
    [
        wish(),
        wish(50.0, offers=("call",)),
        wish(1e6, capacity=25),
        wish(123.45, offers=("call", "voucher"), campaign="a b.c"),
    ],
)
def test_summary_list_and_files_are_those_of_the_command(shop, tmp_path_factory, asked):
    config, plans = shop
    made = keep(plans, asked)
    twin = shop_in(tmp_path_factory.mktemp("twin"))
    told = commanded(twin, budget=asked.budget, capacity=asked.capacity, offers=asked.offers, campaign=asked.campaign)
    assert made.plan.summary == told.summary
    assert told.summary["excluded"]["contacted within 30 days"]["customers"] == 30
    assert told.summary["excluded"]["on the do-not-contact list"]["customers"] == 40
    pd.testing.assert_frame_equal(made.plan.frame, told.frame)
    name = asked.campaign.replace(" ", "-")
    for file in (f"plans/{name}.json", "plan.json"):
        assert (config.folder / file).read_bytes() == (twin.folder / file).read_bytes()
    for file in (f"plans/{name}.parquet", "plan.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(config.folder / file), pd.read_parquet(twin.folder / file))


@pytest.mark.parametrize("limits", [{"budget": 300.0}, {"budget": 50.0, "offers": ["call"], "capacity": 25}])
def test_a_plan_over_http_is_that_of_the_command(shop, limits):
    """Bookings in the table of treatments included."""
    config, _ = shop
    answer = settings.responses().plan(PlanRequest(**limits)).content
    made = commanded(config, campaign=None, **limits)
    assert answer["summary"] == made.summary | {"currency": "USD"}
    assert answer["summary"]["excluded"]["contacted within 30 days"]["customers"] == 30
    pd.testing.assert_frame_equal(pd.DataFrame(answer["contacts"]), made.frame, check_dtype=False)


def test_gains_are_as_readouts_measured(shop):
    config, plans = shop
    before, curve = plans.preview(wish()).plan.summary, plans.curve(("call",))
    margin = MeasuredMargin(effect=40.0, sd=0.5, gain=20.0, order_margin=10.0, window_days=90)
    readout = {"campaign": "last", "measured": MeasuredSaveRate(0.3, 0.01), "margin": margin}
    record_save_rate(config.folder, offer="call", prior=None, **readout)
    after = plans.preview(wish()).plan.summary
    times = after["worth_factor"]["times_scored"]
    assert times > 1.5 > 1 == before["worth_factor"]["times_scored"]
    assert after["value_at_risk"] == pytest.approx(times * before["value_at_risk"])
    assert plans.curve(("call",))["expected_profit"].max() > curve["expected_profit"].max()
    assert commanded(config).summary == after


def test_the_list_to_download_is_the_csv_of_the_command(shop, tmp_path):
    config, plans = shop
    made = keep(plans, wish())
    commanded(config, outputs=[tmp_path / "plan.csv"])
    rows = readable_list(archived_plan(config.folder / run_folder.PLANS, "spring"), settings.responses().scores.current)
    told = "".join(csv_chunks(rows))
    assert told == (tmp_path / "plan.csv").read_text("utf-8")
    assert f"'{STRANGE}" in told
    assert "; =no order" in told, "within a cell it is no formula"
    assert len(rows) == len(made.plan.frame)


def test_of_an_older_plan_the_list_has_all_but_the_reasons(shop):
    config, plans = shop
    made = keep(plans, wish())
    score(config, scored(day=DAY.replace(month=2)))
    settings.responses().scores.refresh()
    rows = readable_list(archived_plan(config.folder / run_folder.PLANS, "spring"), settings.responses().scores.current)
    assert "why" not in rows
    assert rows["customer_id"].tolist() == made.plan.frame["customer_id"].tolist()
    assert set(rows["segment"]) == {"grow"}
    assert set(rows["channel"]) == {"email", "phone"}


def test_a_kept_plan_is_found_by_readout_and_by_the_quiet_days(shop):
    config, plans = shop
    made = keep(plans, wish())
    kept = read_campaign(kept_plan_file(config.folder, None), day=None)
    assert (kept.name, kept.day, len(kept.chosen)) == ("spring", DAY, len(made.plan.frame))
    treated = set(made.plan.frame.loc[made.plan.frame["treated"], "customer_id"])
    assert treated
    later = plans.preview(wish(campaign="later"))
    assert not treated & set(later.plan.frame["customer_id"])


def test_looking_writes_nothing(shop):
    config, plans = shop
    before = files(config)
    plans.preview(wish())
    plans.curve(("voucher", "call"))
    assert files(config) == before


def test_the_name_that_is_offered_is_free(shop):
    plans, day = shop[1], settings.responses().scores.current.info.as_of
    for expected in (f"campaign {day}", f"campaign {day} 2", f"campaign {day} 3"):
        assert free_name(day) == expected
        keep(plans, wish(campaign=expected))


def test_a_name_that_is_taken_is_refused_and_nothing_is_lost(shop):
    config, plans = shop
    keep(plans, wish())
    before, told = files(config), []
    with pytest.raises(InputError, match="the campaign 'spring' already has a plan: "):
        keep(plans, wish(50.0), before=told.append)
    assert files(config) == before
    assert told == [], "no line of the audit log of what was not kept"
    keep(plans, wish(campaign="a-b"))
    before = files(config)
    with pytest.raises(InputError, match="'a b' would overwrite the plan of the campaign 'a-b'"):
        keep(plans, wish(campaign="a b"), before=told.append)
    assert files(config) == before


@pytest.mark.parametrize("name", ["", "<script>", "=cmd()", "../up", "a/b", "x" * 101])
def test_names_that_no_campaign_can_have_are_refused(shop, name):
    config, plans = shop
    before = files(config)
    with pytest.raises(InputError, match="is not a valid campaign name"):
        keep(plans, wish(campaign=name))
    assert files(config) == before


def test_a_plan_is_not_kept_with_other_scores_than_it_was_looked_at_with(shop):
    config, plans = shop
    seen = settings.responses().scores.current.hash
    score(config, scored(day=DAY.replace(month=2)))
    settings.responses().scores.refresh()
    with pytest.raises(InputError, match="newer scores have arrived since you looked"):
        plans.keep(wish(), scores=seen, before=str)
    assert not (config.folder / run_folder.PLANS).exists()


def test_the_curve_is_that_of_the_report_and_kept_for_the_batch(shop):
    config, plans = shop
    told = plans.curve(("voucher", "call"))
    offers = {offer.name: offer for offer in campaigns(config).offers}
    expected = profit_curve(scored(), [offers["voucher"], offers["call"]], points=200)
    pd.testing.assert_frame_equal(told, expected)
    assert plans.curve(("voucher", "call")) is told
    score(config, scored().assign(gain=lambda of: of["gain"] * 2))
    settings.responses().scores.refresh()
    assert plans.curve(("voucher", "call"))["expected_profit"].max() > told["expected_profit"].max()


@pytest.mark.slow
def test_a_later_page_is_of_the_plan_that_was_looked_at(shop):
    config, plans = shop
    first = plans.preview(wish())
    (config.home / "list.csv").write_text("customer_id\n" + "\n".join(first.plan.frame["customer_id"][:5]))
    assert plans.last_preview(wish()) is first
    assert plans.last_preview(wish(299.0)) is not first
    assert plans.preview(wish()).plan.frame["customer_id"].iloc[0] != first.plan.frame["customer_id"].iloc[0]


@pytest.mark.slow
def test_effects_that_were_learnt_are_used_as_the_command_uses_them(tmp_path, monkeypatch):
    made_in(tmp_path, effect=(0.35, -0.05))
    assert learn(tmp_path)["offers"]["voucher"]["learner"]
    told = planned(tmp_path)
    config, effects = with_features(tmp_path)
    made = planning_of(config, monkeypatch).preview(wish(1_500.0, offers=["voucher"], campaign="campaign 2020-04-01"))
    assert made.plan.summary == told.summary
    assert "learner" in made.plan.summary["effects"]["voucher"]
    pd.testing.assert_frame_equal(made.plan.frame, told.frame)
    answer = settings.responses().plan(PlanRequest(budget=1_500.0, offers=["voucher"])).content
    assert answer["summary"] == told.summary | {"currency": "USD"}
    assert answer["contacts"] == told.frame.head(1000).to_dict("records")
    with_features(tmp_path, without=next(iter(effects)))
    with pytest.raises(InputError, match="the scores lack 1 of the features"):
        planning_of(config, monkeypatch).preview(wish(1_500.0, offers=["voucher"]))


def with_features(folder, *, without=None):
    """Write the store beside the scores of that shop, with the features that its effects rest on; the features."""
    config = load(folder / "stayworth.toml")
    scores = run_folder.read_table(config.folder / run_folder.SCORES, next="")
    day = scores["as_of"].iloc[0].date()
    inputs = (
        read_learned_effects(config.folder, config.offers, horizon_days=90, as_of=day).fitted["voucher"].learner.inputs
    )
    kept = {name: names for name, names in inputs.items() if name != without}
    histories = ingest(config.log, now_us=None).histories
    rows = snapshot(histories, as_of=[day], features=list(kept)).to_pandas(date_as_object=False)
    rows = rows[rows["customer_id"].isin(scores["customer_id"])]
    about = served.BatchInfo(
        as_of=day,
        horizon_days=90,
        model_version="none",
        currency="USD",
        current_cut=1.0,
        future_cut=1.0,
        gain_cut=0.5,
        features=kept,
    )
    ordered = scores.set_index("customer_id").loc[rows["customer_id"]].reset_index().assign(next_order_at=pd.NaT)
    with served.writing(config.folder / run_folder.SERVED_SCORES, about) as writer:
        writer.add(ordered, rows)
    return config, inputs


@pytest.mark.slow
def test_what_a_readout_measured_counts_from_the_next_plan_on(tmp_path, monkeypatch):
    config = shop_in(tmp_path)
    text = (tmp_path / "stayworth.toml").read_text().replace("save_rate = 0.3", 'save_rate = "measured"')
    (tmp_path / "stayworth.toml").write_text(text)
    config = load(tmp_path / "stayworth.toml")
    plans = planning_of(config, monkeypatch)
    assert [offer.name for offer in settings.responses().campaigns.offers_with_known_save_rate] == ["voucher"]
    with pytest.raises(StayworthError, match="the config has no such offer; it has voucher"):
        plans.preview(wish())
    for share in (0.4, 0.2):
        record_save_rate(
            config.folder, offer="call", prior=None, campaign=f"{share}", measured=MeasuredSaveRate(share, 0.05)
        )
        made = plans.preview(wish(campaign="again"))
        assert made.plan.summary == commanded(config, campaign="again").summary


def test_without_its_audit_line_no_plan_is_kept(shop):
    config, plans = shop

    def full(made):
        raise InputError(f"no room for {made.request.campaign}", where="audit.jsonl")

    before = files(config)
    with pytest.raises(InputError, match="no room for spring"):
        keep(plans, wish(), before=full)
    assert files(config) == before
    keep(plans, wish())
