"""Reasons that differ by the customer's number alone are one; each customer counts once, and so does his money."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from features.families.catalogue import feature_templates
from retention.analyses.leaving_reasons import leaving_reasons
from retention.customer_base.reason_topics import reason_topic, reason_topics


def test_every_feature_has_one_subject_whatever_its_value():
    seen = 0
    for one in feature_templates():
        if "{}" in one.says and not one.is_per_kind:
            values = (0.0, 1.0, 2.0, 17.25, 1234567.0, 0.0013)
            said = {reason_topic(one.sentence(value)) for value in values}
            assert len(said) == 1, (one.name, said)
            seen += 1
    assert seen > 40


def test_a_missing_reason_stays_missing():
    assert reason_topics(pd.Series(["3 visits", None, "1 visit"])).tolist() == ["visits", None, "visits"]


def test_money_and_customers_equal_a_count_by_hand():
    draw = np.random.default_rng(5)
    reasons = [f"{draw.integers(2, 50)} {what}" for what in draw.choice(["days since the last order", "visits"], 200)]
    reasons[3] = None
    reason, money = pd.Series(reasons), pd.Series(draw.gamma(2, 10, 200))
    churn = pd.Series(draw.random(200))
    customers, at_risk = defaultdict(int), defaultdict(float)
    for text, amount in zip(reasons, money, strict=True):
        if text:
            what = "visits" if "visit" in text else "days since the last order"
            customers[what] += 1
            at_risk[what] += amount
    table = leaving_reasons(reason, money, churn).set_index("reason")
    assert table["customers"].to_dict() == dict(customers)
    assert table["at_risk"].to_dict() == pytest.approx(at_risk)
    assert table["at_risk_share"].sum() == pytest.approx(1 - money[3] / money.sum())
    assert table["at_risk"].is_monotonic_decreasing
