"""The slider of the planner ends where no budget earns more, in steps that people count in."""

import pytest

from serving.console.planner import slider_scale


@pytest.mark.parametrize("most", [0.03, 1.0, 7.3, 999.0, 2_283.4, 2_283_608.37, 5e9])
def test_the_slider_reaches_all_the_profit_in_even_steps(most):
    told = slider_scale(most)
    steps = told["most"] / told["step"]
    assert most <= told["most"] * (1 + 1e-9) <= most * 1.01
    assert steps == pytest.approx(round(steps))
    assert 999 <= steps <= 2_501
