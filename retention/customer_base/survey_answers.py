"""Survey answers among the interactions."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase

SATISFACTION = "survey_score"
SATISFIED = 0.75
"""A satisfied customer answers in the upper quarter of the scale: 4 or 5 of 1 to 5, 8 and more of 1 to 10."""
ASK_RANGE = "Give the lowest and the highest answer of the surveys: [report] survey_range = [1, 10]."


def interaction_kinds(base: CustomerBase, prefix: str = "") -> list[str]:
    """The kinds of interactions that the log has at least once, sorted; prefix: only those that begin so."""
    if base.interactions is None:
        return []
    return sorted(kind for kind in base.interactions["kind"].unique().astype(str) if kind.startswith(prefix))


def interactions_of_kind(base: CustomerBase, *names: str) -> pd.DataFrame:
    """The interactions of these kinds, in the log's order; empty where there are none."""
    if base.interactions is None:
        return pd.DataFrame({"customer": pd.Series(dtype="int64"), "at": pd.Series(dtype="datetime64[us]")}).assign(
            kind="", value=pd.Series(dtype=float)
        )
    return base.interactions[base.interactions["kind"].isin(names)]


def answers(base: CustomerBase, question: str) -> pd.DataFrame:
    """customer, at, value of each answer that has a value on the scale `base.survey_range` (any, where it is None)."""
    rows = interactions_of_kind(base, question)[["customer", "at", "value"]].dropna(subset="value")
    return rows if base.survey_range is None else rows[rows["value"].between(*base.survey_range)]


def off_scale(base: CustomerBase, questions: list[str]) -> int:
    """The number of answers to these questions that are not on the scale."""
    given = interactions_of_kind(base, *questions)["value"].dropna()
    return 0 if base.survey_range is None else int((~given.between(*base.survey_range)).sum())


def last_answers(base: CustomerBase, question: str) -> pd.Series:
    """Each customer's last answer, by the row in `customers`; NaN without any. Of two at the same instant the later
    in the log."""
    rows = answers(base, question).sort_values("at", kind="stable").drop_duplicates("customer", keep="last")
    return rows.set_index("customer")["value"].reindex(base.customers.index)


def satisfied_from(scale: tuple[float, float]) -> float:
    """The lowest answer of a satisfied customer.

    >>> satisfied_from((1, 5)), satisfied_from((1, 10))
    (4.0, 7.75)
    """
    low, high = scale
    return low + SATISFIED * (high - low)
