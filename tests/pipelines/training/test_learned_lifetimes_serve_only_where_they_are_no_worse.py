"""Lifetime values learned from the log are judged on closed years, and simple models that do clearly better win."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.ensemble.baselines import BTYD_FEATURES
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.lifetime.counting_value import CountingValue
from models.scoring import scorer
from models.trees.boosting import DEFAULTS
from pipelines.gate.gate import decide
from pipelines.training import lifetime_choice
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.lifetime_choice import LifetimeChoice, fit_chosen, judge_learned_values
from pipelines.training.lifetime_rows import lifetime_rows, rows_years_before
from tests.pipelines.training.test_lifetime_rows_are_what_followed import AS_OF, shop

FEATURES = ["recency_days", "tenure_days", "orders", "spend_total", *BTYD_FEATURES]
TERMS = Terms(horizon_days=90, currency="USD", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=1095)
RECIPE = Recipe(DEFAULTS, DEFAULTS, kind="gamma", seed=7)


def difference(value, low, high):
    return {"value": value, "low": low, "high": high}


def choice(*, is_contractual=False, **differences):
    content = {"as_of": "2024-01-01", "days": 365, "champion": "there is no champion yet", "differences": differences}
    return LifetimeChoice(content, is_contractual)


@pytest.fixture(scope="module")
def log(read):
    """Three and a half years of a shop, and its rows to learn lifetime values on."""
    orders = shop(1280, customers=500)
    histories = read(orders).histories
    features = list(dict.fromkeys(FEATURES))
    rows = lifetime_rows(histories, as_of=AS_OF, features=features)
    training = SimpleNamespace(
        lifetime_rows=rows, features=features, margin_rate=0.4, is_contractual=False, cost_share=0.0
    )
    return orders, histories, training


@pytest.mark.parametrize(("days", "years"), [(1280, 1), (1340, 2), (7 * 365, 1), (7 * 365, 3)])
def test_the_rows_of_years_before_are_those_of_a_log_that_ends_there(read, days, years):
    orders = shop(days, customers=900 if days == 1340 else 150)
    then = AS_OF - timedelta(days=365 * years)
    rows = lifetime_rows(read(orders).histories, as_of=AS_OF, features=FEATURES)
    cut = orders[pd.to_datetime(orders["ordered_at"]) < pd.Timestamp(then)]
    expected = lifetime_rows(read(cut).histories, as_of=then, features=FEATURES)
    found = rows_years_before(rows, years)
    assert found.lattice == expected.lattice
    for name in ("months_back", "year_later"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    whole = found.months_back % 12 != 6  # half a year back is 182.5 days: rounded to one side or the other
    pd.testing.assert_frame_equal(found.frame[whole], expected.frame[whole])
    for window in range(found.orders.shape[1]):
        length = found.lattice.window_months
        rows = whole & ((found.months_back - length * window) % 12 != 6)
        rows &= (found.months_back - length * (window + 1)) % 12 != 6
        assert rows.mean() > 0.5
        for name in ("orders", "margin"):
            ours, theirs = (getattr(table, name)[rows, window] for table in (found, expected))
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_a_log_without_enough_before_the_closed_year_is_not_judged(read):
    rows = lifetime_rows(read(shop(800)).histories, as_of=AS_OF, features=FEATURES)
    assert rows_years_before(rows, 1) is None
    training = SimpleNamespace(
        lifetime_rows=rows, features=FEATURES, margin_rate=0.4, is_contractual=False, cost_share=0.0
    )
    content = judge_learned_values(None, training, TERMS, RECIPE, None, costs=None).content
    assert content == {"note": "no year has closed since a day on which lifetime values could be learned"}
    nothing = SimpleNamespace(lifetime_rows=None)
    assert (
        "nothing learned to judge"
        in judge_learned_values(None, nothing, TERMS, RECIPE, None, costs=None).content["note"]
    )


@pytest.fixture(scope="module")
def year(log):
    _, histories, training = log
    return judge_learned_values(
        histories, training, replace(TERMS, lifetime_days=400), RECIPE, None, costs=None, resamples=60
    )


def test_it_is_judged_by_what_the_customers_of_that_day_brought(log, year):
    """The oracle is the log: who had ordered a year before its end, and 40 % of what they spent since."""
    orders, content = log[0], year.content
    at, then = pd.to_datetime(orders["ordered_at"]), pd.Timestamp(AS_OF) - pd.Timedelta(days=365)
    known = set(orders["customer_id"][at < then])
    came = 0.4 * orders["amount"][(at >= then) & orders["customer_id"].isin(known)].sum()
    assert (content["as_of"], content["days"]) == (then.date().isoformat(), 365)
    assert content["customers"] == len(known)
    assert content["came"] == pytest.approx(came, rel=1e-3)
    past = 0.4 * orders["amount"][(at < then) & (at >= then - pd.Timedelta(days=365))].sum()
    bias = content["models"]["as_in_the_past"]["total_bias"]["value"]
    assert bias == pytest.approx(past / came - 1, abs=1e-3)
    ours, theirs = (content["models"][name]["value_deviance"]["value"] for name in ("stayworth", "pareto_nbd"))
    assert content["differences"]["pareto_nbd"]["value"] == pytest.approx(ours - theirs)


def test_costs_to_serve_are_taken_off_on_both_sides(log, year):
    _, histories, training = log
    ids = histories.customer_ids.to_pylist()
    at = pd.to_datetime(["2023-05-01", "2024-05-01", "2024-11-01"], utc=True).repeat(len(ids))
    costs = pd.DataFrame({"customer_id": ids * 3, "at": at, "amount": 2.0})
    rows = replace(training.lifetime_rows, costs=np.full(len(training.lifetime_rows.frame), 0.5))
    changed = SimpleNamespace(**{**vars(training), "lifetime_rows": rows, "cost_share": 0.25})
    terms = replace(TERMS, lifetime_days=400)
    content = judge_learned_values(histories, changed, terms, RECIPE, None, costs=costs, resamples=20).content
    assert content["came"] == pytest.approx(year.content["came"] - 4.0 * year.content["customers"])
    before = 1 + year.content["models"]["as_in_the_past"]["total_bias"]["value"]
    after = 1 + content["models"]["as_in_the_past"]["total_bias"]["value"]
    assert after * content["came"] == pytest.approx(0.75 * before * year.content["came"])
    assert content["models"]["stayworth"]["total_bias"]["value"] < 0.1


def test_only_who_is_clearly_better_takes_the_place(year):
    """Customers of this shop are all alike and never leave: what Pareto/NBD assumes is true, and yet learned values are
    not clearly worse."""
    assert year.worse_than == []
    assert year.content["differences"]["as_in_the_past"]["high"] < 0


def test_a_simple_model_that_knows_the_truth_takes_the_place(log, monkeypatch):
    def truth(histories, table, _, *, days, **__):
        return {"pareto_nbd": lifetime_choice.orders_and_margin(histories, table, from_days=0, to_days=days)[1] + 0.01}

    monkeypatch.setattr(lifetime_choice, "simple_values", truth)
    found = judge_learned_values(*log[1:], replace(TERMS, lifetime_days=365), RECIPE, None, costs=None, resamples=60)
    assert found.worse_than == ["pareto_nbd"]
    assert found.reason_to_count == (
        "on the 365 days after 2024-01-02, lifetime values learned from the log were clearly worse than Pareto/NBD, "
        "Gamma-Gamma: counting models extend the horizon instead"
    )


def test_under_a_contract_nothing_simple_can_take_the_place():
    worse = {"as_in_the_past": difference(0.2, 0.1, 0.3)}
    assert choice(**worse).reason_to_count
    assert choice(**worse, is_contractual=True).reason_to_count is None


def test_a_champion_is_asked_only_of_days_it_has_not_seen(log, monkeypatch):
    asked = []

    def predict(model, frame):
        asked.append(model.terms)
        return pd.DataFrame({"clv": np.full(len(frame), 5.0)})

    monkeypatch.setattr(lifetime_choice.scorer, "predict", predict)
    old = replace_scorer("2023-06-01")
    terms = replace(TERMS, lifetime_days=365)
    content = judge_learned_values(*log[1:], terms, RECIPE, old, costs=None, resamples=20).content
    assert (content["champion"], len(asked)) == ("version 4, its bundle", 1)
    assert (asked[0].lifetime_days, asked[0].annual_discount_rate) == (365, 0.0)
    assert content["differences"]["champion"]["high"] < 0
    content = judge_learned_values(
        *log[1:], terms, RECIPE, replace_scorer("2024-06-01"), costs=None, resamples=20
    ).content
    assert content["champion"] == "version 4 was not compared: it had seen these days"
    assert "champion" not in content["models"]
    assert len(asked) == 1


def replace_scorer(as_of):
    """A champion made as of a day; only its terms and inputs are read."""
    model = scorer.Scorer(TERMS, {"orders": None}, *[None] * 6)
    return ChampionComparison("4", date(2024, 1, 1), {"training": {"as_of": as_of}}, model, "its bundle")


@pytest.mark.slow
def test_the_model_says_why_counting_models_give_its_values(taught):
    lesson, terms, _ = taught
    few = DEFAULTS | {"rounds": 5}
    counted = choice(pareto_nbd=difference(0.2, 0.1, 0.3))
    model = fit_chosen(lesson, terms, Recipe(few, few, kind="gamma", seed=7), counted)
    assert isinstance(model.lifetime, CountingValue)
    assert model.lifetime.doubts[0] == counted.reason_to_count
    assert not any("too short" in doubt for doubt in model.lifetime.doubts)


@pytest.mark.parametrize(
    ("lifetimes", "outcome", "says"),
    [
        (choice(pareto_nbd=difference(-0.1, -0.2, -0.05)), "pass", "Pareto/NBD, Gamma-Gamma -0.1 (-0.2 to -0.05)"),
        (choice(pareto_nbd=difference(0.2, -0.1, 0.3)), "pass", "over the 365 days after 2024-01-01"),
        (choice(pareto_nbd=difference(0.2, 0.1, 0.3)), "warn", "counting models give lifetime values: over"),
        (choice(champion=difference(0.2, 0.1, 0.3)), "fail", "the champion +0.2 (+0.1 to +0.3)"),
        (choice(champion=difference(0.2, 0.1, 0.3), pareto_nbd=difference(0.2, 0.1, 0.3)), "fail", "the champion"),
        (choice(is_contractual=True, as_in_the_past=difference(0.2, 0.1, 0.3)), "fail", "as in the past year +0.2"),
        (LifetimeChoice({"note": "no year has closed"}), "not examined", "no year has closed"),
    ],
)
def test_the_gate_says_what_it_found(good, lifetimes, outcome, says):
    decision = decide(replace(good, lifetimes=lifetimes))
    (finding,) = [finding for finding in decision.findings if finding.code == "G14"]
    assert (finding.outcome, decision.accepted) == (outcome, outcome != "fail")
    assert says in finding.reason


def test_a_first_model_serves_with_a_warning(good):
    lifetimes = choice(is_contractual=True, as_in_the_past=difference(0.2, 0.1, 0.3))
    decision = decide(replace(good, lifetimes=lifetimes, champion=None))
    assert any("G14" in warning for warning in decision.reasons("warn"))
