"""Our own campaigns in a span of days: the customers each chose, and which of them it contacted or held out."""

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from retention.planning.plan_archive import archived_plans

COLUMNS = ["customer_id", "treated"]


def own_campaigns(
    plans: Path, treatments: pd.DataFrame | None, *, first: date, before: date
) -> dict[str, pd.DataFrame]:
    """Campaigns with contacts from `first` on and before `before`, by name: customer_id and treated.

    plans: the folder of the kept plans, which count by the day of their scores. treatments: as `read_treatments` has
    them; None: there is no such table. A customer booked as contacted was treated, whatever the plan said; a customer
    whom the plan held out, without such a booking, was held out.
    """
    planned = {plan.campaign: plan for plan in archived_plans(plans)}
    booked = {} if treatments is None else _booked(treatments, first=first, before=before)
    names = [name for name, plan in planned.items() if first <= plan.day < before]
    return {
        name: _combined(_planned(planned[name].file) if name in planned else None, booked.get(name))
        for name in [*names, *(name for name in booked if name not in names)]
    }


def _planned(file: Path) -> pd.DataFrame:
    return pq.read_table(file, columns=COLUMNS).to_pandas()


def _booked(treatments: pd.DataFrame, *, first: date, before: date) -> dict[str, pd.DataFrame]:
    """The treatments in the span, by campaign."""
    days = treatments["at"].dt.date
    rows = treatments[(days >= first) & (days < before)]
    return {str(name): group[COLUMNS] for name, group in rows.groupby("campaign", sort=True)}


def _combined(planned: pd.DataFrame | None, booked: pd.DataFrame | None) -> pd.DataFrame:
    """Each customer once, treated if either says so."""
    both = pd.concat([rows for rows in (planned, booked) if rows is not None], ignore_index=True)
    return both.astype({"treated": bool}).groupby("customer_id", as_index=False, sort=True)["treated"].any()
