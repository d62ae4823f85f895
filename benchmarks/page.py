"""Write docs/benchmarks.md: the tables of the last results on one page; those without results here stay."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.table import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PARTS = {
    "features": "Feature rows, against the peers and the best SQL",
    "one_customer": "One customer's features",
    "fit": "Fitting counting models and trees",
    "accuracy": "Accuracy on a later period",
    "accuracy_backtest": "Accuracy on four test days of each shop",
    "rivals": "Accuracy beside LightGBM, CatBoost and others, on many days and tables",
    "lookups": "Looking up scores",
    "serving": "Serving over HTTP",
    "uplift": "Uplift on a real experiment (Hillstrom)",
    "keeping": "What keeping customers is worth, in simulated shops",
}
"""Benchmark → heading."""
HEAD = """# Benchmarks

Each figure comes from `make bench` (or `python -m benchmarks NAME` for one benchmark), which writes
`benchmarks/results/NAME.json` and this page. Peers run in the same run, in turns: read the **ratios**, since seconds
are those of a small shared machine. Accuracy is measured on a later period that no model had seen, with 95 % intervals
from resampled customers. Targets that are missed are marked, here and in [checks.md](checks.md).
"""


def main(options: list[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks page", description=__doc__).parse_args(options)
    parts = standing_parts(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    for name, heading in PARTS.items():
        if (path := RESULTS / f"{name}.json").exists():
            parts[heading] = part(heading, json.loads(path.read_text("utf-8")))
    PAGE.write_text(HEAD + "".join(parts[heading] for heading in PARTS.values() if heading in parts), "utf-8")
    print(PAGE)


def standing_parts(page: str) -> dict[str, str]:
    """The parts of a page by heading, as they stand."""
    return {text.split("\n", 1)[0]: f"\n## {text}" for text in page.split("\n## ")[1:]}


def part(heading: str, result: dict[str, Any]) -> str:
    """A benchmark's tables under their heading, with the machine they were measured on."""
    machine = result["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    tables = "".join(table(**content) for content in result["tables"])
    return f"\n## {heading}\n\n{machine['cores']} cores, Python {machine['python']}; {libraries}.\n{tables}"


def table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown below its title."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    text = "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)
    return "\n" + "  \n".join(title.splitlines()) + f"\n\n{text}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main([])
