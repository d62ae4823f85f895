"""The campaign planner: a budget moves along the profit curve, the plan follows, and the chosen plan is kept.

`/plan` is rendered at once; the page requests what takes a while (`/data/plan`) and inserts it when it arrives.
"""

import re
from collections.abc import Mapping
from datetime import date
from itertools import chain, count
from math import floor, log10
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field, FiniteFloat

from features import audit_log
from features.errors import InputError
from retention.planning import plan_charts
from retention.planning.plan_archive import PLANS, plan_file
from retention.presentation import formatting
from serving import access_log, settings
from serving.console import pages
from serving.console.campaign_plans import BatchPlan, CampaignRequest, campaign_plans
from serving.console.now import now
from serving.contract import LARGEST_AMOUNT, RequestBody, Text

PAGE_ROWS = 50
"""Customers on one page of the list."""
SLIDER_STEPS = 1000
"""Fewest steps of the budget slider."""

router = APIRouter()


class KeepPlanRequest(RequestBody):
    """Request to keep a plan."""

    offers: Annotated[list[Text], Field(min_length=1, max_length=20)]
    budget: Annotated[FiniteFloat, Field(strict=True, ge=0.01, le=LARGEST_AMOUNT)]
    capacity: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    campaign: Annotated[str, Field(max_length=200)]
    scores: Text
    """Hash of the batch that the plan was shown for."""


@router.get("/plan")
def planner(request: Request) -> HTMLResponse:
    """Render the form, filled in from the address."""
    answers = settings.responses()
    batch, query = answers.scores.current, request.query_params
    if batch is None:
        return pages.render(request, "empty.html.j2", title="Plan")
    offers = answers.campaigns.offers_with_known_save_rate
    chosen = set(query.getlist("offer")) & {offer.name for offer in offers}
    return pages.render(
        request,
        "planner.html.j2",
        offers=[(offer, not chosen or offer.name in chosen) for offer in offers],
        filled={name: query.get(name, "") for name in ("budget", "capacity", "campaign")},
        usual_name=free_name(batch.info.as_of),
        holdout_share=answers.campaigns.holdout_share,
        capacities=answers.campaigns.capacities,
    )


def free_name(day: date) -> str:
    """The default name, "campaign" and the day, with a number appended if a plan of that name is already kept."""
    plans, default = settings.output_folder() / PLANS, f"campaign {day}"
    names = chain([default], (f"{default} {number}" for number in count(2)))
    return next(name for name in names if not plan_file(plans, name).exists())


@router.get("/data/plan")
async def show_plan(
    request: Request,
    offer: Annotated[list[str], Query(max_length=20)],
    budget: str = "",
    capacity: str = "",
    campaign: str = "",
    page: Annotated[int, Query(ge=1, le=10**7)] = 1,
) -> HTMLResponse:
    """Render the profit curve and, for a budget, its plan, as a piece of the page. Pages of the list after the first
    belong to the plan that was shown before.
    """
    plans = campaign_plans()

    def respond() -> HTMLResponse:
        curve = plans.curve(tuple(offer))
        batch_plan = None
        if budget:
            wanted = CampaignRequest(tuple(offer), _budget(budget), _capacity(capacity), campaign)
            batch_plan = plans.preview(wanted) if page == 1 else plans.last_preview(wanted)
        return _plan_result(request, batch_plan, curve, page=page)

    return await plans.run(respond)


@router.post("/data/plans")
async def keep(request: Request, body: KeepPlanRequest) -> HTMLResponse:
    """Keep a plan; the response is a piece of the page with its downloads."""
    plans = campaign_plans()
    wanted = CampaignRequest(tuple(body.offers), body.budget, body.capacity, body.campaign)

    def respond() -> HTMLResponse:
        batch_plan = plans.keep(wanted, scores=body.scores, before=_write_audit_line)
        return pages.render(request, "plan_kept.html.j2", summary=batch_plan.plan.summary)

    return await plans.run(respond)


def _plan_result(request: Request, batch_plan: BatchPlan | None, curve: pd.DataFrame, *, page: int) -> HTMLResponse:
    batch = settings.responses().scores.current
    currency = batch.info.currency if batch else ""
    summary = batch_plan.plan.summary if batch_plan else None
    rows = (
        batch_plan.plan.frame.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS].to_dict("records") if batch_plan else []
    )
    if batch_plan:
        access_log.note_answer(rows=len(rows), model_version=batch_plan.batch.info.model_version)
    figure = plan_charts.profit_curve_chart(curve, summary, currency=currency)
    return pages.render(
        request,
        "plan_result.html.j2",
        summary=summary,
        rows=rows,
        page=page,
        page_count=max(1, -(-len(batch_plan.plan.frame) // PAGE_ROWS)) if batch_plan else 1,
        scores=batch_plan.batch.hash if batch_plan else "",
        picture_of_curve=pages.chart(
            "profit-curve-data", figure, says=curve_in_words(curve, summary, currency=currency)
        ),
        slider=slider_scale(float(curve["budget"].max())),
        largest_profit=curve["expected_profit"].max(),
        largest_budget=curve["budget"].max(),
    )


def curve_in_words(curve: pd.DataFrame, summary: Mapping[str, Any] | None, *, currency: str) -> str:
    """Describe the profit curve in words, for screen readers."""
    best = curve.iloc[-1]
    text = (
        f"Profit curve: what each budget would earn, with its 80 % interval, up to "
        f"{formatting.money(best['expected_profit'], currency)} for {formatting.money(best['budget'], currency)}."
    )
    if summary:
        text += (
            f" This plan spends {formatting.money(summary['expected_cost'], currency)} and is expected to earn "
            f"{formatting.money(summary['expected_profit'], currency)}."
        )
    return text


def slider_scale(most: float) -> dict[str, float]:
    """The largest budget and the step of a slider that reaches the largest profit: a step is 1, 2 or 5 × 10ⁿ.

    >>> slider(2_283.4)
    {'most': 2284.0, 'step': 2.0}
    """
    if most <= 0:
        return {"most": 1.0, "step": 1.0}
    ten = 10 ** floor(log10(most / SLIDER_STEPS))
    step = max(digit * ten for digit in (1, 2, 5) if digit * ten <= most / SLIDER_STEPS)
    return {"most": float(round(step * -(-most // step), 6)), "step": float(round(step, 9))}


def _budget(text: str) -> float:
    try:
        budget = float(text.replace(",", ""))
    except ValueError:
        budget = float("nan")
    if not 0.01 <= budget <= LARGEST_AMOUNT:
        raise InputError(
            f"'{text[:50]}' is not a budget", where="budget", next="Enter an amount above 0, such as 2000."
        )
    return budget


def _capacity(text: str) -> int | None:
    if not text:
        return None
    plain = text.replace(",", "")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", plain):
        what = f"'{text[:50]}' is not a number of contacts"
        raise InputError(what, where="maximum contacts", next="Enter a whole number up to 999,999,999, or nothing.")
    return int(plain)


def _write_audit_line(batch_plan: BatchPlan) -> None:
    """Write the line of the audit log, before the plan is kept."""
    summary = batch_plan.plan.summary
    entry = {
        "at": now().isoformat(timespec="seconds"),
        "who": access_log.current_caller(),
        "what": "plan",
        **{name: summary[name] for name in ("campaign", "as_of", "budget", "chosen", "treated")},
        "scores": batch_plan.batch.hash,
    }
    audit_log.append(
        settings.output_folder() / audit_log.FILE,
        entry,
        next="No plan is kept without its audit line: free some disk space.",
    )
