"""The answer of the peers that serve scores, as pydantic models."""

from datetime import date

from pydantic import BaseModel


class Score(BaseModel):
    customer_id: str
    as_of: date
    horizon_days: int
    churn_probability: float
    expected_orders: float
    expected_value: float
    value_p10: float
    value_p90: float
    clv: float
    clv_p10: float
    clv_p90: float
    savable_probability: float
    gain: float
    next_order_at: date | None
    segment: str | None
    reasons: list[str]
    model_version: str


class Answered(BaseModel):
    scores: list[Score]
    unknown: list[str]
