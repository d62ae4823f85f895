"""The plans that were kept of campaigns, by the campaign's name, and which share of the chosen each was to contact."""

from collections.abc import Mapping
from pathlib import Path

from pipelines import store

NEXT = "Plan the campaign again, or remove its files."


def kept_plans(folder: Path) -> dict[str, Path]:
    """The plans' Parquet files in a folder; a plan without its JSON file beside it is none."""
    files = {summary: summary.with_suffix(".parquet") for summary in sorted(folder.glob("*.json"))}
    named = {store.read_json(summary, next=NEXT).get("campaign"): file for summary, file in files.items()}
    return {name: file for name, file in named.items() if isinstance(name, str) and file.exists()}


def planned_shares(plans: Mapping[str, Path]) -> dict[tuple[str, str], float]:
    """By campaign and offer the share of the chosen that was to be treated, where it is neither none nor all."""
    shares = {}
    for campaign, file in plans.items():
        for one in store.read_json(file.with_suffix(".json"), next=NEXT).get("offers", []):
            if one.get("chosen") and 0 < one.get("treated", 0) < one["chosen"]:
                shares[campaign, one["offer"]] = one["treated"] / one["chosen"]
    return shares
