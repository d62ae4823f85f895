"""Feature rows of few customers on one day, at once: the compiled pass without threads and tables.

The numbers are those of features/snapshots/snapshot.py, by the same pass. The layout of a choice of features is worked
out once, since that takes longer than the pass.
"""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from features.clock import microseconds
from features.errors import InputError
from features.families.catalogue import feature_named, feature_templates
from features.histories.columns import Histories
from features.kernel.code_generation import compile_pass, row_layout
from features.kernel.feature import Feature
from features.kernel.pass_arguments import CutOffs, Layout, PassOutput
from features.kernel.slices import InteractionsByKind


class FeatureRows(NamedTuple):
    """The features of the customers with an order known before the day who had not left by then."""

    customers: np.ndarray
    """The customers' numbers in the histories, ascending."""
    values: np.ndarray
    """float64, (customers, features): money in currency units, undefined = NaN; a channel as its code, none = -1."""


def compute_feature_rows(histories: Histories, features: tuple[str, ...], *, as_of: date) -> FeatureRows:
    """Compute the features of these names, in their order; no attributes. Raises InputError for an impossible one.

    A feature of a kind of interaction that no customer has sees no events.
    """
    if missing := sorted(required_columns(features) - histories.present):
        raise InputError(
            f"the model reads {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not given",
            where="orders and interactions",
            next="Give each with every row, null where there is none; `interactions` with every customer, [] for none.",
        )
    columns, day, layout = histories.columns, np.array([microseconds(as_of)]), _layout(features, tuple(histories.kinds))
    events = int(np.diff(columns.interaction_starts).max(initial=0))
    kinds = InteractionsByKind(
        np.empty(len(layout.kind_columns) + 1 if len(layout.kind_columns) else 0, np.int64),
        np.empty(events, np.int64),
        np.empty(events if len(columns.interaction_value) else 0),
    )
    out = np.empty((len(features), histories.customers))
    output = PassOutput(out, np.empty(histories.customers, np.int64), np.empty(histories.customers, np.int64))
    rows = compile_pass(feature_templates()).walk(
        columns, CutOffs(day, day), layout, kinds, histories.minor_units, output
    )
    customer = output.customer[:rows]
    kept = ~histories.gone(customer, as_of=day, known_at=day)
    return FeatureRows(customer[kept], out.T[:rows][kept])


@lru_cache(maxsize=256)
def _layout(features: tuple[str, ...], kinds: tuple[str, ...]) -> Layout:
    """The layout of a row; kinds: those of the histories."""
    return row_layout(feature_templates(), list(_features(features)), kinds)


@lru_cache(maxsize=256)
def required_columns(features: tuple[str, ...]) -> frozenset[str]:
    """The columns of a log, and `interactions`, that these features need."""
    return frozenset[str]().union(*(feature.requires for feature in _features(features)))


@lru_cache(maxsize=256)
def _features(features: tuple[str, ...]) -> tuple[Feature, ...]:
    by_name = {name: feature_named(name) for name in features}
    if unknown := [name for name, feature in by_name.items() if feature is None]:
        raise InputError(f"there is no feature '{unknown[0]}'", next="`stayworth features --list` shows them.")
    return tuple(feature for feature in by_name.values() if feature is not None)
