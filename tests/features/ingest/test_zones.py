"""CHECKS 4: the same instants, written in any zone and across both changes of the clock, give equal features."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from features.snapshots.snapshot import snapshot

ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@pytest.fixture
def instants():
    """A thousand instants of 2019 and 2020, at full minutes that no zone has twice or never."""
    rng = np.random.default_rng(6)
    times = pd.Timestamp("2019-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 700 * 1440, 1200), "min")
    changes = [offset(zone, times) != offset(zone, times + shift) for zone in ZONES for shift in HOURS]
    return times[~np.any(changes, axis=0)][:1000]


HOURS = [pd.Timedelta(hours=-2), pd.Timedelta(hours=2)]


def offset(zone, times):
    return np.array([time.astimezone(ZoneInfo(zone)).utcoffset() for time in times.to_pydatetime()])


def log_of(times, written):
    ids = [f"c{number % 40}" for number in range(len(times))]
    return pd.DataFrame({"customer_id": ids, "ordered_at": written, "amount": np.arange(len(times)) + 1.0})


@pytest.mark.parametrize("zone", ZONES)
def test_naive_times_are_read_in_the_declared_zone(read, instants, zone):
    expected = snapshot(read(log_of(instants, instants)).histories, as_of=[date(2020, 12, 1)]).to_pandas()
    local = instants.tz_convert(zone).tz_localize(None)
    for written in (local, local.strftime("%Y-%m-%d %H:%M:%S")):
        rows = snapshot(read(log_of(instants, written), timezone=zone).histories, as_of=[date(2020, 12, 1)])
        assert rows.to_pandas().equals(expected)


@pytest.mark.parametrize("zone", ZONES)
def test_times_with_an_offset_need_no_declaration(read, instants, zone):
    expected = snapshot(read(log_of(instants, instants)).histories, as_of=[date(2020, 12, 1)]).to_pandas()
    written = [time.isoformat() for time in instants.tz_convert(zone)]
    rows = snapshot(read(log_of(instants, written), timezone=None).histories, as_of=[date(2020, 12, 1)])
    assert rows.to_pandas().equals(expected)


@pytest.mark.parametrize("zone", ZONES)
def test_interactions_and_recording_times_are_read_in_the_same_zones(read, instants, zone):
    """Half the rows are recorded at the instant of another row, so that a wrong hour would hide or show them."""

    def rows_of(written, timezone):
        orders = log_of(instants, written).assign(recorded_at=np.roll(written, 500))
        visits = orders.rename(columns={"ordered_at": "at", "amount": "value"}).assign(kind="visit")
        histories = read(orders, interactions=visits, timezone=timezone).histories
        days = [date(2019, 10, 27), date(2020, 3, 8), date(2020, 12, 1)]
        return snapshot(histories, as_of=days, features=FEATURES).to_pandas()

    expected = rows_of(instants, "UTC")
    local = instants.tz_convert(zone)
    assert rows_of(local.tz_localize(None).strftime("%Y-%m-%d %H:%M:%S"), zone).equals(expected)
    assert rows_of([time.isoformat() for time in local], None).equals(expected)


FEATURES = ["recency_days", "tenure_days", "spend_total", "interactions", "visit_recency_days", "visit_value_last"]
