"""What holds for every analysis of the report, on bases of every kind: no crash, no id, no silence."""

import pkgutil
import re
from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import retention.analyses as room
from retention.analyses.chapters import CHAPTERS
from retention.presentation.analysis import Analysis, as_html
from retention.presentation.theme import as_json
from tests.retention.analyses.small_base import base_of, orders_of, small_base

NAMES = sorted(one.name for one in pkgutil.iter_modules(room.__path__))
MODULES = {name: module for name in NAMES if hasattr(module := import_module(f"retention.analyses.{name}"), "analyse")}
EVIL = "</script><img src=x onerror=alert(1)>"
WITHOUT = ("discounts", "refunds", "costs", "interactions", "treatments", "people", "earlier")


def alike(count, worth=9.0):
    names = ("expected_orders", "expected_value", "value_p10", "value_p90", "clv", "clv_p10", "clv_p90", "gain")
    return {"churn_probability": [0.5] * count, "savable_probability": [0.5] * count} | {
        name: [worth] * count for name in names
    }


BASES = {
    "usual": partial(small_base, seed=1),
    "contractual": partial(small_base, seed=2, contractual=True),
    "bare": partial(small_base, seed=3, tiers={}, **{f"with_{one}": False for one in WITHOUT}),
    **{f"without {one}": partial(small_base, seed=4, **{f"with_{one}": False}) for one in WITHOUT},
    "one customer": partial(small_base, seed=5, customers=1),
    "silent for years": partial(base_of, orders_of([(0, 900, 5), (1, 800, 7), (1, 700, 2)]), customers=2),
    "all alike": partial(base_of, orders_of([(one, 30, 5) for one in range(6)]), customers=6, **alike(6)),
    "at a loss": partial(base_of, orders_of([(0, 30, -5, 2), (1, 20, -1, 3)]), customers=2),
    "worth nothing": partial(base_of, orders_of([(0, 30, 0, 0), (1, 20, 0, 0)]), customers=2, **alike(2, worth=0.0)),
}
"""Bases of many kinds, by a word for each."""
OFTEN = ("usual", "contractual", "bare", "one customer", "at a loss", "worth nothing")
"""Those that are tried with the fast tests."""


@pytest.fixture(
    scope="module",
    params=[name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in BASES],
)
def base(request):
    return BASES[request.param]()


@pytest.fixture(scope="module")
def whole():
    """A base that no analysis may change."""
    return small_base(seed=6)


@pytest.fixture(scope="module")
def turned(whole):
    """The same base, its costs in the other order."""
    return replace(whole, costs=whole.costs[::-1].reset_index(drop=True))


@pytest.fixture(params=MODULES)
def module(request):
    return MODULES[request.param]


def test_it_says_something_true_of_form_on_any_base(module, base):
    one = module.analyse(base)
    assert isinstance(one, Analysis)
    assert one.title
    assert len(one.definition) > 40
    assert re.search(r"\d{4}|textbook", one.source), one.source
    assert one.reading or one.missing
    assert not one.reading or one.reading.endswith((".", "”."))
    assert len(one.table) <= 40
    assert set(one.columns) <= set(one.table.columns)
    for text in (one.reading, one.missing):
        assert not re.search(r"\bnan\b|\binf\b|None|(?<![.,\d])1 (customers|orders|cells|years|segments)\b", text), text
    ids = set(base.customers["customer_id"])
    for name in one.table.select_dtypes(include=["object", "string"]):
        assert not ids & set(one.table[name].astype(str)), name
    assert one.title in as_html(one, name="here", currency=base.currency).unescape()
    if one.figure is not None:
        assert "NaN" not in as_json(one.figure)
    shares = [name for name, column in one.columns.items() if column.form == "percent" and "change" not in name]
    for name in shares:
        values = pd.to_numeric(one.table[name], errors="coerce").dropna()
        assert np.isfinite(values).all(), name


def test_the_base_is_left_as_it_was(module, whole):
    before = {name: getattr(whole, name).copy() for name in ("customers", "orders", "interactions", "costs")}
    module.analyse(whole)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(whole, name), frame)


def test_the_same_base_says_the_same_whatever_the_order_of_events(module, whole, turned):
    assert module.analyse(turned).reading == module.analyse(whole).reading


def test_hostile_text_is_shown_as_text():
    for name in ("profit_waterfall", "churn_causes", "importance_performance", "status_tiers"):
        if name not in MODULES:
            continue
        base = small_base(seed=8, contractual=True, tiers={EVIL: 1.0, "gold": 500.0})
        interactions = base.interactions.assign(
            kind=base.interactions["kind"].astype(str).str.replace("survey_price", f"survey_{EVIL}")
        )
        base = replace(
            base,
            costs=base.costs.assign(kind=EVIL),
            former=base.former.assign(left_reason=EVIL),
            interactions=interactions,
        )
        one = MODULES[name].analyse(base)
        assert EVIL not in as_html(one)
        assert "<img" not in as_html(one)
        assert one.figure is None or "<" not in as_json(one.figure)


def test_every_analysis_has_its_place_in_the_report_once():
    placed = [module.__name__.rpartition(".")[2] for _, modules in CHAPTERS for module in modules]
    assert sorted(placed) == sorted(MODULES)
