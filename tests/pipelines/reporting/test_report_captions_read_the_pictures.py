"""Each picture of an evaluation has one sentence under it, whose figures are those of the data drawn."""

import numpy as np
import pandas as pd
import pytest

from models.evaluation import metrics
from models.evaluation.profit_metrics import CampaignTerms
from models.prediction import Prediction
from pipelines.reporting.chart_captions import captions
from pipelines.reporting.evaluation_charts import churn_rate, evaluation_figures
from retention.presentation.theme import to_html

COUNT = 1000
LEFT = np.arange(COUNT) < 600
VALUE = np.where(LEFT, 0.0, np.arange(COUNT) / 10.0)
PERFECT = np.where(LEFT, 0.9, 0.1) + np.linspace(0.05, 0, COUNT)
EVEN = Prediction(np.linspace(0.59, 0.61, COUNT), np.linspace(30, 31, COUNT))


def judged(*, offer=True, truth=None, **models):
    truth = pd.DataFrame({"churned": LEFT, "future_value": VALUE}) if truth is None else truth
    campaign = CampaignTerms(
        name="voucher", contact_cost=0.5, incentive_cost=5.0, save_rate=0.2, redeem_rate=0.3, clv=np.full(COUNT, 50.0)
    )
    said = {"stayworth": Prediction(PERFECT, VALUE + 0.01, VALUE, VALUE + 1)} | models
    found = metrics.evaluate(truth, said, resamples=5, seed=1, confidence=0.95, campaign=campaign if offer else None)
    return {"as_of": "2026-01-01", "horizon_days": 90, "customers": COUNT, "currency": "EUR", **found}


@pytest.fixture(scope="module")
def whole():
    return judged(hiatus=EVEN)


def test_every_picture_has_its_sentence_and_no_sentence_is_without_a_picture(whole):
    for case in (whole, judged(), judged(offer=False), judged(stayworth=EVEN)):
        assert set(evaluation_figures(case)) == set(captions(case))
        assert all(says.endswith(".") for says in captions(case).values())


def test_the_sentences_hold_the_figures_of_a_perfect_ranking(whole):
    says = captions(whole)
    assert churn_rate(whole) == pytest.approx(0.6)
    assert "hold 17% of the leavers; a perfect ranking would put 17% there" in says["churn-gains"]  # 0.1 / 0.6
    assert "1.67 times as often" in says["churn-lift"]
    assert "no ranking could exceed 1.67" in says["churn-lift"]
    top = VALUE[-200:].sum() / VALUE.sum()
    assert (
        f"brought {top:.0%} of the realised value; the 20% of Hiatus rule, the best baseline here, brought"
        in says["gains"]
    )
    best = VALUE[-100:].mean()
    assert f"to bring {best + 0.01:.2f} EUR per customer and brought {best:.2f}" in says["deciles"]
    below = np.mean(np.where(LEFT, 0.1 / PERFECT, 0))  # who brought nothing, as far as a tenth of P(no order)
    assert f"covered {1 - below:.0%}. {below:.0%} lay below theirs and 0% lay above theirs" in says["coverage"]


def test_the_profit_of_the_best_cut_is_that_of_all_leavers_and_nobody_else(whole):
    """600 leavers, of whom 0.2 are kept: 600 · (0.2 · 45 − 0.5) = 5,100."""
    says = captions(whole)["campaign-profit"]
    assert "contacting Stayworth’s top 60% would have earned most, 5,100 EUR" in says
    assert "the offer keeps 20% of the customers who can be saved" in says


def test_an_offer_that_never_pays_is_said_to():
    case = judged(offer=False)
    case["profit"] = {
        "offer": {"name": "gold", "contact_cost": 9.0, "incentive_cost": 90.0, "save_rate": 0.01},
        "models": {
            "stayworth": {
                "curve": [-90.0 * k for k in range(101)],
                "best": {"share": 0.0, "customers": 0, "profit": 0.0},
                "own": {"share": 0.0, "customers": 0, "profit": 0.0},
            }
        },
    }
    assert "no cut of Stayworth’s ranking would have earned anything" in captions(case)["campaign-profit"]
    assert "campaign-profit" in evaluation_figures(case)


def test_a_day_on_which_nobody_left_or_bought_is_still_drawn():
    nobody_left = pd.DataFrame({"churned": [False] * COUNT, "future_value": 5.0})
    nobody_bought = pd.DataFrame({"churned": [True] * COUNT, "future_value": 0.0})
    for truth, name, says in [
        (nobody_left, "churn-gains", "No customer left."),
        (nobody_bought, "gains", "No customer brought"),
    ]:
        case = judged(truth=truth, hiatus=EVEN)
        assert captions(case)[name].startswith(says)
        assert set(to_html(evaluation_figures(case))) == set(captions(case))


def test_the_coverage_picture_shows_what_coverage_says(whole):
    points = next(one for one in evaluation_figures(whole)["coverage"].data)
    assert list(points.x) == ["all", *map(str, range(1, 11))]
    below = np.where(LEFT, 0.1 / PERFECT, 0)[np.argsort(-(VALUE + 0.01), kind="stable")]
    assert points.y[0] == pytest.approx(1 - below.mean())
    assert points.y[1:5] == pytest.approx(1.0)  # the four tenths of those who brought something
    assert sum(points.y[1:]) / 10 == pytest.approx(1 - below.mean())


def test_the_calibration_picture_has_a_panel_and_its_whiskers_for_each_model(whole):
    figure = evaluation_figures(whole)["calibration"]
    assert [note.text for note in figure.layout.annotations][:2] == ["Stayworth", "Hiatus rule"]
    points = [one for one in figure.data if one.mode == "markers"]
    bins = whole["calibration"]["hiatus"]
    assert list(points[1].y) == [one["observed"] for one in bins]
    assert list(points[1].error_y.array) == pytest.approx([one["high"] - one["observed"] for one in bins])


def test_the_best_cut_is_marked_on_each_curve(whole):
    marks = [one for one in evaluation_figures(whole)["campaign-profit"].data if one.mode == "markers"]
    assert (marks[0].x[0], marks[0].y[0]) == pytest.approx((0.6, 5100))
    assert len(marks) == 2


def test_lift_is_gain_over_share(whole):
    line = next(one for one in evaluation_figures(whole)["churn-lift"].data if one.name.startswith("Stayworth"))
    assert line.name == "Stayworth 1.67"
    assert line.y[2] == pytest.approx(whole["churn_gains"]["stayworth"][2] / 0.1)
