"""Worlds: what may be true of a simulated shop. Each has its own truth; `stayworth simulate --world` names one.

Every number is invented. A world is the standard one but for the numbers that stand in its row of `WORLDS`.
"""

from dataclasses import dataclass, replace

from pipelines.simulator.parameters import (
    ANOTHER_FUTURE,
    KINDS,
    ORDER_SPREAD,
    RATE_SHAPE,
    SEASON_SWING,
    SEASON_YEAR,
    Kind,
)


@dataclass(frozen=True)
class Contract:
    """Terms of customers who pay on fixed dates until they leave, on a day that the shop knows."""

    days_between_payments: float
    """The first payment is on the day of joining."""
    risk: tuple[tuple[float, float], ...]
    """Pairs of a tenure in days, from 0 on, and the factor of the rates of cooling and leaving from there on; > 0."""


@dataclass(frozen=True)
class World:
    """What customers are like and how they behave."""

    name: str
    words: str
    """What sets it apart, as `--help` and the config say it."""
    kinds: tuple[Kind, ...] = KINDS
    rate_shape: float = RATE_SHAPE
    """Gamma shape of the rates within a kind: their coefficient of variation is rate_shape^−½."""
    sudden: float = 0.0
    """Share, 0 to 1, of the engaged who leave for good at the moment at which others begin to cool."""
    season_swing: float = SEASON_SWING
    """Share, 0 to below 1, by which ordering rises and falls with the season."""
    order_spread: float = ORDER_SPREAD
    """Standard deviation of the log of one customer's orders."""
    kept: str = ANOTHER_FUTURE
    """What customers do whom a contact keeps: a name of `parameters.KEPT`."""
    contract: Contract | None = None
    """None: customers order whenever they like, and nobody is told that they have left."""


def _kinds(**factors: float) -> tuple[Kind, ...]:
    """The standard kinds, some of their numbers multiplied by a factor."""
    return tuple(
        replace(kind, **{name: getattr(kind, name) * factor for name, factor in factors.items()}) for kind in KINDS
    )


STANDARD = "standard"
WORLDS = {
    world.name: world
    for world in (
        World(STANDARD, "most customers cool off for two or three months before they leave"),
        World("wide-rates", "customers of a kind differ twice as much in how often they order and how long they stay",
              rate_shape=1.5),
        World("slow-cooling", "customers cool off for most of a year before they leave",
              kinds=_kinds(days_cooling=4.0)),
        World("no-cooling", "customers leave from one day to the next, without cooling off",
              sudden=1.0),
        World("rare-orders", "customers order once in two to four months",
              kinds=_kinds(days_between_orders=4.0)),
        World("strong-season", "ordering rises 60 % above its yearly mean in December and falls 60 % below it in June",
              season_swing=0.6),
        World("contract", "customers pay every month until their contract ends; the longer they have stayed, the "
              "fewer leave",
              kinds=_kinds(days_engaged=3.0, refunded=0.0), sudden=0.3, season_swing=0.0, order_spread=0.1,
              contract=Contract(SEASON_YEAR / 12, risk=((0.0, 1.8), (180.0, 1.0), (730.0, 0.6)))),
    )
}  # fmt: skip
"""The worlds by name, each in words and in the numbers that differ from the standard world's."""
