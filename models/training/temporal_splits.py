"""Temporal splits: cut-offs to fit on, to calibrate on and to test on, so that no label is read too early.

One example through all comments: data from 1997-01-01, horizon 90 days, a model made as of 1998-04-02.

    train      … 1997-08-05, 1997-09-04, 1997-10-04    windows closed by 1998-01-02: for the validation fit
    between    1997-11-03, 1997-12-03                  closed by 1998-04-02 only: for the refit alone
    calibrate  1998-01-02                              closed by 1998-04-02: the validation fit is judged on it
    test       1998-04-02                              the model knows nothing after this day

Between train and calibrate, and between all of them and test, is a gap of the whole horizon: no window reaches into
the next part.

A log that is too short for this is learned on shorter windows, which models/horizons/longer_horizon.py extends. With D
days of log and a horizon of H:

    D ≥ 4 H                    learned on windows of H, tested on the last H days
    2 H + 60 days ≤ D < 4 H    learned on windows of D / 4, tested on the last H days
    H ≤ D < 2 H + 60 days      learned on windows of D / 4, tested on the last D / 4 days: H is not judged
    D < H                      refused

The model that is tested knows the tested days less. It learns on windows of as many days as it is tested on, but in the
second case: there on a quarter of what it knows, as the model that serves does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

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
WINDOWS = 4
"""Horizons of history from which a model learns on windows of the horizon."""
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

    def without(self, cut_offs: Collection[date]) -> Timeline:
        """The timeline without some early cut-offs."""
        train, between = ([day for day in days if day not in cut_offs] for days in (self.train, self.between))
        return replace(self, train=train, between=between)

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


def learned_horizon(first_day: date, *, as_of: date, horizon_days: int) -> int:
    """The days of the windows that a model made as of a day learns on: the horizon, or a quarter of a short history."""
    known = (as_of - first_day).days
    return min(horizon_days, known // WINDOWS)


def timeline(first_day: date, *, as_of: date, horizon_days: int) -> Timeline:
    """Choose the cut-offs of a model made as of a day, from data that begin on `first_day`.

    horizon_days: of the windows that it learns on (`learned_horizon`). Cut-offs step back from the latest matured one
    by a third of the horizon, 30 days at most, and further apart where that would not reach back a year. Raises
    InputError if no training cut-off is left.
    """
    horizon = timedelta(days=horizon_days)
    calibrate = as_of - horizon
    earliest = first_day + min(horizon, timedelta(days=HISTORY_DAYS))
    span = min((calibrate - earliest).days, REACH_DAYS)
    step = timedelta(days=max(min(horizon_days // 3, STEP_DAYS), -(-span // (CUT_OFFS - 1)), 1))
    days = [day for k in range(CUT_OFFS - 1, 0, -1) if (day := calibrate - k * step) >= earliest]
    train = [day for day in days if day + horizon <= calibrate]
    if not train and calibrate - horizon >= earliest:  # the steps pass the only days there are
        train = [calibrate - horizon]
    if horizon_days < 1 or not train:
        raise _too_short(first_day, as_of, needed=max(2 * horizon_days + (earliest - first_day).days, WINDOWS))
    return Timeline(
        as_of=as_of,
        calibrate=calibrate,
        train=train,
        between=[day for day in days if day + horizon > calibrate],
        censored=[day for k in range(1, horizon_days) if (day := calibrate + k * step) < as_of],
    )


class JudgedWindow(NamedTuple):
    """The window on which a recipe is judged, which no model made as of its first day has seen."""

    as_of: date
    """Its first day."""
    horizon_days: int
    """Its days: those of the horizon, or fewer where the log is too short to judge the horizon."""
    learned_days: int
    """Days of the windows that the model learns on which is judged."""

    @property
    def learned_days_before(self) -> int | None:
        """Those of models of earlier days: the horizon if it is this one's, else None, as each one's log lets it."""
        return self.horizon_days if self.learned_days == self.horizon_days else None


def judged_window(first_day: date, end: date, *, horizon_days: int) -> JudgedWindow:
    """The last window of the horizon in a log, or of a quarter of the log where that is too short to be judged.

    Raises InputError if the log is shorter than the horizon, from which nothing follows.
    """
    have = (end - first_day).days
    if have < max(horizon_days, WINDOWS):
        raise _too_short(first_day, end, needed=max(horizon_days, WINDOWS))
    days = horizon_days if have >= days_to_judge(horizon_days) else have // WINDOWS
    as_of = end - timedelta(days=days)
    is_long = have >= WINDOWS * days
    return JudgedWindow(
        as_of, days, days if is_long else learned_horizon(first_day, as_of=as_of, horizon_days=horizon_days)
    )


def days_to_judge(horizon_days: int) -> int:
    """The days of log with which a horizon is judged: two horizons, and what comes before the earliest cut-off."""
    return 2 * horizon_days + min(horizon_days, HISTORY_DAYS)


def _too_short(first_day: date, end: date, *, needed: int) -> InputError:
    have = (end - first_day).days
    way = f"Set time.horizon_days to {have} or less, or give" if have >= WINDOWS else "Give"
    return InputError(
        f"{have} days of orders before {end} are too few: {needed} are needed",
        where=f"orders from {first_day}",
        next=f"{way} more history.",
    )
