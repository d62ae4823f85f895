"""The report is one page that opens offline, answers first, escapes everything and names no customer."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from pipelines.reporting.page import risk_by_group, risk_tenths
from retention.analyses.chapters import Chapter
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.retention_plan import plan
from retention.presentation.analysis import unavailable_analysis
from retention.presentation.theme import script
from tests.pipelines.made_up_page import (
    COUNT,
    OFFER,
    Outline,
    earned,
    evaluated,
    made_up_analysis,
    made_up_texts,
    page,
    scored,
)

EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def whole():
    return page()


def test_the_answer_comes_first_and_has_its_figures(whole):
    scores = scored()
    made = plan(scores, [OFFER], budget=60, holdout_share=0.1, campaign="spring", salt="pepper").summary
    answer = whole.split("</p>")[1]
    at_risk = scores["gain"].sum()
    for figure in (scores["clv"].sum(), at_risk, made["expected_profit"]):
        assert f"{figure:,.0f}\N{NO-BREAK SPACE}USD" in answer
    assert f"<strong>{made['treated']} customers</strong>" in answer
    assert f"{made['break_even_save_rate']:.1%}" in answer
    assert "if the assumptions below hold" in answer
    assert "clearly better than 1 of 1 simple models" in answer


def test_nothing_is_fetched(whole):
    without_library = whole.replace(script(), "")
    assert len(without_library) < len(whole)
    for address in ("http:", "https:", "//cdn", "@import", "url("):
        assert address not in without_library
    assert "default-src 'none'" in without_library


def test_no_customer_is_named_unless_asked(whole):
    assert "secret-" not in whole
    scores = scored().assign(reason_1="62 days since the last order", reason_2=None, reason_3=None)
    scores.loc[0, ["clv", "gain"]], scores.loc[0, "customer_id"] = 1e6, EVIL
    warned = scores.head(1).assign(signs="overdue", at_risk=1.0)
    named = page(scores=scores, customers_named=5, early_warnings=warned).replace(script(), "")
    assert EVIL not in named
    words = Outline(named).words
    assert "The 5 customers with the most value at risk" in words
    assert words.count(EVIL) == 2
    assert "overdue" in words
    assert words.count("62 days since the last order") == 5
    assert "names no customer" not in words


def test_what_the_base_is_worth_has_its_interval(whole):
    assert "(80% interval 5,000 to 40,000" in Outline(whole.replace(script(), "")).words
    assert "missed on 2 past days whose years have closed" in " ".join(whole.split())


def test_how_lifetime_values_are_made_doubted_and_judged_stands_below_the_answer(whole):
    assert "not been judged on past years yet" in whole
    judged = {"as_of": "1997-06-01", "customers": 12, "came": 1000.0, "lifetime_days": 365}
    judged |= {"models": {"stayworth": {"total_bias": {"value": 0.25}}}}
    made = {"derivation": "learned from the log", "doubts": [f"the log is short {EVIL}"], "typical_miss": 0.1}
    text = page(metrics=evaluated() | {"lifetime": made}, lifetimes=[judged]).replace(script(), "")
    words = Outline(text).words
    assert "Lifetime values are learned from the log." in words
    assert "the 12 customers known then were expected to bring 1,250" in words
    assert f"In doubt: the log is short {EVIL}." in words
    assert EVIL not in text
    year = judged | {"days": 365}
    text = page(metrics=evaluated() | {"lifetime": made | {"judged": year}}, lifetimes=[]).replace(script(), "")
    assert "they would have predicted 1,250" in Outline(text).words
    assert "the 12 customers known then brought 1,000" in Outline(text).words


def test_every_analysis_is_shown_with_its_source_or_what_is_missing(whole):
    words = Outline(whole.replace(script(), "")).words
    for text in ("Who brings it", "The top brings most.", "12,345", "−1.50", "75.0%", "After: Pareto (1896)"):
        assert text in words
    assert "Name costs under [data]." in words
    assert '<a href="#first">Pyramid</a>' in whole
    assert 'id="first"' in whole
    assert 'id="picture-first"' in whole


def test_the_model_card_says_what_was_made_of_what(whole):
    assert "Known limits" in whole
    trained = {"version": "abc", "rows": 12_000, "features": 40, "cut_offs": ["1997-10-01", "1998-01-01"]}
    gate = {"findings": [{"code": "G01", "title": EVIL, "outcome": "pass", "reason": EVIL}], "warnings": ["G08 stale"]}
    metrics = evaluated() | {
        "trained": trained | {"as_of": "1998-07-01"},
        "gate": gate,
        "level": "last year’s",
        "alone": None,
    }
    text = page(metrics=metrics).replace(script(), "")
    words = Outline(text).words
    assert "12,000 rows of 40 features at 2 cut-offs, 1997-10-01 to 1998-01-01" in words
    assert "The gate warns: G08 stale." in words
    assert "evaluated on one day only" in words
    assert EVIL not in text


def test_the_words_of_the_page_are_explained_at_its_end(whole):
    end = whole.partition('id="reading"')[2]
    for term in ("Horizon", "Cut-off", "Lifetime", "Segment", "Baseline", "Backtest", "Gate", "Holdout"):
        assert f"<dt>{term}</dt>" in end


def test_the_page_is_whole_and_accessible(whole):
    outline = Outline(whole.replace(script(), ""))
    assert not outline.open, "every tag is closed"
    tags = outline.tags
    assert [tag for tag, _ in tags].count("h1") == 1
    levels = [int(tag[1]) for tag, _ in tags if tag in ("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in tags if tag == "th")
    pictures = [attrs for tag, attrs in tags if attrs.get("role") == "img"]
    assert len(pictures) == 12
    assert all(len(attrs["aria-label"]) > 20 for attrs in pictures)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert ("html", {"lang": "en"}) in tags
    assert any(attrs.get("name") == "viewport" for _, attrs in tags)


def test_without_a_plan_the_page_says_how_to_make_one():
    words = Outline(page(planned=False).replace(script(), "")).words
    assert "There is no plan yet" in words
    assert "stayworth plan -c stayworth.toml --budget 2000" in words


def test_without_an_offer_the_page_says_how_to_give_one(whole):
    metrics = evaluated()
    del metrics["profit"]
    words = Outline(page(metrics=metrics).replace(script(), "")).words
    assert "the models were evaluated without an offer" in words
    assert "contact_cost" in words
    assert "evaluated without an offer" not in whole
    assert "Campaign profit, USD per evaluated customer" in whole


def test_the_days_of_the_backtest_are_shown_or_asked_for(whole):
    assert "<code>stayworth evaluate</code>" in whole
    days = [evaluated() | {"as_of": "1998-02-01"}, evaluated() | {"as_of": "1998-03-03"}]
    shown = page(backtest=days)
    assert "Was that day luck?" in shown
    assert "1 February 1998" in shown
    assert "3 March 1998" in shown
    assert "<code>stayworth evaluate</code>" not in shown


def test_a_model_without_intervals_has_no_picture_of_them(whole):
    text = page(metrics=evaluated() | {"coverage": {}})
    assert 'id="coverage"' in whole
    assert 'id="coverage"' not in text
    assert "Do the intervals hold" not in text


def test_a_plan_of_nobody_says_why():
    words = Outline(page(offer=OFFER.model_copy(update={"save_rate": 0.0})).replace(script(), "")).words
    assert "Nobody is contacted: at a save rate of 0.0%" in words


def test_a_loss_within_the_interval_is_said():
    unsure = Offer(**OFFER.model_dump() | {"save_rate": {"alpha": 0.5, "beta": 2}})
    assert "so a loss is possible" in page(offer=unsure)


def test_of_several_offers_the_page_says_who_gets_which(whole):
    scores = scored()
    mail = OFFER.model_copy(update={"name": "mail", "incentive_cost": 0.0, "save_rate": 0.01, "channel": "post"})
    limits = {"budget": 60, "holdout_share": 0.1, "campaign": "spring", "salt": "pepper"}
    made = plan(scores, [OFFER, mail], excluded={"on the do-not-contact list": ["secret-0001"]}, **limits)
    curve = profit_curve(scores, [OFFER, mail], points=20)
    text = page(plan=made.frame, plan_summary=made.summary, profit_curve=curve)
    words = Outline(text.replace(script(), "")).words
    assert "with one of 2 offers" in words
    assert "Who gets which offer" in words
    assert "1 customer on the do-not-contact list" in words
    assert "Who gets which offer" not in whole
    assert "with the offer “voucher”" in Outline(whole.replace(script(), "")).words


def test_every_text_is_escaped():
    scores = scored().assign(segment=EVIL, model_version=EVIL)
    metrics = evaluated()
    chapters = [
        Chapter(
            EVIL,
            {
                "first": made_up_analysis(EVIL),
                "second": unavailable_analysis(EVIL, **dict.fromkeys(made_up_texts(), EVIL)),
            },
        )
    ]
    for part in ("models", "differences", "calibration", "gains", "churn_gains"):
        metrics[part] = metrics[part] | {EVIL: metrics[part].get("hiatus", metrics[part].get("stayworth"))}
    metrics["profit"]["models"][EVIL] = earned(9.0)
    metrics["profit"]["offer"]["name"] = EVIL
    text = page(
        scores=scores,
        metrics=metrics,
        title=EVIL,
        chapters=chapters,
        currency=EVIL,
        assumptions=[(EVIL, EVIL)],
        reconciliation=[{"what": EVIL, "rows": 1, "amount": EVIL}],
    ).replace(script(), "")
    assert EVIL not in text
    assert "<img" not in text
    assert not Outline(text).open


def test_a_plan_from_older_scores_is_marked(whole):
    says = "This plan was made from other scores"
    assert says in page(scores=scored().assign(gain=lambda scores: scores["clv"] * 1.1))
    assert says not in whole


def test_a_day_may_be_text(whole):
    assert page(written_on="1998-07-02") == whole
    assert "written on 2 July 1998" in whole


def test_a_plan_for_other_customers_is_refused():
    with pytest.raises(InputError, match="contacted customers are not among the scores"):
        page(scores=scored().assign(customer_id=[f"other-{i}" for i in range(COUNT)]))


def test_no_scores_are_refused():
    with pytest.raises(InputError, match="no customer is scored"):
        page(planned=False, scores=scored().head(0))


def test_groups_carry_all_of_the_value_at_risk():
    scores = scored()
    groups = risk_by_group(scores, scores["segment"]).set_index("group")
    risk = scores["gain"]
    assert groups.loc["VIP", "at_risk"] == pytest.approx(risk[scores["segment"] == "VIP"].sum())
    assert groups["at_risk"].sum() == pytest.approx(risk.sum())
    assert groups["customers"].sum() == COUNT


def test_tenths_are_tenths_riskiest_first():
    p = pd.Series(np.linspace(0.05, 0.95, 40)[::-1])
    made = risk_tenths(p)
    assert made.value_counts().tolist() == [4] * 10
    assert made.iloc[0] == "1 · 88–95%"
    assert risk_tenths(pd.Series([0.5, 0.5])).tolist() == ["1 · 50%", "6 · 50%"]
