"""The model as MLflow runs it, as code and not as a pickle: orders in, scores out.

    mlflow.pyfunc.load_model("models:/stayworth@champion").predict(orders, params={"as_of": "2011-12-01"})

A model trained on interactions or attributes of customers takes those tables as JSON, `params={"as_of": …,
"interactions": frame.to_json(orient="records", date_format="iso"), "customers": …}`.
MLflow copies this file, the packages it imports and the bundle into the logged model, and runs this file to load
it. Our own commands and service never load a model this way.
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from features.clock import parse_day
from features.errors import InputError
from features.ingest.schema import ORDERS
from models.artifacts import bundle
from models.prediction import DATES, NUMBERS, REASONS
from models.scoring.batch_scores import score_orders
from models.scoring.scorer import Scorer

EXAMPLE_AS_OF = "2011-12-01"
TABLES = ("interactions", "customers")

SCORES = {
    "customer_id": DataType.string,
    "as_of": DataType.datetime,
    "horizon_days": DataType.integer,
    **dict.fromkeys(NUMBERS, DataType.double),
    **dict.fromkeys(DATES, DataType.datetime),
    **dict.fromkeys(REASONS, DataType.string),
    "model_version": DataType.string,
}
"""The output columns: scores.parquet without `segment`, which compares with the whole customer base."""


class ScoreOrders(PythonModel):
    """A bundle, ready to score a frame of orders."""

    scorer: Scorer

    def load_context(self, context: PythonModelContext) -> None:
        """Check every byte of the bundle, then parse it."""
        self.scorer = bundle.read(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  (MLflow's signature)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Score every customer with an order before `as_of`, a day that must be given."""
        params = params or {}
        if not params.get("as_of"):
            raise InputError("the day to score is missing", next=f'Pass params={{"as_of": "{EXAMPLE_AS_OF}"}}.')
        tables = {name: _table(params.get(name), name) for name in TABLES}
        return score_orders(self.scorer, model_input, as_of=parse_day(params["as_of"]), **tables)


def _table(text: str | None, name: str) -> pd.DataFrame | None:
    """Read the rows of a table besides the orders; None if it is not given."""
    if not text:
        return None
    try:
        return pd.DataFrame.from_records(json.loads(text))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"is not a JSON array of rows ({error})",
            where=f'params["{name}"]',
            next='Pass frame.to_json(orient="records", date_format="iso").',
        ) from None


def signature() -> ModelSignature:
    """The signature: ids, times and amounts may have any type that ingest can read as such."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(AnyType(), name, required=column.required) for name, column in ORDERS.items()
    ]
    return ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema([ColSpec(kind, name, required=name not in (*DATES, *REASONS)) for name, kind in SCORES.items()]),
        params=ParamSchema([ParamSpec(name, DataType.string, default=None) for name in ("as_of", *TABLES)]),
    )


def example() -> pd.DataFrame:
    """Orders of made-up customers, with every column that a model may read of an order."""
    return pd.DataFrame(
        {
            "customer_id": ["00001", "00001", "00002"],
            "ordered_at": pd.to_datetime(["2011-05-02 09:30", "2011-10-17 18:05", "2011-11-20 12:00"]),
            "amount": [24.90, 31.50, 12.00],
            "order_id": ["1", "2", "3"],
            "product_id": ["tea", "pot", "tea"],
            "category": ["food", "kitchen", "food"],
            "quantity": [2, 1, 1],
            "cost": [12.00, 20.00, 6.00],
            "discount": [0.00, 3.50, 0.00],
            "channel": ["shop", "web", "web"],
        }
    )


mlflow.models.set_model(ScoreOrders())
