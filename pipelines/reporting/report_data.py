"""Read the customer base as of the day of the latest scores, from the log and the files that commands left."""

from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.clock import YEAR_DAYS, microseconds
from features.errors import InputError
from features.histories.columns import Histories
from features.histories.order_frames import known_interactions, known_orders
from features.ingest.customers_table import read_customers_table
from features.snapshots.snapshot import feature_columns, snapshot
from models.prediction import DATES, NUMBERS, REASONS
from pipelines.batches.earlier_scores import earlier_scores
from pipelines.batches.latest_scores import latest_scores
from pipelines.batches.total_misses import horizon_reach
from pipelines.campaigns.treatments import treatments_if_any
from pipelines.config import Config
from pipelines.order_log import read_orders
from pipelines.training.serving_costs import costs_if_any
from retention.customer_base.customer_base import CustomerBase

COUNTED = ("products", "categories")
YEAR = pd.Timedelta(days=YEAR_DAYS)


def customer_base(config: Config, *, now: datetime, clv_cost_share: float = 0.0) -> CustomerBase:
    """Read the base as of the day of the latest scores.

    now: rows after it are in the future. clv_cost_share: as metrics.json has it (`lifetime.cost_share`).

    Raises InputError where there are no scores, or a table cannot be used. It holds the whole log in memory.
    """
    scores = latest_scores(config.folder)
    if missing := [name for name in (*NUMBERS, *DATES) if name not in scores]:
        raise InputError(
            f"the latest scores have no {', '.join(missing)}: an earlier version made them",
            where=str(config.folder),
            next="Score again: stayworth score --as-of DAY.",
        )
    as_of, horizon_days = pd.Timestamp(scores["as_of"].iloc[0]).date(), int(scores["horizon_days"].iloc[0])
    histories = read_orders(config, now=now).histories
    people = _people(config, now=now) if config.data.customers else None
    orders, numbers = known_orders(histories, as_of=as_of), _Numbers.of(histories, scores)
    booked = costs_if_any(config, now=now)
    treatments = treatments_if_any(config, now=now)
    costs = None if booked is None else numbers.named(_before(booked, as_of=as_of))
    former = _former(histories, numbers, orders, people, as_of=as_of) if histories.contractual else None
    orders = numbers.numbered(orders)  # one frame of all orders at a time
    customers = _customers(histories, numbers, orders, costs, scores, as_of=as_of)
    report = config.report
    return CustomerBase(
        as_of=as_of,
        horizon_days=horizon_days,
        currency=config.money.currency,
        gross_margin=config.money.gross_margin,
        annual_discount_rate=config.money.annual_discount_rate,
        lifetime_days=config.money.lifetime_days,
        clv_cost_share=clv_cost_share,
        horizon_reach=horizon_reach(config.folder, horizon_days=horizon_days),
        customers=customers,
        orders=orders,
        interactions=numbers.numbered(known_interactions(histories, as_of=as_of)) if config.data.interactions else None,
        costs=costs,
        treatments=None if treatments is None else numbers.named(_before(treatments, as_of=as_of)),
        people=None if people is None else numbers.named(people, everybody=True),
        former=former,
        earlier=earlier_scores(config, histories, scores, as_of=as_of),
        tiers=dict(sorted(report.tiers.items(), key=lambda tier: tier[1])),
        involuntary=frozenset(report.involuntary),
        survey_range=report.survey_range,
        targets=report.targets,
    )


class _Numbers(NamedTuple):
    """Map from a customer of the histories, by number or id, to the row of `customers`; −1 for anybody else."""

    row_of: np.ndarray
    ids: pa.Array

    @classmethod
    def of(cls, histories: Histories, scores: pd.DataFrame) -> "_Numbers":
        """Number the customers of the histories who have scores, in the order of the histories."""
        scored = pc.is_in(histories.customer_ids, value_set=_texts(scores["customer_id"])).to_numpy(
            zero_copy_only=False
        )
        row_of = np.where(scored, np.cumsum(scored) - 1, -1)
        return cls(row_of, histories.customer_ids.filter(pa.array(scored)))

    def numbered(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of the customers, with their new numbers."""
        rows = self.row_of[frame["customer"].to_numpy()]
        frame = frame.assign(customer=rows)
        return frame if (rows >= 0).all() else frame[rows >= 0].reset_index(drop=True)

    def named(self, frame: pd.DataFrame, *, everybody: bool = False) -> pd.DataFrame:
        """Keep the rows by customer_id, with the numbers; everybody: keep the id, and the rows of anybody else too."""
        index = pc.index_in(_texts(frame["customer_id"]), value_set=self.ids)
        rows = index.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        frame = frame.assign(customer=rows)
        return frame if everybody else frame[rows >= 0].drop(columns="customer_id").reset_index(drop=True)


def _customers(
    histories: Histories,
    numbers: _Numbers,
    rows: pd.DataFrame,
    costs: pd.DataFrame | None,
    scores: pd.DataFrame,
    *,
    as_of: date,
) -> pd.DataFrame:
    """Build the frame `CustomerBase.customers`; rows: their orders, `CustomerBase.orders`."""
    day, count = _day(as_of), len(numbers.ids)
    stand = rows.loc[rows["stands"], ["customer", "at"]]
    by_customer = stand.groupby("customer", sort=False)["at"]
    table = pd.DataFrame({"customer_id": numbers.ids.to_pandas().astype("str")})
    table["first_order"], table["last_order"] = by_customer.first(), by_customer.last()
    table["orders"] = np.bincount(stand["customer"], minlength=count)
    for name, column in (("gross", "gross"), ("refunded", "refunded"), ("net_sales", "net"), ("margin", "margin")):
        table[name] = np.bincount(rows["customer"], rows[column], minlength=count)
    table["discount"] = rows.groupby("customer", sort=False)["discount"].sum(min_count=1)
    last = rows[rows["at"] >= day - YEAR]
    table["orders_year"] = np.bincount(last.loc[last["stands"], "customer"], minlength=count)
    for name, column in (("sales_year", "net"), ("margin_year", "margin")):
        table[name] = np.bincount(last["customer"], last[column], minlength=count)
    for name, booked in (
        ("cost_to_serve", costs),
        ("cost_to_serve_year", None if costs is None else costs[costs["at"] >= day - YEAR]),
    ):
        table[name] = np.nan if booked is None else np.bincount(booked["customer"], booked["amount"], minlength=count)
    available = [name for name in COUNTED if name in feature_columns(histories, as_of=[as_of])]
    counts = snapshot(histories, as_of=[as_of], features=available).to_pandas() if available else pd.DataFrame()
    for name in COUNTED:
        table[name] = (
            counts.set_index("customer_id")[name].reindex(table["customer_id"]).to_numpy()
            if name in available
            else np.nan
        )
    of_scores = scores.assign(customer_id=scores["customer_id"].astype("str")).set_index("customer_id")
    return table.join(of_scores[[*NUMBERS, *DATES, "segment", *REASONS]], on="customer_id")


def _texts(ids: pd.Series) -> pa.Array:
    texts = pa.array(ids.astype("str"), pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _people(config: Config, *, now: datetime) -> pd.DataFrame:
    return read_customers_table(config.log, now_us=int(now.timestamp() * 1_000_000)).to_pandas()


def _former(
    histories: Histories, numbers: _Numbers, orders: pd.DataFrame, people: pd.DataFrame | None, *, as_of: date
) -> pd.DataFrame:
    """Build the frame `CustomerBase.former`: customers who left before the day."""
    left_us = histories.left_us
    assert left_us is not None
    gone = np.flatnonzero((left_us < microseconds(as_of)) & (numbers.row_of < 0))
    place = np.full(histories.customers, -1)
    place[gone] = np.arange(len(gone))
    rows = orders.assign(customer=place[orders["customer"].to_numpy()])
    rows = rows[rows["customer"] >= 0]
    left_at = left_us[gone].view("datetime64[us]")
    last = rows[rows["at"].to_numpy() >= left_at[rows["customer"]] - YEAR.to_timedelta64()]
    table = pd.DataFrame({"customer_id": histories.customer_ids.to_pandas().iloc[gone].to_numpy(), "left_at": left_at})
    table["left_reason"] = None
    if people is not None:
        table["left_reason"] = table["customer_id"].map(people.set_index("customer_id")["left_reason"])
    table["orders"] = np.bincount(rows.loc[rows["stands"], "customer"], minlength=len(gone))
    for name, source, column in (
        ("net_sales", rows, "net"),
        ("margin", rows, "margin"),
        ("margin_last_year", last, "margin"),
    ):
        table[name] = np.bincount(source["customer"], source[column], minlength=len(gone))
    return table


def _before(frame: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Keep what had happened and was known before the day; times lose their zone."""
    day = _day(as_of).tz_localize("UTC")
    rows = frame[(frame["at"] < day) & (frame["recorded_at"] < day)]
    return rows.assign(at=rows["at"].dt.tz_localize(None)).drop(columns="recorded_at").reset_index(drop=True)


def _day(day: date) -> pd.Timestamp:
    return pd.Timestamp(microseconds(day), unit="us")
