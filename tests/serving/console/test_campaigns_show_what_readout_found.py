"""The page of the campaigns: every kept plan with its state, and the numbers of `stayworth readout`."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipelines import run_folder
from serving.console import campaigns
from tests.pipelines.campaigns.test_readout_measures_a_campaign import made, read  # noqa: F401
from tests.serving.console.campaign_shop import DAY, score, scored, shop_in
from tests.serving.console.rooms import rooms_of, words

HOSTILE = '<script>alert("x")</script>=cmd()'


@pytest.fixture
def told(read):  # noqa: F811
    return read()


def page_of(folder, query=""):
    with rooms_of(folder) as client:
        answer = client.get(f"/campaigns{query}")
    assert answer.status_code == 200
    return answer.text


def minus(text):
    return text.replace("-", "−")


def test_the_numbers_are_those_of_the_command(made, told):  # noqa: F811
    text = page_of(made / "runs")
    assert f'data-profit="{told["profit"]["value"]}"' in text
    said = words(text)
    assert "profit proven" in said
    for sentence in told["in_words"]:
        assert " ".join(sentence.split()) in said
    for name, (mean, total) in {
        "stayed": (".1%", ",.0f"),
        "orders": (",.2f", ",.0f"),
        "margin": (",.2f", ",.2f"),
    }.items():
        row = [f"{told[name]['treated']:{mean}}", f"{told[name]['without']:{mean}}"]
        row += [f"{told[name]['total']['value']:{total}}"]
        row += [f"{told[name]['total']['low']:{total}} to {told[name]['total']['high']:{total}}"]
        assert minus(" ".join(row)) in said
    profit = told["profit"]
    assert minus(f"{profit['value']:,.2f} {profit['low']:,.2f} to {profit['high']:,.2f}") in said
    figure = json.loads(text.split('id="profit"')[1].split('application/json">')[1].split("</script>")[0])
    point = figure["data"][0]
    assert point["x"] == [profit["value"]]
    up, down = (np.frombuffer(b64decode(point["error_x"][name]["bdata"]))[0] for name in ("array", "arrayminus"))
    assert (profit["value"] - down, profit["value"] + up) == pytest.approx((profit["low"], profit["high"]))
    assert "1 campaign was planned, 1 read out, 1 with a proven profit or loss." in said


def test_an_interval_that_spans_0_is_said_to_tell_nothing(tmp_path, told):
    unsure = told | {
        "proven": {"stayed": False, "profit": False},
        "in_words": ["Whether the campaign changed anything cannot be told."],
    }
    unsure["profit"] = told["profit"] | {"value": 10.0, "low": -5.0, "high": 25.0}
    write(tmp_path, unsure)
    said = words(page_of(tmp_path))
    assert "not proven" in said
    assert "its profit includes 0: this campaign may have earned or lost money" in said
    assert "none with a proven profit or loss" in said


def test_each_offer_is_shown_and_one_too_small_says_so(tmp_path, told):
    group = {name: told[name] for name in ("treated", "holdout", "stayed", "profit", "proven")}
    write(tmp_path, told | {"by_offer": [group | {"offer": "voucher"}, {"offer": "call", "treated": 7, "holdout": 1}]})
    text = page_of(tmp_path)
    assert "call 7 1 too few to compare" in words(text)
    assert f"voucher {told['treated']:,} {told['holdout']:,} {1000 * told['stayed']['value']:,.0f}" in words(text)
    figure = json.loads(text.split('id="profit"')[1].split('application/json">')[1].split("</script>")[0])
    assert [one["y"] for one in figure["data"]] == [["The whole campaign"], ["voucher"]]


def write(folder, readout, name="readout-x.json"):
    run_folder.write_json(folder / name, {one: readout[one] for one in readout if one != "written"})


@pytest.mark.parametrize(
    ("scores_on", "today", "said"),
    [
        (DAY, DAY + timedelta(days=9), "window open until 2020-03-31"),
        (DAY + timedelta(days=89), DAY + timedelta(days=200), "window closed on 2020-03-31, waiting for newer orders"),
        (DAY + timedelta(days=90), DAY + timedelta(days=90), "ready to be read out"),
    ],
)
def test_a_plan_says_how_far_it_is(tmp_path, monkeypatch, scores_on, today, said):
    config = shop_in(tmp_path)
    plan = {"campaign": "spring", "as_of": str(DAY), "treated": 9, "holdout": 1, "expected_profit": -12.0}
    run_folder.write_json(config.folder / run_folder.PLANS / "spring.json", plan)
    run_folder.write_table(config.folder / run_folder.PLANS / "spring.parquet", scored()[["customer_id"]])
    score(config, scored(day=scores_on))
    monkeypatch.setattr(campaigns, "now", lambda: datetime.combine(today, datetime.min.time(), UTC))
    text = words(page_of(config.folder))
    assert said in text
    assert "9 1 −12 –" in text
    assert ("Run this where Stayworth is installed: stayworth readout" in text) == ("ready" in said)


def test_an_early_look_is_called_one(tmp_path, told):
    config = shop_in(tmp_path)
    write(config.folder, told | {"window_days": 30})
    assert "read out after 30 days, an early look" in words(page_of(config.folder))


def test_hostile_names_are_text(tmp_path, told):
    write(tmp_path, told | {"campaign": HOSTILE, "in_words": [HOSTILE], "by_offer": []})
    text = page_of(tmp_path)
    assert "<script>alert" not in text
    assert HOSTILE in words(text)
    with rooms_of(tmp_path) as client:
        missing = client.get("/campaigns", params={"campaign": "<script>alert(2)</script>"})
    assert missing.status_code == 404
    assert "<script>alert" not in missing.text


@pytest.mark.parametrize("content", ["{", "[]", '{"campaign": "x"}', "null"])
def test_a_damaged_readout_says_which_and_what_next_and_the_others_stand(tmp_path, told, content):
    write(tmp_path, told)
    (tmp_path / "readout-broken.json").write_text(content)
    said = words(page_of(tmp_path))
    assert "readout-broken.json: " in said
    assert "Read the campaign out again: stayworth readout." in said
    assert told["in_words"][0] in said


def test_before_the_first_campaign_it_says_how_to_plan_one(tmp_path):
    assert "No campaign has been planned yet" in words(page_of(tmp_path))
