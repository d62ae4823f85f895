"""Run benchmarks: `python -m benchmarks` runs all and writes docs/benchmarks.md.

`python -m benchmarks features --orders 10000000` runs one with options; `python -m benchmarks page` writes the page
from existing results.
"""

import argparse
from importlib import import_module

BENCHMARKS = (
    "features",
    "one_customer",
    "fit",
    "accuracy",
    "accuracy_backtest",
    "rivals",
    "lookups",
    "serving",
    "uplift",
    "keeping",
    "page",
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="the benchmark to run; all if left out")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="options of the benchmark; NAME --help lists them")
    arguments = parser.parse_args()
    for name in [arguments.name] if arguments.name else BENCHMARKS:
        import_module(f"benchmarks.{name}").main(arguments.options)
