"""Orders of a few customers, some of which became known late."""

import pandas as pd

LOG = """
still 1998-01-10 20.00 1998-01-10
still 1998-03-20 25.00 1998-03-20
late 1998-01-10 20.00 1998-01-10
late 1998-04-20 30.00 1998-06-10
buyer 1998-01-10 20.00 1998-01-10
buyer 1998-06-15 40.00 1998-06-15
buyer 1998-06-20 45.50 1998-06-20
everything 1998-01-10 20.00 1998-01-10
everything 1998-04-20 30.00 1998-06-10
everything 1998-06-15 40.00 1998-06-15
newcomer 1998-05-20 20.00 1998-05-20
refunded 1998-04-01 20.00 1998-04-01
refunded 1998-05-20 -20.00 1998-05-20
replaced 1998-04-01 20.00 1998-04-01
replaced 1998-04-10 -20.00 1998-05-20
replaced 1998-06-15 35.00 1998-06-15
"""
"""Who, when, how much, and when it became known."""
LATE = '[columns.orders]\nrecorded_at = "recorded_at"\n'
"""The section of a config that uses the last column."""


def frame_of(text):
    rows = [line.split() for line in text.strip().splitlines()]
    log = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount", "recorded_at"])
    for name in ("ordered_at", "recorded_at"):
        log[name] = pd.to_datetime(log[name])
    return log.assign(amount=log["amount"].astype(float), quantity=1)
