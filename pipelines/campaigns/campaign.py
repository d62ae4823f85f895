"""A campaign as its plan left it: who was chosen, who of them was held out, from which day on, with what in mind."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError, Refusal
from pipelines import run_folder
from retention.planning.plan_archive import NAME, archived_plans, day_of, file_name, plan_file

COLUMNS = ("customer_id", "offer", "treated", "expected_cost")
PLAN_NEXT = "Plan first: stayworth plan --budget M keeps the list of every campaign."
KEPT_NEXT = "Name the list that was kept in the output folder, plans/CAMPAIGN.parquet: its JSON lies beside it."


@dataclass(frozen=True)
class Campaign:
    """A campaign as planned: everything known before its outcomes are read."""

    name: str
    day: date
    """It begins at midnight UTC of this day: the day of the scores it was planned with."""
    chosen: pd.DataFrame
    """A row per chosen customer: customer_id, offer, treated, expected_cost, and what else the plan's file has; of a
    campaign without a plan, what `pipelines.campaigns.booked_campaign` says."""
    holdout_share: float | None
    """Of the chosen, as drawn; None where no plan says it."""
    save_rates: dict[str, float]
    """Of those who can be saved, as the plan assumed of each offer; empty where it does not say."""

    @property
    def file_name(self) -> str:
        """Its name as a part of a file's name."""
        return file_name(self.name)


def kept_plan_file(folder: Path, name: str | None) -> Path:
    """The Parquet file of the plan that was kept of a campaign; None: of the latest plan.

    folder: the output folder.
    """
    if name is None:
        name = run_folder.read_json(folder / run_folder.PLAN_SUMMARY, next=PLAN_NEXT).get("campaign", "")
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not a valid campaign name: use 1 to 100 letters, digits, spaces, "
            "_ . - and begin with a letter or digit",
            where="--campaign",
            next=f"The campaigns are the files of {folder / run_folder.PLANS}.",
        )
    file = plan_file(folder / run_folder.PLANS, name)
    if not file.exists():
        known = ", ".join(repr(plan.campaign) for plan in archived_plans(folder / run_folder.PLANS)) or "none"
        raise InputError(
            f"no plan of the campaign {name!r} was kept; kept are: {known}",
            where="--campaign",
            next=f"{PLAN_NEXT} A campaign without a plan is read out of the table of treatments, by its name there.",
        )
    return file


def read_campaign(plan_file: Path, *, day: date | None) -> Campaign:
    """The campaign of a plan's Parquet file, and of the JSON file of the same name beside it.

    day: when it began, where it is not the day of the scores.
    """
    chosen = run_folder.read_table(plan_file, next=PLAN_NEXT)
    summary_file = plan_file.with_suffix(".json")
    summary = run_folder.read_json(summary_file, next=KEPT_NEXT)
    _check(chosen, plan_file)
    name = summary.get("campaign") if isinstance(summary, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(
            f"the campaign's name is {name!r}, not 1 to 100 letters, digits, spaces, _ . -",
            where=str(summary_file),
            next="Hand in the files that `stayworth plan` wrote.",
        )
    if chosen["treated"].all():
        raise Refusal(
            f"none of the {len(chosen):,} chosen customers was held out, so there is nothing to compare with",
            where=f"campaign '{name}'",
            next="Plan the next one with a holdout: [plan] holdout_share = 0.1.",
        )
    drawn = summary["holdout"] / summary["chosen"] if summary.get("chosen") else float((~chosen["treated"]).mean())
    offers = summary.get("offers", [])
    assumed = {offer["offer"]: offer["save_rate"] for offer in offers if offer["save_rate"] is not None}
    return Campaign(name, day or _day(summary, name), chosen, drawn, assumed)


def _day(summary: dict[str, Any], name: str) -> date:
    """The day of the scores, from the summary or, where it has none, from the end of the name."""
    day = day_of(summary, name)
    if day is None:
        raise InputError(
            "the plan does not say when it began", where=f"campaign '{name}'", next="Say it: --day 2011-12-10."
        )
    return day


def _check(chosen: pd.DataFrame, plan_file: Path) -> None:
    if missing := [name for name in COLUMNS if name not in chosen]:
        raise InputError(
            f"missing {', '.join(missing)}; found {', '.join(map(str, chosen)) or 'no columns'}",
            where=str(plan_file),
            next="Hand in the Parquet file that `stayworth plan` wrote.",
        )
    if chosen.empty:
        raise Refusal("nobody was chosen", where=str(plan_file), next="Plan with a larger budget.")
    if twice := int(chosen["customer_id"].duplicated().sum()):
        raise InputError(
            f"{twice:,} of {len(chosen):,} rows have the customer_id of an earlier row",
            where=str(plan_file),
            next="Hand in the list as it was drawn: each customer once.",
        )
