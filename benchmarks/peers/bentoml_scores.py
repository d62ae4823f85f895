"""Scores by id as BentoML's tutorial would write them: pydantic in and out, everything as `bentoml serve` has it."""

import os
from datetime import date
from pathlib import Path

import bentoml
from pydantic import BaseModel

from serving import store


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
    segment: str | None
    reasons: list[str]
    model_version: str


class Answered(BaseModel):
    scores: list[Score]
    unknown: list[str]


@bentoml.service
class Scores:
    def __init__(self) -> None:
        self.scores = store.open(Path(os.environ["STAYWORTH_SCORES"]))

    @bentoml.api
    def score(self, customer_ids: list[str]) -> Answered:
        found, unknown = self.scores.find(customer_ids)
        return Answered(scores=found, unknown=unknown)
