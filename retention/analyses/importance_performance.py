"""Importance against performance of the service's attributes: where to do more, and where less would do."""

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.survey_answers import ASK_RANGE, SATISFACTION, answers, interaction_kinds, last_answers
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import bubbles
from retention.presentation.formatting import counted, listed
from retention.presentation.theme import MUTED, Figure

TITLE = "What matters, and how well it is done"
QUADRANTS = np.array([["low priority", "possible overkill"], ["concentrate here", "keep up the good work"]])
"""Quadrant by [important][done well]."""
MIN_RESPONDENTS = 10
"""Fewest customers who answered both questions, for a derived importance."""
DEFINITION = (
    "For each attribute of the service, the mean answers to how well it is done (survey_<attribute>) and how "
    "important it is (importance_<attribute>), cut at the means over the attributes. Where importance was not asked "
    "it is derived: the rank correlation of the attribute's answer with the overall answer (survey_score) over "
    "customers who gave both. That says what goes with satisfaction, not what causes it."
)
SOURCE = "Martilla & James (1977), Importance-performance analysis, Journal of Marketing 41(1)."
SUPPLY_ANSWERS = (
    "Supply answers about attributes of the service as interactions, with the answer as value: survey_<attribute> "
    "(how well it is done, such as survey_delivery) and importance_<attribute> (how important it is)."
)


def attributes(base: CustomerBase) -> list[str]:
    """List the attributes that customers were asked about."""
    names = (kind.removeprefix("survey_") for kind in interaction_kinds(base, "survey_") if kind != SATISFACTION)
    return [name for name in names if not answers(base, f"survey_{name}").empty]


def importance_performance(base: CustomerBase) -> pd.DataFrame:
    """Table of the attributes: attribute, answers, performance (mean answer), importance (mean answer; where it was not
    asked, the rank correlation with the overall answer, −1 to 1), and derived (bool: importance is that correlation).

    All importances are derived unless each was asked, since two scales cannot be cut together. NaN where fewer than
    MIN_RESPONDENTS customers answered both.
    """
    names = attributes(base)
    is_asked = all(f"importance_{name}" in interaction_kinds(base) for name in names)
    overall = last_answers(base, SATISFACTION)
    rows = []
    for name in names:
        given = answers(base, f"survey_{name}")["value"]
        if is_asked:
            importance = float(answers(base, f"importance_{name}")["value"].mean())
        else:
            both = pd.DataFrame({"overall": overall, "own": last_answers(base, f"survey_{name}")}).dropna()
            varies = len(both) >= MIN_RESPONDENTS and (both.nunique() > 1).all()
            ranks = both.rank()
            importance = float(np.corrcoef(ranks["overall"], ranks["own"])[0, 1]) if varies else np.nan
        rows.append((name, len(given), float(given.mean()), importance, not is_asked))
    return pd.DataFrame(rows, columns=["attribute", "answers", "performance", "importance", "derived"])


def quadrants(table: pd.DataFrame) -> pd.Series:
    """Each attribute's quadrant: important and done well are strictly above the mean over the attributes; None where
    its importance is not known."""
    known = table["importance"].notna()
    important = table["importance"] > table.loc[known, "importance"].mean()
    well = table["performance"] > table["performance"].mean()
    named = pd.Series(QUADRANTS[important.astype(int), well.astype(int)], index=table.index, dtype=object)
    return named.where(known, None)


def analyse(base: CustomerBase) -> Analysis:
    """The matrix of the attributes that customers were asked about."""
    names = attributes(base)
    if len(names) < 2:
        only = f" Only {names[0]} was asked about; attributes are compared with each other." if names else ""
        return unavailable_analysis(TITLE, definition=DEFINITION, source=SOURCE, missing=SUPPLY_ANSWERS + only)
    table = importance_performance(base)
    table["quadrant"] = quadrants(table)
    known = table[table["importance"].notna()]
    improve = known.loc[known["quadrant"] == "concentrate here", "attribute"].tolist()
    derived = bool(table["derived"].any())
    missing = [ASK_RANGE] if base.survey_range is None else []
    if derived:
        missing.append("Importance is derived, not asked: supply answers of kind importance_<attribute>.")
    if len(known) < len(table):
        rest = table.loc[table["importance"].isna(), "attribute"].tolist()
        missing.append(
            f"Not known, because fewer than {MIN_RESPONDENTS} customers answered both questions: how important "
            f"{listed(rest)} {'are' if len(rest) > 1 else 'is'}."
        )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "attribute": TableColumn("Attribute", "text"),
            "answers": TableColumn("Answers", "count"),
            "performance": TableColumn("Performance, mean answer", "number"),
            "importance": TableColumn("Importance" + (", derived" if derived else ", mean answer"), "number"),
            "quadrant": TableColumn("Quadrant", "text"),
        },
        f"Of {counted(len(table), 'attribute')}, {listed(improve) if improve else 'none'} "
        f"{'are' if len(improve) > 1 else 'is'} of above-average importance without being done better than average.",
        _matrix(known, derived=derived, cut=table["performance"].mean()) if len(known) else None,
        " ".join(missing),
    )


def _matrix(known: pd.DataFrame, *, derived: bool, cut: float) -> Figure:
    """Plot the attributes, and the lines between the quadrants."""
    figure = bubbles(
        known,
        x="performance",
        y="importance",
        label="attribute",
        size=None,
        x_title="how well it is done (mean answer)",
        y_title="importance" + (" (rank correlation with overall satisfaction)" if derived else " (mean answer)"),
        x_form=".1f",
        y_form=".2f",
    )
    line = {"color": MUTED, "dash": "dash", "width": 1.5}
    figure.add_vline(x=cut, line=line)
    figure.add_hline(y=known["importance"].mean(), line=line)
    for (important, well), name in np.ndenumerate(QUADRANTS):
        figure.add_annotation(
            x=well,
            y=important,
            xref="paper",
            yref="paper",
            xanchor="right" if well else "left",
            yanchor="top" if important else "bottom",
            text=name,
            showarrow=False,
            font_color=MUTED,
        )
    return figure
