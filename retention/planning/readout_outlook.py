"""What the readout of a plan will be able to show, said before the plan is kept."""

from math import ceil, isfinite
from typing import Any

import pandas as pd

from retention.measurement.power import POWER, detectable_save_rate

AUTO = "--holdout auto"


def readout_outlook(chosen: pd.DataFrame, *, save_rate: float | None) -> dict[str, Any]:
    """detectable_save_rate, can_be_read_out and readout_warning of a plan, ready for JSON.

    chosen: its rows, with treated, churn_probability and savable. save_rate: the one assumed. The plan can be read out
    if its holdout shows an effect as large as assumed with probability POWER; readout_warning, empty then, says what is
    missing. detectable_save_rate: the smallest that is shown; None without a holdout, or where none up to 1 is.
    """
    treated = int(chosen["treated"].sum())
    holdout = len(chosen) - treated
    p, savable = chosen["churn_probability"].to_numpy(), chosen["savable"].to_numpy()
    smallest = detectable_save_rate(p, savable, treated=treated, holdout=holdout) if len(chosen) else float("inf")
    readable = bool(save_rate) and smallest <= (save_rate or 0)
    return {
        "detectable_save_rate": smallest if smallest <= 1 else None,
        "can_be_read_out": readable,
        "readout_warning": "" if readable or not treated else _warning(smallest, save_rate, treated, holdout),
    }


def _warning(smallest: float, save_rate: float | None, treated: int, holdout: int) -> str:
    start = "This plan cannot be read out: "
    if not holdout:
        return f"{start}nobody is held out, so nothing will tell what the contacts changed. Hold out a share: {AUTO}."
    if not (save_rate and isfinite(smallest)):
        return f"{start}it assumes that the offer keeps nobody, or that nobody can be saved."
    times, needed = round(10 * POWER), ceil((treated + holdout) * (smallest / save_rate) ** 2)
    shows = f"a save rate of {smallest:.0%} or more" if smallest <= 1 else "no save rate, not even of 100%,"
    return (
        f"{start}with {holdout:,} of {treated + holdout:,} held out it will show {shows} in {times} of 10 such "
        f"campaigns, and {save_rate:.1%} is assumed. About {needed:,} chosen customers with the same share held out "
        f"would show that; {AUTO} says which share is worth its cost."
    )
