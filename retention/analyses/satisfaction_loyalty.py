"""Satisfaction against loyalty: apostles, loyalists, mercenaries, hostages, defectors and terrorists."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention.customer_base import loyalty_index
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.survey_answers import (
    ASK_RANGE,
    SATISFACTION,
    SATISFIED,
    interaction_kinds,
    last_answers,
    off_scale,
    satisfied_from,
)
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

TITLE = "Satisfied, loyal, both or neither"
TYPES = ("apostle", "loyalist", "mercenary", "hostage", "defector", "terrorist")
NO_ANSWER = "no answer"
DEFINITION = (
    "Satisfied customers gave an answer in the upper quarter of the scale when last asked (survey_score); loyal "
    "customers have a loyalty index above the median of the base. Both: a loyalist, or with the highest answer of "
    "all an apostle. Satisfied only: a mercenary, who goes where it is cheaper. Loyal only: a hostage, who stays for "
    "lack of a choice. Neither: a defector, or with an answer in the lowest quarter a terrorist, who warns others."
)
SOURCE = "Jones & Sasser (1995), Why satisfied customers defect, Harvard Business Review 73(6)."


def loyalty_types(satisfaction: pd.Series, loyalty: pd.Series, *, scale: tuple[float, float]) -> NDArray[np.str_]:
    """Each customer's type by their last answer on the scale (NaN: NOT_ASKED) and their loyalty index.

    Loyal is strictly above the median index of all customers, so where all are alike nobody is. A short scale is
    coarse: from 1 to 3 only a 3 is satisfied, and every loyal customer who gave it is an apostle.

    >>> loyalty_types(pd.Series([5, 4, 4, 3, 3, 2]), pd.Series([9, 9, 1, 9, 1, 1]), scale=(1, 5)).tolist()
    ['apostle', 'loyalist', 'mercenary', 'hostage', 'defector', 'terrorist']
    """
    low, high = scale
    satisfied, loyal = satisfaction >= satisfied_from(scale), loyalty > loyalty.median()
    furious = satisfaction <= low + (1 - SATISFIED) * (high - low)
    cases = [
        (satisfaction.isna(), NO_ANSWER),
        (satisfied & loyal & (satisfaction >= high), "apostle"),
        (satisfied & loyal, "loyalist"),
        (satisfied, "mercenary"),
        (loyal, "hostage"),
        (furious, "terrorist"),
    ]
    return np.select([case.to_numpy() for case, _ in cases], [name for _, name in cases], default="defector")


def analyse(base: CustomerBase) -> Analysis:
    """Customers and value at risk by type, of those who answered survey_score."""
    if SATISFACTION not in interaction_kinds(base):
        return unavailable_analysis(
            TITLE,
            definition=DEFINITION,
            source=SOURCE,
            missing="There are no answers about satisfaction. Supply them as interactions of kind survey_score with "
            f"the answer as value. {ASK_RANGE}",
        )
    if base.survey_range is None:
        return unavailable_analysis(
            TITLE, definition=DEFINITION, source=SOURCE, missing=f"The scale is not known. {ASK_RANGE}"
        )
    answered = last_answers(base, SATISFACTION)
    kind = loyalty_types(
        answered, loyalty_index.loyalty_index(loyalty_index.indicator_scores(base)), scale=base.survey_range
    )
    table = group_totals(base.customers, kind, names=[*TYPES, NO_ANSWER])
    table = table.join(answered.groupby(kind).mean().rename("satisfaction"), on="group")
    respondents = table[table["group"] != NO_ANSWER]
    off = off_scale(base, [SATISFACTION])
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Type", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "satisfaction": TableColumn("Mean last answer", "number"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        _reading(table, base.currency),
        bars(
            respondents["group"].tolist(),
            {
                "CLV": respondents["clv"].tolist(),
                "Value at risk (what saving them would add)": respondents["at_risk"].tolist(),
            },
            title=f"CLV of those who answered ({base.currency})",
            form=MONEY,
        ),
        missing=f"Not counted: {counted(off, 'answer')} outside the scale of survey_range." if off else "",
    )


def _reading(table: pd.DataFrame, currency: str) -> str:
    rows = table.set_index("group")
    answered = int(rows.drop(NO_ANSWER)["customers"].sum())
    if not answered:
        return "No customer gave an answer on the scale."
    mercenaries, hostages = rows.loc["mercenary"], rows.loc["hostage"]
    return (
        f"Of {counted(answered, 'customer')} who answered, {_number(mercenaries)} satisfied but not loyal "
        f"({money(mercenaries['at_risk'], currency)} of value at risk) and {_number(hostages)} loyal but not satisfied "
        f"({money(hostages['at_risk'], currency)})."
    )


def _number(group: pd.Series) -> str:
    """The number of customers with its verb."""
    count = int(group["customers"])
    return f"{count:,} {'are' if count > 1 else 'is'}" if count else "none is"
