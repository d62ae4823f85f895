"""What goes over the wire: every request and every answer, with their limits.

Ids are text and stay text; numbers are finite; money is in currency units. A wrong request is told what is wrong with
it, never shown back nor logged. Text that reads like a number is none, nor is true, nor is a number a day.
"""

from datetime import date
from typing import Annotated, Any, NotRequired, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
    with_config,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

MOST_IDS = 1_000
"""Customers in one request."""
MOST_EXPLAINED = 100
"""Customers whose scores are explained in one request."""
MOST_EVENTS = 20_000
"""Order lines, or interactions, of one customer in a request."""
MOST_NAMED_MISTAKES = 100
"""Named in an answer; of every list the first wrong member alone, so that no request makes an answer of megabytes."""
LARGEST_AMOUNT = 1e12


def _iso_day(day: object) -> object:
    """The day, if it is written as one: a number pydantic would take for seconds since 1970."""
    if not (isinstance(day, date) or (isinstance(day, str) and day[4:5] == "-")):
        raise ValueError("write the day as ISO 8601, e.g. 2011-05-02")
    return day


CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)

Text = Annotated[str, StringConstraints(min_length=1, max_length=128)]
CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Amount = Annotated[FiniteFloat, Field(strict=True, ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT)]
Day = Annotated[date, BeforeValidator(_iso_day)]
Instant = Annotated[
    str, StringConstraints(min_length=8, max_length=40), Field(json_schema_extra={"format": "date-time"})
]
CustomerIds = Annotated[list[CustomerId], Field(min_length=1, max_length=MOST_IDS), FailFast()]


class RequestBody(BaseModel):
    """A request: nothing beside what it names, and no value of it in a message."""

    model_config = ConfigDict(title="the body", extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """pydantic's; more mistakes than MOST_MISTAKES are counted, not named."""
        try:
            return super().model_validate_json(json_data, **how)
        except ValidationError as error:
            if (count := error.error_count()) <= MOST_NAMED_MISTAKES:
                raise
            told = PydanticCustomError("too_many_mistakes", "{count} mistakes are too many to name", {"count": count})
            line = {"type": told, "input": None}
            raise ValidationError.from_exception_data(error.title, [line], hide_input=True) from None  # type: ignore[list-item]


class ResponseBody(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class ScoreRequest(RequestBody):
    """Whose scores are wanted. An id may be named twice; it is answered twice."""

    customer_ids: CustomerIds


@with_config(CLOSED)
class Order(TypedDict):
    """A line of an order."""

    ordered_at: Annotated[Instant, Field(description="ISO 8601 with its zone, e.g. 2011-05-02T09:30:00Z")]
    amount: Annotated[Amount, Field(description="revenue in currency units; negative is a refund")]
    order_id: NotRequired[Annotated[Text | None, Field(description="lines with one order_id are one order")]]
    product_id: NotRequired[Text | None]
    quantity: NotRequired[Amount | None]
    cost: NotRequired[
        Annotated[Amount | None, Field(description="without it the model's gross margin gives the margin")]
    ]
    discount: NotRequired[Amount | None]
    category: NotRequired[Text | None]
    channel: NotRequired[Text | None]
    recorded_at: NotRequired[Annotated[Instant | None, Field(description="when it became known, if later")]]


@with_config(CLOSED)
class Interaction(TypedDict):
    """Something a customer did beside ordering."""

    at: Instant
    kind: Text
    value: NotRequired[Amount | None]
    recorded_at: NotRequired[Instant | None]


@with_config(CLOSED)
class Customer(TypedDict):
    """One customer's history. Add an order that has not happened to ask "what if"."""

    customer_id: CustomerId
    orders: Annotated[list[Order], Field(min_length=1, max_length=MOST_EVENTS), FailFast()]
    interactions: NotRequired[Annotated[list[Interaction], Field(max_length=MOST_EVENTS), FailFast()]]
    attributes: NotRequired[
        Annotated[
            dict[Text, Amount | bool | Text | None],
            Field(max_length=256, description="columns of the table `customers` that the model learnt from"),
        ]
    ]


class HistoriesRequest(RequestBody):
    """Raw histories to score; no stored state is needed. What is not before midnight UTC of `as_of` is not seen."""

    as_of: Day
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MOST_IDS), FailFast()]


class ExplainRequest(RequestBody):
    """Whose scores are to be explained."""

    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MOST_EXPLAINED), FailFast()]


class PlanRequest(RequestBody):
    """What a campaign may spend, in currency units, and how many it may contact at most."""

    budget: Annotated[FiniteFloat, Field(strict=True, ge=0.01, le=LARGEST_AMOUNT)]
    capacity: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    offers: list[Text] | None = Field(
        default=None, min_length=1, max_length=20, description="names of offers of the config; default all of them"
    )


class Score(ResponseBody):
    """One customer's scores as of a day."""

    customer_id: str
    as_of: date
    horizon_days: int
    churn_probability: float = Field(ge=0, le=1, description="of no order within the horizon")
    expected_orders: float = Field(ge=0, description="within the horizon")
    expected_value: float = Field(description="margin within the horizon, currency units")
    value_p10: float = Field(description="the margin is below it in one case of ten, currency units")
    value_p90: float = Field(description="the margin is above it in one case of ten, currency units")
    clv: float = Field(description="discounted margin over the configured lifetime, currency units")
    segment: str | None = Field(description="among all customers of the last batch; null before there is one")
    reasons: list[str] = Field(description="up to three, the strongest first")
    model_version: str


class ScoreResponse(ResponseBody):
    """The scores in the order of the request, and the ids of whom nothing is known."""

    scores: list[Score]
    unknown: list[str]


class Parts(ResponseBody):
    """What adds up to a score: `base` and all of `added` sum to `score`."""

    score: float
    base: float = Field(description="what would be said of a customer of whom nothing is known but the day")
    added: dict[str, float] = Field(description="by feature, the largest effect first")


class Explanation(ResponseBody):
    """One customer's churn probability (0 to 1) and expected value (currency units), taken apart."""

    customer_id: str
    as_of: date
    model_version: str
    churn_probability: Parts
    expected_value: Parts


class ExplainResponse(ResponseBody):
    """The explanations in the order of the request, and the ids of whom nothing is known."""

    currency: str
    explanations: list[Explanation]
    unknown: list[str]


class Contact(ResponseBody):
    """A chosen customer: `treated` is false for the random holdout, who is to be left alone."""

    customer_id: str
    offer: str
    treated: bool
    expected_cost: float = Field(description="currency units")
    expected_profit: float = Field(description="currency units, its cost taken off")
    profit_p10: float = Field(description="the profit is below it in one case of ten, currency units")
    profit_p90: float = Field(description="the profit is above it in one case of ten, currency units")
    rank: int = Field(ge=1, description="1 is to be contacted first")


class PlanResponse(ResponseBody):
    """What the campaign comes to, and the first of those chosen."""

    summary: dict[str, Any] = Field(description="what `stayworth plan --json` prints; money in currency units")
    contacts: list[Contact] = Field(description=f"by rank, {MOST_IDS:,} at most; `stayworth plan` writes all")
    left_out: int = Field(description="how many more are chosen")


class ModelResponse(ResponseBody):
    """The model that answers, and the batch of scores that is looked up."""

    version: str | None
    hash: str | None
    registered: str | None = Field(description="the number of the registered version")
    as_of: date | None = Field(description="the day before which the model knew everything")
    horizon_days: int | None
    currency: str | None
    metrics: dict[str, float]
    needs: list[str] = Field(
        description="what every order of a raw history must give beside ordered_at and amount, null where unknown; "
        "`interactions`: the list, be it empty"
    )
    scores_as_of: date | None
    scores_model_version: str | None
    customers: int | None = Field(description="with scores")
