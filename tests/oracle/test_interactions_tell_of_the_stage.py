"""Visits, mail, complaints, tickets and surveys come at the rates of the stages, over the time expected in each."""

import numpy as np
import pytest

from pipelines.simulator import parameters
from pipelines.simulator.interaction_events import KINDS, interactions
from pipelines.simulator.lifetimes import COOLING, ENGAGED

DAYS = 200.0


def expected_days(people, stage):
    """Days in `DAYS` that each is engaged, and cooling: integrals of the chances to be so."""
    cooling, leaving = people.cooling, people.leaving
    until_cool, until_gone = (-np.expm1(-rate * DAYS) / rate for rate in (cooling, leaving))
    turned = cooling / (leaving - cooling) * (until_cool - until_gone)
    engaged = np.where(stage == ENGAGED, until_cool, 0.0)
    return engaged, np.where(stage == ENGAGED, turned, np.where(stage == COOLING, until_gone, 0.0))


def expected_rates(people):
    """Of each kind the rates a day while engaged and while cooling. A complaint counts, whether it cools or not."""
    opens = parameters.OPENS_PER_DAY[0] + np.diff(parameters.OPENS_PER_DAY) * people.responsive
    visits = parameters.VISITS_PER_ORDER * people.ordering
    year = np.ones(len(people)) / parameters.SEASON_YEAR
    return {
        "visit": (visits, parameters.COOL_VISITS * visits),
        "email_open": (opens, parameters.COOL_OPENS * opens),
        "complaint": (people.complaining, parameters.COOL_COMPLAINTS * people.complaining),
        "support_ticket": (parameters.TICKETS_PER_YEAR * year, parameters.TICKETS_PER_YEAR * year),
        "survey_score": (parameters.SURVEYS_PER_YEAR * year, parameters.SURVEYS_PER_YEAR * year),
    }


@pytest.fixture(scope="module")
def happened(shop, base, stage, futures):
    lived = futures(base.people, stage, branch=1).ended(shop.day + DAYS)
    alive = np.flatnonzero(stage < 2)
    return lived.take(alive), interactions(base.people, lived.take(alive), seed=shop.seed), alive


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_stage", [ENGAGED, COOLING])
def test_as_many_come_as_the_rates_say(base, stage, happened, kind, of_stage):
    lived, found, alive = happened
    people, stages = base.people.take(alive), stage[alive]
    mine = stages == of_stage
    counts = np.bincount(found.life[found.kind == KINDS.index(kind)], minlength=len(alive))
    days, (engaged, cooling) = expected_days(people, stages), expected_rates(people)[kind]
    expected = days[0] * engaged + days[1] * cooling
    error = np.sqrt(((counts - expected)[mine] ** 2).sum())
    assert counts[mine].sum() == pytest.approx(expected[mine].sum(), abs=4.5 * error)
    assert (lived.person == alive).all()


def test_nobody_does_anything_once_gone(happened):
    lived, found, _ = happened
    assert (found.at < lived.gone[found.life]).all()
    assert (found.at >= lived.start[found.life]).all()


def test_answers_to_surveys_fall_with_cooling_and_only_they_have_a_value(happened):
    lived, found, _ = happened
    answered = found.kind == KINDS.index("survey_score")
    assert (np.isfinite(found.value) == answered).all()
    assert set(np.unique(found.value[answered])) <= set(range(11))
    engaged = found.at[answered] < lived.cooled[found.life[answered]]
    means = [found.value[answered][some].mean() for some in (engaged, ~engaged)]
    assert means == pytest.approx(parameters.SURVEY_SCORE, abs=0.4)


def test_a_share_of_complaints_is_what_cools(base, happened):
    """Of those who cool, as many complain at that very moment as complaints are part of the rate of cooling."""
    lived, found, alive = happened
    cooled = (lived.cooled > lived.start) & (lived.cooled < lived.until)
    share = (parameters.COMPLAINT_COOLS * base.people.complaining / base.people.cooling)[alive]
    at_once = np.zeros(len(alive), bool)
    complaint = found.kind == KINDS.index("complaint")
    at_once[found.life[complaint & (found.at == lived.cooled[found.life])]] = True
    assert not at_once[~cooled].any()
    error = np.sqrt((share * (1 - share))[cooled].sum())
    assert at_once[cooled].sum() == pytest.approx(share[cooled].sum(), abs=4.5 * error)
