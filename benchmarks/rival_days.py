"""Days of real order logs on which we and the rivals are made from what was known, and judged by what followed."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy_shops import CDNOW, ONLINE_RETAIL, SHARED, Shop
from benchmarks.rival_models import PastRows, predict_rivals
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models import STAYWORTH
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.evaluation import metrics
from models.scoring import scorer
from models.training.temporal_splits import HISTORY_DAYS, REACH_DAYS, STEP_DAYS
from models.trees import boosting
from pipelines.config import Config, load
from pipelines.training.holdout_evaluation import as_prediction, labelled_rows
from pipelines.training.training_set import TrainingSet, fit_model, mask_unknown_year, training_set

RESAMPLES, CONFIDENCE, SEED = 500, 0.95, 7
MOST_ROWS = 50_000
"""Rows that trees and regressions are grown on at most, ours and theirs: drawn at random from all cut-offs."""
DONATIONS = SHARED / "donations" / "gifts.parquet"
SUPERSTORE = SHARED / "superstore" / "superstore.csv"
FREE_OF_COST = """
[money]
currency = "USD"
gross_margin = 1.0
annual_discount_rate = 0.1
lifetime_days = 1095
"""


@dataclass(frozen=True)
class Log:
    """An order log: the file it needs, and how its config and histories are read."""

    needs: Path
    read: Callable[[], tuple[Config, Histories]]
    days: tuple[tuple[int, str], ...]
    """Horizon in days, and the day."""


def _of_shop(shop: Shop) -> tuple[Config, Histories]:
    return shop.config(), shop.histories()


def _of_frame(orders: pd.DataFrame, settings: str) -> tuple[Config, Histories]:
    """A config and histories of orders that were put into our columns."""
    with tempfile.TemporaryDirectory() as folder:
        orders.to_parquet(Path(folder, "orders.parquet"))
        Path(folder, "stayworth.toml").write_text('[data]\norders = "orders.parquet"\n' + settings, "utf-8")
        config = load(Path(folder, "stayworth.toml"))
        return config, ingest(config.log, now_us=None).histories


def donations() -> tuple[Config, Histories]:
    """Years with a gift as orders of 1 on 30 June."""
    gifts = pd.read_parquet(DONATIONS)
    orders = pd.DataFrame(
        {
            "customer_id": gifts["supporter_id"].astype(str),
            "ordered_at": pd.to_datetime(gifts["year"].astype(str) + "-06-30"),
            "amount": 1.0,
            "order_id": np.arange(len(gifts)).astype(str),
        }
    )
    return _of_frame(orders, f'[time]\ntimezone = "UTC"\nhorizon_days = 365\n{FREE_OF_COST}')


def superstore() -> tuple[Config, Histories]:
    """The sample shop's order lines, sales as margin."""
    lines = pd.read_csv(SUPERSTORE)
    orders = pd.DataFrame(
        {
            "customer_id": lines["Customer Name"],
            "ordered_at": pd.to_datetime(lines["Order Date"], format="%m/%d/%Y"),
            "amount": lines["Sales"],
            "order_id": lines["Order ID"],
        }
    )
    return _of_frame(orders, f'[time]\ntimezone = "UTC"\nhorizon_days = 90\n{FREE_OF_COST}')


LOGS = {
    "CDNOW": Log(
        CDNOW.orders,
        lambda: _of_shop(CDNOW),
        ((90, "1997-10-01"), (90, "1998-01-02"), (90, "1998-04-02"), (180, "1998-01-02")),
    ),
    "Online Retail II": Log(
        ONLINE_RETAIL.orders,
        lambda: _of_shop(ONLINE_RETAIL),
        (
            *((30, day) for day in ("2011-03-01", "2011-07-01", "2011-11-01")),
            *((90, day) for day in ("2011-03-01", "2011-06-01", "2011-09-10")),
            *((180, day) for day in ("2011-03-01", "2011-06-12")),
            (365, "2010-12-01"),
        ),
    ),
    "donations": Log(DONATIONS, donations, tuple((365, f"{year}-01-01") for year in range(2000, 2006))),
    "superstore": Log(SUPERSTORE, superstore, ((90, "2019-10-01"), (90, "2020-04-01"), (90, "2020-10-01"))),
}


def measure_day(config: Config, histories: Histories, *, horizon_days: int, as_of: date) -> dict[str, Any]:
    """The evaluation of our model and the rivals, all made on a day, on the horizon that followed."""
    terms = replace(config.terms, horizon_days=horizon_days)
    training = training_set(histories, terms, as_of=as_of).of_horizon_only()
    test = labelled_rows(histories, terms, as_of=as_of)
    params = boosting.defaults(len(training.rows))
    recipe = Recipe(churn=params, value=params, kind="gamma", seed=SEED, rows=MOST_ROWS)
    model = fit_model(training, terms, recipe)
    ours = as_prediction(scorer.predict(model, test))
    rivals = predict_rivals(past_rows(histories, training, terms), test)
    return {
        "as_of": as_of.isoformat(),
        "horizon_days": horizon_days,
        "customers": len(test),
        "blend": {"no_order": model.blend.no_order, "value": model.blend.value},
        "learned_days": training.learned_days,
        **metrics.evaluate(test, {STAYWORTH: ours, **rivals}, resamples=RESAMPLES, seed=SEED, confidence=CONFIDENCE),
    }


def past_rows(histories: Histories, training: TrainingSet, terms: Terms) -> PastRows:
    """The rivals' rows: those of our training set; whole windows where we learn on shorter ones, if any has closed."""
    rows, window_days = training.rows, training.learned_days or terms.horizon_days
    as_of = training.timeline.as_of
    if window_days < terms.horizon_days and (days := closed_cut_offs(histories.first_day, terms, as_of=as_of)):
        table = snapshot(histories, as_of=days, features=training.features)
        rows = with_labels(histories, table, horizon_days=terms.horizon_days).to_pandas(date_as_object=False)
        rows, window_days = mask_unknown_year(rows, first_day=histories.first_day), terms.horizon_days
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, random_state=SEED).sort_index()
    return PastRows(
        rows=rows.reset_index(drop=True),
        current_rows=training.current_rows,
        features=training.features,
        window_days=window_days,
        horizon_days=terms.horizon_days,
        margin_rate=training.margin_rate,
        seed=SEED,
    )


def closed_cut_offs(first_day: date, terms: Terms, *, as_of: date) -> list[date]:
    """The cut-offs, 30 days apart, whose whole window had closed by a day."""
    latest, earliest = as_of - timedelta(days=terms.horizon_days), first_day + timedelta(days=HISTORY_DAYS)
    days = (latest - timedelta(days=k) for k in range(0, REACH_DAYS, STEP_DAYS))
    return sorted(day for day in days if day >= earliest)
