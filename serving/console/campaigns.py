"""The campaigns page: every kept plan, its state, and the profit that `stayworth readout` measured."""

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
    """A campaign: its plan, and its readout if there is one."""

    campaign: str
    day: date
    plan: ArchivedPlan | None
    """None if the plan has been removed."""
    readout: dict[str, Any] | None
    damaged: str | None
    """The reason why the readout cannot be read; None if it can."""

    @property
    def offers(self) -> list[str]:
        """The offers with at least one chosen customer; all offers of a plan that does not count them."""
        offers = self.plan.summary.get("offers", []) if self.plan else []
        return [offer["offer"] for offer in offers if offer.get("chosen", 1)]

    @property
    def is_sure(self) -> bool:
        """True if its profit or its loss is proven."""
        return bool(self.readout and self.readout["proven"]["profit"])


@router.get("/campaigns")
def campaigns(request: Request, campaign: str = "") -> HTMLResponse:
    """Render all campaigns, the latest first, and the readout of one: the requested one, or else the latest."""
    batch = settings.responses().scores.current
    statuses = campaign_statuses(settings.output_folder())
    latest = next((status for status in statuses if status.readout), None)
    shown = next((status for status in statuses if status.campaign == campaign), None if campaign else latest)
    return pages.render(
        request,
        "campaigns.html.j2",
        status=404 if campaign and shown is None else 200,
        campaign=campaign,
        campaigns=[(status, state_in_words(status)) for status in statuses],
        shown=shown,
        groups=compared_groups(shown.readout) if shown and shown.readout else [],
        picture_of_profit=profit_picture(shown.readout) if shown and shown.readout else "",
        outcomes=OUTCOMES,
        contact_notes=contact_notes(shown.readout["contacts"]) if shown and shown.readout else [],
        currency=shown.readout["currency"] if shown and shown.readout else batch.info.currency if batch else "",
    )


def campaign_statuses(output: Path) -> list[CampaignStatus]:
    """All campaigns with a plan or a readout in the output folder, the latest first."""
    readouts = {path.name: path for path in output.glob("readout-*.json")}
    statuses = []
    for plan in archived_plans(output / PLANS):
        path = readouts.pop(f"readout-{file_name(plan.campaign)}.json", None)
        statuses.append(CampaignStatus(plan.campaign, plan.day, plan, *(_read(path) if path else (None, None))))
    for path in readouts.values():
        content, damaged = _read(path)
        if content:
            statuses.append(
                CampaignStatus(content["campaign"], date.fromisoformat(content["day"]), None, content, None)
            )
        else:
            statuses.append(CampaignStatus(path.name, date.min, None, None, damaged))
    return sorted(statuses, key=lambda status: (status.day, status.campaign), reverse=True)


def state_in_words(status: CampaignStatus) -> str:
    """Describe the state of a campaign."""
    if status.damaged:
        return "its readout cannot be read"
    batch = settings.responses().scores.current
    if status.readout:
        days = status.readout["window_days"]
        early = batch is not None and days < batch.info.horizon_days
        return f"read out after {days} days" + ", an early look" * early
    if batch is None:
        return "planned"
    until = status.day + timedelta(days=batch.info.horizon_days)
    if until <= batch.info.as_of:
        return "ready to be read out"
    if until <= now().date():
        return f"window closed on {until}, waiting for newer orders"
    return f"window open until {until}"


def compared_groups(readout: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of the whole campaign, and of each offer if there are several."""
    offers = [offer | {"name": offer["offer"]} for offer in readout["by_offer"]]
    return [readout | {"name": "The whole campaign"}, *offers]


def profit_picture(readout: dict[str, Any]) -> Markup:
    """Draw the measured profit with its interval, in total and by offer."""
    profits = [{"name": group["name"], **group["profit"]} for group in compared_groups(readout) if "profit" in group]
    figure = profit_chart(profits, currency=readout["currency"], window_days=readout["window_days"])
    says = "; ".join(
        f"{profit['name']}: {profit['value']:,.0f}, 95 % interval {profit['low']:,.0f} to {profit['high']:,.0f}"
        for profit in profits
    )
    return pages.chart("profit", figure, says=f"Profit compared with no campaign, {readout['currency']}. {says}")


def contact_notes(contacts: dict[str, Any]) -> list[str]:
    """Describe how the contacts differed from the plan, with the readout's note on them."""
    return [*departures(contacts), *([contacts["note"]] if "note" in contacts else [])]


def _read(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """A readout, or the reason why it cannot be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
        required = {
            "campaign",
            "day",
            "currency",
            "window_days",
            "profit",
            "proven",
            "in_words",
            "by_offer",
            "contacts",
        }
        if missing := sorted(required - content.keys()):
            return None, f"{path}: lacks {', '.join(missing)}. Read the campaign out again: stayworth readout."
        return content, None
    except (OSError, ValueError, AttributeError) as error:
        return None, f"{path}: cannot be read ({error}). Read the campaign out again: stayworth readout."
