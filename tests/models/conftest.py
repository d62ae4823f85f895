"""Small models of every make: grown from a tenth of CDNOW's customers in about a second each."""

from datetime import date
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring.scorer import Scorer
from models.training import fitting
from models.trees.boosting import defaults
from pipelines.training.training_set import TrainingSet, training_set

CONTRACT = "contract"
"""The make of a model under a contract; the others are kinds of value and single base learners."""
ALONE = ("trees", "bgnbd_gamma_gamma", "last_period", "hiatus", "rfm_logistic")
TERMS = Terms(horizon_days=90, currency="USD", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=1095)


class Small(NamedTuple):
    """What small models learn from, and the labelled rows of the day after which they are judged."""

    training_set: TrainingSet
    contract: pd.DataFrame
    """The training rows under a made-up contract: the longer the silence, the likelier its end."""
    test: pd.DataFrame

    @property
    def latest(self) -> pd.DataFrame:
        rows = self.training_set.rows
        return rows[rows["as_of"] == rows["as_of"].max()]


@pytest.fixture(scope="session")
def small(read, cdnow_path) -> Small:
    frame = pd.read_parquet(cdnow_path)
    histories = read(frame[frame["customer_id"].astype(int) % 10 == 0]).histories
    as_of = date(1998, 4, 2)
    taught = training_set(histories, TERMS, as_of=as_of)
    rows = taught.rows
    ends = np.random.default_rng(1).random(len(rows)) < 0.05 + 0.3 * (rows["recency_days"] > 60)
    test = with_labels(histories, snapshot(histories, as_of=[as_of]), horizon_days=TERMS.horizon_days)
    return Small(taught, rows.assign(churned=ends), test.to_pandas(date_as_object=False))


@pytest.fixture(scope="session")
def grow(small):
    """Grows a model of a make, with 25 fast trees; never the same one twice."""

    def grown(make: str, *, under_contract: bool = False) -> Scorer:
        is_contractual = under_contract or make == CONTRACT
        params = defaults(len(small.training_set.rows)) | {"rounds": 25, "learning_rate": 0.3}
        return fitting.fit(
            small.contract if is_contractual else small.training_set.rows,
            small.training_set.current_rows,
            features=small.training_set.features,
            terms=TERMS,
            recipe=Recipe(
                churn=params,
                value=params,
                kind="gamma" if make in (CONTRACT, *ALONE) else make,
                seed=7,
                alone=make if make in ALONE else None,
            ),
            margin_rate=small.training_set.margin_rate,
            is_contractual=is_contractual,
        )

    return grown


@pytest.fixture(scope="session")
def made(grow):
    """The model of a make, grown once."""
    return cache(grow)
