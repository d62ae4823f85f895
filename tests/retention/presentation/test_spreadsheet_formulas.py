"""No cell of a CSV that we write runs as a formula (CWE-1236), and the ids come back as they were."""

from io import StringIO

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.presentation.spreadsheet import spreadsheet_safe

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"]
cells = st.lists(st.text(alphabet="=+-@\t\r\n'0aé＝") | st.text() | st.none(), max_size=20)


def undone(cell):
    """The cell as it was: one apostrophe less where apostrophes stand before such a sign."""
    escaped = isinstance(cell, str) and cell.startswith("'") and cell.lstrip("'").startswith(tuple(STARTS))
    return cell[1:] if escaped else cell


@pytest.mark.parametrize("start", STARTS)
def test_a_formula_becomes_text(start):
    safe = spreadsheet_safe(pd.DataFrame({"customer_id": [start + "cmd|' /C calc'!A0", "0042"]}))
    assert safe["customer_id"].tolist() == ["'" + start + "cmd|' /C calc'!A0", "0042"]


@given(texts=cells)
def test_no_cell_begins_a_formula_and_every_cell_comes_back(texts):
    frame = pd.DataFrame({"customer_id": pd.Series(texts, dtype="str"), "profit": [-1.5] * len(texts)})
    safe = spreadsheet_safe(frame)
    assert not any(isinstance(cell, str) and cell.startswith(tuple(STARTS)) for cell in safe["customer_id"])
    for before, after in zip(frame["customer_id"], safe["customer_id"], strict=True):
        assert undone(after) == before or pd.isna(before)


def test_numbers_flags_and_days_are_left_alone():
    frame = pd.DataFrame({"profit": [-2.5], "treated": [True], "as_of": [pd.Timestamp("1998-07-01")], "rank": [-1]})
    pd.testing.assert_frame_equal(spreadsheet_safe(frame), frame)


def test_ids_survive_the_file():
    ids = ["=1+1", "'quoted", "'=both", "-7", "00123", "@x"]
    written = spreadsheet_safe(pd.DataFrame({"customer_id": ids})).to_csv(index=False)
    read = pd.read_csv(StringIO(written), dtype="str", keep_default_na=False)
    assert [undone(cell) for cell in read["customer_id"]] == ids
