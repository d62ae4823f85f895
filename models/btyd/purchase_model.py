"""The two purchase models, BG/NBD and Pareto/NBD, behind one type: either takes a history and predicts orders."""

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
