"""The model of a label table as MLflow runs it, as code and not as a pickle: rows of the table in, scores out.

    mlflow.pyfunc.load_model("models:/stayworth@champion").predict(customers)

The twin of models/artifacts/pyfunc.py.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import AnyType

from models.artifacts import label_bundle
from models.labelled.label_scorer import ID, VALUES, LabelScorer, score_rows
from models.prediction import REASONS


class ScoreRows(PythonModel):
    """A bundle of a label table, ready to score a frame."""

    scorer: LabelScorer

    def load_context(self, context: PythonModelContext) -> None:
        """Check every byte of the bundle, then parse it."""
        self.scorer = label_bundle.read(Path(context.artifacts["bundle"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002  (MLflow's signature)
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Score every row."""
        return score_rows(self.scorer, model_input, where="the frame")


def signature(scorer: LabelScorer) -> ModelSignature:
    """The signature: cells may have any type that can be read as numbers, days or names."""
    numbers = ("churn_probability", *(VALUES if scorer.value else ()))
    outputs = [ColSpec(DataType.string, ID), *(ColSpec(DataType.double, name) for name in numbers)]
    outputs += [ColSpec(DataType.string, name, required=False) for name in REASONS]
    inputs: list[ColSpec | TensorSpec] = [ColSpec(AnyType(), name) for name in [scorer.id_column]]
    inputs += [ColSpec(AnyType(), name, required=False) for name in scorer.needs]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([*outputs, ColSpec(DataType.string, "model_version")]))


mlflow.models.set_model(ScoreRows())
