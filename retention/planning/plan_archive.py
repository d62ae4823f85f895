"""The archive of campaigns' plans, for the readout and for the quiet days of later plans: list, read, write.

    plans/spring-2012.parquet   the chosen customers, with the scores they were chosen by
    plans/spring-2012.json      the plan's summary
    plan.json, plan.parquet     the latest plan: its summary, and its list without scores

All are in the output folder. A Parquet file without its JSON file, or the other way round, is no plan.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_files import replacing
from features.errors import InputError
from retention.planning.contact_list import with_scores
from retention.presentation.formatting import counted

PLANS = "plans"
LATEST, LATEST_SUMMARY = "plan.parquet", "plan.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}")
NEXT = "Plan the campaign again, or remove its two files."


@dataclass(frozen=True)
class ArchivedPlan:
    """A plan in the archive."""

    campaign: str
    day: date
    """Of the scores it was made with."""
    file: Path
    """Its Parquet file."""
    summary: Mapping[str, Any]


def archived_plans(plans: Path) -> list[ArchivedPlan]:
    """The plans in a folder, in the order of their files' names; raises InputError where a summary is damaged."""
    files = [(summary, summary.with_suffix(".parquet")) for summary in sorted(plans.glob("*.json"))]
    return [_read(summary, file) for summary, file in files if file.exists()]


def archived_plan(plans: Path, campaign: str) -> ArchivedPlan | None:
    """The plan of a campaign; None where there is none."""
    file = plan_file(plans, campaign)
    summary = file.with_suffix(".json")
    plan = _read(summary, file) if summary.exists() and file.exists() else None
    return plan if plan and plan.campaign == campaign else None


def plan_file(plans: Path, campaign: str) -> Path:
    """The Parquet file of a campaign's plan, there or not; `campaign` is a name as `named` lets it pass."""
    return plans / f"{file_name(campaign)}.parquet"


def file_name(campaign: str) -> str:
    """A campaign's name as a part of a file's name."""
    return campaign.replace(" ", "-")


def check_campaign_name(campaign: str, *, where: str) -> str:
    """Return the name; raise InputError if it is not valid. where: what the message names as its place."""
    if not NAME.fullmatch(campaign):
        raise InputError(
            f"'{campaign}' is not a valid campaign name: use 1 to 100 letters, digits, spaces, "
            "_ . - and begin with a letter or digit",
            where=where,
            next='Example: "spring 2012".' if where != "--campaign" else 'Example: --campaign "spring 2012".',
        )
    return campaign


def refuse_namesake(plans: Path, campaign: str, *, where: str) -> None:
    """Raise InputError if the file of a campaign's plan is that of another one."""
    summary = plan_file(plans, campaign).with_suffix(".json")
    namesake = _content(summary).get("campaign") if summary.exists() else campaign
    if namesake != campaign:
        raise InputError(
            f"'{campaign}' would overwrite the plan of the campaign '{namesake}': the names differ "
            "only in spaces and hyphens",
            where=where,
            next=f"Choose another name; the plan of '{namesake}' is in {summary}.",
        )


def archive_plan(
    output: Path,
    frame: pd.DataFrame,
    summary: Mapping[str, Any],
    scores: pd.DataFrame,
    *,
    replaces: bool,
    where: str,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Write a plan to the archive, as the latest one. output: the output folder; frame, summary: of
    `retention.planning.retention_plan.Plan`, with the day of the scores as summary["as_of"]; replaces: whether it
    may replace a plan of the same campaign; before: called once nothing else stands in the way, and may raise.

    Its two files in the archive are written first, so that no list is sent whose holdout is unknown. Raises InputError,
    having written nothing, where the name is another campaign's or, without `replaces`, already has a plan.
    """
    campaign, plans = summary["campaign"], output / PLANS
    with _locked(plans):
        refuse_namesake(plans, campaign, where=where)
        existing = None if replaces else archived_plan(plans, campaign)
        if existing:
            raise InputError(
                f"the campaign '{campaign}' already has a plan: "
                f"{counted(existing.summary.get('chosen', 0), 'customer')} chosen with the scores of {existing.day}",
                where=where,
                next="Nothing was changed. Give this plan another name, or use the existing one.",
            )
        before()
        file = plan_file(plans, campaign)
        _write_table(file, with_scores(frame, scores))
        for path in (file.with_suffix(".json"), output / LATEST_SUMMARY):
            with replacing(path) as draft:
                draft.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", "utf-8")
        _write_table(output / LATEST, frame)


def planned_shares(plans: Sequence[ArchivedPlan]) -> dict[tuple[str, str], float]:
    """The planned share of treated among the chosen, by campaign and offer; only shares strictly between 0 and 1."""
    return {
        (plan.campaign, offer["offer"]): offer["treated"] / offer["chosen"]
        for plan in plans
        for offer in plan.summary.get("offers", [])
        if offer.get("chosen") and 0 < offer.get("treated", 0) < offer["chosen"]
    }


def day_of(summary: Mapping[str, Any], campaign: str) -> date | None:
    """The day of the scores, from the summary or, where it has none, from the end of the name; None: neither."""
    text = str(summary.get("as_of") or campaign[-10:])
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def _read(summary: Path, file: Path) -> ArchivedPlan:
    content = _content(summary)
    campaign = content.get("campaign")
    if not isinstance(campaign, str):
        raise InputError("the plan does not name its campaign", where=str(summary), next=NEXT)
    day = day_of(content, campaign)
    if day is None:
        raise InputError("the plan does not give the day of its scores", where=str(summary), next=NEXT)
    return ArchivedPlan(campaign, day, file, content)


def _content(summary: Path) -> dict[str, Any]:
    try:
        content = json.loads(summary.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(summary), next=NEXT) from None
    if not isinstance(content, dict):
        raise InputError("is not the summary of a plan", where=str(summary), next=NEXT)
    return content


@contextmanager
def _locked(plans: Path) -> Iterator[None]:
    """Create the folder of plans, and lock it against other writers while the block lasts."""
    try:
        plans.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(plans, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(plans), next="Make room for it.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_table(path: Path, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    texts = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    with (
        replacing(path) as draft,
        pq.ParquetWriter(draft, table.schema, compression="lz4", use_dictionary=texts, store_schema=False) as file,
    ):
        file.write(table)
