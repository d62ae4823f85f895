"""Real order logs on which accuracy is measured; read in place."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from pipelines.config import Config, load

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Shop:
    """A config of the repository, and the path of its orders."""

    settings: Path
    orders: Path

    def config(self, *, horizon_days: int | None = None) -> Config:
        """The config with these orders; horizon_days replaces its own."""
        config = load(self.settings)
        changes = {"data": config.data.model_copy(update={"orders": str(self.orders)})}
        if horizon_days is not None:
            changes["time"] = config.time.model_copy(update={"horizon_days": horizon_days})
        return config.model_copy(update=changes)

    def histories(self) -> Histories:
        """Histories of the orders, cleaned as the product does."""
        return ingest(self.config().log, now_us=None).histories


CDNOW = Shop(ROOT / "pipelines/data/demo.toml", ROOT / "pipelines/data/cdnow.parquet")
ONLINE_RETAIL = Shop(ROOT / "docs/examples/online_retail_ii.toml", SHARED / "online_retail_ii" / "transactions.parquet")
CDNOW_SAMPLE = SHARED / "cdnow" / "sample_transactions.parquet"


def cdnow_sample() -> list[str]:
    """Ids of the 2,357 customers in CDNOW's published 1/10 sample."""
    return pd.read_parquet(CDNOW_SAMPLE)["master_id"].astype(str).str.zfill(5).unique().tolist()
