"""What `check --leaks` prints."""

from typing import Any

from pipelines.leakage.leak_audit import findings
from pipelines.screens.tables import console, table_of


def show_leaks(content: dict[str, Any]) -> None:
    """The comparison of the features, the canaries, and every leak found."""
    console.print(f"Leak audit as of {content['as_of']}, {content['customers']:,} customers")
    table = table_of("every feature cell after the future was", "cells", "moved")
    for name in ("removed", "poisoned"):
        table.add_row(name, f"{content[name]['cells']:,}", f"{content[name]['moved']:,}")
    console.print(table)
    _show_models(content["models"])
    found = findings(content)
    for one in found:
        console.print(f"[bold red]Leak:[/] {one}.")
    if not found:
        console.print("No leak found.")


def _show_models(models: dict[str, Any]) -> None:
    if "note" in models:
        console.print(f"No model was taught: {models['note']}.")
        return
    shuffled = models["shuffled_labels"]
    wide = ", wide for so few customers" if shuffled["is_widened"] else ""
    console.print(
        f"Models of {models['customers']:,} customers, taught shuffled labels, reach an AUC of {shuffled['auc']:.3f} "
        f"({shuffled['low']:.3f} to {shuffled['high']:.3f}); honest is 0.50 ± {shuffled['tolerance']:.2f}{wide}."
    )
    table = table_of("strongest columns", "AUC alone", "of all others", "difference (99 %)", "worth")
    for one in models["strongest"]:
        worth = f"{one['worth']:+.3f}" if one["suspicious"] else "–"
        difference = f"{one['auc'] - one['others_auc']:+.3f}"
        if "low" in one:
            difference += f" ({one['low']:+.3f} to {one['high']:+.3f})"
        table.add_row(one["feature"], f"{one['auc']:.3f}", f"{one['others_auc']:.3f}", difference, worth)
    console.print(table)
