"""Temporal splits: cut-offs to fit on, to calibrate on and to test on, so that no label is read too early.

One example through all comments: data from 1997-01-01, horizon 90 days, a model made as of 1998-04-02.

    train      … 1997-08-05, 1997-09-04, 1997-10-04    windows closed by 1998-01-02: for the validation fit
    between    1997-11-03, 1997-12-03                  closed by 1998-04-02 only: for the refit alone
    calibrate  1998-01-02                              closed by 1998-04-02: the validation fit is judged on it
    test       1998-04-02                              the model knows nothing after this day

Between train and calibrate, and between all of them and test, is a gap of the whole horizon: no window reaches into
the next part.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from features.clock import YEAR_DAYS
from features.errors import InputError

CUT_OFFS = 18
"""The largest number of cut-offs: more of them repeat the same orders."""
REACH_DAYS = 375
"""The reach of cut-offs into the past if the history allows: beyond the same season a year before."""
SHORT_DAYS, SHORT_WINDOWS = 30, 3
"""Days and number of the short windows that show recent drift before long ones close; never above the horizon."""
STEP_DAYS = 30
"""The largest step between cut-offs, however long the horizon, unless more is needed to reach back a year."""
HISTORY_DAYS = 60
"""History before the earliest cut-off, or one horizon if that is shorter: with less, all customers look new."""


@dataclass(frozen=True)
class Timeline:
    """The cut-offs of a model made as of a day, each list ascending."""

    as_of: date
    """The day the model is made, 1998-04-02: everything before it is known."""
    calibrate: date
    """The latest cut-off whose window has closed, 1998-01-02."""
    train: list[date]
    """Each window closed by `calibrate`."""
    between: list[date]
    """Each window closed by `as_of`, but not by `calibrate`."""
    censored: list[date]
    """Further cut-offs at the same steps whose window is still open: not used."""

    @property
    def matured(self) -> list[date]:
        """All cut-offs with a label, ascending."""
        return [*self.train, *self.between, self.calibrate]

    @property
    def folds(self) -> list[tuple[list[date], date]]:
        """Inner folds for tuning: (cut-offs to fit on, cut-off to validate on), with the gap, the latest two."""
        horizon = self.as_of - self.calibrate
        pairs = [([early for early in self.train if early + horizon <= day], day) for day in self.train]
        return [(early, day) for early, day in pairs if early][-2:]


def recent(first_day: date, *, as_of: date, horizon_days: int) -> list[date]:
    """The cut-offs of the latest short windows closed by `as_of`, and the same days a year before, ascending.

    Empty if the log does not reach back that far.
    """
    short = timedelta(days=min(SHORT_DAYS, horizon_days))
    days = [as_of - k * short for k in range(1, SHORT_WINDOWS + 1)]
    year, history = timedelta(days=YEAR_DAYS), min(timedelta(days=horizon_days), timedelta(days=HISTORY_DAYS))
    if days[-1] - year < first_day + history:
        return []
    return sorted({*days, *(day - year for day in days)})


def timeline(first_day: date, *, as_of: date, horizon_days: int) -> Timeline:
    """Choose the cut-offs of a model made as of a day, from data that begin on `first_day`.

    Cut-offs step back from the latest matured one by a third of the horizon, 30 days at most, and further apart where
    that would not reach back a year. Raises InputError if no training cut-off is left.
    """
    horizon = timedelta(days=horizon_days)
    calibrate = as_of - horizon
    earliest = first_day + min(horizon, timedelta(days=HISTORY_DAYS))
    span = min((calibrate - earliest).days, REACH_DAYS)
    step = timedelta(days=max(min(horizon_days // 3, STEP_DAYS), -(-span // (CUT_OFFS - 1)), 1))
    days = [day for k in range(CUT_OFFS - 1, 0, -1) if (day := calibrate - k * step) >= earliest]
    train = [day for day in days if day + horizon <= calibrate]
    if not train:
        have = (as_of - first_day).days
        raise InputError(
            f"{have} days of orders before {as_of} are too few for a horizon of {horizon_days} days, "
            f"which needs {2 * horizon_days + (earliest - first_day).days}",
            where=f"orders from {first_day}",
            next=f"Set time.horizon_days to {max(have // 3, 1)} or less, or give more history.",
        )
    return Timeline(
        as_of=as_of,
        calibrate=calibrate,
        train=train,
        between=[day for day in days if day + horizon > calibrate],
        censored=[day for k in range(1, horizon_days) if (day := calibrate + k * step) < as_of],
    )


def test_day(first_day: date, end: date, *, horizon_days: int) -> date:
    """The latest cut-off whose label is complete: a model made on this day is tested on the horizon after it."""
    have = (end - first_day).days
    if have < 4 * horizon_days:
        raise InputError(
            f"{have} days of orders are too few for a horizon of {horizon_days} days: learning, calibrating and "
            f"testing on separate windows need {4 * horizon_days}",
            where=f"orders from {first_day} to {end}",
            next=f"Set time.horizon_days to {max(have // 4, 1)} or less, or give more history.",
        )
    return end - timedelta(days=horizon_days)
