"""Our model beside LightGBM, CatBoost, a regression, Pareto/NBD and a mean of them, on many days and tables.

On order logs everything is made from what was known on the day (rival_days.py), on label tables by folds of customers
(rival_tables.py). Our trees have their default parameters; the rivals' are chosen on a past cut-off. Intervals are of
the difference to ours, over customers: the same resamples for all. ▼ marks a rival that is worse than we are beyond
the interval, ▲ one that is better.
"""

import argparse
import json
from datetime import date
from typing import Any

from rich.console import Console

from benchmarks.accuracy_table import METRICS, NAMES, plain_cell, side
from benchmarks.environments import Unavailable
from benchmarks.rival_days import LOGS, MOST_ROWS, measure_day
from benchmarks.rival_models import import_boosters
from benchmarks.rival_tables import MOST_ROWS as TABLE_ROWS
from benchmarks.rival_tables import TABLES, TRIALS, measure_table
from benchmarks.rival_verdicts import BEST, best_rival, losses, verdict_rows
from benchmarks.table import RESULTS, save, show
from models import STAYWORTH

JUDGED = ("log_loss", "value_deviance", "normalized_gini")
SHOWN = (*JUDGED, "roc_auc", "ece", "total_bias")
TABLE_METRICS = ("roc_auc", "log_loss", "ece")


def main(options: list[str]) -> None:
    """Measure every day and table whose data are here, show the result and save it after each log and table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rivals", description=__doc__)
    places = [*LOGS, *TABLES]
    parser.add_argument("--only", nargs="+", choices=places, default=places, metavar="DATA", help=", ".join(places))
    wanted = parser.parse_args(options).only
    try:
        import_boosters()
    except Unavailable as error:
        print(f"not measured, LightGBM and CatBoost {error}")
        return
    results = earlier_results()
    for kind, sources, measure in (("days", LOGS, measure_log), ("label_tables", TABLES, measure_label_table)):
        for name in (name for name in sources if name in wanted):
            if (needs := sources[name].needs) and not needs.exists():
                print(f"{name}: not measured, {needs} does not exist")
                continue
            results[kind] |= measure(name)
            save("rivals", results)
    if results["days"]:
        show_days(results["days"])
    if results["label_tables"]:
        show_tables(results["label_tables"])
    print(save("rivals", results))


def earlier_results() -> dict[str, dict[str, Any]]:
    """The results of an earlier run, of those days and tables that still exist: measured again, they are replaced."""
    titles = {"days": [day_title(name, *day) for name in LOGS for day in LOGS[name].days], "label_tables": list(TABLES)}
    path = RESULTS / "rivals.json"
    earlier = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {
        kind: {title: earlier[kind][title] for title in titles[kind] if title in earlier.get(kind, {})}
        for kind in titles
    }


def day_title(name: str, horizon_days: int, day: str) -> str:
    return f"{name}, {horizon_days} days from {day}"


def measure_log(name: str) -> dict[str, dict[str, Any]]:
    """The evaluations of the days of a log, by title."""
    config, histories = LOGS[name].read()
    results = {}
    for horizon_days, day in LOGS[name].days:
        title = day_title(name, horizon_days, day)
        with Console(stderr=True).status(title):
            results[title] = measure_day(config, histories, horizon_days=horizon_days, as_of=date.fromisoformat(day))
        print(f"{title}: {in_short(results[title], JUDGED)}", flush=True)
    return results


def measure_label_table(name: str) -> dict[str, dict[str, Any]]:
    """The evaluation of a label table, by its name; empty if the wheel that holds it cannot be installed."""
    try:
        with Console(stderr=True).status(name):
            evaluation = measure_table(TABLES[name])
    except Unavailable as error:
        print(f"{name}: not measured, its wheel {error}")
        return {}
    print(f"{name}: {in_short(evaluation, TABLE_METRICS)}", flush=True)
    return {name: evaluation}


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
        f"ours less theirs\n{BEST}: that of each day and metric, picked with hindsight\n"
        "ours: default parameters, without the search of `train` and its choice of a simple model; theirs: settings "
        "and number of trees chosen on the latest past cut-off; all: the same features, "
        f"at most {MOST_ROWS:,} rows",
        ["against", *(METRICS[metric] for metric in JUDGED), "log loss", "deviance"],
        verdict_rows(evaluations, JUDGED, mean_of=("log_loss", "value_deviance")),
    )
    show_losses(days, JUDGED)
    for metric in SHOWN:
        show_metric(f"{METRICS[metric]}, by day", days, metric)


def show_tables(tables: dict[str, dict[str, Any]]) -> None:
    """The label tables: verdicts, losses, a table per metric."""
    show(
        f"{len(tables)} label tables, 5 folds: {STAYWORTH} better / undecided / worse beyond the paired 95 % interval\n"
        f"all tuned inside each fold, ours by {TRIALS} trials; at most {TABLE_ROWS:,} rows of a table",
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
