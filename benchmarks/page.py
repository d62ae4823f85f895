"""docs/benchmarks.md: the tables of the last results, in one page."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.table import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PARTS = {
    "features": "Feature rows, against the peers and the best SQL",
    "one_customer": "One customer's features",
    "fit": "Fitting buying models and trees",
    "accuracy": "Accuracy on a later period",
    "accuracy_backtest": "Accuracy on four days of each shop",
    "lookups": "Looking scores up",
    "serving": "Serving over HTTP",
    "uplift": "Uplift on a real experiment (Hillstrom)",
}
"""Benchmark → heading."""
HEAD = """# Benchmarks

Each figure comes from `make bench` (`python -m benchmarks NAME` for one of them), which writes
`benchmarks/results/NAME.json` and this page. Peers run in the same run, in turns: **ratios** are what counts, seconds
are those of a small shared machine. Accuracy is that of a later period which no model had seen, with 95 % intervals
from resampled customers. What is missed is said, here and in [checks.md](checks.md).
"""


def main(options: list[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks page", description=__doc__).parse_args(options)
    found = {name: json.loads(path.read_text("utf-8")) for name in PARTS if (path := RESULTS / f"{name}.json").exists()}
    PAGE.write_text(HEAD + "".join(part(PARTS[name], one) for name, one in found.items()), "utf-8")
    print(PAGE)


def part(heading: str, result: dict[str, Any]) -> str:
    """A benchmark's tables under their heading, and the machine they are from."""
    machine = result["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    tables = "".join(table(**one) for one in result["tables"])
    return f"\n## {heading}\n\n{machine['cores']} cores, Python {machine['python']}; {libraries}.\n{tables}"


def table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, its title above it."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    told = "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
    return "\n" + "  \n".join(title.splitlines()) + f"\n\n{told}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main([])
