"""Fits side by side: BG/NBD, Pareto/NBD, Gamma-Gamma against lifetimes and pymc-marketing; trees against scikit-learn.

The same simulated customers, each fit in a process of its own, in its library's environment, after a small fit that
loads libraries and compiled code (not timed). What a library found is judged by its likelihood, computed here for all
by the papers' formulas: the difference to ours is below 0 where ours is better. A peer that would take longer than the
limit, by what it took for fewer customers, is skipped with a word. Read the ratios: seconds belong to one machine, and
on a busy one the CPU seconds, of all threads, are to be trusted first.
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
    """Seconds and parameters; raises Unavailable where the peer is not there, fails or takes too long."""
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
        raise Unavailable(f"not done after {error.timeout:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"failed: {(error.stderr.strip() or 'no word why').splitlines()[-1]}") from error
    return json.loads(done.stdout.splitlines()[-1])


def race(model: str, sizes: list[int], libraries: list[str], *, repetitions: int) -> list[dict[str, Any]]:
    """A result per size and library: seconds (ours the fastest of several), log-likelihood, or why there is none."""
    found: list[dict[str, Any]] = []
    per_customer: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            customers, path = shoppers(size, seed=size), Path(folder, f"{size}.npz")
            np.savez(path, **customers)
            for library in libraries:
                one: dict[str, Any] = {"model": model, "customers": size, "library": library}
                expected = per_customer.get(library, 0.0) * size
                if expected > LIMIT_SECONDS:
                    known = np.isfinite(expected)
                    why = f"would take about {expected / 60:.0f} minutes" if known else "not done with fewer customers"
                    found.append({**one, "skipped": why})
                    continue
                turns = repetitions if library == OURS else 1
                try:
                    fitted = min((fit(library, model, path) for _ in range(turns)), key=lambda turn: turn["seconds"])
                except Unavailable as error:
                    found.append({**one, "skipped": str(error)})
                    per_customer[library] = np.inf
                    continue
                per_customer[library] = fitted["seconds"] / size
                likelihood = log_likelihood(model, fitted["parameters"], customers)
                found.append({**one, **fitted, "log_likelihood": likelihood})
    return found


def lines(results: list[dict[str, Any]]) -> list[list[str]]:
    """A line per fit; ratios and differences to ours of the same model and size."""
    ours = {(one["model"], one["customers"]): one for one in results if one["library"] == OURS}
    told = []
    for one in results:
        base = ours[one["model"], one["customers"]]
        name = [f"{MODELS[one['model']]}, {one['customers']:,}", one["library"].replace("_", "-")]
        if "skipped" in one:
            told.append([*name, *"––––", one["skipped"]])
            continue
        difference = one["log_likelihood"] - base["log_likelihood"]
        told.append([*name, *seconds_and_ratios(one, base), f"{difference:+.3f}"])
    return told


def seconds_and_ratios(one: dict[str, Any], base: dict[str, Any]) -> list[str]:
    """Seconds over those of `base`, then the same of CPU seconds, which a busy machine stretches less."""
    return [
        text
        for kind in ("seconds", "cpu_seconds")
        for text in (f"{one[kind]:.2f}", f"{one[kind] / base[kind]:,.{0 if one[kind] > 10 * base[kind] else 2}f}")
    ]


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fit", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="sizes")
    parser.add_argument("--models", nargs="+", choices=[*MODELS, "trees"], default=[*MODELS, "trees"], help="all")
    parser.add_argument("--repetitions", type=int, default=3, help="of our fits and of the trees; the fastest counts")
    asked = parser.parse_args(options)
    libraries, skipped = [OURS], {}
    for peer in PEERS:
        try:
            make(peer)
            libraries.append(peer)
        except Unavailable as error:
            skipped[peer] = str(error)
    fits: list[dict[str, Any]] = []
    for model in (one for one in asked.models if one in MODELS):
        fits += race(model, sorted(asked.customers), libraries, repetitions=asked.repetitions)
    if fits:
        header = ["", "", *TIMES, "log-likelihood − ours"]
        show("Fits of buying models, simulated customers", header, lines(fits))
    trained = train(repetitions=asked.repetitions) if "trees" in asked.models else {}
    if trained:
        table = [[name, *seconds_and_ratios(one, trained[OURS]), f"{one['auc']:.4f}"] for name, one in trained.items()]
        show(f"Trees, {ROWS:,} rows × {FEATURES} features", ["", *TIMES, "AUC"], table)
    for peer, why in skipped.items():
        print(f"{peer}: not measured, {why}")
    print(save("fit", {"peers": requirements(), "skipped": skipped, "fits": fits, "trees": trained}))
