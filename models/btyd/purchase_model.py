"""The two purchase models, BG/NBD and Pareto/NBD, behind one type: either takes a history and predicts orders."""

from features.clock import YEAR_DAYS
from models.btyd import bgnbd, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD

PurchaseModel = BGNBD | ParetoNBD

KINDS: dict[str, type[BGNBD] | type[ParetoNBD]] = {"bgnbd": BGNBD, "pareto_nbd": ParetoNBD}
"""By the name each has in a bundle."""


def published_name(model: PurchaseModel) -> str:
    """The name the papers give the model.

    >>> published_name(BGNBD(r=0.25, alpha=4.4, a=0.8, b=2.4, log_likelihood=0.0))
    'BG/NBD'
    """
    return bgnbd.WHERE if isinstance(model, BGNBD) else pareto_nbd.WHERE


HARDLY_LEAVING = 0.02
"""Fewer than this share leave in a year under Pareto/NBD, or at ten orders under BG/NBD: nobody leaves."""
ALIKE = 80.0
"""A shape of the rate of orders above this: all customers order alike."""


def bound_of(model: PurchaseModel) -> str | None:
    """What a fitted model says of everybody where its best fit lies at a bound, in words; None elsewhere.

    Then the data do not tell what the model needs to know, and its forecasts rest on the bound.
    """
    if isinstance(model, BGNBD):
        leaving = 10 * model.a / (model.a + model.b)
    else:
        leaving = model.s / model.beta * YEAR_DAYS
    if leaving < HARDLY_LEAVING:
        return "nobody ever leaves"
    return "all customers order at one rate" if model.r > ALIKE else None
