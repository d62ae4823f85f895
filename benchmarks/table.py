"""Output of a benchmark: a table on the screen and benchmarks/results/NAME.json."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
SHOWN: list[dict[str, Any]] = []
"""Tables shown since the last save."""


def show(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print a table, names to the left, figures to the right; `save` stores it with the results."""
    SHOWN.append({"title": title, "header": header, "rows": rows})
    table = Table(box=box.SIMPLE_HEAD)
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"\n{title}", table, sep="\n", highlight=False)


def save(name: str, results: dict[str, Any]) -> Path:
    """Write a benchmark's results and the machine they were measured on; returns the file."""
    machine = {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("duckdb", "numba", "numpy", "pandas", "pyarrow", "xgboost")},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, **results, "tables": SHOWN}, indent=1) + "\n", "utf-8")
    SHOWN.clear()
    return path
