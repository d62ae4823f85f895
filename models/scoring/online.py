"""Online scoring: from the raw histories of a few customers to the feature rows a model reads, within a request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from features.clock import microseconds
from features.errors import InputError
from features.families.catalogue import feature_named
from features.histories.attributes import AttributeKind, attribute_column
from features.histories.columns import Histories
from features.ingest.log import Log
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
        attributes=attribute_kinds(scorer),
        naive_is_utc=naive_is_utc,
    )


def attribute_kinds(scorer: Scorer) -> dict[str, AttributeKind]:
    """What those inputs hold that are attributes of the customer rather than features."""
    return {
        name: scorer.attributes.get(name)
        or (AttributeKind("number") if names is None else AttributeKind("names", tuple(names)))
        for name, names in scorer.inputs.items()
        if feature_named(name) is None
    }


def read_for(scorer: Scorer, log: Log) -> Log:
    """The log, its attributes read as the model learned them. Raises InputError where it has no table of them."""
    kinds = attribute_kinds(scorer)
    if kinds and log.customers is None:
        raise InputError(
            f"the model reads attributes of customers ({', '.join(list(kinds)[:5])}), but no table has them",
            where="customers",
            next='Name the table in the config: [data] customers = "FILE".',
        )
    return replace(log, attributes=tuple(kinds), attribute_kinds=kinds)


def unseen_in_words(unseen: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Names that the model has not learned, and their customers, in a sentence per attribute."""
    sentences = []
    for attribute, counts in unseen.items():
        customers, names = sum(counts.values()), sorted(counts, key=lambda name: (-counts[name], name))
        listed = ", ".join(f"'{name}'" for name in names[:3]) + (", …" if len(names) > 3 else "")
        who = f"{customers:,} customers have" if customers > 1 else "1 customer has"
        sentences.append(f"{who} a value of {attribute} that the model has not learned, taken as missing: {listed}")
    return sentences


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
    is_feature, days = set(features), np.full(len(customers), microseconds(as_of))
    values[:, [place for place, name in enumerate(inputs) if name in is_feature]] = computed
    for place, (name, names) in enumerate(inputs.items()):
        if name in histories.attributes:
            kind = histories.attribute_kinds[name]
            values_of_kind = attribute_column(histories.attributes[name], kind, customer=customers, as_of=days)
            rows[name] = values_of_kind.to_pandas()
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
