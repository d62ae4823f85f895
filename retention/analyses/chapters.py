"""The analyses in the order of the report: chapters, each a question that a manager asks."""

from typing import NamedTuple

from retention.analyses import (
    abc_classes,
    acura,
    churn_causes,
    clv_parts,
    cohort_clv,
    cohort_retention,
    cost_to_serve_matrix,
    cross_sell,
    dwyer,
    early_warning,
    equity,
    event_forecast,
    importance_performance,
    leaving_reasons,
    lifecycle,
    lifetime_steps,
    loyalty,
    loyalty_kinds,
    new_customers,
    pareto,
    play_by_segment,
    privacy,
    profit_waterfall,
    relationship,
    retention_points,
    rfm_cells,
    satisfaction_loyalty,
    segment_moves,
    service_strategies,
    status_tiers,
    strategy_map,
    value_kinds,
    value_quadrants,
    whale_curve,
)
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis

CHAPTERS = (
    (
        "Who is about to leave, and why",
        (leaving_reasons, early_warning, event_forecast, retention_points, churn_causes),
    ),
    ("Who brings the money", (pareto, abc_classes, rfm_cells, value_quadrants, value_kinds, status_tiers)),
    ("What profit remains", (profit_waterfall, cost_to_serve_matrix, whale_curve)),
    ("What a customer is worth", (equity, lifetime_steps, cohort_clv, dwyer, clv_parts)),
    ("How customers come, move and stay", (lifecycle, relationship, cohort_retention, new_customers, segment_moves)),
    ("What ties customers to the shop", (loyalty, loyalty_kinds, satisfaction_loyalty, cross_sell)),
    ("Where to act", (play_by_segment, acura, strategy_map, importance_performance, service_strategies)),
    ("What data is kept", (privacy,)),
)
"""Title of each chapter, and the modules of its analyses."""


class Chapter(NamedTuple):
    """A question, and the analyses that answer it by the names of their modules."""

    title: str
    analyses: dict[str, Analysis]


def chapters(base: CustomerBase) -> list[Chapter]:
    """Run every analysis of a customer base, chapter by chapter."""
    return [
        Chapter(title, {module.__name__.rpartition(".")[2]: module.analyse(base) for module in modules})
        for title, modules in CHAPTERS
    ]
