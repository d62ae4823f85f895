"""Scores by id as a FastAPI user would write them, under uvicorn: no token, no limits, no metrics, no log."""

import os
from pathlib import Path

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from benchmarks.peers.answered import Answered
from models.artifacts import bundle
from models.trees import boosting
from serving.store import store

app = FastAPI()
scores = store.open_store(Path(os.environ["STAYWORTH_SCORES"]))
scorer = bundle.read(Path(os.environ["STAYWORTH_BUNDLE"]))
rows = scores.rows(scores.scores()["customer_id"].tolist())[0]
place = {customer_id: number for number, customer_id in enumerate(rows["customer_id"].tolist())}
features = boosting.values(rows, scorer.inputs)


class Asked(BaseModel):
    customer_ids: list[str]


@app.post("/pydantic")
async def typed(asked: Asked) -> Answered:
    """A model in, a model out."""
    found, unknown = scores.find(asked.customer_ids)
    return Answered(scores=found, unknown=unknown)


@app.post("/plain")
async def plain(request: Request) -> Response:
    """JSON in, JSON out, nothing checked."""
    found, unknown = scores.find(from_json(await request.body())["customer_ids"])
    return Response(to_json({"scores": found, "unknown": unknown}), media_type="application/json")


@app.post("/booster")
async def booster(request: Request) -> Response:
    """The same answer, but the churn probability is what the trees say now of features held in memory."""
    found, unknown = scores.find(from_json(await request.body())["customer_ids"])
    churn = predicted([one["customer_id"] for one in found])
    answer = [one | {"churn_probability": said} for one, said in zip(found, churn, strict=True)]
    return Response(to_json({"scores": answer, "unknown": unknown}), media_type="application/json")


@app.post("/number")
async def number(request: Request) -> Response:
    """What the trees say and nothing else."""
    ids = from_json(await request.body())["customer_ids"]
    known = [one for one in ids if one in place]
    answer = [{"customer_id": one, "churn": said} for one, said in zip(known, predicted(known), strict=True)]
    unknown = [one for one in ids if one not in place]
    return Response(to_json({"scores": answer, "unknown": unknown}), media_type="application/json")


def predicted(ids: list[str]) -> list[float]:
    given = features[[place[one] for one in ids]]
    return scorer.members.quiet.booster.inplace_predict(given, validate_features=False).tolist()


@app.get("/readyz")
async def ready() -> str:
    return "ready"
