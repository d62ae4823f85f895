"""Quiet days, by brute force: a campaign counts by its plan until it is booked, and by its bookings from then on."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from retention.planning.suppression import suppressed_customers

DAY = date(2020, 3, 1)
NAMES = ("spring", "mail", "call", "never planned", "never booked")


def kept(folder, name, day, treated):
    """Keep a plan of these customers, True for the treated."""
    rows = pd.DataFrame({"customer_id": list(treated), "treated": list(treated.values())})
    rows.to_parquet(folder / f"{name}.parquet")
    (folder / f"{name}.json").write_text(json.dumps({"campaign": name, "as_of": str(day)}))


def booked(*rows):
    """Treatments from (customer, days after DAY, campaign, treated)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "at", "campaign", "treated"]).astype({"treated": bool})
    return frame.assign(at=pd.Timestamp(DAY, tz="UTC") + pd.to_timedelta(frame["at"].astype(float), unit="D"))


def quiet(folder, treatments, *, quiet_days=30, as_of=DAY, campaign="mine"):
    rules = {"do_not_contact": None, "plans": folder, "quiet_days": quiet_days}
    (found,) = suppressed_customers(**rules, as_of=as_of, campaign=campaign, treatments=treatments).values()
    return found


def by_hand(plans, rows, *, quiet_days, as_of, campaign):
    """The same, one row after the other; plans: (name, days after DAY, treated), rows: of `booked`."""
    found, last = set(), (as_of - DAY).days
    for name, day, treated in plans:
        is_booked = any(other == name and at >= day - 1 for _, at, other, _ in rows)
        if name != campaign and not is_booked and last - quiet_days < day <= last:
            found |= {customer for customer, yes in treated.items() if yes}
    for customer, at, name, yes in rows:
        planned = any(other == name and day <= last for other, day, _ in plans)
        if yes and name != campaign and np.floor(at) > last - quiet_days and (planned or np.floor(at) <= last):
            found.add(customer)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_a_reader_of_every_row_would_say(tmp_path, seed):
    rng = np.random.default_rng(seed)
    customers = [f"{i:03d}" for i in range(60)]

    def some(count):
        return rng.choice(customers, count, replace=False)

    plans = [(name, int(rng.integers(-40, 10)), {c: bool(rng.random() < 0.8) for c in some(15)}) for name in NAMES]
    plans = [plan for plan in plans if plan[0] != "never planned"]
    rows = [
        (customer, float(rng.uniform(-50, 15)), name, bool(rng.random() < 0.8))
        for name in NAMES
        if name != "never booked"
        for customer in some(6)
    ]
    for name, day, treated in plans:
        kept(tmp_path, name, DAY + timedelta(days=day), treated)
    for as_of in (DAY - timedelta(days=9), DAY):
        for quiet_days in (1, 7, 30):
            for campaign in ("mine", "spring"):
                how = {"quiet_days": quiet_days, "as_of": as_of, "campaign": campaign}
                assert quiet(tmp_path, booked(*rows), **how) == by_hand(plans, rows, **how)


def test_a_plan_that_was_never_sent_blocks_nobody_once_the_campaign_is_booked(tmp_path):
    kept(tmp_path, "spring", DAY - timedelta(days=5), {"a": True, "b": True, "c": False})
    assert quiet(tmp_path, None) == {"a", "b"}
    assert quiet(tmp_path, booked()) == {"a", "b"}, "nothing is booked yet"
    assert quiet(tmp_path, booked(("b", -4, "spring", True), ("c", -4, "spring", False))) == {"b"}
    assert quiet(tmp_path, booked(("b", 2, "spring", True))) == {"b"}, "sent after the day of the scores"


def test_last_year_s_bookings_of_the_same_name_say_nothing_of_this_year_s_plan(tmp_path):
    kept(tmp_path, "spring", DAY - timedelta(days=5), {"a": True})
    assert quiet(tmp_path, booked(("z", -370, "spring", True))) == {"a"}


def test_a_campaign_that_somebody_else_planned_counts_by_its_bookings(tmp_path):
    rows = (("a", -29, "mail", True), ("b", -30, "mail", True), ("c", 0.9, "mail", True), ("d", 1, "mail", True))
    assert quiet(tmp_path, booked(*rows, ("e", -1, "mail", False))) == {"a", "c"}
    assert quiet(tmp_path, booked(*rows), campaign="mail") == set()


def test_a_booking_of_the_plan_s_day_in_a_zone_of_the_east_is_of_that_plan(tmp_path):
    """2020-03-01 in Tokyo begins at 15:00 UTC of the day before."""
    kept(tmp_path, "spring", DAY, {"a": True, "b": True})
    assert quiet(tmp_path, booked(("a", -9 / 24, "spring", True))) == {"a"}


def test_without_quiet_days_nobody_rests(tmp_path):
    rules = {"do_not_contact": None, "plans": tmp_path, "quiet_days": None, "as_of": DAY, "campaign": "mine"}
    assert suppressed_customers(**rules, treatments=booked(("a", -1, "mail", True))) == {}
