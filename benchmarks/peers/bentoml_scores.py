"""Scores by id as BentoML's tutorial would write them: pydantic in and out, everything else as in `bentoml serve`."""

import os
from pathlib import Path

import bentoml

from benchmarks.peers.answered import Answered
from serving.store import score_store as store


@bentoml.service
class Scores:
    def __init__(self) -> None:
        self.scores = store.open_store(Path(os.environ["STAYWORTH_SCORES"]))

    @bentoml.api
    def score(self, customer_ids: list[str]) -> Answered:
        found, unknown = self.scores.find(customer_ids)
        return Answered(scores=found, unknown=unknown)
