"""What a plan on request rests on beside the scores, as `stayworth plan` has it: learned effects and bookings."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from features.ingest.log import Log
from retention.economics.offers import Offer
from retention.planning.learned_effects import EFFECTS_FILE, PlanEffects
from serving.served_effects import effects_of
from serving.store.score_store import Store


class PlanInputs:
    """The inputs from a shop's output folder and log; the effects on the customers of the last batch stay in memory."""

    def __init__(self, output: Path | None = None, log: Log | None = None) -> None:
        """output: the output folder; None: no effects were learned. log: names the table of treatments, if any."""
        self.output, self.log = output, log
        self._latest: tuple[tuple[object, ...], PlanEffects] | None = None

    def effects(self, batch: Store, offers: Sequence[Offer]) -> PlanEffects:
        """The effects of the offers, computed again when the scores, the offers or the learned effects change."""
        if self.output is None:
            return PlanEffects(None, list(offers), {})
        file = self.output / EFFECTS_FILE
        key = (batch.hash, *offers_as_json(offers), file.stat().st_mtime_ns if file.exists() else None)
        latest = self._latest
        if latest is None or latest[0] != key:
            latest = self._latest = key, effects_of(batch, self.output, offers)
        return latest[1]

    def treatments(self) -> pd.DataFrame | None:
        """The table of treatments, read again; None if there is none."""
        if self.log is None or self.log.treatments is None:
            return None
        # Here, since DuckDB, loaded with it at the start, would write to the log when the service ends.
        from features.ingest.side_tables import read_side_table

        return read_side_table(self.log, "treatments", now_us=None).rows.to_pandas()


def offers_as_json(offers: Sequence[Offer]) -> list[str]:
    """Each offer in a form that differs where one of its numbers does."""
    return [offer.model_dump_json() for offer in offers]
