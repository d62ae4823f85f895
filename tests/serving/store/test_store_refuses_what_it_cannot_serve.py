"""The store: one clear no to customers it cannot hold and to a file that is not whole; what was there stays."""

import hashlib
import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.prediction import DATES, NUMBERS
from serving.store import score_store as store
from serving.store.file_format import PREAMBLE, RECORD, SECTIONS, preamble
from serving.store.score_store import BatchInfo

DAY = date(2024, 7, 1)
ABOUT = BatchInfo(DAY, 90, "7", "EUR", 1.0, 2.0, 3.0, {"orders": None, "spend_total": None})
IDS = ["1", "2", "3"]


def customers(ids=tuple(IDS)):
    who = pd.Series(ids, dtype=object)
    scores = {"customer_id": who, "as_of": pd.Timestamp(DAY), "horizon_days": 90, **dict.fromkeys(NUMBERS, 0.5)}
    scores |= dict.fromkeys(DATES, pd.Timestamp(DAY))
    scores |= {"segment": "VIP", "reason_1": "one order", "reason_2": None, "reason_3": None, "model_version": "7"}
    rows = {"customer_id": who, "as_of": pd.Timestamp(DAY), "orders": 1.0, "spend_total": 0.1}
    return pd.DataFrame(scores), pd.DataFrame(rows)


def write(path, chunks):
    with store.writing(path, ABOUT) as writer:
        for chunk in chunks:
            writer.add(*chunk)


@pytest.fixture
def path(tmp_path):
    """A store of three customers."""
    path = tmp_path / "latest.store"
    write(path, [customers()])
    return path


def refused_to_write(path, *chunks):
    """The message; the old store is untouched and nothing is left beside it."""
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        write(path, chunks)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, None])
def test_a_score_that_is_no_number_is_counted(path, name, bad):
    scores, rows = customers()
    scores[name] = [0.5, bad, bad]
    assert f"no finite {name} in 2 of 3 rows" in refused_to_write(path, (scores, rows))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e39])
def test_a_feature_that_is_infinite_is_counted(path, bad):
    scores, rows = customers()
    rows["spend_total"] = [0.5, bad, np.nan]
    assert "an infinite spend_total in 1 of 3 rows" in refused_to_write(path, (scores, rows))


def test_a_repeated_customer_is_counted_within_and_across_chunks(path):
    assert "a repeated customer_id in 1 of 3 rows" in refused_to_write(path, customers(["1", "2", "1"]))
    assert "a repeated customer_id in 3 of 6 rows" in refused_to_write(path, customers(), customers())


@pytest.mark.parametrize("ids", [["1", "", "3"], ["1", "x" * 129, "3"], ["1", None, "3"]])
def test_ids_have_1_to_128_characters(path, ids):
    assert "an id that does not have 1 to 128 characters in 1 of 3 rows" in refused_to_write(path, customers(ids))


@pytest.mark.parametrize("ids", [[1, 2, 3], ["1", 2, "3"], ["1", "\ud800", "3"]])
def test_ids_are_text(path, ids):
    assert "a customer_id is not text" in refused_to_write(path, customers(ids))


@pytest.mark.parametrize(
    ("name", "other"), [("as_of", pd.Timestamp("2024-07-02")), ("horizon_days", 30), ("model_version", "8")]
)
def test_scores_of_another_batch_are_counted(path, name, other):
    scores, rows = customers()
    scores[name] = [scores[name][0], other, other]
    expected = "2024-07-01" if name == "as_of" else scores[name][0]
    assert f"another {name} than {expected} in 2 of 3 rows" in refused_to_write(path, (scores, rows))


def test_rows_of_other_customers_are_refused(path):
    scores, rows = customers()
    assert "same customers in the same order" in refused_to_write(path, (scores, rows[::-1]))
    assert "same customers in the same order" in refused_to_write(path, (scores, rows[:2]))


def test_a_missing_segment_is_counted(path):
    scores, rows = customers()
    scores["segment"] = ["VIP", None, None]
    assert "no segment in 2 of 3 rows" in refused_to_write(path, (scores, rows))


def test_a_missing_feature_is_named(path):
    scores, rows = customers()
    assert "no column spend_total" in refused_to_write(path, (scores, rows.drop(columns="spend_total")))


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "file" / "latest.store", [])


def test_a_failing_batch_leaves_the_old_store(path):
    before = path.read_bytes()

    def chunks():
        yield customers(["9"])
        yield 1 / 0

    with pytest.raises(ZeroDivisionError):
        write(path, chunks())
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_killed_batch_leaves_the_old_store(path):
    before = path.read_bytes()
    code = (
        "import sys; from pathlib import Path; from serving.store import score_store as store\n"
        "with store.writing(Path(sys.argv[1]), store.open_store(Path(sys.argv[1])).info):\n"
        "    print('begun', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as batch:
        assert batch.stdout.readline() == b"begun\n"
        batch.send_signal(signal.SIGKILL)
    assert path.read_bytes() == before
    assert store.open_store(path).customers == 3


def test_who_has_the_old_store_open_keeps_it(path):
    old = store.open_store(path)
    write(path, [customers(["9"])])
    assert old.find(["1", "9"])[1] == ["9"]
    assert store.open_store(path).find(["1", "9"])[1] == ["1"]


def refused_to_open(path):
    with pytest.raises(InputError) as caught:
        store.open_store(path)
    assert str(path) in str(caught.value)
    assert "`stayworth score`" in str(caught.value)
    return str(caught.value)


def test_no_file(tmp_path):
    assert "no such store" in refused_to_open(tmp_path / "latest.store")
    assert "Is a directory" in refused_to_open(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"Stayworth scores", b"x" * 1_000])
def test_a_foreign_file(tmp_path, content):
    path = tmp_path / "latest.store"
    path.write_bytes(content)
    assert "this is not a store of scores" in refused_to_open(path)


def test_a_store_of_another_format(path):
    content = bytearray(path.read_bytes())
    content[16] = 2
    path.write_bytes(content)
    assert "has format 2, but this version reads 4" in refused_to_open(path)


def test_a_file_cut_anywhere_or_with_more_at_its_end(path):
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        refused_to_open(path)
    path.write_bytes(content + b"\0")
    refused_to_open(path)


def test_every_flipped_byte_is_noticed(path):
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        refused_to_open(path)


def forged(path, name, at, values):
    """Bytes of a section replaced, with hashes that fit: even then no lookup may read beside the file."""
    content = bytearray(path.read_bytes())
    _, _, start, _, _ = PREAMBLE.unpack(content[: PREAMBLE.size])
    header, begin = json.loads(content[start:]), PREAMBLE.size
    for section in SECTIONS:
        told = header["sections"][section]
        if section == name:
            content[begin + at : begin + at + len(values)] = values
            told["sha256"] = hashlib.sha256(content[begin : begin + told["bytes"]]).hexdigest()
        begin += told["bytes"]
    text = json.dumps(header).encode()
    content[start:] = text
    content[: PREAMBLE.size] = preamble(start, text)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "at", "values"),
    [
        ("slots", 0, b"\x09\0\0\0"),
        ("slots", 0, b"\x01\0\0\0" * 8),
        ("heap", 0, b"\xff\xff"),
        ("heap", 3, b"\xff"),
        ("records", RECORD.fields["start"][1], b"\x05"),
        ("records", RECORD.fields["reason_1"][1], b"\x02"),
        ("text_ends", 8, b"\xff" * 8),
    ],
)
def test_parts_that_contradict_each_other_are_refused(path, name, at, values):
    forged(path, name, at, values)
    assert "contradict" in refused_to_open(path)


def test_a_forgery_that_changes_nothing_opens(path):
    forged(path, "slots", 0, b"")
    assert store.open_store(path).find(["1"])[1] == []
