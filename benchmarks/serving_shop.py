"""The shop that is served: CDNOW's champion and its scores, made as a user would, and the requests."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy_shops import CDNOW, ROOT
from serving import active_model
from serving.store import score_store as store

STAYWORTH = str(Path(sys.executable).with_name("stayworth"))
DAY, EARLIER = date(1998, 7, 1), date(1998, 6, 1)
TYPICAL = range(3, 11)
"""Orders of a typical customer."""
ASKED = 2_000
"""Number of customers whose orders are sent."""


@dataclass(frozen=True)
class Shop:
    """A folder with stayworth.toml, scores.store, and the bundle that made them; the orders."""

    folder: Path
    bundle: Path
    orders: pd.DataFrame
    as_of: date = DAY

    @property
    def config(self) -> Path:
        return self.folder / "stayworth.toml"

    @property
    def scores(self) -> Path:
        return self.folder / "scores.store"

    @cached_property
    def customers(self) -> list[str]:
        """All customers with scores, in random order."""
        ids = store.open_store(self.scores).scores()["customer_id"].to_numpy()
        return np.random.default_rng(7).permutation(ids).tolist()

    @cached_property
    def histories(self) -> list[dict[str, Any]]:
        """Customers with 3 to 10 orders, with all their orders in the form of a request."""
        at = pd.to_datetime(self.orders["ordered_at"])
        known = self.orders.assign(
            ordered_at=at.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), amount=self.orders["amount"].astype(float)
        )[at < pd.Timestamp(self.as_of)]
        counts = known["customer_id"].value_counts(sort=False)
        typical = counts.index[counts.isin(TYPICAL)][:ASKED]
        return [
            {"customer_id": one, "orders": orders.drop(columns="customer_id").to_dict("records")}
            for one, orders in known[known["customer_id"].isin(typical)].groupby("customer_id")
        ]


def make(folder: Path) -> Shop:
    """Train and score twice in a folder, the earlier day's scores beside the served ones; existing files are kept."""
    if not (folder / "earlier.store").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(CDNOW.orders, folder / "orders.parquet")
        shutil.copy(CDNOW.settings, folder / "stayworth.toml")
        if not (folder / "mlflow.db").exists():
            _run(folder, "train", "--trials", "1")
        _run(folder, "score", "--as-of", EARLIER.isoformat())
        (folder / "scores.store").rename(folder / "earlier.draft")
        _run(folder, "score", "--as-of", DAY.isoformat())
        (folder / "earlier.draft").rename(folder / "earlier.store")
    served = folder / "served"
    if not (served / active_model.POINTER).exists():
        active_model.fetch_champion(registry(folder), served)
    pointer = json.loads((served / active_model.POINTER).read_text("utf-8"))
    return Shop(folder, served / active_model.BUNDLES / pointer["bundle"], pd.read_parquet(folder / "orders.parquet"))


def registry(folder: Path) -> str:
    """The address of the folder's MLflow."""
    return f"sqlite:///{folder.resolve()}/mlflow.db"


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [STAYWORTH, *command], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"stayworth {' '.join(command)} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
