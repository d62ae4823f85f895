"""Our model beside LightGBM, CatBoost, a regression, Pareto/NBD and a mean of them, on many days and tables.

On order logs everything is made from what was known on the day (rival_days.py), on label tables by folds of customers
(rival_tables.py). Our trees have their default parameters; the rivals' are chosen on a past cut-off. Intervals are of
the difference to ours, over customers: the same resamples for all. ▼ marks a rival that is worse than we are beyond
the interval, ▲ one that is better.
"""

import argparse
from datetime import date
from typing import Any

from rich.console import Console

from benchmarks.accuracy_table import METRICS, NAMES, plain_cell, side
from benchmarks.environments import Unavailable
from benchmarks.rival_days import LOGS, measure_day, opened
from benchmarks.rival_models import import_boosters
from benchmarks.rival_tables import TABLES, measure_table
from benchmarks.rival_verdicts import BEST, best_rival, losses, verdict_rows
from benchmarks.table import save, show
from models import STAYWORTH

JUDGED = ("log_loss", "value_deviance", "normalized_gini")
SHOWN = (*JUDGED, "roc_auc", "ece", "total_bias")
TABLE_METRICS = ("roc_auc", "log_loss", "ece")


def main(options: list[str]) -> None:
    """Measure every day and table whose data are here, show the result and save it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rivals", description=__doc__)
    places = [*LOGS, *TABLES]
    parser.add_argument("--only", nargs="+", choices=places, default=places, metavar="DATA", help=", ".join(places))
    wanted = parser.parse_args(options).only
    try:
        import_boosters()
    except Unavailable as error:
        print(f"not measured, LightGBM and CatBoost {error}")
        return
    days, tables = measure_days(wanted), measure_tables(wanted)
    if days:
        show_days(days)
    if tables:
        show_tables(tables)
    print(save("rivals", {"days": days, "tables": tables}))


def measure_days(wanted: list[str]) -> dict[str, dict[str, Any]]:
    """The evaluations of the days of the wanted logs, by title."""
    results = {}
    for name, log in LOGS.items():
        if name not in wanted:
            continue
        if not log.needs.exists():
            print(f"{name}: not measured, {log.needs} does not exist")
            continue
        config, histories = opened(name)
        for horizon_days, day in log.days:
            title = f"{name}, {horizon_days} days from {day}"
            with Console(stderr=True).status(title):
                results[title] = measure_day(
                    config, histories, horizon_days=horizon_days, as_of=date.fromisoformat(day)
                )
            print(f"{title}: {in_short(results[title], JUDGED)}", flush=True)
    return results


def measure_tables(wanted: list[str]) -> dict[str, dict[str, Any]]:
    """The evaluations of the wanted label tables, by name."""
    results = {}
    for name, table in TABLES.items():
        if name not in wanted:
            continue
        if (needs := table.needs) and not needs.exists():
            print(f"{name}: not measured, {needs} does not exist")
            continue
        with Console(stderr=True).status(name):
            results[name] = measure_table(table)
        print(f"{name}: {in_short(results[name], TABLE_METRICS)}", flush=True)
    return results


def in_short(evaluation: dict[str, Any], metrics: tuple[str, ...]) -> str:
    """Our figures beside those of the best rival, for the screen."""
    models = evaluation["models"]
    parts = []
    for metric in metrics:
        rival = best_rival(evaluation, metric)
        if rival is not None:
            ours, theirs = (models[name][metric]["value"] for name in (STAYWORTH, rival))
            sign = {1: "better", 0: "undecided", -1: "WORSE"}[side(evaluation, rival, metric)]
            parts.append(f"{METRICS[metric]} {ours:.4f}, {rival} {theirs:.4f} {sign}")
    return "; ".join(parts)


def show_days(days: dict[str, dict[str, Any]]) -> None:
    """Verdicts over the days, the losses, and a table per metric."""
    evaluations = list(days.values())
    show(
        f"{len(days)} days: {STAYWORTH} better / undecided / worse beyond the paired 95 % interval; mean differences, "
        f"ours less theirs\n{BEST}: that of each day and metric, picked with hindsight",
        ["against", *(METRICS[metric] for metric in JUDGED), "log loss", "deviance"],
        verdict_rows(evaluations, JUDGED, mean_of=("log_loss", "value_deviance")),
    )
    show_losses(days, JUDGED)
    for metric in SHOWN:
        show_metric(f"{METRICS[metric]}, by day", days, metric)


def show_tables(tables: dict[str, dict[str, Any]]) -> None:
    """The label tables: verdicts, losses, a table per metric."""
    show(
        f"{len(tables)} label tables, 5 folds: {STAYWORTH} better / undecided / worse beyond the paired 95 % interval",
        ["against", *(METRICS[metric] for metric in TABLE_METRICS)],
        verdict_rows(list(tables.values()), TABLE_METRICS),
    )
    show_losses(tables, TABLE_METRICS)
    for metric in TABLE_METRICS:
        show_metric(f"{METRICS[metric]}, by label table", tables, metric)


def show_losses(results: dict[str, dict[str, Any]], metrics: tuple[str, ...]) -> None:
    """Where a rival beats us beyond the interval."""
    rows = [
        [title, METRICS[metric], NAMES.get(rival, rival), *(f"{number:.4f}" for number in numbers)]
        for title, evaluation in results.items()
        for metric in metrics
        for rival, numbers in losses(evaluation, metric)
    ]
    show(
        f"Where {STAYWORTH} loses beyond the interval: {len(rows) or 'nowhere'}",
        ["", "metric", "to", "ours", "theirs", "difference", "low", "high"],
        rows,
    )


def show_metric(title: str, results: dict[str, dict[str, Any]], metric: str) -> None:
    """A metric of every model, a line per day or table."""
    names = list(next(iter(results.values()))["models"])
    show(
        title,
        ["", "customers", *(NAMES.get(name, name) for name in names)],
        [
            [
                place,
                f"{evaluation['customers']:,}",
                *(plain_cell(evaluation, name, metric) for name in names),
            ]
            for place, evaluation in results.items()
        ],
    )
