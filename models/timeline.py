"""Which cut-offs train, which calibrates and which tests, so that no label is read before its window has closed.

One example through all comments: data from 1997-01-01, horizon 90 days, a model made as of 1998-04-02.

    train      … 1997-08-05, 1997-09-04, 1997-10-04    windows closed by 1998-01-02, the calibration cut-off
    calibrate  1998-01-02                              window closed by 1998-04-02, the day the model is made
    test       1998-04-02                              nothing after this day was seen

Between each two stands a gap of the whole horizon: a customer's label at one cut-off never overlaps the window of
the next part.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from features.errors import InputError

CUT_OFFS = 12
"""How many training cut-offs at most: more of them repeat the same orders."""


@dataclass(frozen=True)
class Timeline:
    """The cut-offs a model made as of a day may learn from."""

    as_of: date
    """The day the model is made, 1998-04-02: everything before it is known."""
    calibrate: date
    """The latest cut-off whose window has closed, 1998-01-02."""
    train: list[date]
    """Ascending, each window closed by `calibrate`."""
    censored: list[date]
    """Cut-offs in the same rhythm whose window is still open or reaches into the calibration's gap: not used."""

    @property
    def folds(self) -> list[tuple[list[date], date]]:
        """Inner folds for tuning: (cut-offs to fit on, cut-off to judge on), gap kept, the latest two."""
        horizon = self.as_of - self.calibrate
        pairs = [([early for early in self.train if early + horizon <= day], day) for day in self.train]
        return [(early, day) for early, day in pairs if early][-2:]


def timeline(first_day: date, *, as_of: date, horizon_days: int) -> Timeline:
    """The cut-offs for a model made as of a day, from data that begin on `first_day`.

    Cut-offs step by a third of the horizon, back to one horizon after the first day. Raises InputError if no
    training cut-off is left.
    """
    horizon, step = timedelta(days=horizon_days), timedelta(days=max(horizon_days // 3, 1))
    calibrate = as_of - horizon
    train: list[date] = []
    day = calibrate - horizon
    while day >= first_day + horizon and len(train) < CUT_OFFS:
        train.append(day)
        day -= step
    if not train:
        have = (as_of - first_day).days
        raise InputError(
            f"{have} days of orders before {as_of} are too few for a horizon of {horizon_days} days, "
            f"which needs {3 * horizon_days}",
            where=f"orders from {first_day}",
            next=f"Set time.horizon_days to {max(have // 3, 1)} or less, or give more history.",
        )
    censored: list[date] = []
    day = train[0] + step
    while day < as_of:
        if day != calibrate:
            censored.append(day)
        day += step
    return Timeline(as_of=as_of, calibrate=calibrate, train=train[::-1], censored=censored)


def test_day(first_day: date, end: date, *, horizon_days: int) -> date:
    """The latest cut-off whose label is complete: a model made on this day is judged on what followed it."""
    have = (end - first_day).days
    if have < 4 * horizon_days:
        raise InputError(
            f"{have} days of orders are too few for a horizon of {horizon_days} days: learning, calibrating and "
            f"testing on separate windows need {4 * horizon_days}",
            where=f"orders from {first_day} to {end}",
            next=f"Set time.horizon_days to {max(have // 4, 1)} or less, or give more history.",
        )
    return end - timedelta(days=horizon_days)
