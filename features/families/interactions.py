"""Contact apart from orders: interactions of all kinds, of each kind, and of kinds known by name.

A function of `events` is one feature for every kind of the log: `count` becomes `visit_count`, `complaint_count`, …
"""

import numpy as np

from features.clock import DAY
from features.families.frequency import WINDOWS
from features.kernel.feature import feature


@feature(unit="events", says="{} interactions so far")
def interactions(interactions):
    return len(interactions.at)


@feature(unit="events", says="{} interactions in the last {days} days", windows=WINDOWS)
def interactions_last(interactions, as_of, days):
    return len(interactions.at) - np.searchsorted(interactions.at, as_of - days * DAY)


@feature(unit="days", says="{} days since the last interaction", absent="no interaction so far")
def interaction_recency_days(interactions, as_of):
    if len(interactions.at) == 0:
        return np.nan
    return (as_of - interactions.at[-1]) / DAY


@feature(unit="events per order", says="{} interactions per order")
def interactions_per_order(orders, interactions):
    return len(interactions.at) / len(orders.at)


@feature(unit="events", says="{} '{kind}' interactions so far")
def count(events):
    return len(events.at)


@feature(unit="events", says="{} '{kind}' interactions in the last {days} days", windows=WINDOWS)
def count_last(events, as_of, days):
    return len(events.at) - np.searchsorted(events.at, as_of - days * DAY)


@feature(unit="days", says="{} days since the last '{kind}' interaction", absent="no '{kind}' interaction so far")
def recency_days(events, as_of):
    if len(events.at) == 0:
        return np.nan
    return (as_of - events.at[-1]) / DAY


@feature(
    unit="value",
    says="mean value of '{kind}' interactions: {}",
    absent="no '{kind}' interaction with a value",
    needs=("value",),
)
def value_mean(events):
    """The mean over the events that have a value; the other features of value skip the rest too."""
    total, count = 0.0, 0
    for value in events.value:
        if not np.isnan(value):
            total += value
            count += 1
    if count == 0:
        return np.nan
    return total / count


@feature(
    unit="value",
    says="value of the last '{kind}' interaction: {}",
    absent="no '{kind}' interaction with a value",
    needs=("value",),
)
def value_last(events):
    for i in range(len(events.value) - 1, -1, -1):
        if not np.isnan(events.value[i]):
            return events.value[i]
    return np.nan


@feature(
    unit="value per event",
    says="change in value from each '{kind}' interaction to the next: {}",
    absent="fewer than two '{kind}' interactions with a value",
    needs=("value",),
)
def value_trend(events):
    """Least-squares slope of the values over their number."""
    count = 0
    for value in events.value:
        if not np.isnan(value):
            count += 1
    if count < 2:
        return np.nan
    place = -(count - 1) / 2
    slope = 0.0
    for value in events.value:
        if not np.isnan(value):
            slope += place * value
            place += 1
    return slope * 12 / (count * (count**2 - 1.0))


@feature(unit="events per order", says="{} complaints per order")
def complaints_per_order(orders, complaint):
    return len(complaint.at) / len(orders.at)


@feature(unit="share", says="responses per campaign contact: {}", absent="no campaign contact so far")
def campaign_response_share(campaign_contact, campaign_response):
    """Responses over contacts: above 1 where one contact has several responses."""
    if len(campaign_contact.at) == 0:
        return np.nan
    return len(campaign_response.at) / len(campaign_contact.at)
