"""Parameters of the simulated shop: its kinds of customers, what they buy, its offers and its business terms.

Every number is invented. The kinds combine what a model has to find out: how often customers buy, how long they stay,
how much they spend, and which offer they respond to.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One hidden type of customer; customers of a kind differ by a gamma or log-normal factor of mean 1."""

    name: str
    share: float
    """Of all customers."""
    days_between_orders: float
    """While engaged, over a whole year."""
    days_engaged: float
    """Before cooling, complaints that end it left aside."""
    days_cooling: float
    """Between cooling and being gone."""
    mean_order: float
    """Currency units."""
    complaints_per_year: float
    basket: tuple[float, float, float, float]
    """Share of lines by category."""
    discounted: float
    """Share of lines bought at a discount."""
    refunded: float
    """Share of lines of which a part is taken back."""
    channels: tuple[float, float, float]
    """Share of orders by channel."""
    acquired: tuple[float, float, float]
    """Share of customers by how they came."""


KINDS = (
    Kind("devoted", 0.20, 16, 1100, 100, 110, 0.3, (0.2, 0.3, 0.3, 0.2), 0.10, 0.05, (0.3, 0.4, 0.3), (0.2, 0.2, 0.6)),
    Kind("regular", 0.40, 24, 520, 80, 80, 0.4, (0.3, 0.3, 0.2, 0.2), 0.20, 0.08, (0.5, 0.4, 0.1), (0.4, 0.3, 0.3)),
    Kind("bargain", 0.25, 26, 300, 70, 65, 0.6, (0.5, 0.2, 0.1, 0.2), 0.70, 0.12, (0.1, 0.6, 0.3), (0.7, 0.2, 0.1)),
    Kind("passing", 0.15, 32, 150, 50, 90, 0.8, (0.3, 0.2, 0.1, 0.4), 0.30, 0.10, (0.4, 0.5, 0.1), (0.5, 0.4, 0.1)),
)

CATEGORIES = ("garden", "kitchen", "books", "toys")
MARGINS = (0.30, 0.40, 0.50, 0.35)
"""Share of a line's amount that is margin, by category."""
PRODUCTS = 40
"""In each category."""
CHANNELS = ("shop", "web", "app")
ACQUIRED = ("search", "advert", "friend")

RATE_SHAPE = 6.0
"""Gamma shape of the rates of ordering, cooling and leaving within a kind: the larger, the more alike."""
MEAN_ORDER_SPREAD = 0.35
"""Standard deviation of the log of customers' mean order within a kind."""
ORDER_SPREAD = 0.6
"""Standard deviation of the log of one customer's orders."""

COOL_ORDERS, COOL_VISITS, COOL_OPENS, COOL_COMPLAINTS = 0.45, 0.25, 0.5, 3.0
"""Factors by which cooling changes the rates of ordering, visiting, opening mail and complaining."""
COMPLAINT_COOLS = 0.35
"""Share of an engaged customer's complaints that make the customer cool."""
VISITS_PER_ORDER = 3.0
TICKETS_PER_YEAR = 0.8
SURVEYS_PER_YEAR = 1.5
OPENS_PER_DAY = (0.02, 0.14)
"""Mails opened by the least and by the most responsive customers."""
SURVEY_SCORE = (8.5, 5.5)
"""Mean answer, of 10, of engaged and of cooling customers."""

SEASON_SWING = 0.25
"""Share by which ordering rises above its yearly mean at the peak, and falls below it half a year later."""
SEASON_PEAK = 348.0
"""Day of the year of the peak."""
SEASON_YEAR = 365.2425
"""Days of the season's year."""

REFUND_LAG_DAYS = (6.0, 20.0)
"""Days between an order and a refund of it, at least and at most."""
REFUND_SHARE = (0.2, 0.8)
"""Share of a line that is refunded, at least and at most: never all of it, so that no order vanishes."""
LATE_SHARE, LATE_DAYS = 0.01, (0.5, 5.0)
"""Share of orders, after a customer's first, that became known late, and by how many days: before any refund."""

DELIVERY_COST, SERVICE_COST = 2.5, 6.0
"""Costs of an order's delivery, and of serving a ticket or complaint; currency units."""

CURRENCY = "EUR"
HORIZON_DAYS = 90
ANNUAL_DISCOUNT_RATE = 0.10
LIFETIME_DAYS = 1095


@dataclass(frozen=True)
class TrueOffer:
    """An offer with its true effects. The shop knows the costs and the two rates it assumes; the rest is hidden."""

    name: str
    channel: str
    contact_cost: float
    incentive_cost: float
    assumed_save_rate: float
    assumed_redeem_rate: float
    keeps: tuple[float, ...]
    """Share of would-be leavers kept, by kind, at a middling responsiveness."""
    redeems: tuple[float, ...]
    """Share of stayers who redeem, by kind."""


OFFERS = (
    TrueOffer("voucher", "email", 0.5, 5.0, 0.20, 0.35, (0.08, 0.18, 0.38, 0.12), (0.20, 0.30, 0.60, 0.30)),
    TrueOffer("call", "phone", 4.0, 0.0, 0.25, 0.0, (0.45, 0.28, 0.10, 0.08), (0.0, 0.0, 0.0, 0.0)),
)
ANOTHER_FUTURE, ONE_ORDER, FRESH_START = "another-future", "one-order", "fresh-start"
KEPT = {
    ANOTHER_FUTURE: "another future of their own, with an order in the horizon",
    ONE_ORDER: "one order more, and then what they would have done anyway",
    FRESH_START: "begin anew, as engaged as they ever were, with an order in the horizon",
}
"""What kept customers do next, by name: the first, where no other is asked for. No shop ever sees it."""
RESPONSE = (0.4, 1.6)
"""Factors of the share kept, for the least and for the most responsive customers."""

# Purposes of random numbers: a part of their address in pipelines/simulator/draws.py.
TRAITS, STAGES, ORDERS, LINES, VISITS, OPENS, COMPLAINTS, TICKETS, SURVEYS, SCORES, ANSWERS = range(11)
