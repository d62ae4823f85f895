"""Downloads of a kept plan: its full list, and the mailing list without held-out customers.

Both are CSV that is safe to open in a spreadsheet. The full list is what `stayworth plan -o plan.csv` writes, as long
as the scores of its day are served; for an older plan the reasons are gone, so it has no column `why`.
"""

from collections.abc import Iterator

import pandas as pd
from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse

from features.errors import InputError
from models.prediction import REASONS
from retention.planning.contact_list import contact_list
from retention.planning.plan_archive import NAME, NEXT, PLANS, ArchivedPlan, archived_plan
from retention.planning.retention_plan import COLUMNS
from retention.presentation.spreadsheet import spreadsheet_safe
from serving import access_log, settings
from serving.console.export import write_audit_line
from serving.store.score_store import Store

CHUNK_ROWS = 20_000
"""Rows converted to text at once."""

router = APIRouter()


@router.get("/export/plans/{campaign}/{what}.csv")
def download(campaign: str, what: str) -> StreamingResponse:
    """Send the full list or the mailing list of a campaign."""
    if what not in ("list", "mailing") or not NAME.fullmatch(campaign):
        raise HTTPException(404)
    plan = archived_plan(settings.output_folder() / PLANS, campaign)
    if plan is None:
        raise HTTPException(404)
    rows = readable_list(plan, settings.responses().scores.current)
    if what == "mailing":
        rows = rows[rows["treated"]].drop(columns=["treated", "do"])
    write_audit_line(kind="csv", customers=len(rows), campaign=campaign, list=what, as_of=plan.day.isoformat())
    access_log.note_answer(rows=len(rows))
    name = f"{plan.file.stem}{'-mailing' * (what == 'mailing')}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(csv_chunks(rows), headers=headers, media_type="text/csv; charset=utf-8")


def readable_list(plan: ArchivedPlan, batch: Store | None) -> pd.DataFrame:
    """The list of a plan for people to read, from its file and the scores of its day."""
    contacts = _read(plan)
    frame = contacts[[name for name in COLUMNS if name in contacts]]
    channels = {offer["offer"]: offer.get("channel") for offer in plan.summary.get("offers", [])}
    records, unknown = (
        batch.find(contacts["customer_id"].tolist()) if batch and batch.info.as_of == plan.day else ([], [""])
    )
    if batch is None or unknown:
        segment = {"segment": contacts["segment"]} if "segment" in contacts else {}
        return contact_list(frame, None, channels, currency="").assign(**segment)
    scores = pd.DataFrame(records)
    padded = [[*reasons, None, None, None][:3] for reasons in scores.pop("reasons")]
    reasons = pd.DataFrame(padded, columns=list(REASONS))
    return contact_list(frame, scores.join(reasons), channels, currency=batch.info.currency)


def _read(plan: ArchivedPlan) -> pd.DataFrame:
    try:
        return pd.read_parquet(plan.file)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(plan.file), next=NEXT) from None


def csv_chunks(rows: pd.DataFrame) -> Iterator[str]:
    """CSV in chunks, as `stayworth plan` writes it."""
    yield rows.head(0).to_csv(index=False, lineterminator="\n")
    for begin in range(0, len(rows), CHUNK_ROWS):
        chunk = spreadsheet_safe(rows.iloc[begin : begin + CHUNK_ROWS])
        yield chunk.to_csv(index=False, header=False, lineterminator="\n", float_format="%.6f")
