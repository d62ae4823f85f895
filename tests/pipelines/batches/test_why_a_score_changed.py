"""`why` divides the change of a score into data, time, orders and model: each cause is its own part, and they sum."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.errors import InputError
from features.ingest.log import Log
from features.online.one_customer import read_customer_rows
from models.scoring import batch_scores
from models.scoring.score_change import MEASURES, PARTS, split_change
from pipelines import why as change
from pipelines.batches.latest_scores import latest_scores
from pipelines.commands import why as change_cli
from pipelines.monitoring.score_steps import score_steps
from tests.pipelines.batches.conftest import FIRST, LAST, NOW, TERMS
from tests.pipelines.late_orders import LOG, frame_of

SMALL = 1e-9


def why(config, customer, *, first=None, last=None):
    return change.why(config, customer, first=first, last=last, now=NOW, say=lambda _: None)


def moved(content):
    """The parts of a change that move something, and that they sum to it."""
    parts = pd.DataFrame(content["parts"]).set_index("part")
    assert list(parts.index) == list(PARTS)
    for measure in MEASURES:
        assert abs(parts[measure].sum() - (content["to"][measure] - content["from"][measure])) < 1e-12
    return {part for part in PARTS if (parts.loc[part, list(MEASURES)].abs() > SMALL).any()}


@pytest.mark.parametrize(
    ("customer", "causes", "says"),
    [
        ("still", {"passing_time"}, {"new_orders": "nothing", "corrected_data": "nothing became known since"}),
        ("late", {"passing_time", "corrected_data"}, {"corrected_data": "1 order of 30.00 became known since"}),
        (
            "buyer",
            {"passing_time", "new_orders"},
            {"new_orders": "2 orders of 85.50", "passing_time": "61 days went by"},
        ),
        ("everything", {"passing_time", "corrected_data", "new_orders"}, {"new_model": "the same model"}),
    ],
)
def test_each_cause_is_a_part_of_its_own(shop, models, customer, causes, says):
    content = why(shop((FIRST, models[0]), (LAST, models[0])), customer)
    assert moved(content) == causes
    assert content["in_words"] == []
    assert says.items() <= {one["part"]: one["what"] for one in content["parts"]}.items()


def test_a_new_model_alone_is_the_whole_change(shop, models):
    config = shop((LAST, models[0]), (LAST, models[1]))
    content = why(config, "everything", first=LAST, last=LAST)
    assert moved(content) == {"new_model"}
    assert content["parts"][-1]["what"] == f"{models[1].version} instead of {models[0].version}"
    assert content == why(config, "everything")


def test_a_new_model_on_a_later_day_is_the_last_part(shop, models):
    assert moved(why(shop((FIRST, models[0]), (LAST, models[1])), "still")) == {"passing_time", "new_model"}


def test_the_ends_are_what_was_scored_to_the_last_digit(shop, models):
    config = shop((FIRST, models[0]))
    first = latest_scores(config.folder).set_index("customer_id").loc["late"]
    shop((date(1998, 6, 1), models[1]), (LAST, models[1]))
    last = latest_scores(config.folder).set_index("customer_id").loc["late"]
    content = why(config, "late", first=FIRST)
    for name in MEASURES:
        assert (content["from"][name], content["to"][name]) == (first[name], last[name])
        assert content["change"][name] == last[name] - first[name]


def test_what_changed_without_a_trace_counts_as_corrected_data_and_is_said(shop, models):
    config = shop((FIRST, models[0]), (LAST, models[0]))
    log = frame_of(LOG)
    log = log[~((log["customer_id"] == "still") & (log["amount"] == 25))]
    log.to_parquet(config.home / "orders.parquet")
    content = why(config, "still")
    assert moved(content) == {"corrected_data", "passing_time"}
    assert [
        f"score of {day} cannot be reproduced" in said
        for day, said in zip((FIRST, LAST), content["in_words"], strict=True)
    ]
    assert "without recorded_at" in content["in_words"][0]
    assert content["parts"][0]["what"] == "nothing became known since, but see below"


def test_features_say_what_moved_the_probability(shop, models):
    content = why(shop((FIRST, models[0]), (LAST, models[0])), "buyer")
    by_part = {one["part"]: one for one in content["parts"]}
    assert by_part["corrected_data"]["because"] == []
    assert by_part["new_orders"]["churn_probability"] < 0
    assert by_part["new_orders"]["because"][0]["churn_probability"] < 0
    assert all(one["says"] for part in by_part.values() for one in part["because"])


@pytest.mark.parametrize(
    ("customer", "first", "says"),
    [
        ("newcomer", FIRST, "'newcomer' was first scored on 1998-06-01: nothing was known about them on 1998-05-01"),
        ("refunded", FIRST, "'refunded' has no score of 1998-07-01: they had left"),
        ("replaced", FIRST, "cannot be split: today's log has no order of theirs from before 1998-05-01"),
    ],
)
def test_who_came_or_went_is_said_instead_of_split(shop, models, customer, first, says):
    config = shop((FIRST, models[0]), (date(1998, 6, 1), models[0]), (LAST, models[0]))
    content = why(config, customer, first=first)
    assert content["parts"] is None
    assert says in content["in_words"][0]


@pytest.mark.parametrize(
    ("customer", "days", "what", "next"),
    [
        ("nobody", {}, "'nobody' has a score neither of 1998-05-01 nor of 1998-07-01", "Ids are text"),
        (
            "late",
            {"first": date(1998, 5, 2)},
            "no scores of 1998-05-02 before the one of 1998-07-01 were kept",
            "--list",
        ),
        (
            "late",
            {"last": date(1998, 5, 2)},
            "no scores of 1998-05-02 were kept; there are those of 1998-05-01, 1998-07-01",
            "score",
        ),
        ("late", {"last": FIRST}, "no scores before the one of 1998-05-01 were kept", "stayworth score"),
        ("late", {"first": LAST, "last": FIRST}, "no scores of 1998-07-01 before the one of 1998-05-01", "--list"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_error(shop, models, customer, days, what, next):
    config = shop((FIRST, models[0]), (LAST, models[0]))
    with pytest.raises(InputError, match=what) as caught:
        why(config, customer, **days)
    assert next in caught.value.next


def test_batches_of_other_horizons_are_not_compared(shop, models):
    config = shop((FIRST, models[0]))
    far = replace(models[0], terms=replace(TERMS, horizon_days=60), version="0" * 12)
    shop((LAST, far))
    with pytest.raises(InputError, match="look 90 days ahead, those of 1998-07-01 60: they cannot be compared"):
        why(config, "late")


def test_without_batches_the_error_says_how_to_make_them(shop):
    with pytest.raises(InputError, match=r"no scores of any day were kept\n.*stayworth score --as-of DAY"):
        why(shop(), "late")


def test_the_command_prints_tables_and_json(shop, models):
    config = shop((FIRST, models[0]), (LAST, models[1]))
    app = typer.Typer()
    app.command()(change_cli.why)

    def said(*arguments):
        command = [*arguments, "-c", str(config.home / "stayworth.toml")]
        done = CliRunner().invoke(app, command, obj=lambda: NOW, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    table = said("everything", "--from", str(FIRST))
    for text in (
        "corrected data: 1 order of 30.00",
        "passing time: 61 days",
        "new orders: 1 order of 40.00",
        "new model",
    ):
        assert text in table
    assert json.loads(said("everything", "--json"))["parts"][0]["part"] == "corrected_data"
    assert "first scored on 1998-07-01" in said("newcomer")
    assert [one["as_of"] for one in json.loads(said("--list", "--json"))] == [str(FIRST), str(LAST)]
    assert "1998-05-01" in said("--list")
    with pytest.raises(InputError, match="is missing"):
        said()


events = st.tuples(
    st.integers(-90, 59), st.sampled_from([0, 0, 0, 3, 20, 70]), st.sampled_from([12.5, 30.0, -12.5, 80.0])
)
histories = st.lists(st.lists(events, min_size=1, max_size=7), min_size=6, max_size=6)


@pytest.mark.slow
@settings(max_examples=4, derandomize=True)
@given(histories=histories)
def test_parts_of_any_history_are_the_scores_of_the_rows_that_a_step_may_see(models, histories):
    """The oracle: rows chosen by hand, in a log without `recorded_at`. Refunds bind when recorded: they only sum."""
    old, new = models
    days = [(f"c{who}", *event) for who, told in enumerate(histories) for event in [(-95, 0, 20.0), *told]]
    log = pd.DataFrame(days, columns=["customer_id", "ordered_at", "late", "amount"]).assign(quantity=1)
    log["ordered_at"] = pd.Timestamp(FIRST) + pd.to_timedelta(log["ordered_at"], "D")
    log["recorded_at"] = log["ordered_at"] + pd.to_timedelta(log.pop("late"), "D")

    def scores(model, day, *, happened, known):
        seen = log[(log["ordered_at"] < pd.Timestamp(happened)) & (log["recorded_at"] < pd.Timestamp(known))]
        found = batch_scores.score_orders(model, seen.drop(columns="recorded_at"), as_of=day)
        return found.set_index("customer_id")[list(MEASURES)]

    first, last = scores(old, FIRST, happened=FIRST, known=FIRST), scores(new, LAST, happened=LAST, known=LAST)
    corrected = scores(old, FIRST, happened=FIRST, known=LAST)
    aged = scores(old, LAST, happened=FIRST, known=LAST)
    now = scores(old, LAST, happened=LAST, known=LAST)
    source = Log(log, currency="USD", gross_margin=0.4, timezone="UTC")
    for who, rows in log.groupby("customer_id"):
        own = [of.loc[who].to_numpy() for of in (first, corrected, aged, now, last)]
        seen, _ = score_steps(
            source, read_customer_rows(source, who), list(old.inputs), first=FIRST, last=LAST, now_us=None
        )
        found = split_change(old, new, seen, first=own[0], last=own[-1])
        rounding = 1e-12 * max(1, np.abs(own).max())
        assert np.allclose(found.parts.sum(), own[-1] - own[0], rtol=0, atol=rounding)
        if (rows["amount"] > 0).all():
            assert np.allclose(found.parts, np.diff(own, axis=0), rtol=0, atol=1000 * rounding)
            for part, step in {"passing_time": own[2] - own[1], "new_orders": own[3] - own[2]}.items():
                assert sum(found.by_feature[part].values()) == pytest.approx(step[0], abs=1e-6)
