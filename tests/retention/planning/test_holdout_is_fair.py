"""The holdout is random, exact, and the same tomorrow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.planning.holdout import random_ranks
from tests.retention.bases import held_out

DRAW = {"share": 0.1, "campaign": "spring", "salt": "pepper"}
names = st.lists(st.text(max_size=8), unique=True, max_size=60)


@given(ids=names, share=st.floats(0, 0.5))
def test_the_share_is_exact(ids, share):
    assert held_out(ids, share=share, campaign="c", salt="s").sum() == round(len(ids) * share)


@given(ids=names, seed=st.integers(0, 99))
def test_row_order_does_not_matter(ids, seed):
    shuffled = [str(name) for name in np.random.default_rng(seed).permutation(np.array(ids, dtype=object))]
    held = dict(zip(ids, held_out(ids, **DRAW), strict=True))
    assert held == dict(zip(shuffled, held_out(shuffled, **DRAW), strict=True))


def test_a_rerun_draws_the_same_on_every_machine():
    """The oracle is another program: `printf '6:pepper6:spring28' | b2sum -l 128` and so on, the four smallest."""
    assert np.flatnonzero(held_out([str(i) for i in range(40)], **DRAW)).tolist() == [4, 28, 29, 33]


def test_another_campaign_or_salt_draws_others():
    ids = [str(i) for i in range(10_000)]
    first = held_out(ids, **DRAW)
    for other in ({"campaign": "autumn"}, {"salt": "paprika"}):
        both = first & held_out(ids, **DRAW | other)
        assert 60 <= both.sum() <= 140  # 1 % of 10,000 by chance, sd 9.4


def test_separators_are_unambiguous():
    ids = [str(i) for i in range(200)]
    one, two = random_ranks(ids, campaign="bc", salt="a"), random_ranks(ids, campaign="c", salt="ab")
    assert (one != two).any()
    three, four = random_ranks(ids, campaign="c1:x", salt="s"), random_ranks(ids, campaign="c", salt="s1:x")
    assert (three != four).any()


def test_the_held_out_are_like_the_others():
    """A property that the draw cannot know, here the id's own number, is spread evenly over both groups."""
    ids = np.arange(50_000)
    held = held_out(ids.astype(str).tolist(), **DRAW)
    difference = ids[held].mean() - ids[~held].mean()
    assert abs(difference) < 4 * ids.std() / np.sqrt(held.sum())


@pytest.mark.parametrize("ids", [[], ["only"]])
def test_few_customers(ids):
    assert held_out(ids, **DRAW).tolist() == [False] * len(ids)
