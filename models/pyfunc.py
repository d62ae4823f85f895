"""The model as MLflow runs it, as code and not as a pickle: orders in, scores out.

    mlflow.pyfunc.load_model("models:/stayworth@champion").predict(orders, params={"as_of": "2011-12-01"})

MLflow copies this file, the packages it imports and the bundle into the logged model, and runs this file to load
it. Our own commands and service never load a model this way.
"""

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
from features.schema import ORDERS
from models import bundle
from models.scorer import Scorer
from models.scoring import score_orders

EXAMPLE_AS_OF = "2011-12-01"

SCORES = {
    "customer_id": DataType.string,
    "as_of": DataType.datetime,
    "horizon_days": DataType.integer,
    "churn_probability": DataType.double,
    "expected_orders": DataType.double,
    "expected_value": DataType.double,
    "value_p10": DataType.double,
    "value_p90": DataType.double,
    "clv": DataType.double,
    "reason_1": DataType.string,
    "reason_2": DataType.string,
    "reason_3": DataType.string,
    "model_version": DataType.string,
}
"""What comes out: scores.parquet without `segment`, which compares with the whole customer base."""


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
        """Scores of every customer with an order before `as_of`, a day that must be given."""
        as_of = (params or {}).get("as_of")
        if not as_of:
            raise InputError("the day to score is missing", next=f'Pass params={{"as_of": "{EXAMPLE_AS_OF}"}}.')
        return score_orders(self.scorer, model_input, as_of=parse_day(as_of))


def signature() -> ModelSignature:
    """Ids, times and amounts may have any type that ingest can read as such."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(AnyType(), name, required=column.required) for name, column in ORDERS.items()
    ]
    return ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema([ColSpec(kind, name, required="reason" not in name) for name, kind in SCORES.items()]),
        params=ParamSchema([ParamSpec("as_of", DataType.string, default=None)]),
    )


def example() -> pd.DataFrame:
    """Orders of customers who do not exist."""
    return pd.DataFrame(
        {
            "customer_id": ["00001", "00001", "00002"],
            "ordered_at": pd.to_datetime(["2011-05-02 09:30", "2011-10-17 18:05", "2011-11-20 12:00"]),
            "amount": [24.90, 31.50, 12.00],
        }
    )


mlflow.models.set_model(ScoreOrders())
