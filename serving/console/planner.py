"""The campaign planner: a budget moves along the profit curve, the plan follows, and the one that pleases is kept.

`/plan` stands there at once; what takes a while is asked for by the page (`/data/plan`) and put in when it comes.
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
"""Customers of the list on a page."""
SLIDER_STEPS = 1000
"""Of the budget's slider, at least."""

router = APIRouter()


class KeepPlanRequest(RequestBody):
    """A plan to be kept."""

    offers: Annotated[list[Text], Field(min_length=1, max_length=20)]
    budget: Annotated[FiniteFloat, Field(strict=True, ge=0.01, le=LARGEST_AMOUNT)]
    capacity: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    campaign: Annotated[str, Field(max_length=200)]
    scores: Text
    """The hash of the batch that the plan was looked at with."""


@router.get("/plan")
def planner(request: Request) -> HTMLResponse:
    """The form, filled in as the address says."""
    answers = settings.responses()
    batch, asked = answers.scores.current, request.query_params
    if batch is None:
        return pages.render(request, "empty.html.j2", room="Plan")
    offers = answers.campaigns.offers_with_known_save_rate
    chosen = set(asked.getlist("offer")) & {offer.name for offer in offers}
    return pages.render(
        request,
        "planner.html.j2",
        offers=[(offer, not chosen or offer.name in chosen) for offer in offers],
        asked={name: asked.get(name, "") for name in ("budget", "capacity", "campaign")},
        usual_name=free_name(batch.info.as_of),
        holdout_share=answers.campaigns.holdout_share,
        capacities=answers.campaigns.capacities,
    )


def free_name(day: date) -> str:
    """The usual name, campaign and the day, with a number behind it where a plan of that name was kept already."""
    plans, usual = settings.output_folder() / PLANS, f"campaign {day}"
    names = chain([usual], (f"{usual} {number}" for number in count(2)))
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
    """The profit curve and, of a budget, the plan: a piece of the page. A page of its list other than the first is of
    the plan that was looked at before.
    """
    plans = campaign_plans()

    def told() -> HTMLResponse:
        curve = plans.curve(tuple(offer))
        made = None
        if budget:
            wish = CampaignRequest(tuple(offer), _budget(budget), _capacity(capacity), campaign)
            made = plans.look(wish) if page == 1 else plans.look_again(wish)
        return _plan_result(request, made, curve, page=page)

    return await plans.run(told)


@router.post("/data/plans")
async def keep(request: Request, asked: KeepPlanRequest) -> HTMLResponse:
    """Keep a plan; answers with what can be downloaded of it, as a piece of the page."""
    plans = campaign_plans()
    wish = CampaignRequest(tuple(asked.offers), asked.budget, asked.capacity, asked.campaign)

    def told() -> HTMLResponse:
        made = plans.keep(wish, scores=asked.scores, before=_write_audit_line)
        return pages.render(request, "plan_kept.html.j2", summary=made.plan.summary)

    return await plans.run(told)


def _plan_result(request: Request, made: BatchPlan | None, curve: pd.DataFrame, *, page: int) -> HTMLResponse:
    batch = settings.responses().scores.current
    currency = batch.info.currency if batch else ""
    summary = made.plan.summary if made else None
    rows = made.plan.frame.iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS].to_dict("records") if made else []
    if made:
        access_log.note_answer(rows=len(rows), model_version=made.batch.info.model_version)
    figure = plan_charts.profit_curve_chart(curve, summary, currency=currency)
    return pages.render(
        request,
        "plan_result.html.j2",
        summary=summary,
        rows=rows,
        page=page,
        page_count=max(1, -(-len(made.plan.frame) // PAGE_ROWS)) if made else 1,
        scores=made.batch.hash if made else "",
        picture_of_curve=pages.chart(
            "profit-curve-told", figure, says=curve_in_words(curve, summary, currency=currency)
        ),
        slider=slider_scale(float(curve["budget"].max())),
        earns_most=curve["expected_profit"].max(),
        spends_most=curve["budget"].max(),
    )


def curve_in_words(curve: pd.DataFrame, summary: Mapping[str, Any] | None, *, currency: str) -> str:
    """The picture in words."""
    best = curve.iloc[-1]
    told = (
        f"Profit curve: what each budget would earn with its 80 % interval, up to "
        f"{formatting.money(best['expected_profit'], currency)} for {formatting.money(best['budget'], currency)}."
    )
    if summary:
        told += (
            f" This plan spends {formatting.money(summary['expected_cost'], currency)} and is expected to earn "
            f"{formatting.money(summary['expected_profit'], currency)}."
        )
    return told


def slider_scale(most: float) -> dict[str, float]:
    """The last budget and the step of a slider that reaches all the profit there is: a step is 1, 2 or 5 × 10ⁿ.

    >>> slider(2_283.4)
    {'most': 2284.0, 'step': 2.0}
    """
    if most <= 0:
        return {"most": 1.0, "step": 1.0}
    ten = 10 ** floor(log10(most / SLIDER_STEPS))
    step = max(one * ten for one in (1, 2, 5) if one * ten <= most / SLIDER_STEPS)
    return {"most": float(round(step * -(-most // step), 6)), "step": float(round(step, 9))}


def _budget(text: str) -> float:
    try:
        budget = float(text.replace(",", ""))
    except ValueError:
        budget = float("nan")
    if not 0.01 <= budget <= LARGEST_AMOUNT:
        raise InputError(f"'{text[:50]}' is no budget", where="budget", next="Write an amount of money above 0: 2000.")
    return budget


def _capacity(text: str) -> int | None:
    if not text:
        return None
    plain = text.replace(",", "")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", plain):
        what = f"'{text[:50]}' is no number of contacts"
        raise InputError(what, where="contacts at most", next="Write a whole number up to 999,999,999, or nothing.")
    return int(plain)


def _write_audit_line(made: BatchPlan) -> None:
    """The line of the audit log, before the plan is kept."""
    summary = made.plan.summary
    entry = {
        "at": now().isoformat(timespec="seconds"),
        "who": access_log.current_caller(),
        "what": "plan",
        **{name: summary[name] for name in ("campaign", "as_of", "budget", "chosen", "treated")},
        "scores": made.batch.hash,
    }
    audit_log.append(
        settings.output_folder() / audit_log.FILE, entry, next="No plan is kept without its audit line: make room."
    )
