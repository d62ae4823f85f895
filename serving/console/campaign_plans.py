"""Plans as `stayworth plan` makes them, of the batch that is served: looked at, kept, and what each budget would earn.

All of it runs in one thread, one plan after the other: a plan of 1 M customers and three offers takes some 4 s.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import pandas as pd

from features.errors import InputError
from features.ingest.side_tables import read_book
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning import plan_archive
from retention.planning.learned_effects import EFFECTS_FILE, PlanEffects
from retention.planning.retention_plan import Plan
from serving import settings
from serving.responses import Responses
from serving.served_effects import effects_of
from serving.store.store import Store

CURVE_POINTS = 200
"""Of the profit curve."""
CACHED_CURVES = 8
"""Kept, the latest."""
WHERE = "campaign"

T = TypeVar("T")


@dataclass(frozen=True)
class CampaignRequest:
    """What a campaign is to be."""

    offers: tuple[str, ...]
    """Their names."""
    budget: float
    capacity: int | None
    campaign: str


@dataclass(frozen=True)
class BatchPlan:
    """A plan, and the batch that it was made of."""

    wish: CampaignRequest
    batch: Store
    plan: Plan


class CampaignPlans:
    """The plans of this process: it remembers the last one and a few curves, which anybody could make anew."""

    def __init__(self, answers: Responses, output: Path) -> None:
        self.answers, self.output = answers, output
        self._thread = ThreadPoolExecutor(1, "stayworth-plan")
        self._curves: dict[tuple[object, ...], pd.DataFrame] = {}
        self._last: BatchPlan | None = None
        self._known: tuple[tuple[object, ...], PlanEffects] | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Do it in the thread of the plans."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, work)

    def curve(self, names: tuple[str, ...]) -> pd.DataFrame:
        """What each budget would earn with these offers, as `retention.economics.profit_curve` tells."""
        batch = self.answers.batch()
        effects = self._effects(batch, names)
        key = (batch.hash, *_written(effects.offers), *effects.said.values())
        if key not in self._curves:
            made = profit_curve(batch.scores(), effects.offers, points=CURVE_POINTS, effects=effects.frame)
            self._curves = dict([*self._curves.items(), (key, made)][-CACHED_CURVES:])
        return self._curves[key]

    def look(self, wish: CampaignRequest) -> BatchPlan:
        """The plan, made anew and not kept."""
        self._last = self._made(wish)[0]
        return self._last

    def look_again(self, wish: CampaignRequest) -> BatchPlan:
        """The plan that was looked at last, if it is of this wish and of this batch; else made anew."""
        last = self._last
        return last if last and last.wish == wish and last.batch is self.answers.batch() else self.look(wish)

    def keep(self, wish: CampaignRequest, *, scores: str, before: Callable[[BatchPlan], None]) -> BatchPlan:
        """Make the plan and keep it, for `readout` and for the quiet days of later plans, as the command does.

        scores: the hash of the batch of which somebody looked at the plan. before: is called when nothing stands in
        the way any more, and may raise. Raises InputError, having kept nothing, where that batch is no longer
        served and where the name is taken.
        """
        if self.answers.batch().hash != scores:
            raise InputError(
                "newer scores have come since you looked at the plan",
                where=WHERE,
                next="Nothing was kept. Look at the plan once more: it may be another one now.",
            )
        made, known = self._made(wish)
        plan_archive.archive_plan(
            self.output,
            made.plan.frame,
            made.plan.summary,
            known,
            replaces=False,
            where=WHERE,
            before=lambda: before(made),
        )
        self._last = made
        return made

    def _made(self, wish: CampaignRequest) -> tuple[BatchPlan, pd.DataFrame]:
        """The plan, and the scores it rests on."""
        plan_archive.check_campaign_name(wish.campaign, where=WHERE)
        batch = self.answers.batch()
        plan_archive.refuse_namesake(self.output / plan_archive.PLANS, wish.campaign, where=WHERE)
        effects, scores = self._effects(batch, wish.offers), batch.scores()
        plan = self.answers.make_plan(
            batch,
            effects.offers,
            budget=wish.budget,
            capacity=wish.capacity,
            campaign=wish.campaign,
            treatments=self._treatments(),
            scores=scores,
            effects=effects.frame,
        )
        told = {"campaign": wish.campaign, "as_of": str(batch.info.as_of)} | plan.summary | {"effects": effects.said}
        return BatchPlan(wish, batch, replace(plan, summary=told)), scores

    def _effects(self, batch: Store, names: tuple[str, ...]) -> PlanEffects:
        """Those of the offers, reckoned anew when scores, offers or what was learnt have changed."""
        said, offers = self.output / EFFECTS_FILE, self.answers.offers(names)
        key = (batch.hash, *_written(offers), said.stat().st_mtime_ns if said.exists() else None)
        if self._known is None or self._known[0] != key:
            self._known = key, effects_of(batch, self.output, offers)
        return self._known[1]

    def _treatments(self) -> pd.DataFrame | None:
        """Who was contacted in fact, read anew; None where nobody books that, or no rule asks for it."""
        log = settings.order_log()
        if log is None or log.treatments is None or self.answers.campaigns.quiet_days is None:
            return None
        return read_book(log, "treatments", now_us=None).rows.to_pandas()


def _written(offers: Sequence[Offer]) -> list[str]:
    return [offer.model_dump_json() for offer in offers]


@cache
def campaign_plans() -> CampaignPlans:
    """That of this process."""
    return CampaignPlans(settings.responses(), settings.output_folder())
