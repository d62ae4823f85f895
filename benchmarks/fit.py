"""Fits side by side: BG/NBD, Pareto/NBD, Gamma-Gamma against lifetimes and pymc-marketing; trees against scikit-learn.

The same simulated customers, each fit in a process of its own, in its library's environment, after a small fit that
loads libraries and compiled code (not timed). Fits are judged by their likelihood, computed here for all by the
papers' formulas: the difference to ours is below 0 if ours is better. A peer that would exceed the time limit, judging
by its time for fewer customers, is skipped with a note. Read the ratios: seconds belong to one machine, and on a busy
one the CPU seconds, of all threads, are to be trusted first.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import Unavailable, make, python_of, requirements
from benchmarks.shoppers import log_likelihood, shoppers
from benchmarks.table import save, show
from benchmarks.tree_training import FEATURES, ROWS, train

OURS, PEERS = "stayworth", ("lifetimes", "pymc_marketing")
MODELS = {"bgnbd": "BG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma"}
LIMIT_SECONDS = 600.0
TIMES = ["seconds", "÷ ours", "CPU s", "÷ ours"]


def fit(library: str, model: str, path: Path) -> dict[str, Any]:
    """Run a fit; returns seconds and parameters. Raises Unavailable if the peer is missing, fails or takes too long."""
    python = python_of(None if library == OURS else library)
    command = [str(python), "-W", "ignore", "-m", "benchmarks.peers.btyd_fits", library, model, str(path)]
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parents[1],
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"not finished after {error.timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"failed: {(error.stderr.strip() or 'no error output').splitlines()[-1]}") from error
    return json.loads(done.stdout.splitlines()[-1])


def race(model: str, sizes: list[int], libraries: list[str], *, repetitions: int) -> list[dict[str, Any]]:
    """One result per size and library: seconds (of ours the fastest), log-likelihood, or why it is missing."""
    results: list[dict[str, Any]] = []
    per_customer: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            customers, path = shoppers(size, seed=size), Path(folder, f"{size}.npz")
            np.savez(path, **customers)
            for library in libraries:
                task: dict[str, Any] = {"model": model, "customers": size, "library": library}
                expected = per_customer.get(library, 0.0) * size
                if expected > LIMIT_SECONDS:
                    is_finite = np.isfinite(expected)
                    why = (
                        f"would take about {expected / 60:.0f} minutes"
                        if is_finite
                        else "not finished with fewer customers"
                    )
                    results.append({**task, "skipped": why})
                    continue
                turns = repetitions if library == OURS else 1
                try:
                    fitted = min((fit(library, model, path) for _ in range(turns)), key=lambda turn: turn["seconds"])
                except Unavailable as error:
                    results.append({**task, "skipped": str(error)})
                    per_customer[library] = np.inf
                    continue
                per_customer[library] = fitted["seconds"] / size
                likelihood = log_likelihood(model, fitted["parameters"], customers)
                results.append({**task, **fitted, "log_likelihood": likelihood})
    return results


def lines(results: list[dict[str, Any]]) -> list[list[str]]:
    """One line per fit, with ratios and differences to our fit of the same model and size."""
    ours = {(record["model"], record["customers"]): record for record in results if record["library"] == OURS}
    rows = []
    for record in results:
        base = ours[record["model"], record["customers"]]
        name = [f"{MODELS[record['model']]}, {record['customers']:,}", record["library"].replace("_", "-")]
        if "skipped" in record:
            rows.append([*name, *"––––", record["skipped"]])
            continue
        difference = record["log_likelihood"] - base["log_likelihood"]
        rows.append([*name, *seconds_and_ratios(record, base), f"{difference:+.3f}"])
    return rows


def seconds_and_ratios(record: dict[str, Any], base: dict[str, Any]) -> list[str]:
    """Seconds and their ratio to those of `base`, then the same for CPU seconds, which vary less on a busy machine."""
    return [
        text
        for kind in ("seconds", "cpu_seconds")
        for text in (
            f"{record[kind]:.2f}",
            f"{record[kind] / base[kind]:,.{0 if record[kind] > 10 * base[kind] else 2}f}",
        )
    ]


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fit", description=__doc__)
    parser.add_argument(
        "--customers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="numbers of customers"
    )
    parser.add_argument(
        "--models", nargs="+", choices=[*MODELS, "trees"], default=[*MODELS, "trees"], help="default: all"
    )
    parser.add_argument("--repetitions", type=int, default=3, help="of our fits and of the trees; the fastest counts")
    arguments = parser.parse_args(options)
    libraries, skipped = [OURS], {}
    for peer in PEERS:
        try:
            make(peer)
            libraries.append(peer)
        except Unavailable as error:
            skipped[peer] = str(error)
    fits: list[dict[str, Any]] = []
    for model in (name for name in arguments.models if name in MODELS):
        fits += race(model, sorted(arguments.customers), libraries, repetitions=arguments.repetitions)
    if fits:
        header = ["", "", *TIMES, "log-likelihood − ours"]
        show("Fits of counting models, simulated customers", header, lines(fits))
    trained = train(repetitions=arguments.repetitions) if "trees" in arguments.models else {}
    if trained:
        table = [
            [name, *seconds_and_ratios(record, trained[OURS]), f"{record['auc']:.4f}"]
            for name, record in trained.items()
        ]
        show(f"Trees, {ROWS:,} rows × {FEATURES} features", ["", *TIMES, "AUC"], table)
    for peer, why in skipped.items():
        print(f"{peer}: not measured, {why}")
    print(save("fit", {"peers": requirements(), "skipped": skipped, "fits": fits, "trees": trained}))
