"""The analyses in the order of the report: chapters, each a question that a manager asks."""

from typing import NamedTuple

from retention.analyses import leaving_reasons, pareto
from retention.analysis import Analysis
from retention.customer_base import CustomerBase

CHAPTERS = (
    ("Who brings the money", (pareto,)),
    ("Who is about to leave, and why", (leaving_reasons,)),
)
"""Title, and the modules of its analyses."""


class Chapter(NamedTuple):
    """A question, and the analyses that answer it, by the name of their module."""

    title: str
    analyses: dict[str, Analysis]


def chapters(base: CustomerBase) -> list[Chapter]:
    """Every analysis of a customer base."""
    return [
        Chapter(title, {module.__name__.rpartition(".")[2]: module.analyse(base) for module in modules})
        for title, modules in CHAPTERS
    ]
