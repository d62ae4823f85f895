"""The plans that were kept of campaigns, for the readout and for the quiet days of later plans: listed, read, written.

    plans/spring-2012.parquet   whom the campaign chose, with what was known of each when it was planned
    plans/spring-2012.json      the plan's summary
    plan.json, plan.parquet     the latest plan: its summary, and its list without what was known

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

PLANS = "plans"
LATEST, LATEST_SUMMARY = "plan.parquet", "plan.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}")
NEXT = "Plan the campaign again, or remove its two files."


@dataclass(frozen=True)
class ArchivedPlan:
    """A plan that was kept."""

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
    """The plan of a campaign; None where none was kept."""
    file = plan_file(plans, campaign)
    summary = file.with_suffix(".json")
    found = _read(summary, file) if summary.exists() and file.exists() else None
    return found if found and found.campaign == campaign else None


def plan_file(plans: Path, campaign: str) -> Path:
    """The Parquet file of a campaign's plan, there or not; `campaign` is a name as `named` lets it pass."""
    return plans / f"{file_name(campaign)}.parquet"


def file_name(campaign: str) -> str:
    """A campaign's name as a part of a file's name."""
    return campaign.replace(" ", "-")


def check_campaign_name(campaign: str, *, where: str) -> str:
    """The name; raises InputError if a campaign cannot be called so. where: who asks, for the message."""
    if not NAME.fullmatch(campaign):
        raise InputError(
            f"'{campaign}' is no name of a campaign: 1 to 100 letters, digits, spaces, _ . -, a letter or digit first",
            where=where,
            next='Example: "spring 2012".' if where != "--campaign" else 'Example: --campaign "spring 2012".',
        )
    return campaign


def refuse_namesake(plans: Path, campaign: str, *, where: str) -> None:
    """Raise InputError if the file of a campaign's plan is that of another one."""
    summary = plan_file(plans, campaign).with_suffix(".json")
    other = _content(summary).get("campaign") if summary.exists() else campaign
    if other != campaign:
        raise InputError(
            f"'{campaign}' would take the file of the campaign '{other}': names that differ in spaces and hyphens only",
            where=where,
            next=f"Name it otherwise; the plan of '{other}' stands in {summary}.",
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
    """Keep a plan, which becomes the latest one. output: the output folder; frame, summary: of
    `retention.planning.retention_plan.Plan`, with the day of the scores as summary["as_of"]; replaces: a plan that was
    kept of the same campaign; before: is called when nothing stands in the way any more, and may raise.

    Its two files are written first, so that no list is sent of which nobody knows who was held out. Raises InputError,
    having written nothing, where the name is another campaign's and, if it is not to be replaced, where it is taken.
    """
    campaign, plans = summary["campaign"], output / PLANS
    with _alone(plans):
        refuse_namesake(plans, campaign, where=where)
        there = None if replaces else archived_plan(plans, campaign)
        if there:
            raise InputError(
                f"a plan of the campaign '{campaign}' was kept already: {there.summary.get('chosen', 0):,} customers "
                f"chosen by the scores of {there.day}",
                where=where,
                next="Nothing was changed. Name this one otherwise, or use the plan that was kept.",
            )
        before()
        file = plan_file(plans, campaign)
        _write_table(file, with_scores(frame, scores))
        for place in (file.with_suffix(".json"), output / LATEST_SUMMARY):
            with replacing(place) as draft:
                draft.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", "utf-8")
        _write_table(output / LATEST, frame)


def planned_shares(plans: Sequence[ArchivedPlan]) -> dict[tuple[str, str], float]:
    """By campaign and offer the share of the chosen that was to be treated, where it is neither none nor all."""
    return {
        (plan.campaign, one["offer"]): one["treated"] / one["chosen"]
        for plan in plans
        for one in plan.summary.get("offers", [])
        if one.get("chosen") and 0 < one.get("treated", 0) < one["chosen"]
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
        raise InputError("the plan does not say its campaign", where=str(summary), next=NEXT)
    day = day_of(content, campaign)
    if day is None:
        raise InputError("the plan does not say the day of its scores", where=str(summary), next=NEXT)
    return ArchivedPlan(campaign, day, file, content)


def _content(summary: Path) -> dict[str, Any]:
    try:
        content = json.loads(summary.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(summary), next=NEXT) from None
    if not isinstance(content, dict):
        raise InputError("is no summary of a plan", where=str(summary), next=NEXT)
    return content


@contextmanager
def _alone(plans: Path) -> Iterator[None]:
    """Nobody else keeps a plan in the folder, which is made, while the block lasts."""
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
    how = {"compression": "lz4", "use_dictionary": texts, "store_schema": False}
    with replacing(path) as draft, pq.ParquetWriter(draft, table.schema, **how) as file:
        file.write(table)
