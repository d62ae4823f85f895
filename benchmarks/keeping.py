"""What keeping customers is worth, in simulated shops whose truth is known: worlds × seeds × three budgets.

The true profit of the product's plan stands beside that of other lists of the same budget, in currency units
(benchmarks/keeping_lists.py), and as a share of that of `feasible`. `promise ÷ truth`: what the plan expected to earn ÷
that; `in 80 %`: whether its interval holds the truth. The shops assume save rates that are not the true ones, and the
interval allows for that; `rates known`: the promise ÷ truth, had each offer's true save rate been known. The worth
factor is the true gain of the list ÷ that by comparable customers: its median and the standard deviation of its log are
those of models/keeping/worth_factor.py.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.keeping_lists import (
    FEASIBLE,
    LISTS,
    PRODUCT,
    Shop,
    feasible_scores,
    known_rates_profit,
    list_profits,
    simulated_shop,
)
from benchmarks.table import save, show
from models.keeping.worth_factor import CENTRE, SPREAD
from pipelines.campaigns.configured_offers import offers_with_save_rate
from pipelines.simulator.worlds import WORLDS

BUDGETS = {"small": 1 / 96, "medium": 1 / 24, "loose": 1 / 4}
"""Currency units per customer: 125, 500 and 3,000 for 12,000."""
TEACHER_SEED = 1_000
"""Added to the seed of a shop for that of the shop whose truth the feasible plan learns."""


def measure(shop: Shop, teacher: Shop, *, seed: int) -> dict[str, Any]:
    """By budget: true profits of the lists, the promise and its interval, and the true and the predicted gain."""
    offers, learned = offers_with_save_rate(shop.config), feasible_scores(shop, teacher, seed=seed)
    results = {}
    for name, share in BUDGETS.items():
        profits, totals, contacts = list_profits(shop, learned, offers, budget=share * len(shop.truth), seed=seed)
        gains = [
            float(table.loc[table["customer_id"].astype("str").isin(contacts["customer_id"]), "gain"].sum())
            for table in (shop.truth, shop.scores)
        ]
        promised = {part: totals[part] for part in ("expected_profit", "profit_p10", "profit_p90")}
        results[name] = {
            "profit": profits,
            **promised,
            "known_rates_profit": known_rates_profit(shop, contacts, offers),
            "contacted": len(contacts),
            "true_gain": gains[0],
            "gain": gains[1],
        }
    return results


def worth_factors(results: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Median and spread of the true gain ÷ that by comparable customers, over lists that contact anybody; None where
    there are too few of these."""
    logs = np.log([row["true_gain"] / (row["gain"] / CENTRE) for row in results if row["gain"] > 0 < row["true_gain"]])
    median = float(np.exp(np.median(logs))) if len(logs) else None
    return {"lists": len(logs), "median": median, "spread": float(logs.std(ddof=1)) if len(logs) > 1 else None}


def interval_holds(row: dict[str, Any]) -> bool:
    return bool(row["profit_p10"] <= row["profit"][PRODUCT] <= row["profit_p90"])


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks keeping", description=__doc__)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[201, 202])
    parser.add_argument("--customers", type=int, default=6_000)
    parser.add_argument(
        "--teacher", type=int, help="customers of the shop that `feasible` learns from; default: 3 times"
    )
    arguments = parser.parse_args(options)
    results: dict[str, dict[str, Any]] = {}
    for world in arguments.worlds:
        for seed in arguments.seeds:
            start = perf_counter()
            shop = simulated_shop(world, seed, arguments.customers, is_scored=True)
            teacher = simulated_shop(
                world, TEACHER_SEED + seed, arguments.teacher or 3 * arguments.customers, is_scored=False
            )
            results[f"{world}, seed {seed}"] = measure(shop, teacher, seed=seed)
            print(f"{world}, seed {seed}: {perf_counter() - start:.0f} s", flush=True)
    print(report(results, seeds=arguments.seeds, customers=arguments.customers))


def report(results: dict[str, dict[str, Any]], *, seeds: Sequence[int], customers: int) -> Path:
    """Show the tables of all shops and save them with the results; returns the file."""
    for name in BUDGETS:
        _show_budget(name, results, customers=customers)
    lists = [row for of_shop in results.values() for row in of_shop.values()]
    factor = worth_factors(lists)
    ratios = [
        np.median([row[promise] / row["profit"][PRODUCT] for row in lists if row["profit"][PRODUCT] > 0])
        for promise in ("expected_profit", "known_rates_profit")
    ]
    holds = sum(interval_holds(row) for row in lists)
    title = (
        f"Over {factor['lists']} lists: the 80 % interval holds the true profit {holds} times of {len(lists)}; median "
        f"promise ÷ truth {ratios[0]:.2f}, with the true save rates {ratios[1]:.2f}"
    )
    used = [f"{CENTRE:.2f}", f"{SPREAD:.2f}"]
    measured = ["–" if factor[name] is None else f"{factor[name]:.2f}" for name in ("median", "spread")]
    show(title, ["worth factor", "median", "standard deviation of its log"], [["measured", *measured], ["used", *used]])
    settings = {"seeds": list(seeds), "customers": customers, "budgets": BUDGETS}
    return save("keeping", {**settings, "worth_factor": factor, "shops": results})


def _show_budget(name: str, results: dict[str, dict[str, Any]], *, customers: int) -> None:
    profits, promises = [], []
    for shop, by_budget in results.items():
        row = by_budget[name]
        true, feasible = row["profit"][PRODUCT], row["profit"][FEASIBLE]
        share = f"{true / feasible:.2f}" if feasible > 0 else "–"
        profits.append([shop, *(f"{row['profit'][of]:,.0f}" for of in LISTS), share])
        interval = f"{row['profit_p10']:,.0f} … {row['profit_p90']:,.0f}"
        ratios = [
            f"{row[promise] / true:.2f}" if true > 0 else "–" for promise in ("expected_profit", "known_rates_profit")
        ]
        holds = "yes" if interval_holds(row) else "no"
        contacted = f"{row['contacted']:,}"
        promises.append([shop, contacted, f"{row['expected_profit']:,.0f}", interval, f"{true:,.0f}", *ratios, holds])
    heading = f"a {name} budget, {BUDGETS[name] * customers:,.0f} EUR, of {customers:,} customers"
    show(f"True profit of lists of {heading}", ["shop", *LISTS, "share of feasible"], profits)
    header = ["shop", "contacted", "promise", "80 % interval", "truth", "promise ÷ truth", "rates known", "in 80 %"]
    show(f"Promise and truth of the product's plan of {heading}", header, promises)
