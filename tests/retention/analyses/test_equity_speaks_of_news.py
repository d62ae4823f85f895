"""A change of customer equity is split into what is news of the customers, the season, and another model."""

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from retention.analyses import equity
from retention.customer_base.customer_base import EarlierScores
from tests.retention.analyses.small_base import AS_OF, base_of, orders_of, small_base


@pytest.fixture(scope="module", params=[1, 2])
def base(request):
    return small_base(seed=request.param, customers=120, contractual=True)


def equity_by_hand(base):
    """Each customer in turn: what is news of them, and in which part it is."""
    then = dict(zip(base.earlier.scores["customer_id"], base.earlier.scores["clv"], strict=True))
    steps = base.earlier.steps.set_index("customer_id")
    table = base.customers
    of_all = table["margin"].sum() / table["orders"].sum()
    amounts, counts = Counter(), Counter()
    for row in table.itertuples():
        season, model = steps.loc[row.customer_id, ["season", "model"]]
        amounts["season"] += season
        amounts["model"] += model
        now, before = row.clv - season - model, then.pop(row.customer_id, None)
        order = row.margin / row.orders if row.orders and row.margin > 0 else of_all
        order *= 1 - base.clv_cost_share
        if before is None:
            part = "won"
        elif before >= order > now:
            part = "lost"
        else:
            part = "grown" if now > before else "shrunk"
        amounts[part] += now - (before or 0)
        counts[part] += 1
    amounts["lost"] -= sum(then.values())
    counts["lost"] += len(then)
    return amounts, counts


def test_the_parts_of_a_change_of_equity_are_those_of_a_loop(base):
    table = equity.analyse(base).table.set_index("step")
    amounts, counts = equity_by_hand(base)
    assert len(table) == len(amounts) + 2
    for part, amount in amounts.items():
        assert table.loc[part, "amount"] == pytest.approx(amount, abs=1e-6), part
    for part in ("won", "lost", "grown", "shrunk"):
        assert table.loc[part, "customers"] == counts[part] > 0, part


def test_equity_changes_add_up_and_each_customer_is_in_one_of_them():
    before = pd.Series({"a": 10.0, "b": 20.0, "c": 5.0, "d": 8.0, "gone": 7.0})
    now = pd.Series({"a": 15.0, "b": 12.0, "c": 5.0, "d": 1.0, "new": 40.0})
    order_margin = pd.Series({"a": 3.0, "b": 3.0, "c": 9.0, "d": 2.0, "new": 1.0})
    table = equity.equity_change(before, now, order_margin).set_index("step")
    assert table["amount"].to_dict() == {
        **{"equity before": 50.0, "won": 40.0, "lost": -14.0},
        **{"grown": 5.0, "shrunk": -8.0, "equity now": 73.0},
    }
    assert table.loc[["won", "lost", "grown", "shrunk"], "customers"].tolist() == [1, 2, 1, 1]


def test_a_season_and_another_model_are_no_news():
    """Everybody is worth a third less since Christmas is over, and twice as much by another model: nobody shrank."""
    before = pd.Series({"a": 30.0, "b": 60.0})
    steps = pd.DataFrame({"season": [-10.0, -20.0], "model": [20.0, 40.0]}, index=before.index)
    table = equity.equity_change(before, before + steps.sum(axis=1), before / 2, steps).set_index("step")
    assert table.loc[["won", "lost", "grown", "shrunk"], "customers"].tolist() == [0, 0, 0, 0]
    assert table["amount"].to_dict() == {
        **{"equity before": 90.0, "won": 0.0, "lost": 0.0, "grown": 0.0, "shrunk": 0.0},
        **{"season": -30.0, "model": 60.0, "equity now": 120.0},
    }


def test_the_sentence_of_equity_speaks_of_news_and_names_season_and_model(base):
    table = equity.analyse(base).table.set_index("step")["amount"]
    news = table[["won", "lost", "grown", "shrunk"]].sum()
    first, second, third = equity.analyse(base).reading.split(". ")
    assert first.startswith("Apart from the model and the season, customer equity ")
    assert f"{'grew' if news > 0 else 'fell'} by {abs(news):,.0f}\xa0EUR since 3 October 2024: " in first
    assert " customers were won (+" in first
    assert second.startswith(f"The season alone moved it by −{-table['season']:,.0f}\xa0EUR, and another model, ")
    assert third == f"It is now {table['equity now']:,.0f}\xa0EUR."
    steps = base.earlier.steps.assign(model=0.0)
    same = equity.analyse(replace(base, earlier=replace(base.earlier, steps=steps, is_same_model=True)))
    assert same.reading.startswith("Apart from the season, customer equity ")
    assert ", and the model is the same." in same.reading
    assert "model" not in set(same.table["step"])


def test_where_the_season_is_not_known_apart_it_is_said_why(base):
    unknown = replace(base.earlier, steps=None, steps_unknown="no model of that day is left")
    shown = equity.analyse(replace(base, earlier=unknown))
    assert not {"season", "model"} & set(shown.table["step"])
    assert shown.missing.endswith("is part of the steps above: no model of that day is left.")
    assert "season" not in shown.reading


def test_equity_of_a_base_adds_up_to_the_cent(base):
    table = equity.analyse(base).table
    assert table["amount"].iloc[:-1].sum() == pytest.approx(table["amount"].iloc[-1], abs=0.005)
    assert table["amount"].iloc[-1] == pytest.approx(base.customers["clv"].sum())


def test_one_customer_is_spoken_of_as_one():
    base = base_of(orders_of([(0, 400, 1.0), (1, 10, 1.0)]), customers=2, clv=[12.0, 5.0])
    earlier = EarlierScores(AS_OF, pd.DataFrame({"customer_id": ["c0000"], "clv": [10.0]}), steps_unknown="it is gone")
    assert equity.analyse(replace(base, earlier=earlier)).reading == (
        "Customer equity grew by 7.00\xa0EUR since 1 January 2025: 1 customer was won (+5.00\xa0EUR) and the value of "
        "1 grew (+2.00\xa0EUR). It is now 17.00\xa0EUR."
    )
