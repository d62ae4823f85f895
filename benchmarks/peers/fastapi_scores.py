"""Scores by id as a FastAPI user would serve them, under uvicorn: no token, no limits, no metrics, no log."""

import os
from pathlib import Path

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from benchmarks.peers.answered import Answered
from models.artifacts import bundle
from models.trees import boosting
from serving.store import score_store as store

app = FastAPI()
scores = store.open_store(Path(os.environ["STAYWORTH_SCORES"]))
scorer = bundle.read(Path(os.environ["STAYWORTH_BUNDLE"]))
rows = scores.rows(scores.scores()["customer_id"].tolist())[0]
place = {customer_id: number for number, customer_id in enumerate(rows["customer_id"].tolist())}
features = boosting.values(rows, scorer.inputs)


class Ids(BaseModel):
    customer_ids: list[str]


@app.post("/pydantic")
async def validated(content: Ids) -> Answered:
    """Validate the request and the answer by pydantic models."""
    records, unknown = scores.find(content.customer_ids)
    return Answered(scores=records, unknown=unknown)


@app.post("/plain")
async def plain(request: Request) -> Response:
    """Answer plain JSON with plain JSON, without validation."""
    records, unknown = scores.find(from_json(await request.body())["customer_ids"])
    return Response(to_json({"scores": records, "unknown": unknown}), media_type="application/json")


@app.post("/booster")
async def booster(request: Request) -> Response:
    """Return the same answer, with the churn probability computed now by the trees from features in memory."""
    records, unknown = scores.find(from_json(await request.body())["customer_ids"])
    churn = predicted([record["customer_id"] for record in records])
    answer = [record | {"churn_probability": prediction} for record, prediction in zip(records, churn, strict=True)]
    return Response(to_json({"scores": answer, "unknown": unknown}), media_type="application/json")


@app.post("/number")
async def number(request: Request) -> Response:
    """Return the prediction of the trees and nothing else."""
    ids = from_json(await request.body())["customer_ids"]
    known = [customer_id for customer_id in ids if customer_id in place]
    answer = [
        {"customer_id": customer_id, "churn": prediction}
        for customer_id, prediction in zip(known, predicted(known), strict=True)
    ]
    unknown = [customer_id for customer_id in ids if customer_id not in place]
    return Response(to_json({"scores": answer, "unknown": unknown}), media_type="application/json")


def predicted(ids: list[str]) -> list[float]:
    given = features[[place[customer_id] for customer_id in ids]]
    return scorer.base_learners.no_order.booster.inplace_predict(given, validate_features=False).tolist()


@app.get("/readyz")
async def ready() -> str:
    return "ready"
