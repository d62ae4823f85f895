"""What customers do beside buying: they visit, open mail, complain, ask for help, and answer surveys.

It tells of the stage: visits and opened mail fade with cooling, complaints rise, and one may be what cools him; answers
to surveys fall. Opened mail tells of the responsiveness too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import Lifetimes, events

KINDS = ("visit", "email_open", "complaint", "support_ticket", "survey_score")


@dataclass(frozen=True)
class Interactions:
    """Interactions, a row each."""

    life: Integers
    at: Floats
    """Days since 1970."""
    kind: Integers
    """Place among `KINDS`."""
    value: Floats
    """The answer to a survey, 0 to 10; NaN of the others."""


def interactions(people: Customers, of: Lifetimes, *, seed: int) -> Interactions:
    """All interactions of each life."""
    each = np.ones(len(people))
    least, most = parameters.OPENS_PER_DAY
    opens = least + (most - least) * people.responsive
    visits = parameters.VISITS_PER_ORDER * people.ordering
    tickets, surveys = (
        each * rate / parameters.SEASON_YEAR for rate in (parameters.TICKETS_PER_YEAR, parameters.SURVEYS_PER_YEAR)
    )
    rates = {
        parameters.VISITS: (visits, parameters.COOL_VISITS * visits),
        parameters.OPENS: (opens, parameters.COOL_OPENS * opens),
        parameters.COMPLAINTS: (
            (1 - parameters.COMPLAINT_COOLS) * people.complaining,
            parameters.COOL_COMPLAINTS * people.complaining,
        ),
        parameters.TICKETS: (tickets, tickets),
        parameters.SURVEYS: (surveys, surveys),
    }
    found = [
        events(people, of, purpose, seed=seed, engaged=engaged, cooling=cooling)
        for purpose, (engaged, cooling) in rates.items()
    ]
    cooled = np.flatnonzero(of.complained & (of.cooled < np.minimum(of.until, of.gone)))
    life = np.concatenate([*(one.life for one in found), cooled])
    at = np.concatenate([*(one.at for one in found), of.cooled[cooled]])
    sizes = [*(len(one) for one in found), len(cooled)]
    kind = np.repeat([*range(len(found)), KINDS.index("complaint")], sizes)
    value = np.full(len(life), np.nan)
    answered = np.flatnonzero(kind == KINDS.index("survey_score"))
    value[answered] = _answers(people, of, life[answered], at[answered], found[-1].number, seed=seed)
    return Interactions(life, at, kind, value)


def _answers(people: Customers, of: Lifetimes, life: Integers, at: Floats, number: Integers, *, seed: int) -> Floats:
    """What is answered to surveys: around the mean of the stage, a whole number."""
    customer = people.number[of.person[life]]
    noise = 1.5 * ndtri(uniforms(seed, customer, parameters.SCORES, branch=of.branch[life], number=number))
    mean = np.where(at < of.cooled[life], *parameters.SURVEY_SCORE)
    return np.clip(np.rint(mean + noise), 0, 10)
