"""Time of the year: the month of the first order and the season of the cut-off; and the channel of the first order."""

import numpy as np
from numba.extending import register_jitable

from features.clock import DAY
from features.kernel.feature import feature


@register_jitable
def month_and_day(at):
    """The month (1 to 12) and the day of the year (0 on 1 January) of an instant; UTC, proleptic Gregorian.

    After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days: years that begin on
    1 March, so that the leap day is the last, in eras of 400 years, which all have the same number of days.

    >>> month_and_day(59 * DAY)  # 1 March 1970
    (3, 59)
    """
    era_day = (at // DAY + 719_468) % 146_097
    era_year = (era_day - era_day // 1_460 + era_day // 36_524 - era_day // 146_096) // 365
    march_day = era_day - (365 * era_year + era_year // 4 - era_year // 100)
    march_month = (5 * march_day + 2) // 153
    if march_month >= 10:  # January and February end the year that began in March
        return march_month - 9, march_day - 306
    leap_day = era_year % 4 == 0 and (era_year % 100 != 0 or era_year == 0)
    return march_month + 3, march_day + 59 + int(leap_day)


@feature(unit="month", says="month of the first order: {}")
def first_order_month(orders):
    return month_and_day(orders.at[0])[0]


@feature(unit="channel", says="channel of the first order: {}", needs=("channel",))
def first_order_channel(orders):
    """Code of the channel, -1 where the order names none."""
    return orders.channel[0]


@feature(unit="ratio", says="sine of the day of the year: {}")
def as_of_season_sin(as_of):
    """0 on 1 January, 1 in spring, -1 in autumn; a year of 365.25 days. With the cosine it places the season."""
    return np.sin(2 * np.pi * month_and_day(as_of)[1] / 365.25)


@feature(unit="ratio", says="cosine of the day of the year: {}")
def as_of_season_cos(as_of):
    """1 on 1 January, -1 in summer; a year of 365.25 days."""
    return np.cos(2 * np.pi * month_and_day(as_of)[1] / 365.25)
