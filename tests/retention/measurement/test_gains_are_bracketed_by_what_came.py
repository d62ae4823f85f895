"""The bracket of a past list's gain, against loops over customers, and in made-up shops whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from retention.measurement.gain_bracket import ABOVE, BELOW, INSIDE, gain_bracket


def day(seed, count=1_500, as_of="2025-01-01", gain=None, alive_share=0.6):
    """A list in which silent customers are alive or gone, and what the alive would have brought if kept.

    Returns the rows, and the truth of this draw: what keeping all of the alive would have added.
    """
    draw = np.random.default_rng(seed)
    alive = draw.random(count) < alive_share
    orders = np.where(alive, draw.poisson(0.8, count), 0)
    silent, once = orders == 0, orders == 1
    back = alive & (draw.random(count) < 0.5)
    margin = draw.gamma(2, 10, count)
    came = orders * margin + back * draw.gamma(2, 10, count)
    if_kept = margin + back * draw.gamma(2, 10, count)
    truth = float(((silent & alive) * if_kept - silent * came).sum())
    rows = pd.DataFrame(
        {
            "as_of": pd.Timestamp(as_of),
            "customer_id": [f"c{number:05d}" for number in range(count)],
            "gain": (truth if gain is None else gain) / count,
            "silent": silent,
            "once": once,
            "proven": silent & back,
            "returned": silent & back,
            "came": came,
            "kept": 25.0,
            "later": 9.0,
            "return_probability": 0.25,
        }
    )
    return rows, truth


def test_every_number_is_that_of_a_loop_over_customers():
    rows = pd.concat([day(1)[0], day(2, count=700, as_of="2025-02-01")[0]])
    judged = gain_bracket(rows, seed=1)
    low = high = 0.0
    for _, of_day in rows.groupby("as_of"):
        brought = [row.came for row in of_day.itertuples() if row.once]
        kept = sum(brought) / len(brought)
        for row in of_day.itertuples():
            if row.silent:
                high += kept - row.came
                low += (kept if row.proven else 0) - row.came
    assert judged["low"]["value"] == pytest.approx(low)
    assert judged["high"]["value"] == pytest.approx(high)
    assert judged["gain"] == pytest.approx(sum(rows["gain"]))
    assert [judged[name] for name in ("listed", "silent", "once")] == [2_200, rows["silent"].sum(), rows["once"].sum()]
    silent, once = rows[rows["silent"]], rows[rows["once"]]
    parts = judged["parts"]
    assert parts["kept"]["came"] == pytest.approx(sum(once["came"]) / len(once))
    assert parts["later"]["came"] == pytest.approx(sum(silent["came"]) / len(silent))
    assert parts["returned"]["came"] == pytest.approx(sum(silent["returned"]) / len(silent))
    assert [parts[name]["predicted"] for name in ("kept", "later", "returned")] == pytest.approx([25, 9, 0.25])


def test_what_keeping_them_would_truly_have_added_lies_inside():
    """In shops where half, most or hardly any of the listed are alive."""
    for seed in range(12):
        rows, _ = day(seed, count=800, alive_share=(0.2, 0.5, 0.9)[seed % 3])
        judged = gain_bracket(rows, seed=1)
        ends = [judged["low"]["interval_low"], judged["high"]["interval_high"]]
        assert ends[0] < judged["gain"] < ends[1]
        assert judged["place"] == INSIDE


def test_promises_beyond_it_are_named():
    rows, truth = day(5)
    assert gain_bracket(day(5, gain=10 * truth)[0], seed=1)["place"] == ABOVE
    assert gain_bracket(day(5, gain=-10 * truth)[0], seed=1)["place"] == BELOW
    assert gain_bracket(rows, seed=1)["place"] == INSIDE


def test_days_add_up_and_customers_are_drawn_with_all_their_days():
    """The same list on three days is three times one; its interval is three times as wide, not √3 times."""
    days = [day(8, as_of=f"2025-0{month}-01")[0] for month in (1, 2, 3)]
    single, triple = gain_bracket(days[0], seed=1), gain_bracket(pd.concat(days), seed=1)
    for end in ("low", "high"):
        assert triple[end]["value"] == pytest.approx(3 * single[end]["value"])
        width = [judged[end]["interval_high"] - judged[end]["interval_low"] for judged in (single, triple)]
        assert width[1] == pytest.approx(3 * width[0])


def test_the_intervals_are_as_wide_as_the_means_scatter():
    """Over made-up days alike, the mean of those who order once lies in 95 % of the intervals, but for chance."""
    many = pd.concat([day(seed)[0] for seed in range(100, 140)])
    true = many.loc[many["once"], "came"].mean()
    inside = []
    for seed in range(60):
        part = gain_bracket(day(seed, count=500)[0], seed=seed)["parts"]["kept"]
        inside.append(part["interval_low"] <= true <= part["interval_high"])
    assert sum(inside) >= 52, "fewer than 52 of 60 once in 200 by chance"
