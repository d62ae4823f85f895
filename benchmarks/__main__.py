"""`python -m benchmarks` runs every benchmark and writes docs/benchmarks.md, `python -m benchmarks features --orders
10000000` one with options, `python -m benchmarks page` the page alone, of the results that are there.
"""

import argparse
from importlib import import_module

BENCHMARKS = (
    "features",
    "one_customer",
    "fit",
    "accuracy",
    "accuracy_backtest",
    "lookups",
    "serving",
    "uplift",
    "page",
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="which one; all if left out")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="its options; NAME --help lists them")
    asked = parser.parse_args()
    for name in [asked.name] if asked.name else BENCHMARKS:
        import_module(f"benchmarks.{name}").main(asked.options)
