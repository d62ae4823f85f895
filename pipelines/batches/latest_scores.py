"""Latest scores as plans and reports read them: one row per customer, over the main horizon."""

from pathlib import Path

import pandas as pd

from pipelines import run_folder


def latest_scores(folder: Path) -> pd.DataFrame:
    """The scores that `score` left in the output folder; raises InputError if there are none."""
    return over_main_horizon(
        run_folder.read_table(folder / run_folder.SCORES, next="Score first: stayworth score --as-of DAY.")
    )


def over_main_horizon(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows over the model's own horizon, which come first; those over other horizons follow them."""
    return scores[scores["horizon_days"] == scores["horizon_days"].iloc[0]] if len(scores) else scores
