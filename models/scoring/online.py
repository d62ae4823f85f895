"""A few customers from their raw histories to what a model reads of them, while somebody waits."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from features.families.catalogue import named
from features.histories.columns import Histories
from features.online import feature_rows, request
from models.scoring.scorer import Scorer
from models.trees import boosting
from models.trees.feature_matrix import Given


def histories(scorer: Scorer, customers: Sequence[Mapping[str, Any]], *, naive_is_utc: bool = False) -> Histories:
    """The histories in a request, under the terms of the model; see features/online/request.py."""
    terms, kinds = scorer.terms, attributes(scorer.inputs)
    how: dict[str, Any] = {"attributes": kinds, "naive_is_utc": naive_is_utc}
    return request.histories(customers, currency=terms.currency, gross_margin=terms.gross_margin, **how)


def attributes(inputs: boosting.Inputs) -> dict[str, type]:
    """Those inputs that are no features but attributes of the customer: `str` or `float`."""
    return {name: float if names is None else str for name, names in inputs.items() if named(name) is None}


def needs(scorer: Scorer) -> list[str]:
    """What the model reads of every order beside ordered_at and amount; `interactions`, if it reads any."""
    return sorted(feature_rows.needs(tuple(name for name in scorer.inputs if named(name) is not None)))


def warm(scorer: Scorer) -> None:
    """Read one history now, so that no caller waits for what is compiled or worked out once."""
    given = [name for name in needs(scorer) if name != "interactions"]
    order = dict.fromkeys(given) | {"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}
    made = histories(scorer, [{"customer_id": "nobody", "orders": [order], "interactions": []}])
    known(scorer, made, as_of=date(2020, 2, 1))


def known(scorer: Scorer, histories: Histories, *, as_of: date) -> tuple[np.ndarray, Given]:
    """The customers with an order before the day, by their numbers in the histories, and what the model reads of them.

    The numbers are those of `snapshot` and `trees.values`. Raises InputError where what it reads is not there.
    """
    inputs = scorer.inputs
    features = tuple(name for name in inputs if named(name) is not None)
    customers, found = feature_rows.seen(histories, features, as_of=as_of)
    rows = pd.DataFrame(found, columns=_columns(features))
    values = np.empty((len(customers), len(inputs)), np.float32)
    given = set(features)
    values[:, [place for place, name in enumerate(inputs) if name in given]] = found
    for place, (name, names) in enumerate(inputs.items()):
        if name in histories.attributes:
            rows[name] = histories.attributes[name].take(customers).to_pandas()
        elif name not in given:
            raise InputError(f"the model reads the attribute {name}, which is not given", where="customers")
        elif names is not None:
            codes = rows[name].astype(int)
            rows[name] = [histories.channels[one] if one >= 0 else None for one in codes]
        else:
            continue
        values[:, [place]] = boosting.values(rows, {name: names})
    return customers, Given(rows, values, np.full(len(customers), as_of, "datetime64[D]").astype("datetime64[s]"))


@lru_cache(maxsize=16)
def _columns(features: tuple[str, ...]) -> pd.Index:
    """Their names as a frame has them: making them takes as long as the frame, and finding them is quick as objects."""
    return pd.Index(features, dtype=object)
