"""Random numbers are those of numpy's Philox at the same key and counter, and depend on nothing but their address."""

import numpy as np
import pytest
from scipy import stats

from pipelines.simulator.draws import uniforms, word


@pytest.mark.parametrize(
    ("seed", "customer", "purpose", "branch", "number"),
    [(0, 0, 0, 0, 0), (7, 3, 1, 0, 6), (2**61, 99_999_999, 5, 3_000_001, 1027), (1, 2**40, 10, 2**40, 3)],
)
def test_words_are_those_of_numpy(seed, customer, purpose, branch, number):
    """numpy steps its counter before each block of four words; ours begins at the block after it, too."""
    key, counter = np.array([seed, customer], np.uint64), np.array([number // 4, purpose, branch, 0], np.uint64)
    block = np.random.Philox(key=key, counter=counter).random_raw(4)
    assert int(word(seed, customer, purpose, branch, number)) == int(block[number % 4])


def test_numbers_lie_evenly_between_0_and_1_and_do_not_tell_of_each_other():
    customers = np.arange(200_000)
    one, next_number, next_purpose, next_branch = (
        uniforms(7, customers, purpose, branch=branch, number=number)
        for purpose, branch, number in ((1, 0, 0), (1, 0, 1), (2, 0, 0), (1, 1, 0))
    )
    assert stats.kstest(one, "uniform").pvalue > 1e-4
    neighbour = uniforms(7, customers + 1, 1)
    other_seed = uniforms(8, customers, 1)
    for other in (next_number, next_purpose, next_branch, neighbour, other_seed):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(len(one))


def test_a_number_is_the_same_alone_and_among_others():
    among = uniforms(3, np.arange(100), 4, branch=2, number=np.arange(100))
    for place in (0, 17, 99):
        assert uniforms(3, np.array([place]), 4, branch=2, number=place)[0] == among[place]
