"""Current against future value: four names, cut at the averages, and nobody let go with whom a contact can pay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from retention.customer_base.segments import average_cuts, value_quadrants

money = st.floats(-1e9, 1e9)


@given(values=st.lists(st.tuples(money, money, money), min_size=1), cuts=st.tuples(money, money, money))
def test_every_customer_is_where_the_table_says(values, cuts):
    now, then, gain = np.array(values).T
    table = {(True, True): "VIP", (False, True): "grow", (True, False): "maintain", (False, False): "let go"}
    expected = [
        "maintain" if a <= cuts[0] and b <= cuts[1] and c > cuts[2] else table[a > cuts[0], b > cuts[1]]
        for a, b, c in values
    ]
    quadrants = value_quadrants(now, then, gain, current_cut=cuts[0], future_cut=cuts[1], gain_cut=cuts[2])
    assert quadrants.tolist() == expected


def test_cuts_are_the_averages_of_the_base():
    assert average_cuts([1, 2, 6], [0, 0, 30]) == (3.0, 10.0)


def test_the_average_itself_is_low():
    quadrants = value_quadrants([3, 3], [5, 5], [2, 2], current_cut=3, future_cut=5, gain_cut=2)
    assert quadrants.tolist() == ["let go", "let go"]


def test_nobody_and_nothing_are_said_and_not_guessed():
    with pytest.raises(InputError, match="no customers"):
        average_cuts([], [])
    with pytest.raises(InputError, match="future value of 1 of 2 customers is missing"):
        value_quadrants([1, 2], [3, float("nan")], [1, 1], current_cut=1, future_cut=1, gain_cut=1)
