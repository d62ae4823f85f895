"""Online scoring: from the raw histories of a few customers to the feature rows a model reads, within a request."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.families.catalogue import feature_named
from features.histories.columns import Histories
from features.online import feature_rows as online_features
from features.online import request
from models.scoring.scorer import Scorer
from models.trees import boosting
from models.trees.feature_matrix import FeatureMatrix


def histories(scorer: Scorer, customers: Sequence[Mapping[str, Any]], *, naive_is_utc: bool = False) -> Histories:
    """Read the histories in a request, under the terms of the model; see features/online/request.py."""
    return request.histories_of_request(
        customers,
        currency=scorer.terms.currency,
        gross_margin=scorer.terms.gross_margin,
        attributes=attributes(scorer.inputs),
        naive_is_utc=naive_is_utc,
    )


def attributes(inputs: boosting.Inputs) -> dict[str, type]:
    """The inputs that are attributes of the customer rather than features, with their type: `str` or `float`."""
    return {name: float if names is None else str for name, names in inputs.items() if feature_named(name) is None}


def order_columns(scorer: Scorer) -> list[str]:
    """The columns of orders that the model reads besides ordered_at and amount; `interactions`, if it reads any."""
    return sorted(
        online_features.required_columns(tuple(name for name in scorer.inputs if feature_named(name) is not None))
    )


def warm(scorer: Scorer) -> None:
    """Read one history now, so that no request waits for what is compiled or cached on first use."""
    columns = [name for name in order_columns(scorer) if name != "interactions"]
    order = dict.fromkeys(columns) | {"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}
    example = histories(scorer, [{"customer_id": "nobody", "orders": [order], "interactions": []}])
    read_customers(scorer, example, as_of=date(2020, 2, 1))


def read_customers(scorer: Scorer, histories: Histories, *, as_of: date) -> tuple[np.ndarray, FeatureMatrix]:
    """Compute the feature rows of the customers with an order before the day; also their places in the histories.

    The features are those of `snapshot` and `boosting.values`. Raises InputError if an attribute that the model reads
    is missing.
    """
    inputs = scorer.inputs
    features = tuple(name for name in inputs if feature_named(name) is not None)
    customers, computed = online_features.compute_feature_rows(histories, features, as_of=as_of)
    rows = pd.DataFrame(computed, columns=_columns(features))
    values = np.empty((len(customers), len(inputs)), np.float32)
    is_feature = set(features)
    values[:, [place for place, name in enumerate(inputs) if name in is_feature]] = computed
    for place, (name, names) in enumerate(inputs.items()):
        if name in histories.attributes:
            rows[name] = histories.attributes[name].take(customers).to_pandas()
        elif name not in is_feature:
            raise InputError(f"the model reads the attribute {name}, which is not given", where="customers")
        elif names is not None:
            codes = rows[name].astype(int)
            rows[name] = [histories.channels[code] if code >= 0 else None for code in codes]
        else:
            continue
        values[:, [place]] = boosting.values(rows, {name: names})
    return customers, FeatureMatrix(
        rows, values, np.full(len(customers), as_of, "datetime64[D]").astype("datetime64[s]")
    )


@lru_cache(maxsize=16)
def _columns(features: tuple[str, ...]) -> pd.Index:
    """Column names as an index of objects, cached: making it takes as long as the frame."""
    return pd.Index(features, dtype=object)
