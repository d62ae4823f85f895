"""Millions of customers to look up: copies of real customers, each with values of its own.

The orders are CDNOW's or Online Retail II's, the features the product's. Both logs lack interactions, so three kinds
are simulated, more for customers who have been there longer. In each copy all values that are not whole numbers are
scaled, those of the same unit alike, so that values that are equal in a customer's row stay equal, as after a single
order.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.accuracy_shops import CDNOW, ONLINE_RETAIL
from features.families.catalogue import feature_named, value_in_words
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.snapshots.snapshot import snapshot
from models.prediction import DATES, NUMBERS, REASONS
from serving.store.file_format import BatchInfo

SHOPS = {"cdnow": (CDNOW, date(1998, 4, 2)), "online_retail": (ONLINE_RETAIL, date(2011, 9, 10))}
KINDS = {"visit": 4.0, "email_open": 2.0, "complaint": 0.1}
"""Kinds of interaction, with the mean number per customer and year."""
CHUNK = 50_000


class Customers:
    """A given number of customers, in chunks of scores and feature rows; the same ones every time."""

    def __init__(self, shop: str, count: int) -> None:
        source, day = SHOPS[shop]
        histories = source.histories()
        log = replace(source.config().log, interactions=interactions(histories, day))
        rows = snapshot(ingest(log, now_us=None).histories, as_of=[day]).to_pandas(date_as_object=False)
        self.count, self.day = count, day
        self.features = [name for name in rows.columns if name not in ("customer_id", "as_of")]
        self.values = rows[self.features].to_numpy(np.float64)
        self.reasons = reasons(rows, self.features)
        units = [feature.unit if (feature := feature_named(name)) else "" for name in self.features]
        self.units = np.unique(units, return_inverse=True)[1]
        self.about = BatchInfo(day, 90, "benchmark", "EUR", 0.0, 0.0, 0.0, dict.fromkeys(self.features))

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        for begin in range(0, self.count, CHUNK):
            numbers = np.arange(begin, min(begin + CHUNK, self.count))
            rng, real = np.random.default_rng(begin), numbers % len(self.values)
            scales = rng.lognormal(0, 0.3, (len(numbers), self.units.max() + 1))[:, self.units]
            values = self.values[real]
            values *= np.where(values == np.floor(values), 1.0, scales)
            who = {"customer_id": pd.Series(ids(numbers), dtype="str"), "as_of": pd.Timestamp(self.day)}
            scores = {**who, "horizon_days": 90, **{name: rng.gamma(0.5, 50, len(numbers)) for name in NUMBERS}}
            scores |= dict.fromkeys(DATES, pd.Timestamp(self.day))
            scores |= {"segment": rng.choice(["VIP", "grow", "maintain", "let go"], len(numbers))}
            scores |= {reason: self.reasons[place][real] for place, reason in enumerate(REASONS)}
            rows = pd.DataFrame(values, columns=self.features).assign(**who)
            yield pd.DataFrame(scores | {"model_version": "benchmark"}), rows


def ids(numbers: np.ndarray) -> list[str]:
    """Distinct ids of 36 characters in random order, as in shops that use UUIDs."""
    return [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}-{number:019x}" for number in numbers.tolist()]


def interactions(histories: Histories, day: date) -> pd.DataFrame:
    """Simulate interactions between each customer's first order and the day; a few customers have most of them."""
    rng, columns = np.random.default_rng(7), histories.columns
    first = columns.at[columns.starts[:-1]].astype("datetime64[us]")
    years = (np.datetime64(day, "us") - first) / np.timedelta64(365, "D")
    busy = np.maximum(years, 0) * rng.gamma(0.5, 2, len(years))
    frames = []
    for kind, mean in KINDS.items():
        who = np.repeat(np.arange(len(years)), rng.poisson(mean * busy))
        at = first[who] + (rng.uniform(size=len(who)) * (np.datetime64(day, "us") - first[who])).astype(
            "timedelta64[us]"
        )
        frames.append(
            pd.DataFrame({"customer_id": histories.customer_ids.take(who).to_pandas(), "at": at, "kind": kind})
        )
    return pd.concat(frames, ignore_index=True)


def reasons(rows: pd.DataFrame, features: list[str]) -> list[np.ndarray]:
    """Three reasons for each customer, of features drawn at random."""
    drawn = np.random.default_rng(7).integers(len(features), size=(len(REASONS), len(rows)))
    records = rows[features].to_numpy()
    return [
        np.array(
            [value_in_words(features[place], float(records[row, place])) for row, place in enumerate(column)],
            dtype=object,
        )
        for column in drawn
    ]
