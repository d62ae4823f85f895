"""Visits, mail, complaints, tickets and surveys come at the rates of the stages, over the time expected in each."""

import numpy as np
import pytest

from pipelines.simulator import parameters
from pipelines.simulator.interaction_events import KINDS, interactions
from pipelines.simulator.lifetimes import COOLING, ENGAGED

DAYS = 200.0


def expected_days(customers, stage):
    """Days in `DAYS` that each is engaged, and cooling: integrals of the chances to be so."""
    cooling, leaving = customers.cooling, customers.leaving
    until_cool, until_gone = (-np.expm1(-rate * DAYS) / rate for rate in (cooling, leaving))
    turned = cooling / (leaving - cooling) * (until_cool - until_gone)
    engaged = np.where(stage == ENGAGED, until_cool, 0.0)
    return engaged, np.where(stage == ENGAGED, turned, np.where(stage == COOLING, until_gone, 0.0))


def expected_rates(customers):
    """Of each kind the rates a day while engaged and while cooling. A complaint counts, whether it cools or not."""
    opens = parameters.OPENS_PER_DAY[0] + np.diff(parameters.OPENS_PER_DAY) * customers.responsive
    visits = parameters.VISITS_PER_ORDER * customers.ordering
    year = np.ones(len(customers)) / parameters.SEASON_YEAR
    return {
        "visit": (visits, parameters.COOL_VISITS * visits),
        "email_open": (opens, parameters.COOL_OPENS * opens),
        "complaint": (customers.complaining, parameters.COOL_COMPLAINTS * customers.complaining),
        "support_ticket": (parameters.TICKETS_PER_YEAR * year, parameters.TICKETS_PER_YEAR * year),
        "survey_score": (parameters.SURVEYS_PER_YEAR * year, parameters.SURVEYS_PER_YEAR * year),
    }


@pytest.fixture(scope="module")
def happened(shop, base, stage, futures):
    lived = futures(base.customers, stage, branch=1).ended(shop.day + DAYS)
    alive = np.flatnonzero(stage < 2)
    return lived.take(alive), interactions(base.customers, lived.take(alive), seed=shop.seed), alive


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_stage", [ENGAGED, COOLING])
def test_as_many_come_as_the_rates_say(base, stage, happened, kind, of_stage):
    lived, found, alive = happened
    customers, stages = base.customers.take(alive), stage[alive]
    mine = stages == of_stage
    counts = np.bincount(found.lifetime[found.kind == KINDS.index(kind)], minlength=len(alive))
    days, (engaged, cooling) = expected_days(customers, stages), expected_rates(customers)[kind]
    expected = days[0] * engaged + days[1] * cooling
    error = np.sqrt(((counts - expected)[mine] ** 2).sum())
    assert counts[mine].sum() == pytest.approx(expected[mine].sum(), abs=4.5 * error)
    assert (lived.customer == alive).all()


def test_nobody_does_anything_once_gone(happened):
    lived, found, _ = happened
    assert (found.at < lived.gone[found.lifetime]).all()
    assert (found.at >= lived.start[found.lifetime]).all()


def test_answers_to_surveys_fall_with_cooling_and_only_they_have_a_value(happened):
    lived, found, _ = happened
    answered = found.kind == KINDS.index("survey_score")
    assert (np.isfinite(found.value) == answered).all()
    assert set(np.unique(found.value[answered])) <= set(range(11))
    engaged = found.at[answered] < lived.cooled[found.lifetime[answered]]
    means = [found.value[answered][some].mean() for some in (engaged, ~engaged)]
    assert means == pytest.approx(parameters.SURVEY_SCORE, abs=0.4)


def test_a_share_of_complaints_is_what_cools(base, happened):
    """Of those who cool, as many complain at that very moment as complaints are part of the rate of cooling."""
    lived, found, alive = happened
    cooled = (lived.cooled > lived.start) & (lived.cooled < lived.until)
    share = (parameters.COMPLAINT_COOLS * base.customers.complaining / base.customers.cooling)[alive]
    at_once = np.zeros(len(alive), bool)
    complaint = found.kind == KINDS.index("complaint")
    at_once[found.lifetime[complaint & (found.at == lived.cooled[found.lifetime])]] = True
    assert not at_once[~cooled].any()
    error = np.sqrt((share * (1 - share))[cooled].sum())
    assert at_once[cooled].sum() == pytest.approx(share[cooled].sum(), abs=4.5 * error)
