"""Code that a logged model may bring, its scorer untrained, and a program that runs the model elsewhere."""

BUNDLE_STUB = """
from models.scoring.scorer import Scorer

def read(folder):
    assert (folder / "quiet.ubj").read_bytes() == bytes(range(256))
    return Scorer((folder / "manifest.sha256").read_text()[:12])
"""
SCORER_STUB = """
from typing import NamedTuple

class Scorer(NamedTuple):
    version: str
"""
SCORING_STUB = """
import pandas as pd

def score_orders(scorer, orders, *, as_of, interactions, customers):
    spent = orders[pd.to_datetime(orders["ordered_at"]).dt.date < as_of].groupby("customer_id")["amount"].sum()
    if interactions is not None:
        spent = spent + interactions.groupby("customer_id")["value"].sum()
    return pd.DataFrame({"customer_id": spent.index, "clv": spent.to_numpy(), "model_version": scorer.version})
"""
ELSEWHERE = """
import sys
sys.path = [folder for folder in sys.path if folder not in {ours!r}]
found = []
sys.addaudithook(lambda event, details: found.append(details) if event == "pickle.find_class" else None)
import json, mlflow, pandas as pd
mlflow.set_tracking_uri({uri!r})
model = mlflow.pyfunc.load_model("models:/stayworth@champion")
days = ["2011-11-01", "2011-11-02", "2011-12-01"]
orders = pd.DataFrame({{"customer_id": ["007", "7", "007"], "ordered_at": days, "amount": [5, 7, 9]}})
import features, models.scoring.scorer
said = dict(
    scores=model.predict(orders, params={{"as_of": "2011-12-01"}}).to_dict("records"),
    files=[features.__file__, models.scoring.scorer.__file__],
    example=model.input_example.to_dict("list"),
    pickles=len(found),
)
survey = pd.DataFrame({{"customer_id": ["007", "7"], "at": pd.Timestamp("2011-11-05"), "value": [100, 200]}})
beside = dict(as_of="2011-12-01", interactions=survey.to_json(orient="records", date_format="iso"))
said["beside"] = model.predict(orders, params=beside)["clv"].tolist()
wrong = dict(none=None, nonsense={{"as_of": "soon"}}, torn=beside | {{"interactions": "[1"}})
for name, params in wrong.items():
    try:
        model.predict(orders, params=params)
    except Exception as error:
        said[name] = str(error)
print(json.dumps(said, default=str))
"""
