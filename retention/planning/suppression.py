"""Suppression: customers not to contact, since they are on a list or another campaign has contacted them lately."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features.errors import InputError
from retention.planning.plan_archive import ArchivedPlan, archived_plans

LISTED = "on the do-not-contact list"


def suppressed_customers(
    *,
    do_not_contact: Path | None,
    plans: Path,
    quiet_days: int | None,
    as_of: date,
    campaign: str,
    treatments: pd.DataFrame | None = None,
) -> dict[str, set[str]]:
    """The ids of customers not to contact, by the reason.

    do_not_contact: a CSV or Parquet file with customer_id, read anew each time. plans: the folder of the plans kept so
    far. treatments: the booked contacts, rows of customer_id, at, campaign and treated; None: contacts
    are not booked. With `quiet_days`, customers whom another campaign treated less than so many days before `as_of`;
    `campaign` itself does not count, so that it can be planned again.

    A campaign counts by its plan, sent or not, until something of it is booked, from the day before the plan on (east
    of Greenwich, the shop's day begins in it); then by its bookings alone. Bookings after `as_of` count if the
    campaign was planned by then.
    """
    suppressed = {}
    if do_not_contact is not None:
        suppressed[LISTED] = _listed(do_not_contact)
    if quiet_days is not None:
        others = [plan for plan in archived_plans(plans) if plan.campaign != campaign and plan.day <= as_of]
        booked = treatments[treatments["campaign"] != campaign] if treatments is not None else None
        suppressed[f"contacted within {quiet_days} days"] = _contacted(
            others, booked, first=as_of - timedelta(days=quiet_days - 1), last=as_of
        )
    return suppressed


def _contacted(plans: Sequence[ArchivedPlan], booked: pd.DataFrame | None, *, first: date, last: date) -> set[str]:
    """The ids that these campaigns treated from the day `first` to the day `last`; no plan is of a later day."""
    customers: set[str] = set()
    latest: dict[str, pd.Timestamp] = {}
    if booked is not None:
        latest = booked.groupby("campaign")["at"].max().to_dict()
        is_late = booked["at"] >= pd.Timestamp(last, tz="UTC") + pd.Timedelta(days=1)
        counts = booked["treated"] & (booked["at"] >= pd.Timestamp(first, tz="UTC"))
        counts &= ~is_late | booked["campaign"].isin({plan.campaign for plan in plans})
        customers.update(booked.loc[counts, "customer_id"])
    for plan in plans:
        eve = pd.Timestamp(plan.day, tz="UTC") - pd.Timedelta(days=1)
        is_booked = plan.campaign in latest and latest[plan.campaign] >= eve
        if plan.day >= first and not is_booked:
            treated = pq.read_table(plan.file, columns=["customer_id"], filters=[("treated", "=", True)])
            customers.update(treated["customer_id"].to_pylist())
    return customers


def _listed(path: Path) -> set[str]:
    """The ids of a file, as written and as the log may have folded them: lower case, without outer blanks and `.0`."""
    # The service, which imports this file, reads such a list seldom, and DuckDB is heavy.
    import tempfile

    from features.ingest.csv_checks import identifier
    from features.ingest.duckdb_connection import connect
    from features.ingest.formats.open_file import open_file
    from features.ingest.input_files import find_files
    from features.ingest.read_options import ReadOptions
    from features.ingest.sources import readable

    ids: set[str] = set()
    for file in find_files(path):
        with (
            readable(str(file)),
            connect() as db,
            tempfile.TemporaryDirectory(prefix="stayworth-") as scratch,
            open_file(db, file, ReadOptions(), scratch=Path(scratch)) as tables,
        ):
            for scan in (opened.scan for opened in tables):
                names = [row[0] for row in db.sql(f"describe select * from {scan}").fetchall()]
                if "customer_id" not in names:
                    raise InputError(
                        f"no column customer_id; found {', '.join(names)}",
                        where=str(file),
                        next="Name the column of the ids customer_id.",
                    )
                name = identifier("customer_id")
                rows = db.sql(f"select distinct {name}::varchar from {scan} where {name} is not null").fetchall()
                ids.update(row[0] for row in rows)
    return ids | {re.sub(r"^(\d+)\.0+$", r"\1", customer.strip().lower()) for customer in ids}
