"""Current against future value: four names, cut at the averages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from retention.customer_base.segments import average_cuts, value_quadrants

money = st.floats(-1e9, 1e9)


@given(values=st.lists(st.tuples(money, money), min_size=1), current_cut=money, future_cut=money)
def test_every_customer_is_where_the_table_says(values, current_cut, future_cut):
    now, then = np.array(values).T
    table = {(True, True): "VIP", (False, True): "grow", (True, False): "maintain", (False, False): "let go"}
    said = [table[a > current_cut, b > future_cut] for a, b in values]
    assert value_quadrants(now, then, current_cut=current_cut, future_cut=future_cut).tolist() == said


def test_cuts_are_the_averages_of_the_base():
    assert average_cuts([1, 2, 6], [0, 0, 30]) == (3.0, 10.0)


def test_the_average_itself_is_low():
    assert value_quadrants([3, 3], [5, 5], current_cut=3, future_cut=5).tolist() == ["let go", "let go"]


def test_nobody_and_nothing_are_said_and_not_guessed():
    with pytest.raises(InputError, match="no customers"):
        average_cuts([], [])
    with pytest.raises(InputError, match="future value of 1 of 2 customers is missing"):
        value_quadrants([1, 2], [3, float("nan")], current_cut=1, future_cut=1)
