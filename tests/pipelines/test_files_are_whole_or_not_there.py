"""CHECKS 19: whatever moment a run is killed at, a file is the old one or the new one, never a part."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.atomic_files import replacing
from features.errors import InputError
from pipelines import run_folder

ROOT = Path(__file__).parents[2]
WRITER = """
import itertools, pyarrow as pa, sys
from pathlib import Path
from pipelines import run_folder
print("ready", flush=True)
for number in itertools.count(1):
    run_folder.write_table(Path("table.parquet"), pa.table({"number": [number] * 200_000}))
    run_folder.write_json(Path("summary.json"), {"number": number, "text": "x" * 100_000})
"""


@pytest.mark.slow
def test_killed_at_random_moments_a_file_is_always_whole(tmp_path):
    random.seed(3)
    seen = set()
    for _ in range(15):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(random.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        if (tmp_path / "table.parquet").exists():
            numbers = pq.read_table(tmp_path / "table.parquet")["number"]
            assert len(numbers) == 200_000
            assert numbers.unique().to_pylist() == [numbers[0].as_py()]
            seen.add(numbers[0].as_py())
        if (tmp_path / "summary.json").exists():
            assert len(json.loads((tmp_path / "summary.json").read_text())["text"]) == 100_000
    assert seen


def test_an_error_while_writing_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "table.parquet"
    run_folder.write_table(path, pa.table({"number": [1]}))

    def write_half() -> None:
        with replacing(path) as draft:
            draft.write_bytes(b"half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_half()
    assert pq.read_table(path)["number"].to_pylist() == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    run_folder.write_text(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        run_folder.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_that_readers_would_choke_on_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        run_folder.write_json(tmp_path / "summary.json", {"value": float("nan")})
    assert list(tmp_path.iterdir()) == []
