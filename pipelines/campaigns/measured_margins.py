"""What a campaign measured of the worth factor: the margin of its window, beside what its gains by comparables are."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.keeping.worth_factor import CENTRE, WorthFactor
from retention.economics.contact import order_margins
from retention.measurement.kept_margin import MeasuredMargin
from retention.measurement.save_rate_store import believed_worth_factor
from retention.planning.contact_list import GAIN, SAVABLE


def measured_margin(
    treated: pd.DataFrame, margin: Mapping[str, float], *, window_days: int, contractual: bool
) -> MeasuredMargin | None:
    """The margin that an offer added, per treated customer; None where it says nothing of the worth factor.

    treated: those who were treated with the offer, with the scores they were chosen by. margin: value and sd of its
    effect.
    """
    order_margin = float(np.mean(treated[SAVABLE].to_numpy(float) * order_margins(treated)))
    gain = float(treated[GAIN].mean()) / CENTRE
    if contractual or not (margin["sd"] > 0 and gain > 0 and order_margin > 0):
        return None
    return MeasuredMargin(margin["value"], margin["sd"], gain, order_margin, window_days)


def worth_factor_moved(folder: Path, campaign: str) -> dict[str, Any]:
    """The belief about the worth factor without this campaign, and with it; empty where it did not speak of it."""
    before, after = believed_worth_factor(folder, without=campaign), believed_worth_factor(folder)
    if after.readouts == before.readouts:
        return {}
    return {"before": _as_json(before), "after": _as_json(after)}


def _as_json(worth: WorthFactor) -> dict[str, Any]:
    low, high = worth.interval
    return asdict(worth) | {"low": low, "high": high, "times_scored": worth.times_scored}
