"""The compiled pass says what the plain functions say, and never what they used to say."""

import importlib.util
import sys
from datetime import date

import numpy as np

from features.clock import microseconds
from features.families.catalogue import catalogue, feature_named, feature_templates
from features.ingest.schema import ORDERS
from features.kernel.code_generation import compile_pass, row_layout
from features.kernel.feature import features_of
from features.kernel.slices import Events, InteractionsByKind, Slices
from features.snapshots.snapshot import snapshot

DAY = date(1997, 10, 1)
NO_KINDS = InteractionsByKind(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
NO_EVENTS = Events(np.empty(0, np.int64), np.empty(0))
EVERYTHING = frozenset({*ORDERS, "interactions", "value"})


def test_compiled_features_equal_the_plain_functions(cdnow):
    rows = snapshot(cdnow.histories, as_of=[DAY]).to_pandas()
    as_of, pass_ = microseconds(DAY), compile_pass(feature_templates())
    for customer in range(0, cdnow.histories.customers, 500):
        orders, refunds, items = pass_.known(cdnow.histories.columns, customer, as_of, as_of)
        given = {"orders": orders, "refunds": refunds, "items": items, "as_of": as_of}
        row = rows[rows["customer_id"] == cdnow.histories.customer_ids[customer].as_py()].iloc[0]
        for one in catalogue(cdnow.histories.present).values():
            plain = one.function(*(one.days if name == "days" else given[name] for name in one.arguments))
            scale = 100 if one.unit == "money" else 1
            np.testing.assert_allclose(row[one.name], plain / scale, rtol=1e-12, err_msg=one.name)


def test_an_edited_feature_is_never_answered_by_stale_code(cdnow, tmp_path, monkeypatch):
    """numba's cache does not see changes in called files; the name of our pass does.

    `fill` is the part of the pass that calls features, and compiles in a fraction of the time.
    """
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python's own cache tells files apart by seconds
    answers, as_of = [], microseconds(DAY)
    known = compile_pass(feature_templates()).known
    rows = [Slices(*known(cdnow.histories.columns, n, as_of, as_of), NO_EVENTS, NO_KINDS) for n in range(50)]
    for factor in (2, 3):
        family = tmp_path / "family.py"
        family.write_text(
            "from features.kernel.feature import feature\n"
            "@feature(unit='orders', says='{} times the orders')\n"
            f"def scaled_orders(orders):\n    return {factor} * len(orders.at)\n"
        )
        spec = importlib.util.spec_from_file_location("family", family)
        module = sys.modules["family"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        features = tuple(features_of(module))
        values, layout = np.empty((1, len(rows))), row_layout(features, features, ())
        for n, slices in enumerate(rows):
            compile_pass(features).fill(slices, as_of, layout, 100, values[:, n])
        answers.append(values.sum())
    assert answers[1] == answers[0] * 3 / 2 > 100


def test_every_feature_says_its_value_in_words():
    assert feature_named("recency_days").sentence(62.4) == "62 days since the last order"
    assert feature_named("orders_last_90d").sentence(1) == "1 order in the last 90 days"
    assert feature_named("spend_mean").sentence(1234.5) == "1,234.50 spent per order"
    assert feature_named("gap_mean_days").sentence(float("nan")) == "only one order so far"
    everything = catalogue(EVERYTHING, ("complaint", "campaign_contact", "campaign_response"))
    assert len({one.meaning for one in everything.values()}) == len(everything)
