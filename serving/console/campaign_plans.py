"""Plans of the served batch, as `stayworth plan` makes them: previewed, kept, and the profit curve over budgets.

Everything runs in one thread, one plan after the other: a plan of 1 M customers and three offers takes about 4 s.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import pandas as pd

from features.errors import InputError
from retention.economics.profit_curve import profit_curve
from retention.planning import plan_archive
from retention.planning.retention_plan import Plan
from serving import settings
from serving.plan_inputs import offers_as_json
from serving.responses import Responses
from serving.store.score_store import Store

CURVE_POINTS = 200
"""Points of the profit curve."""
CACHED_CURVES = 8
"""Latest profit curves kept in memory."""
WHERE = "campaign"

T = TypeVar("T")


@dataclass(frozen=True)
class CampaignRequest:
    """Settings of a campaign to be planned."""

    offers: tuple[str, ...]
    """Names of the offers."""
    budget: float
    capacity: int | None
    campaign: str


@dataclass(frozen=True)
class BatchPlan:
    """A plan, its settings and the batch it was made from."""

    request: CampaignRequest
    batch: Store
    plan: Plan


class CampaignPlans:
    """Plans of this process. The last one and a few curves stay in memory; all can be computed again."""

    def __init__(self, responses: Responses, output: Path) -> None:
        self.responses, self.output = responses, output
        self._thread = ThreadPoolExecutor(1, "stayworth-plan")
        self._curves: dict[tuple[object, ...], pd.DataFrame] = {}
        self._last: BatchPlan | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run a function in the thread of the plans."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, work)

    def curve(self, names: tuple[str, ...]) -> pd.DataFrame:
        """The expected profit of each budget with these offers, from `retention.economics.profit_curve`."""
        batch = self.responses.batch()
        effects = self.responses.inputs.effects(batch, self.responses.offers(names))
        worth = self.responses.campaigns.worth_factor
        key = (batch.hash, worth, *offers_as_json(effects.offers), *effects.explanations.values())
        if key not in self._curves:
            curve = profit_curve(
                batch.scores(), effects.offers, points=CURVE_POINTS, effects=effects.frame, worth=worth
            )
            self._curves = dict([*self._curves.items(), (key, curve)][-CACHED_CURVES:])
        return self._curves[key]

    def preview(self, request: CampaignRequest) -> BatchPlan:
        """Make a plan without keeping it."""
        self._last = self._make(request)[0]
        return self._last

    def last_preview(self, request: CampaignRequest) -> BatchPlan:
        """The plan previewed last, if it has these settings and this batch; otherwise a new preview."""
        last = self._last
        if last and last.request == request and last.batch is self.responses.batch():
            return last
        return self.preview(request)

    def keep(self, request: CampaignRequest, *, scores: str, before: Callable[[BatchPlan], None]) -> BatchPlan:
        """Make the plan and keep it, for `readout` and for the quiet days of later plans, as the command does.

        scores: the hash of the batch for which the plan was shown. before: called once nothing else can prevent the
        plan from being kept; it may raise. Raises InputError, with nothing kept, if that batch is no longer served
        or the name is taken.
        """
        if self.responses.batch().hash != scores:
            raise InputError(
                "newer scores have arrived since you looked at the plan",
                where=WHERE,
                next="Nothing was kept. Look at the plan again: it may have changed.",
            )
        plan, scored = self._make(request)
        plan_archive.archive_plan(
            self.output,
            plan.plan.frame,
            plan.plan.summary,
            scored,
            replaces=False,
            where=WHERE,
            before=lambda: before(plan),
        )
        self._last = plan
        return plan

    def _make(self, request: CampaignRequest) -> tuple[BatchPlan, pd.DataFrame]:
        """A plan, and the scores it rests on."""
        plan_archive.check_campaign_name(request.campaign, where=WHERE)
        batch = self.responses.batch()
        plan_archive.refuse_namesake(self.output / plan_archive.PLANS, request.campaign, where=WHERE)
        scores = batch.scores()
        plan = self.responses.make_plan(
            batch,
            self.responses.offers(request.offers),
            budget=request.budget,
            capacity=request.capacity,
            campaign=request.campaign,
            scores=scores,
        )
        return BatchPlan(request, batch, plan), scores


@cache
def campaign_plans() -> CampaignPlans:
    """The campaign plans of this process."""
    return CampaignPlans(settings.responses(), settings.output_folder())
