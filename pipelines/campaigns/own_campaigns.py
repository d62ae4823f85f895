"""Our own campaigns in a span of days: whom each chose, and whom of them it contacted or held out."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipelines import store
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from retention.left_alone import kept

COLUMNS = ["customer_id", "treated"]


def own_campaigns(config: Config, *, first: date, before: date, now: datetime) -> dict[str, pd.DataFrame]:
    """By name, the campaigns that contacted somebody from `first` on and before `before`: customer_id and treated.

    From the plans that were kept, by the day of their scores, and from the config's table of treatments, where it has
    one. Whoever was booked as contacted was treated, whatever the plan said; whoever the plan held out and nobody
    booked was held out.
    """
    plans = {name: (file, day) for file, name, day in kept(config.folder / store.PLANS)}
    booked = _booked(config, first=first, before=before, now=now)
    names = [name for name, (_, day) in plans.items() if first <= day < before]
    return {
        name: _joined(_planned(plans[name][0]) if name in plans else None, booked.get(name))
        for name in [*names, *(name for name in booked if name not in names)]
    }


def _planned(file: Path) -> pd.DataFrame:
    return pq.read_table(file, columns=COLUMNS).to_pandas()


def _booked(config: Config, *, first: date, before: date, now: datetime) -> dict[str, pd.DataFrame]:
    """The rows of the table of treatments in the span, by campaign; none where the config names no table."""
    rows = treatments_if_any(config, now=now)
    if rows is None:
        return {}
    days = rows["at"].dt.date
    rows = rows[(days >= first) & (days < before)]
    return {str(name): of[COLUMNS] for name, of in rows.groupby("campaign", sort=True)}


def _joined(planned: pd.DataFrame | None, booked: pd.DataFrame | None) -> pd.DataFrame:
    """Each customer once, treated if either says so."""
    both = pd.concat([rows for rows in (planned, booked) if rows is not None], ignore_index=True)
    return both.astype({"treated": bool}).groupby("customer_id", as_index=False, sort=True)["treated"].any()
