"""What goes over the wire: the request and the answer of `POST /v1/score`, with their limits.

Ids are text and stay text. A wrong request is told what is wrong with it, never shown back nor logged.
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_IDS = 1_000
"""Customer ids in one request."""

CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ScoreRequest(BaseModel):
    """Whose scores are wanted. An id may be named twice; it is answered twice."""

    model_config = ConfigDict(title="ScoreRequest", extra="forbid", frozen=True, hide_input_in_errors=True)

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MOST_IDS)


class Score(BaseModel):
    """One customer's scores as of a day; money in currency units."""

    model_config = ConfigDict(frozen=True)

    customer_id: str
    as_of: date
    horizon_days: int
    churn_probability: float = Field(description="of no order within the horizon, 0 to 1")
    expected_orders: float = Field(description="within the horizon")
    expected_value: float = Field(description="margin within the horizon")
    value_p10: float = Field(description="the margin is below it in one case of ten")
    value_p90: float = Field(description="the margin is above it in one case of ten")
    clv: float = Field(description="discounted margin over the configured lifetime")
    segment: str
    reasons: list[str] = Field(description="up to three, the strongest first")
    model_version: str


class ScoreResponse(BaseModel):
    """The scores in the order of the request, and the ids that the last batch of scores does not hold."""

    model_config = ConfigDict(frozen=True)

    scores: list[Score]
    unknown: list[str]
