"""The training set of one day, from nothing known later, and the model fitted on it.

`train`, the final model and every cut-off of `evaluate` go through here, so that the model that is judged is made like
the model that serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from features.clock import YEAR_DAYS, microseconds
from features.errors import InputError
from features.histories.attributes import AttributeKinds, used_attributes
from features.histories.columns import Histories
from features.snapshots.labels import has_left, orders_and_margin, with_labels
from features.snapshots.snapshot import snapshot
from models.ensemble.baselines import BTYD_FEATURES
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.ensemble.year_ago_level import YearAgoTotals
from models.horizons import fit_horizons
from models.keeping.stay_outcomes import StayOutcomes
from models.lifetime.lattice import LifetimeRows
from models.scoring.scorer import Scorer
from models.training import fitting
from models.training.temporal_splits import SHORT_DAYS, Timeline, learned_horizon, recent, timeline
from models.trees.training_rows import Stream
from pipelines.training.lifetime_rows import lifetime_rows
from pipelines.training.serving_costs import costs_between
from pipelines.training.stay_rows import stay_outcomes
from pipelines.training.year_ago_totals import year_ago_totals

MIN_CUSTOMERS_PER_LABEL = 5
"""Customers with and without each label at every cut-off: with fewer, a model could only learn them by heart."""
SHORT_LOG_SPREAD, FIRST_YEAR_SPREAD = 0.25, 0.5
"""Standard deviations, on the log scale, of a total that is extended beyond the windows learned on; of one in a log of
less than a year, which has not seen every season once."""
COUNTED_BY = "pareto_nbd_gamma_gamma"
"""The base learner that serves alone where trees cannot be taught."""
SEASON = "as_of_season"
"""Prefix of the features that are the same for all customers of a day: models/ensemble/seasonal_calibration.py accounts
for the season."""
YEAR_AGO = "_year_ago_"
"""Part of the names of features that look back a year: unknown, not zero, where the log does not reach that far."""


@dataclass(frozen=True)
class TrainingSet:
    """The rows that a model made as of a day may learn from."""

    timeline: Timeline
    rows: pd.DataFrame
    """Labelled rows of the matured cut-offs."""
    current_rows: pd.DataFrame
    """Rows of the day itself, without labels."""
    features: list[str]
    """The columns of features among them."""
    is_contractual: bool
    margin_rate: float
    """Margin as a share of revenue, for models that only know revenue."""
    recent: pd.DataFrame | None = None
    """Rows of the last months and of the same a year before, labelled over short windows; None: too short a log."""
    other_horizons: tuple[int, ...] = ()
    """Days of the horizons beside that of the terms; their labels are among the rows."""
    stream: Stream | None = None
    """Rows of these cut-offs, of more customers than memory holds: the trees are grown on them instead."""
    lifetime_rows: LifetimeRows | None = None
    """What lifetime values are learned on; None: the log is too short."""
    cost_share: float = 0.0
    """Costs to serve ÷ margin, in the log's last year."""
    stay_outcomes: StayOutcomes | None = None
    """What the worth of keeping is learned on; None: the log is too short."""
    year_ago: YearAgoTotals | None = None
    """What all customers brought a year before; None: cut-offs have seen the season, or the log has no year."""
    learned_days: int | None = None
    """Days of the windows of the labels, where those are shorter than the horizon; None: they are not."""
    is_counted: bool = False
    """True where the log is short and the cut-offs have too few customers to teach trees: a counting model serves."""
    level_spread: float = 0.0
    """Of the total of the horizon, on the log scale, beyond the spread of the customers."""
    attributes: AttributeKinds = field(default_factory=dict)
    """What those of the features hold that are attributes of customers."""

    def of_horizon_only(self) -> "TrainingSet":
        """The same for a model of which nobody asks lifetime values and gains: it is fitted sooner."""
        return replace(self, lifetime_rows=None, stay_outcomes=None)


def training_set(
    histories: Histories,
    terms: Terms,
    *,
    as_of: date,
    horizons: Sequence[int] = (),
    stream: Stream | None = None,
    costs: pd.DataFrame | None = None,
    learned_days: int | None = None,
    may_count: bool = False,
) -> TrainingSet:
    """Snapshots and labels up to a day; horizons: further ones to score, days.

    costs: costs to serve (pipelines/training/serving_costs.py); None where the log has none. stream: labelled rows, on
    these cut-offs among others, for the trees (pipelines/training/training_data.py). learned_days: of the windows
    to learn on, at most the horizon; None: as `temporal_splits.learned_horizon` says. may_count: a counting model may
    serve alone where the cut-offs teach trees nothing; on a short log it may in any case.
    """
    other_horizons = tuple(sorted({days for days in horizons if days != terms.horizon_days}))
    learned = learned_days or learned_horizon(histories.first_day, as_of=as_of, horizon_days=terms.horizon_days)
    is_short = learned < terms.horizon_days
    cut_offs = timeline(histories.first_day, as_of=as_of, horizon_days=learned)
    costs = None if costs is None else costs[costs["recorded_at"] < pd.Timestamp(as_of, tz="UTC")]
    current = snapshot(histories, as_of=[as_of])
    features = training_features(current.column_names[2:])
    table = snapshot(histories, as_of=cut_offs.matured, features=features)
    rows = with_labels(histories, table, horizon_days=learned).to_pandas(date_as_object=False)
    for days in () if is_short else other_horizons:
        rows = rows.assign(**_labels(histories, table, horizon_days=days, as_of=as_of))
    rows = mask_unknown_year(rows, first_day=histories.first_day)
    cut_offs, is_counted = instructive_cut_offs(cut_offs, rows, may_count=is_short or may_count)
    rows = rows[rows["as_of"].isin([pd.Timestamp(day) for day in cut_offs.matured])].reset_index(drop=True)
    return TrainingSet(
        timeline=cut_offs,
        rows=rows,
        current_rows=current.to_pandas(date_as_object=False),
        features=features,
        is_contractual=histories.contractual,
        margin_rate=_margin_rate(histories, as_of=as_of),
        recent=_recent(histories, learned, as_of=as_of),
        other_horizons=other_horizons,
        stream=stream.on(cut_offs.matured) if stream else None,
        lifetime_rows=lifetime_rows(histories, as_of=as_of, features=features, costs=costs),
        cost_share=0.0 if costs is None else _cost_share(histories, costs, as_of=as_of),
        stay_outcomes=stay_outcomes(histories, as_of=as_of, horizon_days=terms.horizon_days, features=features),
        year_ago=year_ago_totals(
            histories, as_of=as_of, horizon_days=terms.horizon_days, first_cut_off=cut_offs.matured[0]
        ),
        learned_days=learned if is_short else None,
        is_counted=is_counted,
        level_spread=_level_spread(histories, as_of=as_of) if is_short else 0.0,
        attributes=used_attributes(histories.attribute_kinds),
    )


def _level_spread(histories: Histories, *, as_of: date) -> float:
    is_first_year = (as_of - histories.first_day).days < YEAR_DAYS
    return FIRST_YEAR_SPREAD if is_first_year else SHORT_LOG_SPREAD


def _recent(histories: Histories, horizon_days: int, *, as_of: date) -> pd.DataFrame | None:
    days = recent(histories.first_day, as_of=as_of, horizon_days=horizon_days)
    if not days:
        return None
    table = snapshot(histories, as_of=days, features=list(BTYD_FEATURES))
    short = min(SHORT_DAYS, horizon_days)
    return with_labels(histories, table, horizon_days=short).to_pandas(date_as_object=False)


def training_features(columns: Sequence[str]) -> list[str]:
    """The features of a log that a model may rank customers by: those that differ between customers of a day."""
    return [name for name in columns if not name.startswith(SEASON)]


def mask_unknown_year(rows: pd.DataFrame, *, first_day: date) -> pd.DataFrame:
    """Set features that look back beyond `first_day`, the beginning of the log, to NaN."""
    is_short = (rows["as_of"] - pd.Timestamp(first_day)).dt.days < YEAR_DAYS
    rows.loc[is_short, [name for name in rows.columns if YEAR_AGO in name]] = np.nan
    return rows


def _labels(histories: Histories, table: pa.Table, *, horizon_days: int, as_of: date) -> dict[str, np.ndarray]:
    """The labels of another horizon as numbers; NaN where its window had not closed by `as_of`."""
    orders, value = orders_and_margin(histories, table, from_days=0, to_days=horizon_days)
    churned = has_left(histories, table, horizon_days=horizon_days) if histories.contractual else orders == 0
    is_open = table["as_of"].to_numpy() > np.datetime64(as_of - timedelta(days=horizon_days))
    labels = {"bought": orders > 0, "future_value": value, "churned": churned}
    return {
        fit_horizons.label_column(name, horizon_days): np.where(is_open, np.nan, values)
        for name, values in labels.items()
    }


def censored_rows(histories: Histories, cut_offs: Timeline) -> int:
    """Customers × cut-offs left out of a training set because their window had not closed."""
    return snapshot(histories, as_of=cut_offs.censored, features=["orders"]).num_rows if cut_offs.censored else 0


def instructive_cut_offs(cut_offs: Timeline, rows: pd.DataFrame, *, may_count: bool) -> tuple[Timeline, bool]:
    """The timeline without early cut-offs that have too few customers with or without a label to learn anything from.

    rows: with as_of, churned and bought. Where the latest cut-off has too few, or no early one is left, a counting
    model is left to serve alone (True), if it may and anybody has either label. Raises InputError elsewhere.
    """
    few: dict[date, str] = {}
    for label, did in (("churned", "left"), ("bought", "ordered")):
        for day, group in rows.groupby("as_of"):
            positives = int(group[label].sum())
            if min(positives, len(group) - positives) < MIN_CUSTOMERS_PER_LABEL:
                few.setdefault(day.date(), f"{positives:,} of {len(group):,} customers {did}")
    kept = cut_offs.without(few)
    if kept.train and cut_offs.calibrate not in few:
        return kept, False
    if may_count and _can_be_counted(cut_offs, rows):
        return cut_offs, True
    day = cut_offs.calibrate if cut_offs.calibrate in few else cut_offs.train[-1]
    raise InputError(
        f"{few[day]} within {(cut_offs.as_of - cut_offs.calibrate).days} days after {day}: at least "
        f"{MIN_CUSTOMERS_PER_LABEL} who do and {MIN_CUSTOMERS_PER_LABEL} who do not are needed",
        where=f"a model made as of {cut_offs.as_of}",
        next="Choose another time.horizon_days (`stayworth check` compares them), or give more customers.",
    )


def _can_be_counted(cut_offs: Timeline, rows: pd.DataFrame) -> bool:
    """True if anybody ordered, and anybody did not, after the early cut-offs, and anybody did after the latest."""
    early = rows["as_of"] <= pd.Timestamp(cut_offs.train[-1])
    shares = [rows.loc[early, label].mean() for label in ("churned", "bought")]
    return all(0 < share < 1 for share in shares) and bool(rows.loc[~early, "bought"].any())


def fit_model(training: TrainingSet, terms: Terms, recipe: Recipe) -> Scorer:
    """Fit the whole model on a training set."""
    if training.is_counted:
        recipe = replace(recipe, alone=COUNTED_BY)
    scorer = fitting.fit(
        training.rows,
        training.current_rows,
        features=training.features,
        terms=terms,
        recipe=recipe,
        margin_rate=training.margin_rate,
        is_contractual=training.is_contractual,
        recent=training.recent,
        other_horizons=training.other_horizons,
        more=training.stream,
        lifetime_rows=training.lifetime_rows,
        cost_share=training.cost_share,
        stay_outcomes=training.stay_outcomes,
        year_ago=training.year_ago,
        learned_days=training.learned_days,
        level_spread=training.level_spread,
    )
    return replace(scorer, attributes=training.attributes)


def _margin_rate(histories: Histories, *, as_of: date) -> float:
    """Margin as a share of revenue over all orders known before `as_of`."""
    known = histories.columns.known_at < microseconds(as_of)
    return float(histories.columns.margin_cents[known].sum() / histories.columns.amount_cents[known].sum())


def _cost_share(histories: Histories, costs: pd.DataFrame, *, as_of: date) -> float:
    """Costs to serve booked to these customers ÷ their margin, in the year before a day."""
    columns, since = histories.columns, as_of - timedelta(days=YEAR_DAYS)
    known = (columns.known_at < microseconds(as_of)) & (columns.at >= microseconds(since))
    margin = float(columns.margin_cents[known].sum()) / histories.minor_units
    booked = float(costs_between(histories.customer_ids, costs, since, as_of).sum())
    return max(booked, 0.0) / margin if margin > 0 else 0.0
