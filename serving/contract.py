"""The HTTP contract: every request and every response, with their limits.

Ids are text and stay text; numbers are finite; money is in currency units. The answer to an invalid request names its
mistakes, but neither repeats nor logs its content. Neither text nor `true` is accepted as a number, nor a number as a
day.
"""

from datetime import date
from typing import Annotated, Any, Literal, NotRequired, Self

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
from typing_extensions import TypedDict, Unpack

MOST_IDS = 1_000
"""Most customers in one request."""
MOST_EXPLAINED = 100
"""Most customers whose scores are explained in one request."""
MOST_EVENTS = 20_000
"""Most order lines, or interactions, of one customer in a request."""
MOST_NAMED_MISTAKES = 100
"""Most mistakes named in a response; of each list only the first wrong item, so that responses stay small."""
LARGEST_AMOUNT = 1e12


def _iso_day(day: object) -> object:
    """A day, if it is written as one: pydantic would read a number as seconds since 1970."""
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


class ValidationOptions(TypedDict, total=False):
    """Options that pydantic's validation of JSON takes."""

    strict: bool | None
    extra: Literal["allow", "ignore", "forbid"] | None
    context: Any
    by_alias: bool | None
    by_name: bool | None


class RequestBody(BaseModel):
    """Base of all requests: no unknown fields, and no value of the request in an error message."""

    model_config = ConfigDict(title="the body", extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Unpack[ValidationOptions]) -> Self:
        """Validate as pydantic does, but count more than MOST_NAMED_MISTAKES mistakes instead of naming them."""
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            if (count := error.error_count()) <= MOST_NAMED_MISTAKES:
                raise
            too_many = PydanticCustomError(
                "too_many_mistakes", "{count} mistakes are too many to name", {"count": count}
            )
            line = {"type": too_many, "input": None}
            raise ValidationError.from_exception_data(error.title, [line], hide_input=True) from None  # type: ignore[list-item]


class ResponseBody(BaseModel):
    """Base of all responses."""

    model_config = ConfigDict(frozen=True)


class ScoreRequest(RequestBody):
    """The customers whose scores are requested. An id that is repeated is answered as often."""

    customer_ids: CustomerIds


@with_config(CLOSED)
class Order(TypedDict):
    """A line of an order."""

    ordered_at: Annotated[Instant, Field(description="ISO 8601 with its zone, e.g. 2011-05-02T09:30:00Z")]
    amount: Annotated[Amount, Field(description="revenue in currency units; negative is a refund")]
    order_id: NotRequired[Annotated[Text | None, Field(description="lines with the same order_id are one order")]]
    product_id: NotRequired[Text | None]
    quantity: NotRequired[Amount | None]
    cost: NotRequired[
        Annotated[
            Amount | None, Field(description="if it is missing, the margin follows from the model's gross margin")
        ]
    ]
    discount: NotRequired[Amount | None]
    category: NotRequired[Text | None]
    channel: NotRequired[Text | None]
    recorded_at: NotRequired[
        Annotated[Instant | None, Field(description="when the line became known, if later than ordered_at")]
    ]


@with_config(CLOSED)
class Interaction(TypedDict):
    """An action of a customer other than an order."""

    at: Instant
    kind: Text
    value: NotRequired[Amount | None]
    recorded_at: NotRequired[Instant | None]


@with_config(CLOSED)
class Customer(TypedDict):
    """One customer's history. To ask "what if", add an order that has not happened."""

    customer_id: CustomerId
    orders: Annotated[list[Order], Field(min_length=1, max_length=MOST_EVENTS), FailFast()]
    interactions: NotRequired[Annotated[list[Interaction], Field(max_length=MOST_EVENTS), FailFast()]]
    attributes: NotRequired[
        Annotated[
            dict[Text, Amount | bool | Text | None],
            Field(
                max_length=256,
                description="columns of the table `customers` that the model was trained on; days in ISO 8601",
            ),
        ]
    ]


class HistoriesRequest(RequestBody):
    """Raw histories to score; no stored state is needed. Events from midnight UTC of `as_of` on are ignored."""

    as_of: Day
    customers: Annotated[list[Customer], Field(min_length=1, max_length=MOST_IDS), FailFast()]


class ExplainRequest(RequestBody):
    """The customers whose scores are to be explained."""

    customer_ids: Annotated[list[CustomerId], Field(min_length=1, max_length=MOST_EXPLAINED), FailFast()]


class PlanRequest(RequestBody):
    """The budget of a campaign, in currency units, and the most customers it may contact."""

    budget: Annotated[FiniteFloat, Field(strict=True, ge=0.01, le=LARGEST_AMOUNT)]
    capacity: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    offers: list[Text] | None = Field(
        default=None, min_length=1, max_length=20, description="names of offers in the config; by default all of them"
    )


class Score(ResponseBody):
    """One customer's scores as of a day."""

    customer_id: str
    as_of: date
    horizon_days: int
    churn_probability: float = Field(ge=0, le=1, description="probability of no order within the horizon")
    expected_orders: float = Field(ge=0, description="within the horizon")
    expected_value: float = Field(description="margin within the horizon, currency units")
    value_p10: float = Field(description="the margin is below this in at most one case of ten, currency units")
    value_p90: float = Field(description="the margin is above this in at most one case of ten, currency units")
    clv: float = Field(description="discounted margin over the configured lifetime, currency units")
    clv_p10: float = Field(description="that margin is below this in at most one case of ten, currency units")
    clv_p90: float = Field(description="that margin is above this in at most one case of ten, currency units")
    savable_probability: float = Field(
        description="of no order in the horizon (under a contract, of its end) by a customer whom a contact can keep, "
        "0 to 1; at most churn_probability"
    )
    gain: float = Field(
        description="what one order in the horizon that would not have come otherwise is expected to add to the "
        "lifetime margin, the chance that it is needed included, currency units"
    )
    next_order_at: date | None = Field(
        description="the day before or on which the next order comes in one case of two; null where it is less likely "
        "to come within the configured lifetime"
    )
    segment: str | None = Field(description="among all customers of the last batch; null before there is one")
    reasons: list[str] = Field(description="up to three reasons, the strongest first")
    model_version: str


class ScoreResponse(ResponseBody):
    """The scores in the order of the request, and the ids of unknown customers."""

    scores: list[Score]
    unknown: list[str]
    unseen: dict[str, int] = Field(
        default_factory=dict,
        description="of score_histories: by attribute, the customers whose name in it the model has not learned and "
        "takes as missing; left out where there are none",
    )


class Parts(ResponseBody):
    """Contributions to a score: `base` and all of `added` sum to `score`."""

    score: float
    base: float = Field(description="the score of a customer about whom only the day is known")
    added: dict[str, float] = Field(description="contribution of each feature, the largest effect first")


class Explanation(ResponseBody):
    """One customer's churn probability (0 to 1), expected value and gain (currency units), each split into
    contributions, and when they are expected to order next."""

    customer_id: str
    as_of: date
    model_version: str
    churn_probability: Parts
    expected_value: Parts
    gain: Parts = Field(
        description="base: of a customer with the same margin of an order about whom nothing else is known; "
        "`limited_to_the_savable` among `added`: what makes it neither negative nor more than saving them can add"
    )
    next_order_at: date | None = Field(description="as in the scores")
    next_order_p10: float | None = Field(
        description="days from as_of within which the next order comes in one case of ten; null: less likely within "
        "the configured lifetime"
    )
    next_order_p90: float | None = Field(description="days within which it comes in nine cases of ten; or null")


class ExplainResponse(ResponseBody):
    """The explanations in the order of the request, and the ids of unknown customers."""

    currency: str
    explanations: list[Explanation]
    unknown: list[str]


class Contact(ResponseBody):
    """A chosen customer: `treated` is false for the random holdout, which must not be contacted."""

    customer_id: str
    offer: str
    treated: bool
    expected_cost: float = Field(description="currency units")
    expected_profit: float = Field(description="currency units, after its cost")
    profit_p10: float = Field(description="the profit is below this in one case of ten, currency units")
    profit_p90: float = Field(description="the profit is above this in one case of ten, currency units")
    rank: int = Field(ge=1, description="order of contact, from 1")


class PlanResponse(ResponseBody):
    """The summary of a campaign, and the first of the chosen customers."""

    summary: dict[str, Any] = Field(description="what `stayworth plan --json` prints; money in currency units")
    contacts: list[Contact] = Field(description=f"by rank, {MOST_IDS:,} at most; `stayworth plan` writes all of them")
    left_out: int = Field(description="number of further chosen customers")


class ModelResponse(ResponseBody):
    """The model in service, and the batch of scores in service."""

    version: str | None
    hash: str | None
    registered: str | None = Field(description="number of the registered version")
    as_of: date | None = Field(
        description="cut-off of the training data: the model has seen all before this day; null of a label table"
    )
    horizon_days: int | None
    judged: str | None = Field(
        description="on a short log, whether the horizon was judged, and on what windows the model learned; otherwise "
        "null: it was judged over the horizon"
    )
    currency: str | None
    metrics: dict[str, float]
    needs: list[str] = Field(
        description="fields that every order of a raw history must have beside ordered_at and amount, null if unknown; "
        "`interactions`: the list itself, even if empty; of a label table the columns that every row must have"
    )
    scores_as_of: date | None
    scores_model_version: str | None
    customers: int | None = Field(description="number of customers with scores")
