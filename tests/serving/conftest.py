"""What is served in the tests: a batch of real scores, and the model that made them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from models import bundle, scoring
from retention.segments import cuts, quadrant
from serving import store
from tests.serving.running import SECRET_ID, TOKEN, Running, running


@dataclass(frozen=True)
class Batch:
    """What is served."""

    folder: Path
    """scores.store, and the folder bundle."""
    scores: pd.DataFrame
    rows: pd.DataFrame
    orders: pd.DataFrame


@pytest.fixture(scope="session")
def batch(model, taught, cdnow_path, tmp_path_factory) -> Batch:
    """A fifth of CDNOW's customers as of 1998-04-02, one of them under another name."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "bundle").mkdir()
    training = {"as_of": "1998-04-02", "horizon_days": 90, "seed": 7, "params": {}}
    bundle.write(folder / "bundle", model, training=training)
    made = bundle.read(folder / "bundle")
    rows = taught[2].copy()
    last = rows["customer_id"].iloc[-1]
    rows["customer_id"] = rows["customer_id"].replace(last, SECRET_ID)
    scores = scoring.score(made, rows)
    current_cut, future_cut = cuts(rows["spend_last_365d"], scores["clv"])
    segment = quadrant(rows["spend_last_365d"], scores["clv"], current_cut=current_cut, future_cut=future_cut)
    scores = scores.assign(segment=segment)
    terms = made.terms
    about = store.About(
        as_of=date(1998, 4, 2),
        horizon_days=terms.horizon_days,
        model_version=made.version,
        currency=terms.currency,
        current_cut=current_cut,
        future_cut=future_cut,
        features=dict(made.inputs),
    )
    with store.writing(folder / "scores.store", about) as writer:
        writer.add(scores, rows)
    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 5 == 0]
    return Batch(folder, scores, rows, orders.assign(customer_id=orders["customer_id"].replace(last, SECRET_ID)))


@pytest.fixture(scope="module")
def service(batch, tmp_path_factory) -> Iterator[Running]:
    """A server with the batch; afterwards: a journal that names nobody, and nothing else written."""
    home = tmp_path_factory.mktemp("home")
    with running(batch.folder, home) as one:
        yield one
    told = json.dumps(one.journal)
    assert TOKEN not in one.said + told
    assert SECRET_ID not in told, "no customer is written down, whether asked for rightly or wrongly"
    assert "error" not in {line["event"] for line in one.journal}
    assert list(home.iterdir()) == []
