"""CHECKS 5: whatever is changed, added or removed among what was not known before `as_of`, features stay."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.snapshots.snapshot import feature_columns, snapshot

AS_OF = pd.Timestamp("2020-01-16")


def is_later(rows, at):
    return (rows[at] >= AS_OF) | (rows.get("recorded_at", rows[at]) >= AS_OF)


def any_later(rng, count):
    return AS_OF + pd.to_timedelta(rng.integers(0, 200, count) * 3, "h")


def poisoned(rows, at, rng, others):
    """The rows with every later one removed, doubled or changed in some columns; how many were."""
    later = rows[is_later(rows, at)]
    later = later.loc[rng.choice(later.index, len(later))]
    for column in set(rows) - {at, "recorded_at"}:
        hit = rng.random(len(later)) < 0.5
        strange = rng.choice([*rows[column].dropna().unique(), *others.get(column, ["something new"])], hit.sum())
        later.loc[hit, column] = strange
    hit = (rng.random(len(later)) < 0.5) & (later[at] >= AS_OF)
    later.loc[hit, at] = any_later(rng, hit.sum())
    if "recorded_at" in rows:
        hit = rng.random(len(later)) < 0.5
        later.loc[hit, "recorded_at"] = any_later(rng, hit.sum())
    return pd.concat([rows[~is_later(rows, at)], later]).sample(frac=1, random_state=3), is_later(rows, at).sum()


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_changes_to_what_was_not_known(read, crowd, seed, late):
    """Amounts, customers, orders, products, costs, channels and kinds, old and new ones, moved and doubled."""
    orders, interactions = crowd(seed, late=late)
    rng = np.random.default_rng(seed)
    others = {"customer_id": ["c000", "a new one"], "amount": ["-3.00", "-99999.99", "1000000"], "value": ["1e300"]}
    others |= {"quantity": ["-7", "1000"], "cost": ["0", "4711"], "discount": ["12.5"], "order_id": ["9", "zz"]}
    new_orders, changed = poisoned(orders, "ordered_at", rng, others)
    new_interactions, also_changed = poisoned(interactions, "at", rng, others)
    assert changed + also_changed > 1000
    clean = read(orders, interactions=interactions).histories
    after = read(new_orders, interactions=new_interactions).histories
    assert "something_new" in after.kinds
    assert "something new" in after.channels
    as_of = [date(2020, 1, 3), date(2020, 1, 9), AS_OF.date()]
    names = feature_columns(clean, as_of=as_of)
    assert feature_columns(after, as_of=as_of) == names
    expected = snapshot(clean, as_of=as_of, features=names).to_pandas()
    assert snapshot(after, as_of=as_of).to_pandas().equals(expected)


def test_lines_added_later_to_every_old_order(read, crowd):
    """Each known line comes again, recorded or placed later: as a purchase, a refund and another product."""
    orders, interactions = crowd(7)
    old = orders[~is_later(orders, "ordered_at")]
    again = [
        old.assign(amount=amount, product_id=product, **{column: AS_OF})
        for amount, product in [("2.00", "mug"), ("-5.00", "hat"), ("-8.00", None), ("0", "vase")]
        for column in ("recorded_at", "ordered_at")
    ]
    expected = snapshot(read(orders, interactions=interactions).histories, as_of=[AS_OF.date()]).to_pandas()
    added = read(pd.concat([*again, orders]), interactions=interactions).histories
    rows = snapshot(added, as_of=[AS_OF.date()]).to_pandas()
    assert rows.equals(expected)
    assert len(again) * len(old) > 1000
