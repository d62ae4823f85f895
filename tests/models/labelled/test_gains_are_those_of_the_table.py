"""What keeping a customer adds is the difference between stayers and leavers alike, times the chance of leaving."""

import numpy as np
import pandas as pd

from models.labelled.label_value import fit_label_value
from models.labelled.table_columns import describe_columns, parse_columns


def test_expected_values_and_gains_are_those_of_the_table():
    """The oracle: a table whose means are known, 300 or 100 for those who stay by plan, 20 for those who leave."""
    rng = np.random.default_rng(0)
    plan = rng.choice(["gold", "plain"], 4000)
    left = (rng.random(4000) < 0.4).astype(float)
    mean = np.where(left > 0, 20.0, np.where(plan == "gold", 300.0, 100.0))
    rows = pd.DataFrame({"plan": plan, "noise": rng.normal(size=4000)})
    parsed = parse_columns(rows, describe_columns(rows))
    value = fit_label_value(parsed, left, mean * rng.gamma(4, 0.25, 4000), seed=1)
    expected, gain = value.expected_and_gain(parsed, np.full(4000, 0.4))
    for name, worth in (("gold", 300), ("plain", 100)):
        of_plan = plan == name
        assert abs(expected[of_plan].mean() / (0.6 * worth + 0.4 * 20) - 1) < 0.06
        assert abs(gain[of_plan].mean() / (0.4 * (worth - 20)) - 1) < 0.08


def test_a_gain_is_never_negative_and_few_rows_give_a_mean():
    rows = pd.DataFrame({"age": np.arange(60.0)})
    left = (np.arange(60) % 2).astype(float)
    value = fit_label_value(rows, left, np.where(left > 0, 50.0, 10.0), seed=1)
    expected, gain = value.expected_and_gain(rows, np.full(60, 0.5))
    assert np.allclose(expected, 30)
    assert (gain == 0).all()
