"""A kernel of the Python that runs the tests, whatever kernels the machine has."""

import json
import os
import sys

import pytest
from nbclient import NotebookClient

KERNEL = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "this Python",
    "language": "python",
}
LIMIT = 600
"""Seconds that a cell may take."""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook in an empty folder, in place; fails where a cell does, and where anything is warned of."""
    place = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(KERNEL))
    for name, folder in {"JUPYTER_PATH": "jupyter", "JUPYTER_RUNTIME_DIR": "run", "IPYTHONDIR": "ipython"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    work = tmp_path / "work"
    work.mkdir()

    def executed(notebook):
        client = NotebookClient(notebook, timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": work}})
        client.execute(env=os.environ | {"TMPDIR": str(work)})
        outputs = [one for cell in notebook.cells for one in cell.get("outputs", [])]
        assert [one.text for one in outputs if one.get("name") == "stderr"] == []

    return executed
