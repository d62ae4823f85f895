"""The campaigns: every plan that was kept, how far it is, and what `stayworth readout` found it really earned."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from retention.measurement.readout_charts import profit_chart
from retention.measurement.readout_text import OUTCOMES, departures
from retention.planning.plan_archive import PLANS, ArchivedPlan, archived_plans, file_name
from serving import settings
from serving.console import pages
from serving.console.now import now

router = APIRouter()


@dataclass(frozen=True)
class CampaignStatus:
    """A campaign, as far as it is."""

    campaign: str
    day: date
    plan: ArchivedPlan | None
    """None: its plan was removed since."""
    readout: dict[str, Any] | None
    damaged: str | None
    """Why its readout cannot be read."""

    @property
    def offers(self) -> list[str]:
        """The offers that somebody was chosen for; all of the plan where it does not say."""
        told = self.plan.summary.get("offers", []) if self.plan else []
        return [one["offer"] for one in told if one.get("chosen", 1)]

    @property
    def is_sure(self) -> bool:
        """Whether its profit, or its loss, is proven."""
        return bool(self.readout and self.readout["proven"]["profit"])


@router.get("/campaigns")
def campaigns(request: Request, campaign: str = "") -> HTMLResponse:
    """All campaigns, the latest first, and what one of them earned: the one that is asked for, else the latest."""
    batch = settings.responses().scores.current
    seen = campaign_statuses(settings.output_folder())
    read = [one for one in seen if one.readout]
    shown = next((one for one in seen if one.campaign == campaign), None if campaign else next(iter(read), None))
    return pages.render(
        request,
        "campaigns.html.j2",
        status=404 if campaign and shown is None else 200,
        asked=campaign,
        campaigns=[(one, state_in_words(one)) for one in seen],
        shown=shown,
        groups=compared_groups(shown.readout) if shown and shown.readout else [],
        picture_of_profit=profit_picture(shown.readout) if shown and shown.readout else "",
        outcomes=OUTCOMES,
        departures=contact_notes(shown.readout["contacts"]) if shown and shown.readout else [],
        currency=shown.readout["currency"] if shown and shown.readout else batch.info.currency if batch else "",
    )


def campaign_statuses(output: Path) -> list[CampaignStatus]:
    """Every campaign that left a plan or a readout in the output folder, the latest first."""
    readouts = {path.name: path for path in output.glob("readout-*.json")}
    seen = []
    for plan in archived_plans(output / PLANS):
        path = readouts.pop(f"readout-{file_name(plan.campaign)}.json", None)
        seen.append(CampaignStatus(plan.campaign, plan.day, plan, *(_read(path) if path else (None, None))))
    for path in readouts.values():
        content, damaged = _read(path)
        if content:
            seen.append(CampaignStatus(content["campaign"], date.fromisoformat(content["day"]), None, content, None))
        else:
            seen.append(CampaignStatus(path.name, date.min, None, None, damaged))
    return sorted(seen, key=lambda one: (one.day, one.campaign), reverse=True)


def state_in_words(one: CampaignStatus) -> str:
    """How far a campaign is, in words."""
    if one.damaged:
        return "its readout cannot be read"
    batch = settings.responses().scores.current
    if one.readout:
        days = one.readout["window_days"]
        early = batch is not None and days < batch.info.horizon_days
        return f"read out after {days} days" + ", an early look" * early
    if batch is None:
        return "planned"
    until = one.day + timedelta(days=batch.info.horizon_days)
    if until <= batch.info.as_of:
        return "ready to be read out"
    if until <= now().date():
        return f"window over since {until}: waits for newer orders"
    return f"window open until {until}"


def compared_groups(readout: dict[str, Any]) -> list[dict[str, Any]]:
    """The campaign as a whole and each offer of several, those large enough to be compared."""
    offers = [one | {"name": one["offer"]} for one in readout["by_offer"]]
    return [readout | {"name": "The whole campaign"}, *offers]


def profit_picture(readout: dict[str, Any]) -> Markup:
    """What it earned, with its interval, in all and by offer."""
    told = [{"name": one["name"], **one["profit"]} for one in compared_groups(readout) if "profit" in one]
    figure = profit_chart(told, currency=readout["currency"], window_days=readout["window_days"])
    says = "; ".join(
        f"{one['name']}: {one['value']:,.0f}, 95 % interval {one['low']:,.0f} to {one['high']:,.0f}" for one in told
    )
    return pages.chart("profit", figure, says=f"More profit than without the campaign, {readout['currency']}. {says}")


def contact_notes(contacts: dict[str, Any]) -> list[str]:
    """How far the contacts were not those planned, in words, and what is to be noted of them."""
    return [*departures(contacts), *([contacts["note"]] if "note" in contacts else [])]


def _read(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """A readout, or why it cannot be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
        known = {"campaign", "day", "currency", "window_days", "profit", "proven", "in_words", "by_offer", "contacts"}
        if missing := sorted(known - content.keys()):
            return None, f"{path}: without {', '.join(missing)}. Read the campaign out again: stayworth readout."
        return content, None
    except (OSError, ValueError, AttributeError) as error:
        return None, f"{path}: cannot be read ({error}). Read the campaign out again: stayworth readout."
