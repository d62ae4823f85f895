"""Usual drift: how much the customers of a shop change over some days when nothing is wrong.

In every shop customers grow older, totals grow, and seasons come and go. So the drift since the model was made is
compared with the drift between pairs of earlier days that lie as far apart. One example through all comments: the first
order on 2010-01-01, the model made on 2011-06-01, today 2011-08-30.

    compared    2011-06-01 with 2011-08-30
    usual       2011-03-03 with 2011-06-01, 2011-02-01 with 2011-05-02, … , a third of the 90 days apart
    and         2010-06-01 with 2010-08-30, the same season a year before
"""

from datetime import date, timedelta

from features.clock import YEAR_DAYS
from models.training.temporal_splits import HISTORY_DAYS

MAX_PAIRS = 6
"""At most so many pairs beside the one a year before: the latest, since a young base changes faster than an old one."""
MIN_PAIRS = 2
"""Pairs needed to say how much drift is usual."""
MIN_STEP_DAYS = 7


def usual_pairs(first_day: date, *, made: date, as_of: date) -> list[tuple[date, date]]:
    """Pairs of days before a model was made, as far apart as that day and `as_of`, the latest first.

    Empty where the log before that day is too short for two pairs.
    """
    apart, earliest = as_of - made, first_day + timedelta(days=HISTORY_DAYS)
    step = timedelta(days=max(apart.days // 3, MIN_STEP_DAYS))
    firsts = [made - apart - number * step for number in range(MAX_PAIRS)]
    if apart <= timedelta(days=YEAR_DAYS):
        firsts.append(made - timedelta(days=YEAR_DAYS))
    pairs = [(day, day + apart) for day in dict.fromkeys(firsts) if day >= earliest]
    return pairs if apart.days > 0 and len(pairs) >= MIN_PAIRS else []
