"""What one retention offer costs, and how many would-be leavers it keeps."""

from math import sqrt
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Share = Annotated[float, Field(ge=0, le=1)]


class BetaPrior(BaseModel):
    """An uncertain share, Beta(alpha, beta): a flat prior after alpha - 1 successes and beta - 1 failures."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    alpha: float = Field(gt=0, description="Beta shape of the successes; the mean is alpha / (alpha + beta)")
    beta: float = Field(gt=0, description="Beta shape of the failures; the larger alpha + beta, the surer")


def _share_or_prior(value: Any) -> str:
    """Which of the two forms of a save rate `value` is, so that an error speaks of that form alone."""
    return "prior" if isinstance(value, dict | BetaPrior) else "share"


SaveRate = Annotated[
    Annotated[Share, Tag("share")] | Annotated[BetaPrior, Tag("prior")], Discriminator(_share_or_prior)
]


class Offer(BaseModel):
    """One offer: what a contact costs, what the incentive costs, and who answers. Every number is the shop's.

    >>> offer = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, redeem_rate=0.3,
    ...               save_rate={"alpha": 2, "beta": 18})
    >>> offer.save_rate_mean
    0.1
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$",
        description="what the plan and the readout call it: letters, digits, space, and _ . - ; at most 64",
    )
    contact_cost: float = Field(ge=0, description="currency units per customer contacted, answered or not")
    incentive_cost: float = Field(ge=0, description="currency units, paid when the incentive is redeemed")
    save_rate: SaveRate = Field(
        description="share of would-be leavers that the offer keeps, 0 to 1; "
        "or {alpha = 2, beta = 18} where it is uncertain"
    )
    redeem_rate: Share = Field(description="share of those who would have stayed anyway that redeem the incentive")

    @property
    def save_rate_mean(self) -> float:
        """Expected share of would-be leavers kept."""
        if isinstance(self.save_rate, float):
            return self.save_rate
        return self.save_rate.alpha / (self.save_rate.alpha + self.save_rate.beta)

    @property
    def save_rate_sd(self) -> float:
        """Standard deviation of the save rate: sqrt(m (1 - m) / (alpha + beta + 1)), 0 of a plain number."""
        if isinstance(self.save_rate, float):
            return 0.0
        mean = self.save_rate_mean
        return sqrt(mean * (1 - mean) / (self.save_rate.alpha + self.save_rate.beta + 1))
