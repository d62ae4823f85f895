"""Plans that are kept: listed, read and written in one way, damaged ones named, two writers kept apart."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pandas as pd
import pytest

from features.errors import InputError
from retention.planning import plan_archive
from retention.planning.plan_archive import archive_plan, archived_plan, planned_shares

SCORES = pd.DataFrame(
    {
        "customer_id": ["1", "2", "3"],
        "churn_probability": [0.1, 0.2, 0.3],
        "savable_probability": [0.1, 0.1, 0.2],
        "expected_orders": 1.0,
        "expected_value": 2.0,
        "clv": 3.0,
        "segment": "grow",
    }
)
FRAME = pd.DataFrame({"customer_id": ["3", "1"], "offer": "call", "treated": [True, False]})


def summary(campaign="spring", **more):
    return {"campaign": campaign, "as_of": "2020-01-01", "chosen": 2} | more


def kept_in(folder, campaign="spring", *, replaces=False, **more):
    archive_plan(folder, FRAME, summary(campaign, **more), SCORES, replaces=replaces, where="campaign")


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_plan_is_kept_with_what_was_known_and_becomes_the_latest(tmp_path):
    kept_in(tmp_path, "spring 2020")
    assert set(files(tmp_path)) == {"plans/spring-2020.json", "plans/spring-2020.parquet", "plan.json", "plan.parquet"}
    (one,) = plan_archive.archived_plans(tmp_path / "plans")
    assert (one.campaign, one.day, one.summary) == ("spring 2020", date(2020, 1, 1), summary("spring 2020"))
    kept = pd.read_parquet(one.file)
    assert kept["churn_probability"].tolist() == [0.3, 0.1]
    assert json.loads((tmp_path / "plan.json").read_text()) == summary("spring 2020")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "plan.parquet"), FRAME, check_dtype=False)


def test_a_taken_name_is_replaced_only_where_that_is_asked_for(tmp_path):
    kept_in(tmp_path)
    before = files(tmp_path)
    with pytest.raises(InputError, match=r"campaign: the campaign 'spring' already has a plan: 2 customers"):
        kept_in(tmp_path, chosen=9)
    assert files(tmp_path) == before
    kept_in(tmp_path, chosen=9, replaces=True)
    assert archived_plan(tmp_path / "plans", "spring").summary["chosen"] == 9


@pytest.mark.parametrize("replaces", [True, False])
def test_the_file_of_another_campaign_is_never_taken(tmp_path, replaces):
    kept_in(tmp_path, "a b")
    before = files(tmp_path)
    with pytest.raises(InputError, match="'a-b' would overwrite the plan of the campaign 'a b'"):
        kept_in(tmp_path, "a-b", replaces=replaces)
    assert files(tmp_path) == before
    assert archived_plan(tmp_path / "plans", "a-b") is None


def test_of_many_who_keep_one_name_at_once_one_does(tmp_path):
    def tried(number):
        try:
            kept_in(tmp_path, chosen=number)
        except InputError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        done = [one for one in threads.map(tried, range(24)) if one is not None]
    assert len(done) == 1
    assert archived_plan(tmp_path / "plans", "spring").summary["chosen"] == done[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read"),
        ("[1]", "is not the summary of a plan"),
        ('{"as_of": "2020-01-01"}', "the plan does not name its campaign"),
        ('{"campaign": "spring"}', "the plan does not give the day of its scores"),
        ('{"campaign": "spring", "as_of": "2020-13-01"}', "the plan does not give the day of its scores"),
    ],
)
def test_a_damaged_summary_says_which_what_and_what_next(tmp_path, content, said):
    kept_in(tmp_path)
    (tmp_path / "plans" / "spring.json").write_text(content)
    with pytest.raises(InputError) as caught:
        plan_archive.archived_plans(tmp_path / "plans")
    assert str(caught.value).startswith(f"{tmp_path / 'plans' / 'spring.json'}: {said}")
    assert "Plan the campaign again, or remove its two files." in str(caught.value)


def test_half_a_plan_is_none_and_an_old_one_says_its_day_by_its_name(tmp_path):
    kept_in(tmp_path, "campaign 2020-02-03", as_of=None)
    (tmp_path / "plans" / "alone.json").write_text("{")
    FRAME.to_parquet(tmp_path / "plans" / "single.parquet")
    assert [one.day for one in plan_archive.archived_plans(tmp_path / "plans")] == [date(2020, 2, 3)]
    assert plan_archive.archived_plans(tmp_path / "nowhere") == []


def test_planned_shares_are_those_of_offers_that_treated_some_and_held_out_some(tmp_path):
    offers = [
        {"offer": name, "chosen": chosen, "treated": treated}
        for name, chosen, treated in (("call", 10, 8), ("gift", 5, 5), ("card", 5, 0), ("mail", 0, 0))
    ]
    kept_in(tmp_path, offers=offers)
    assert planned_shares(plan_archive.archived_plans(tmp_path / "plans")) == {("spring", "call"): 0.8}


@pytest.mark.parametrize("name", ["", " a", "a/b", "..", "=1", "é", "a\n", "x" * 101])
def test_a_name_that_is_no_file_is_no_campaign(name):
    with pytest.raises(InputError, match="is not a valid campaign name"):
        plan_archive.check_campaign_name(name, where="campaign")
    assert plan_archive.check_campaign_name("Spring 2020_a.b-c", where="campaign") == "Spring 2020_a.b-c"
