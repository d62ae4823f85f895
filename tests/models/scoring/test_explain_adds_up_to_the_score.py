"""Parts add up to the score of each customer, and the largest of them are said in words with the customer's numbers."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from features.families.catalogue import value_in_words
from models.keeping.keeping import Keeping
from models.keeping.worth_factor import CENTRE
from models.scoring import explain, scorer
from models.trees import boosting
from models.trees.value import KINDS

CONTRACT, ALONE = "contract", ("trees", "bgnbd_gamma_gamma", "rfm_logistic")
MAKES, OFTEN = (*KINDS, CONTRACT, *ALONE), ("gamma", CONTRACT, "bgnbd_gamma_gamma")


@pytest.fixture(scope="module")
def rows(small) -> pd.DataFrame:
    """Two days, customers with one order and with several."""
    return pd.concat([small.test.head(250), small.latest.tail(250)], ignore_index=True)


@pytest.fixture(
    params=[name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in MAKES],
)
def model(request, made):
    return made(request.param)


def test_parts_add_up_to_probability_and_value(model, rows):
    scores = scorer.predict(model, rows)
    for parts, score in (
        (explain.no_order(model, model.predict_frame(rows)), scores["churn_probability"]),
        (explain.expected_value(model, model.predict_frame(rows)), scores["expected_value"]),
    ):
        assert parts.names == [*model.inputs, explain.RHYTHM]
        assert parts.added.shape == (len(rows), len(parts.names))
        assert np.isfinite(parts.added).all()
        for row, one in enumerate(score):
            assert parts.base[row] + sum(parts.added[row]) == pytest.approx(one, rel=1e-9, abs=1e-9)


def test_parts_add_up_to_the_gain(model, rows):
    gain = scorer.predict(model, rows)["gain"]
    parts = explain.gain(model, model.predict_frame(rows))
    assert parts.names == [*model.inputs, explain.RHYTHM, explain.LIMIT]
    assert parts.base + parts.added.sum(axis=1) == pytest.approx(gain.to_numpy(), rel=1e-9, abs=1e-9)
    assert parts.added[:, -2] == pytest.approx(gain.to_numpy()), "without trees of the gain the rhythm is all there is"


def with_keeping(model, learned):
    """The model with trees of who can be saved and of the gain, of which many are below 0 or more than can be saved."""
    order = learned["future_orders"] == 1
    labels = {
        "binary:logistic": learned["churned"] & (learned["recency_days"] < 90),
        "reg:squarederror": 3.0 * order - 0.3,
    }
    params = boosting.defaults(len(learned)) | {"rounds": 12, "learning_rate": 0.3}
    savable, gain = (
        boosting.grow_trees(
            boosting.matrix(learned, model.inputs, label.to_numpy(float)),
            objective=objective,
            params=params,
            seed=1,
        )
        for objective, label in labels.items()
    )
    return replace(model, keeping=Keeping(savable, gain, most=0.5))


@pytest.mark.parametrize("make", ["gamma", CONTRACT])
def test_a_gain_is_the_sum_of_the_trees_and_of_their_limit(made, small, rows, make):
    """Customer by customer from the boosters themselves: their sum × order margin, and what the limit changes."""
    model = with_keeping(made(make), small.latest)
    scores, parts = scorer.predict(model, rows), explain.gain(model, model.predict_frame(rows))
    assert parts.base + parts.added.sum(axis=1) == pytest.approx(scores["gain"].to_numpy(), rel=1e-9, abs=1e-9)
    data = boosting.matrix(rows, model.inputs)
    raw = model.keeping.gain.predict(data, output_margin=True)
    shap = model.keeping.gain.predict(data, pred_contribs=True)
    margin = np.maximum(scores["expected_value"], 0) / scores["expected_orders"]
    for row in range(0, len(rows), 7):
        money = CENTRE * float(margin[row])
        most = model.keeping.most * float(scores["savable_probability"][row])
        limit = min(max(float(raw[row]), 0.0), most) - float(raw[row])
        assert parts.added[row, :-2] == pytest.approx(money * shap[row, :-1], rel=1e-5, abs=1e-6)
        assert parts.added[row, -1] == pytest.approx(money * limit, rel=1e-4, abs=1e-5 * money)
        assert parts.base[row] == pytest.approx(money * float(shap[row, -1]), rel=1e-4, abs=1e-5 * money)
    raised, lowered = (parts.added[:, -1] > 1e-6).sum(), (parts.added[:, -1] < -1e-6).sum()
    assert min(raised, lowered) > 10, "limits from below and from above"


def test_the_base_is_the_same_for_all_customers_of_a_day(model, rows):
    """So that what was added tells customers apart, and nothing else does."""
    for parts in (
        explain.no_order(model, model.predict_frame(rows)),
        explain.expected_value(model, model.predict_frame(rows)),
    ):
        for _, base in pd.Series(parts.base).groupby(rows["as_of"]):
            assert base.to_numpy() == pytest.approx(base.iloc[0], rel=1e-6)


@pytest.mark.parametrize("make", ["gamma", "ziln", "trees"])
def test_the_base_is_the_average_of_the_latest_day_at_the_level_of_the_day(made, small, rows, make):
    model, latest = made(make), small.latest
    odds_shift, _ = model.calibration.shifts_at(as_of=latest["as_of"].iloc[0].date())
    added = boosting.contributions(model.base_learners.no_order.booster, boosting.matrix(latest, model.inputs))[:, :-1]
    rest = logit(scorer.predict(model, latest)["churn_probability"]) - odds_shift
    rest -= model.blend.no_order["trees"] * added.sum(axis=1)
    for day, base in pd.Series(explain.no_order(model, model.predict_frame(rows)).base).groupby(rows["as_of"]):
        assert base.to_numpy() == pytest.approx(
            expit(rest.mean() + model.calibration.shifts_at(as_of=day.date())[0]), rel=1e-5
        )


@pytest.mark.parametrize("make", ["gamma", "lognormal", CONTRACT])
def test_a_probability_is_divided_in_proportion_to_the_log_odds(made, rows, make):
    """Customer by customer from XGBoost's own contributions; what is left of the log-odds is the rhythm's."""
    model = made(make)
    booster = model.contract_end.booster if model.contract_end else model.base_learners.no_order.booster
    weight = model.contract_end.slope if model.contract_end else model.blend.no_order["trees"]
    raw = boosting.contributions(booster, boosting.matrix(rows, model.inputs))
    parts, score = explain.no_order(model, model.predict_frame(rows)), scorer.predict(model, rows)["churn_probability"]
    for row in range(0, len(rows), 7):
        features = [weight * float(one) for one in raw[row, :-1]]
        distance = logit(score[row]) - logit(parts.base[row])
        odds = [*features, distance - sum(features)]
        expected = [one / distance * (score[row] - parts.base[row]) for one in odds]
        assert parts.added[row] == pytest.approx(expected, abs=2e-5)
        if model.contract_end:
            assert parts.added[row, -1] == 0


@pytest.mark.parametrize("make", [*KINDS])
def test_a_value_is_divided_between_order_and_value_as_between_two_players(made, rows, make):
    """Shapley's value by its definition: what each factor adds, on average over who comes first."""
    model = made(make)
    said, parts = model.log_prediction(rows), explain.expected_value(model, model.predict_frame(rows))
    data = boosting.matrix(rows, model.inputs)
    quiet = model.blend.no_order["trees"] * boosting.contributions(model.base_learners.no_order.booster, data)[:, :-1]
    value = model.blend.value["trees"] * model.base_learners.value.contributions(data)
    base_odds = logit(explain.no_order(model, model.predict_frame(rows)).base)
    for row in range(0, len(rows), 7):
        order, given = 1 - said.no_order[row], np.exp(said.log_value[row])
        first_order = 1 - expit(base_odds[row])
        first_given = parts.base[row] / first_order
        of_order = ((order - first_order) * first_given + (order - first_order) * given) / 2
        of_value = ((given - first_given) * first_order + (given - first_given) * order) / 2
        odds, logs = said.log_odds[row] - base_odds[row], said.log_value[row] - np.log(first_given)
        expected = of_order * quiet[row] / odds + of_value * value[row] / logs
        assert parts.added[row, :-1] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_nothing_is_left_to_the_rhythm_where_trees_serve_alone(made, rows):
    model = made("trees")
    for parts in (
        explain.no_order(model, model.predict_frame(rows)),
        explain.expected_value(model, model.predict_frame(rows)),
    ):
        assert np.abs(parts.added[:, -1]).max() < 1e-4 * np.abs(parts.added).max()


@pytest.mark.parametrize("kind", KINDS)
def test_what_features_add_to_the_log_of_value_is_all_but_a_constant(made, rows, kind):
    """So that of a blend's value only the other member is left to the rhythm."""
    value, inputs = made(kind).base_learners.value, made(kind).inputs
    left = np.log(value.margin(rows, inputs)) - value.contributions(boosting.matrix(rows, inputs)).sum(axis=1)
    assert left == pytest.approx(left[0], abs=1e-4)


@pytest.mark.parametrize("make", ["bgnbd_gamma_gamma", "rfm_logistic"])
def test_all_is_the_rhythms_where_another_member_serves_alone(made, rows, make):
    for parts in (
        explain.no_order(made(make), made(make).predict_frame(rows)),
        explain.expected_value(made(make), made(make).predict_frame(rows)),
    ):
        assert (parts.added[:, :-1] == 0).all()
        assert parts.added[:, -1].std() > 0


def test_reasons_are_the_largest_parts_that_raise_churn(model, rows):
    """At most three, each once, largest first; the rhythm of orders is said by the days since the last one."""
    parts, said = explain.no_order(model, model.predict_frame(rows)), explain.reasons(model, model.predict_frame(rows))
    assert list(said) == ["reason_1", "reason_2", "reason_3"]
    for row in range(len(rows)):
        added = dict(zip(parts.names, parts.added[row], strict=True))
        added["recency_days"] += added.pop(explain.RHYTHM)
        raising = sorted((name for name in added if added[name] > 0), key=lambda name: -added[name])[:3]
        expected = [value_in_words(name, rows[name].iloc[row]) for name in raising]
        got = [text for text in said.iloc[row] if text is not None]
        assert [re.sub(", usually .*", "", text) for text in got] == expected
        assert said.iloc[row].isna().tolist() == [place >= len(raising) for place in range(3)]


def test_reasons_carry_the_customers_own_numbers(made, rows):
    """Days since the last order, and beside them the usual gap of those who have one."""
    said = explain.reasons(made("gamma"), made("gamma").predict_frame(rows)).stack().dropna()
    about = said[said.str.contains(r"^[\d,]+ days? since the last order")]
    usual = [0, 0]
    for (row, _), text in about.items():
        days, *gap = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]
        assert days == pytest.approx(rows["recency_days"].iloc[row], abs=0.51)
        has_gap = bool(rows["orders"].iloc[row] > 1)
        assert len(gap) == has_gap
        usual[has_gap] += 1
        if has_gap:
            assert text.endswith(f", usually {gap[0]:,.0f}")
            assert gap[0] == pytest.approx(rows["gap_mean_days"].iloc[row], abs=0.51)
    assert min(usual) > 5


def test_a_customer_explained_alone_is_explained_the_same(made, rows):
    model = made("gamma")
    together, reasons = (
        explain.expected_value(model, model.predict_frame(rows)),
        explain.reasons(model, model.predict_frame(rows)),
    )
    for row in range(0, len(rows), 90):
        alone = explain.expected_value(model, model.predict_frame(rows.iloc[[row]]))
        assert alone.added[0] == pytest.approx(together.added[row], rel=1e-9, abs=1e-9)
        pd.testing.assert_frame_equal(
            explain.reasons(model, model.predict_frame(rows.iloc[[row]])), reasons.iloc[[row]]
        )
