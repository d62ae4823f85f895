"""CHECK 32: the files that shops hand over come out right, with a warning, or as a question; never wrong in silence.

Each kind is written from a shop whose truth is known; `init` writes its config, and what is read is compared with the
truth: the orders, the money and the last order of each customer.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.ingest.build_histories import ingested
from features.ingest.mistakes.cells import MOST_UNREAD, share_unread
from features.ingest.mistakes.find_mistakes import find_mistakes
from features.ingest.reading import reading
from pipelines.config import load
from pipelines.init import first_config
from tests.pipelines import kinds_of_export
from tests.pipelines.exports import truth
from tests.pipelines.kinds_of_export import Kind
from tests.pipelines.more_kinds_of_export import MORE_ASKED, MORE_RIGHT, MORE_WARNED

RIGHT = kinds_of_export.RIGHT | MORE_RIGHT
WARNED = kinds_of_export.WARNED | MORE_WARNED
ASKED = kinds_of_export.ASKED | MORE_ASKED

NOW_US = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1_000_000)


def come_out(folder: Path, kind: Kind):
    """What is read of a kind, the codes of its warnings, and the share of amounts that could not be read."""
    path = kind.write(folder)
    config = first_config(str(path), config_folder=folder, given=kind.given, **kind.more)
    text = config.text
    if kind.config:
        text = with_lines(text, kind.config)
    (folder / "stayworth.toml").write_text(text, encoding="utf-8")
    if config.question:
        raise config.question
    with reading(load(folder / "stayworth.toml").log, now_us=NOW_US, keeps_unused=True) as opened:
        histories = ingested(opened).histories
        codes = [warning.code for warning in find_mistakes(opened)]
        return histories, codes, share_unread(opened)


def with_lines(text: str, config: str) -> str:
    """The text of a config with the lines of a section: in it, if it is there, else behind all."""
    section, _, lines = config.partition("\n")
    kept = [line for line in text.splitlines() if not line.startswith(lines.partition(" =")[0] + " =")]
    place = next((place for place, line in enumerate(kept) if line.startswith(section)), None)
    at = len(kept) if place is None else place + 1
    return "\n".join(kept[:at] + ([section] if place is None else []) + lines.splitlines() + kept[at:]) + "\n"


def of(histories) -> pd.DataFrame:
    """Orders, money and time of the last order of each customer."""
    columns, units = histories.columns, histories.minor_units
    frame = pd.DataFrame({"at": columns.at, "cents": columns.amount_cents})
    frame["customer_id"] = np.repeat(histories.customer_ids.to_pylist(), np.diff(columns.starts))
    changes = pd.Series(columns.adjustment_cents).groupby(columns.adjusted_order).sum()
    frame["cents"] += changes.reindex(frame.index).fillna(0)
    grouped = frame.groupby("customer_id")
    last = pd.to_datetime(grouped["at"].max(), unit="us")
    return pd.DataFrame({"orders": grouped.size(), "spend": grouped["cents"].sum() / units, "last": last})


@pytest.mark.parametrize(
    "name",
    [name if place % 3 == 0 else pytest.param(name, marks=pytest.mark.slow) for place, name in enumerate(RIGHT)],
)
def test_it_comes_out_as_the_truth(name, tmp_path):
    histories, _, unread = come_out(tmp_path, RIGHT[name])
    expected, found = truth(RIGHT[name].orders), of(histories)
    assert sorted(found.index) == sorted(expected.index)
    found = found.loc[expected.index]
    assert found["orders"].tolist() == expected["orders"].tolist()
    np.testing.assert_allclose(found["spend"], expected["spend"], atol=0.006 * expected["orders"].max())
    assert ((found["last"] - expected["last"]).abs() <= pd.Timedelta(seconds=1)).all()
    assert unread == 0


@pytest.mark.parametrize("name", WARNED)
def test_it_is_read_with_a_warning(name, tmp_path):
    write, code, *config = WARNED[name]
    _, codes, unread = come_out(tmp_path, Kind(write, config="".join(config)))
    assert code in codes
    assert unread <= MOST_UNREAD


@pytest.mark.parametrize("name", ASKED)
def test_it_is_asked_about(name, tmp_path):
    write, words = ASKED[name]
    config = '[read.orders]\nwhere = "nothing = 1"\n' if name == "a where that is none" else ""
    with pytest.raises(InputError) as error:
        come_out(tmp_path, Kind(write, config=config))
    assert words in error.value.next
    assert (tmp_path / "stayworth.toml").exists()


def test_the_plain_export_raises_no_warning(tmp_path):
    assert come_out(tmp_path, RIGHT["plain"])[1] == []
