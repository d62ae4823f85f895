"""Time runs on in a made-up shop with a plan carried out: only what the contacts change is other than without them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from pipelines import run_folder
from pipelines.campaigns.treatments import read_treatments
from pipelines.config import load
from pipelines.readout import read_out
from pipelines.simulate import CAMPAIGN_TRUTH, continue_simulation, simulate
from pipelines.simulator import parameters
from pipelines.simulator.scenario import Scenario
from retention.planning.retention_plan import plan
from tests.scored import all_savable

SHOP = Scenario(customers=4000, days=600, seed=5, as_of=date(2025, 1, 1))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
START = "timestamptz '2025-01-01 00:00:00+00'"


def keep(folder, frame, *, name="spring", day=SHOP.as_of, treated=True):
    """A plan as `stayworth plan` keeps it: its list, and the JSON beside it."""
    frame = frame.assign(treated=frame["treated"] & treated, segment="all")
    summary = {"campaign": name, "as_of": str(day), "chosen": len(frame), "holdout": int((~frame["treated"]).sum())}
    run_folder.write_table(folder / f"{name}.parquet", frame)
    run_folder.write_json(folder / f"{name}.json", summary)
    return folder / f"{name}.parquet"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop, a plan made with the truth in its folder, and both of what came of it: with the plan, and with nobody."""
    home = tmp_path_factory.mktemp("shops")
    how = {"chunk_size": 1500, "say": lambda _: None}
    simulate(home / "before", SHOP, **how)
    true = pd.read_parquet(home / "before" / "truth")
    scores = true[["customer_id", "churn_probability", "expected_orders", "expected_value", "clv"]]
    told = all_savable(scores.assign(clv_p10=scores["clv"], clv_p90=scores["clv"]))
    offers = load(home / "before" / "stayworth.toml").offers
    effects = pd.DataFrame({"customer_id": true["customer_id"]} | {o.name: true[f"effect_{o.name}"] for o in offers})
    limits = {"budget": 1500, "holdout_share": 0.2, "campaign": "spring", "salt": "simulated"}
    made = plan(told.assign(clv=true["kept_value"]), offers, effects=effects, **limits)
    listed = made.frame.merge(scores, on="customer_id")
    keep(home / "plans", listed)
    keep(home / "plans", listed, name="nobody", treated=False)
    for name in ("spring", "nobody"):
        continue_simulation(home / "before", home / "plans" / f"{name}.parquet", home / name, **how)
    return home


@pytest.fixture(scope="module")
def told(home):
    return json.loads((home / "spring" / CAMPAIGN_TRUTH).read_text())


def ask(text):
    return duckdb.sql(text).fetchall()


def new_rows(home, name, table="orders", time="ordered_at"):
    """Of each customer the sum of his rows' hashes in the window."""
    return dict(
        ask(f"""
        select customer_id, sum(hash(t)::hugeint) from '{home}/{name}/{table}/*.parquet' as t
        where "{time}" >= {START} group by all""")
    )


@pytest.mark.parametrize(
    ("table", "known"), [("orders", "coalesce(recorded_at, ordered_at)"), ("interactions", "t.at"), ("costs", "t.at")]
)
def test_what_was_known_on_the_day_is_not_rewritten(home, table, known):
    if table == "costs":  # of an order that became known late, the delivery did too: its row does not say so
        known += f" < {START} - interval 5 day and {known}"
    before, after = (
        f"select * from '{home}/{name}/{table}/*.parquet' as t where {known} < {START}" for name in ("before", "spring")
    )
    assert ask(f"select count(*) from ({before})")[0][0] > 10_000
    assert ask(f"({before} except all {after}) union all ({after} except all {before})") == []


def test_who_is_not_treated_does_what_he_would_have_done(home):
    """Common random numbers: whoever is not kept has the same orders and interactions with and without campaign."""
    plain, campaign = (new_rows(home, name) for name in ("nobody", "spring"))
    differ = {one for one in plain.keys() | campaign.keys() if plain.get(one) != campaign.get(one)}
    treated = {one for (one,) in ask(f"select customer_id from '{home}/spring/treatments.parquet' where treated")}
    assert differ <= treated
    kept = {one for one in differ if one in campaign}
    first = ask(f"select distinct customer_id from '{home}/spring/orders/*.parquet' where contains(order_id, '-k')")
    assert kept == {one for (one,) in first}
    visits = [new_rows(home, name, "interactions", "at") for name in ("nobody", "spring")]
    assert {one for one in visits[0].keys() | visits[1].keys() if visits[0].get(one) != visits[1].get(one)} <= kept


def test_the_truth_of_the_campaign_is_the_difference_of_the_two_worlds(home, told):
    """Counted in SQL: orders, and margin net of the refunds of the window's orders."""
    sums = [
        ask(f"""
            with placed as (
                select distinct order_id from '{home}/{name}/orders/*.parquet'
                where amount > 0 and ordered_at >= {START})
            select count(distinct order_id), sum(amount - cost)
            from '{home}/{name}/orders/*.parquet' semi join placed using (order_id)""")[0]
        for name in ("nobody", "spring")
    ]
    late = 0.02 * told["orders"] + 2  # of the kept, orders that became known after the window
    assert sums[1][0] - sums[0][0] == pytest.approx(told["orders"], abs=late)
    assert sums[1][1] - sums[0][1] == pytest.approx(told["margin"], rel=0.05)
    assert told["kept"] > 20
    assert told["profit"] == pytest.approx(told["margin"] - told["cost"])
    for name in ("treated", "kept", "cost", "margin"):
        assert sum(one[name] for one in told["by_offer"]) == pytest.approx(told[name])


def test_the_treatments_are_those_of_the_plan_with_what_they_cost(home, told):
    listed = pd.read_parquet(home / "plans" / "spring.parquet").set_index("customer_id")
    rows = read_treatments(load(home / "spring" / "stayworth.toml"), now=NOW).set_index("customer_id")
    assert set(rows.index) == set(listed.index)
    assert (rows["treated"] == listed["treated"].reindex(rows.index)).all()
    assert (rows["offer"] == listed["offer"].reindex(rows.index)).all()
    assert rows["cost"][~rows["treated"]].isna().all()
    assert rows["cost"].sum() == pytest.approx(told["cost"])
    assert (rows["at"] == pd.Timestamp("2025-01-01", tz="UTC")).all()
    costs = {one.name: {one.contact_cost, one.contact_cost + one.incentive_cost} for one in parameters.OFFERS}
    for offer, of in rows[rows["treated"]].groupby("offer"):
        assert set(of["cost"].round(2)) <= costs[offer]


def test_the_readout_finds_the_plan_and_measures_the_truth(home, told):
    how = dict.fromkeys(("campaign_name", "plan_file", "scores_file", "day", "until"))
    config = load(home / "spring" / "stayworth.toml")
    contacts = read_treatments(config, now=NOW)
    read = read_out(config, now=NOW, contacts=contacts, say=lambda _: None, **how)
    assert (read["campaign"], read["until"], read["window_days"]) == ("spring", "2025-04-01", parameters.HORIZON_DAYS)
    assert read["cost"] == pytest.approx(told["cost"])
    assert read["treated"] == told["treated"]
    assert read["stayed"]["low"] <= told["kept"] / told["treated"] <= read["stayed"]["high"]
    assert read["margin"]["low"] <= told["margin"] / told["treated"] <= read["margin"]["high"]


def test_the_truth_on_the_new_day_is_of_the_new_lives(home):
    """Who was kept is not gone for want of a lifetime: his stage is that of the lifetime he lifetimes now."""
    kept = [
        f"'{one}'"
        for (one,) in ask(f"""
        select distinct customer_id from '{home}/spring/orders/*.parquet' where contains(order_id, '-k')""")
    ]
    alive = [
        ask(f"select avg(alive::int) from '{home}/{name}/truth/*.parquet' where customer_id in ({', '.join(kept)})")
        for name in ("nobody", "spring")
    ]
    assert alive[1][0][0] > alive[0][0][0]


def refused(home, tmp_path, plan_file, source="before"):
    with pytest.raises(InputError) as caught:
        continue_simulation(home / source, plan_file, tmp_path / "after", say=lambda _: None)
    assert not (tmp_path / "after").exists()
    return str(caught.value)


def test_what_cannot_be_carried_out_is_refused(home, tmp_path):
    listed = pd.read_parquet(home / "plans" / "spring.parquet")
    other = listed.assign(offer=np.where(listed["rank"] == 2, "gift", listed["offer"]))
    assert "1 of" in (said := refused(home, tmp_path, keep(tmp_path, other)))
    assert "that the shop does not have, first 'gift'\n  Its offers are voucher, call" in said
    strange = listed.assign(customer_id=np.where(listed["rank"] == 1, "00004000", listed["customer_id"]))
    said = refused(home, tmp_path, keep(tmp_path, strange))
    assert "name a customer that the shop does not have, first '00004000'" in said
    assert "its customers 00000000 to 00003999" in said
    late = keep(tmp_path, listed, day=date(2025, 2, 1))
    assert "the plan is of 2025-02-01, the shop stands at 2025-01-01" in refused(home, tmp_path, late)


def test_a_shop_has_one_campaign(home, tmp_path):
    said = refused(home, tmp_path, home / "plans" / "spring.parquet", source="spring")
    assert "the shop has had its campaign, 'spring'" in said


def test_what_is_no_shop_is_not_continued(home, tmp_path):
    (tmp_path / "empty").mkdir()
    said = refused(home, tmp_path, home / "plans" / "spring.parquet", source=tmp_path / "empty")
    assert "Name a folder that `stayworth simulate -o FOLDER` wrote" in said
    run_folder.write_json(tmp_path / "old" / "shop.json", {"world": 0} | replace(SHOP, as_of=None).__dict__)
    said = refused(home, tmp_path, home / "plans" / "spring.parquet", source=tmp_path / "old")
    assert "another version of the simulator" in said


def test_as_many_newcomers_a_day_join_as_before_whatever_the_campaign(home):
    known = {row[0] for row in ask(f"select customer_id from '{home}/before/truth/*.parquet'")}
    for name in ("spring", "nobody"):
        orders = f"'{home}/{name}/orders/*.parquet'"
        first = dict(ask(f"select customer_id, min(ordered_at) >= {START} from {orders} group by all"))
        listed = {row[0] for row in ask(f"select customer_id from '{home}/{name}/customers.parquet'")}
        new = listed - known
        assert len(new) == 600, "4,000 in 600 days are 600 in 90"
        assert {one for one, is_late in first.items() if is_late and one not in known} == new
    assert new_rows(home, "spring").keys() - known == new_rows(home, "nobody").keys() - known
