"""CHECKS 19: `stayworth features`, killed at any moment, leaves the old file or the new one, and runs again."""

import random

import pandas as pd
import pytest

from tests.forked_commands import Command, seconds_of, start
from tests.shops import config_of

KILLS = 10


@pytest.mark.slow
@pytest.mark.parametrize("memory", [[], ["--memory", "100MB"]], ids=["whole", "split"])
def test_killed_at_random_moments_the_feature_file_is_always_whole(tmp_path, cdnow_path, memory):
    random.seed(19)
    output, orders = tmp_path / "out" / "features.parquet", tmp_path / "orders.parquet"
    raw = pd.read_parquet(cdnow_path)
    copies = 4 if memory else 1  # more rows than the memory given holds
    pd.concat([raw.assign(customer_id=raw["customer_id"] + f"-{one}") for one in range(copies)]).to_parquet(orders)
    (tmp_path / "stayworth.toml").write_text(config_of(orders, more=f'[output]\nfolder = "{tmp_path}/out"\n'))

    def started(day: str) -> Command:
        return start(tmp_path, "features", "--as-of", day, "-o", str(output), "--json", *memory)

    def finished(day: str) -> float:
        return seconds_of(started(day))

    finished("1998-01-01")
    new = pd.read_parquet(output)
    finished("1997-06-01")
    old = output.read_bytes()
    seconds = finished("1997-06-01")
    assert output.read_bytes() == old
    for turn in range(KILLS):
        started("1998-01-01").kill(after_s=random.uniform(turn, turn + 1) / KILLS * seconds)
        if output.read_bytes() != old:
            assert pd.read_parquet(output).equals(new)
            finished("1997-06-01")
            assert output.read_bytes() == old
        names = {path.name for path in output.parent.iterdir() if not path.name.startswith(".")}
        assert names == {"features.parquet", "quarantine.parquet", "reconciliation.json", "histories"}
    finished("1998-01-01")
    assert pd.read_parquet(output).equals(new)
