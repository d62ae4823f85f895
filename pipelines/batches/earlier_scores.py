"""The last batch of scores of an earlier day, and what season and model alone have moved since it."""

from datetime import date

import pandas as pd

from features.errors import InputError
from features.histories.columns import Histories
from features.snapshots.snapshot import snapshot_chunks
from models.scoring.clv_change import clv_steps
from models.scoring.scorer import Scorer
from pipelines.batches import ledger
from pipelines.batches.ledger import LedgerEntry
from pipelines.config import Config
from retention.customer_base.customer_base import EarlierScores

COLUMNS = ["customer_id", "churn_probability", "expected_value", "clv", "segment"]


def earlier_scores(config: Config, histories: Histories, scores: pd.DataFrame, *, as_of: date) -> EarlierScores | None:
    """Read the last batch of a day before `as_of`, the day of `scores`; None: there is none.

    The models that made both are fetched, and the customers of the day scored by them; where that cannot be done,
    `steps_unknown` says why.
    """
    kept = ledger.entries(config.folder)
    before = [entry for entry in kept if entry.as_of < as_of]
    if not before:
        return None
    earlier, version = before[-1], str(scores["model_version"].iloc[0])
    frame = ledger.read(earlier).reindex(columns=COLUMNS)
    try:
        new = _model(kept, version, config.tracking_uri)
        old = new if earlier.model_version == version else ledger.model_of(earlier, config.tracking_uri)
        steps = _steps(histories, old, new, since=earlier.as_of, as_of=as_of)
    except InputError as error:
        return EarlierScores(earlier.as_of, frame, steps_unknown=error.what)
    return EarlierScores(earlier.as_of, frame, steps, is_same_model=old is new)


def _model(kept: list[LedgerEntry], version: str, uri: str) -> Scorer:
    """The model of a version that made a batch of the ledger."""
    entry = next((entry for entry in kept if entry.model_version == version), None)
    if entry is None:
        raise InputError(f"the ledger has no batch of the model {version}, which made the latest scores")
    return ledger.model_of(entry, uri)


def _steps(histories: Histories, old: Scorer, new: Scorer, *, since: date, as_of: date) -> pd.DataFrame:
    """The steps of every customer of the day, a chunk of customers at a time: customer_id, season, model."""
    features = list(dict.fromkeys([*old.inputs, *new.inputs]))
    parts = []
    for table in snapshot_chunks(histories, as_of=[as_of], features=features):
        rows = table.to_pandas(date_as_object=False)
        steps = clv_steps(old, new, rows, since=since)
        parts.append(pd.DataFrame({"customer_id": rows["customer_id"].astype("str")} | steps._asdict()))
    return pd.concat(parts, ignore_index=True)
