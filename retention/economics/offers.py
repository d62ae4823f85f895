"""A retention offer: its costs, and the share of the customers who can be saved that it keeps."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from features.errors import InputError

NAME = r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$"

Share = Annotated[float, Field(ge=0, le=1)]


class BetaPrior(BaseModel):
    """An uncertain share, Beta(alpha, beta): a flat prior after alpha - 1 successes and beta - 1 failures."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    alpha: float = Field(gt=0, description="Beta shape of the successes; the mean is alpha / (alpha + beta)")
    beta: float = Field(gt=0, description="Beta shape of the failures; the larger alpha + beta, the surer")


def _form(value: Any) -> str:
    """The form of a save rate that `value` has, so that an error speaks of that form alone."""
    if value == MEASURED:
        return "measured"
    return "prior" if isinstance(value, dict | BetaPrior) else "share"


PLAIN_CUSTOMERS = 20
"""A save rate given as a plain number is a belief as strong as that many customers observed."""
MEASURED = "measured"
SaveRate = Annotated[
    Annotated[Share, Tag("share")]
    | Annotated[BetaPrior, Tag("prior")]
    | Annotated[Literal["measured"], Tag("measured")],
    Discriminator(_form),
]
CERTAIN = 1e-9
"""A save rate so near to 0 or 1 is taken as certain: its distribution would be one point for any computer."""


class Offer(BaseModel):
    """One offer: costs of contact and incentive, save rate and redeem rate. Every number is the shop's.

    >>> offer = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, redeem_rate=0.3,
    ...               save_rate={"alpha": 2, "beta": 18})
    >>> offer.save_rate_mean
    0.1
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(
        pattern=NAME,
        description="what the plan and the readout call it: letters, digits, space, and _ . - ; at most 64",
    )
    contact_cost: float = Field(ge=0, description="currency units per customer contacted, answered or not")
    incentive_cost: float | None = Field(
        default=None, ge=0, description="currency units, paid when the incentive is redeemed"
    )
    incentive_share: Share | None = Field(
        default=None,
        validate_default=True,
        description="instead of incentive_cost: share of the margin of one expected order (expected_value / "
        "expected_orders) that is paid; 10 % off the price at a margin of 40 % is 0.25",
    )
    save_rate: SaveRate = Field(
        description="share of the customers who can be saved that the offer keeps, 0 to 1: a belief as strong as "
        f"{PLAIN_CUSTOMERS} customers; or {{alpha = 2, beta = 18}} for another one; "
        'or "measured": what campaigns read out so far say'
    )
    redeem_rate: Share = Field(description="share of those who would have stayed anyway that redeem the incentive")
    channel: str | None = Field(
        default=None, pattern=NAME, description="how it reaches customers: email, call, …; offers may share one"
    )

    @field_validator("incentive_share")
    @classmethod
    def _one_incentive(cls, share: float | None, info: ValidationInfo) -> float | None:
        if "incentive_cost" in info.data and (info.data["incentive_cost"] is None) == (share is None):
            raise PydanticCustomError("incentive", "Field required: either this or incentive_cost, and not both")
        return share

    @property
    def save_rate_mean(self) -> float:
        """Expected share of the savable who are kept. Raises InputError where it is yet to be looked up."""
        rate = self._known_save_rate()
        return rate if isinstance(rate, float) else rate.alpha / (rate.alpha + rate.beta)

    @property
    def save_rate_belief(self) -> BetaPrior | None:
        """The distribution of the save rate; None where it is 0 or 1 for certain, or as good as that."""
        rate = self._known_save_rate()
        if isinstance(rate, BetaPrior):
            return rate
        if not CERTAIN < rate < 1 - CERTAIN:
            return None
        return BetaPrior(alpha=PLAIN_CUSTOMERS * rate, beta=PLAIN_CUSTOMERS * (1 - rate))

    @property
    def belief_customers(self) -> float:
        """The number of customers observed whose evidence the belief about the save rate is as strong as."""
        belief = self.save_rate_belief
        return belief.alpha + belief.beta if belief else float("inf")

    def _known_save_rate(self) -> float | BetaPrior:
        if isinstance(self.save_rate, str):
            raise InputError(
                "its save rate is not measured yet",
                where=f"offer '{self.name}'",
                next="Read a campaign with it out first (stayworth readout), or give save_rate a number.",
            )
        return self.save_rate
