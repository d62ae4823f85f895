"""Logs whose rows are late, doubled, refunded and unreadable, and what a store of them must equal."""

import numpy as np
import pandas as pd
import pyarrow as pa

from features.history_store import open_histories
from features.ingest.build_histories import ingest

TERMS = {"currency": "EUR", "gross_margin": 0.4, "timezone": "UTC"}
NOW_US = 1_750_000_000_000_000
MEMORY = 10**10


def opened(log, home, *, now_us=NOW_US, **more):
    return open_histories.open_histories(log, home=home, now_us=now_us, memory_bytes=MEMORY, **more)


def same(stored, log, *, now_us=NOW_US):
    """Every cell, id, name, account and quarantined row is that of the log read whole."""
    whole = ingest(log, now_us=now_us)
    ours, theirs = stored.histories, whole.histories
    assert ours.customer_ids.equals(theirs.customer_ids)
    for name in ours.columns._fields:
        found, wanted = getattr(ours.columns, name), getattr(theirs.columns, name)
        assert found.dtype == wanted.dtype, name
        np.testing.assert_array_equal(found, wanted, err_msg=name)
    for name in ("present", "channels", "kinds", "attributes", "attribute_kinds", "unseen_names", "first_day", "end"):
        assert getattr(ours, name) == getattr(theirs, name), name
    np.testing.assert_array_equal(ours.left_us, theirs.left_us)
    assert stored.account == whole.account
    quarantine = pa.concat_tables(stored.quarantine())
    assert quarantine.schema.names == whole.quarantine.schema.names
    assert quarantine.equals(whole.quarantine)


def some_orders(rng, rows):
    """Orders with refunds, doubles, late and unreadable rows, of few customers, some of whom never buy."""
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 400 * 24, rows)), unit="h")
    frame = pd.DataFrame(
        {
            "customer_id": rng.choice([f"c{number}" for number in range(40)], rows),
            "order_id": rng.integers(0, rows // 2 + 1, rows).astype(str),
            "ordered_at": at.strftime("%Y-%m-%d %H:%M"),
            "product_id": rng.choice(list("pqrst"), rows),
            "amount": np.round(rng.gamma(2, 9, rows), 2).astype(str),
            "quantity": rng.integers(1, 4, rows).astype(str),
            "channel": rng.choice(["web", "shop"], rows),
            "recorded_at": (at + pd.to_timedelta(rng.choice([0, 0, 30], rows), unit="D")).strftime("%Y-%m-%d %H:%M"),
        }
    )
    refund = rng.random(rows) < 0.15
    frame.loc[refund, "amount"] = "-" + frame.loc[refund, "amount"]
    frame.loc[refund & (rng.random(rows) < 0.5), "order_id"] = ""
    frame.loc[rng.random(rows) < 0.03, "amount"] = "oops"
    frame.loc[rng.random(rows) < 0.03, "customer_id"] = ""
    again = frame.sample(rows // 10, random_state=int(rng.integers(2**31)))
    return pd.concat([frame, again], ignore_index=True)


def some_interactions(rng, rows):
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400 * 24, rows), unit="h")
    return pd.DataFrame(
        {
            "customer_id": rng.choice([f"c{number}" for number in range(60)], rows),
            "at": at.strftime("%Y-%m-%d %H:%M"),
            "kind": rng.choice(["visit", "call"], rows),
            "value": np.round(rng.normal(size=rows), 1),
        }
    )


def write(frame, path):
    path.parent.mkdir(exist_ok=True)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
