"""Labelled rows are drawn by chance and the same at every making; that they are right is said where they are learnt.

See tests/pipelines/training/test_training_needs_no_more_than_its_memory.py.
"""

from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from features.snapshots.labels import LABELS, labelled_rows

DAYS = [date(1997, 6, 1), date(1998, 1, 1)]


@pytest.fixture(scope="module")
def histories(cdnow):
    return cdnow.histories


@pytest.fixture(scope="module")
def drawn(histories):
    """Draws labelled rows of CDNOW's customers, or of some of them."""
    whole = (histories.first_day, histories.end)
    make = partial(labelled_rows, whole=whole, as_of=DAYS, features=["recency_days"], horizon_days=90)

    def rows(share, seed=7, of=histories):
        return pa.concat_tables(make(of, share=share, seed=seed))

    return rows


def test_all_rows_are_given_where_as_many_are_asked_for(drawn, histories):
    assert drawn(1).num_rows == drawn(2.5).num_rows == 2 * histories.customers
    assert drawn(1).column_names == ["recency_days", *LABELS]


def test_about_as_many_as_asked_for_and_alike(drawn):
    some, every = drawn(0.25), drawn(1)
    assert some.num_rows == pytest.approx(every.num_rows / 4, rel=0.03)
    for name in ("recency_days", "churned"):
        assert np.mean(some[name].to_numpy()) == pytest.approx(np.mean(every[name].to_numpy()), rel=0.03)


def test_the_seed_decides(drawn):
    assert drawn(0.25).equals(drawn(0.25))
    assert not drawn(0.25).equals(drawn(0.25, seed=8))


def test_a_window_beyond_the_whole_log_is_refused(histories):
    with pytest.raises(ValueError, match="the window of 1998-01-01 ends after the data"):
        list(
            labelled_rows(
                histories,
                whole=(histories.first_day, date(1998, 3, 1)),
                as_of=DAYS,
                features=["recency_days"],
                horizon_days=90,
                share=1,
                seed=7,
            )
        )
