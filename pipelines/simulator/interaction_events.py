"""Interactions of customers: visits, opened mail, complaints, support tickets, and answers to surveys.

They depend on the stage: visits and opened mail fade with cooling, complaints rise, and a complaint may be what makes
the customer cool; answers to surveys fall. Opened mail depends on the responsiveness too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import Lifetimes, draw_events

KINDS = ("visit", "email_open", "complaint", "support_ticket", "survey_score")


@dataclass(frozen=True)
class Interactions:
    """Interactions, a row each."""

    lifetime: Integers
    at: Floats
    """Days since 1970."""
    kind: Integers
    """Place among `KINDS`."""
    value: Floats
    """The answer to a survey, 0 to 10; NaN for other kinds."""


def interactions(customers: Customers, lifetimes: Lifetimes, *, seed: int) -> Interactions:
    """All interactions of each lifetime."""
    each = np.ones(len(customers))
    least, most = parameters.OPENS_PER_DAY
    opens = least + (most - least) * customers.responsive
    visits = parameters.VISITS_PER_ORDER * customers.ordering
    tickets, surveys = (
        each * rate / parameters.SEASON_YEAR for rate in (parameters.TICKETS_PER_YEAR, parameters.SURVEYS_PER_YEAR)
    )
    rates = {
        parameters.VISITS: (visits, parameters.COOL_VISITS * visits),
        parameters.OPENS: (opens, parameters.COOL_OPENS * opens),
        parameters.COMPLAINTS: (
            (1 - parameters.COMPLAINT_COOLS) * customers.complaining,
            parameters.COOL_COMPLAINTS * customers.complaining,
        ),
        parameters.TICKETS: (tickets, tickets),
        parameters.SURVEYS: (surveys, surveys),
    }
    by_purpose = [
        draw_events(customers, lifetimes, purpose, seed=seed, engaged=engaged, cooling=cooling)
        for purpose, (engaged, cooling) in rates.items()
    ]
    cooled = np.flatnonzero(lifetimes.complained & (lifetimes.cooled < np.minimum(lifetimes.until, lifetimes.gone)))
    lifetime = np.concatenate([*(events.lifetime for events in by_purpose), cooled])
    at = np.concatenate([*(events.at for events in by_purpose), lifetimes.cooled[cooled]])
    sizes = [*(len(events) for events in by_purpose), len(cooled)]
    kind = np.repeat([*range(len(by_purpose)), KINDS.index("complaint")], sizes)
    value = np.full(len(lifetime), np.nan)
    answered = np.flatnonzero(kind == KINDS.index("survey_score"))
    value[answered] = _answers(customers, lifetimes, lifetime[answered], at[answered], by_purpose[-1].number, seed=seed)
    return Interactions(lifetime, at, kind, value)


def _answers(
    customers: Customers, lifetimes: Lifetimes, lifetime: Integers, at: Floats, number: Integers, *, seed: int
) -> Floats:
    """Answers to surveys: whole numbers around the mean of the stage."""
    customer_number = customers.number[lifetimes.customer[lifetime]]
    noise = 1.5 * ndtri(
        uniforms(seed, customer_number, parameters.SCORES, branch=lifetimes.branch[lifetime], number=number)
    )
    mean = np.where(at < lifetimes.cooled[lifetime], *parameters.SURVEY_SCORE)
    return np.clip(np.rint(mean + noise), 0, 10)
