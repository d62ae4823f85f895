"""The business terms a model is made under."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """The business terms of a company; all from the config, none assumed."""

    horizon_days: int
    currency: str
    gross_margin: float
    """Share of an amount that is margin, where its cost is unknown."""
    annual_discount_rate: float
    lifetime_days: int
    """The span of `clv`."""
