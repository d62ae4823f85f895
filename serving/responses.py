"""What is answered to each request, by the model and the scores that are held at that moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.histories.columns import Histories
from models.scoring import batch_scores, explain, online
from models.scoring.explain import Contributions
from models.scoring.scorer import Scorer
from retention.customer_base.segments import CURRENT_VALUE_FEATURE, value_quadrants
from retention.economics.offers import MEASURED, Offer
from retention.measurement.save_rate_store import with_measured_save_rates
from retention.planning.retention_plan import Plan, plan
from retention.planning.suppression import suppressed_customers
from serving.active_model import ActiveModel
from serving.contract import MOST_IDS, HistoriesRequest, PlanRequest
from serving.hot_reload import HotReload
from serving.store.store import Store


class Unavailable(StayworthError):
    """What a request needs is not there yet."""


@dataclass(frozen=True)
class CampaignSettings:
    """What the shop's config says of campaigns."""

    offers: tuple[Offer, ...] = ()
    holdout_share: float = 0.1
    salt: str = ""
    capacities: Mapping[str, int] = field(default_factory=dict)
    """The most contacts of each channel."""
    do_not_contact: str | None = None
    """The file of whom not to contact; read anew for each plan."""
    plans: str = ""
    """The folder of the plans kept so far, in the output folder."""
    quiet_days: int | None = None

    @property
    def offers_with_known_save_rate(self) -> list[Offer]:
        """The offers whose save rate is known: one that is measured may be known since the last request."""
        known = with_measured_save_rates(self.offers, Path(self.plans).parent)
        return [offer for offer in known if offer.save_rate != MEASURED]

    def suppressed(self, *, as_of: date, campaign: str, treatments: pd.DataFrame | None = None) -> dict[str, set[str]]:
        """The ids of whom not to contact, by the reason. treatments: as `retention.planning.suppression` takes them."""
        listed = Path(self.do_not_contact) if self.do_not_contact else None
        return suppressed_customers(
            do_not_contact=listed,
            plans=Path(self.plans),
            quiet_days=self.quiet_days,
            as_of=as_of,
            campaign=campaign,
            treatments=treatments,
        )


@dataclass(frozen=True)
class ResponseContent:
    """The content of an answer, and what the journal says of it."""

    content: dict[str, Any]
    rows: int
    model_version: str | None


@dataclass(frozen=True)
class Responses:
    """The answers of the service, as plain data."""

    model: HotReload[ActiveModel]
    scores: HotReload[Store]
    campaigns: CampaignSettings

    @property
    def is_ready(self) -> bool:
        """Whether there is something to answer with: a model, or a batch of scores."""
        return self.model.current is not None or self.scores.current is not None

    def score(self, customer_ids: Sequence[str]) -> ResponseContent:
        """The scores of the last batch."""
        batch = self.batch()
        scores, unknown = batch.find(customer_ids)
        return ResponseContent({"scores": scores, "unknown": unknown}, len(customer_ids), batch.info.model_version)

    def score_histories(self, request: HistoriesRequest) -> ResponseContent:
        """Scores of the histories in the request; unknown is who has no order known before the day."""
        scorer = self._champion().scorer
        histories = online.histories(scorer, request.customers)
        answered = {one["customer_id"]: one for one in self._scored(scorer, histories, as_of=request.as_of)}
        ids = [one["customer_id"] for one in request.customers]
        content = {
            "scores": [answered[one] for one in ids if one in answered],
            "unknown": [one for one in ids if one not in answered],
        }
        return ResponseContent(content, len(ids), scorer.version)

    def score_parsed(self, histories: Histories, *, as_of: date) -> list[dict[str, Any]]:
        """The same of histories that are read already."""
        return self._scored(self._champion().scorer, histories, as_of=as_of)

    def explain(self, customer_ids: Sequence[str]) -> ResponseContent:
        """What adds up to the scores of these customers, by the model that serves, of their features in the batch."""
        champion, batch = self._champion(), self.batch()
        absent = [name for name in champion.scorer.inputs if name not in batch.info.features]
        if absent:
            raise Unavailable(
                f"the last batch lacks {len(absent)} features that the model takes: {', '.join(absent[:5])}",
                next="Score again: stayworth score --as-of DAY.",
            )
        rows, unknown = batch.rows(customer_ids)
        told = []
        if len(rows):
            same = batch.info.model_version == champion.scorer.version
            stored = batch.find(rows["customer_id"].tolist())[0] if same else [{}] * len(rows)
            scorer, predicted = champion.scorer, champion.scorer.predict_frame(rows)
            churn, value = explain.no_order(scorer, predicted), explain.expected_value(scorer, predicted)
            for place, customer_id in enumerate(rows["customer_id"]):
                told.append(
                    {
                        "customer_id": customer_id,
                        "as_of": batch.info.as_of,
                        "model_version": champion.scorer.version,
                        **{
                            name: _parts(parts, place, stored[place].get(name))
                            for name, parts in (("churn_probability", churn), ("expected_value", value))
                        },
                    }
                )
        content = {"currency": champion.scorer.terms.currency, "explanations": told, "unknown": unknown}
        return ResponseContent(content, len(customer_ids), champion.scorer.version)

    def plan(self, request: PlanRequest) -> ResponseContent:
        """Whom to contact with which offer under a budget, among the customers of the batch; nothing is kept."""
        batch = self.batch()
        made = self.make_plan(
            batch,
            self.offers(request.offers or ()),
            budget=request.budget,
            capacity=request.capacity,
            campaign=f"campaign {batch.info.as_of}",
        )
        first = made.frame.head(MOST_IDS)
        content = {
            "summary": made.summary | {"currency": batch.info.currency},
            "contacts": first.to_dict("records"),
            "left_out": len(made.frame) - len(first),
        }
        return ResponseContent(content, len(first), batch.info.model_version)

    def offers(self, names: Sequence[str]) -> list[Offer]:
        """The offers of these names whose save rate is known, all where none is named; raises StayworthError where
        there is no such offer.
        """
        offers = {offer.name: offer for offer in self.campaigns.offers_with_known_save_rate}
        wanted = list(dict.fromkeys(names or offers))
        if not wanted or not set(wanted) <= set(offers):
            known = ", ".join(offers) or "none"
            raise StayworthError(f"the config has no such offer; it has {known}", next="Name some of these.")
        return [offers[name] for name in wanted]

    def make_plan(
        self,
        batch: Store,
        offers: Sequence[Offer],
        *,
        budget: float,
        capacity: int | None,
        campaign: str,
        treatments: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        effects: pd.DataFrame | None = None,
    ) -> Plan:
        """The plan of a campaign under the shop's rules. scores: those of the batch, if they are at hand; effects: as
        `retention.planning.retention_plan.plan` takes them.
        """
        used = {offer.channel for offer in offers}
        day = date.fromisoformat(str(batch.info.as_of))
        return plan(
            batch.scores() if scores is None else scores,
            offers,
            budget=budget,
            capacity=capacity,
            capacities={channel: most for channel, most in self.campaigns.capacities.items() if channel in used},
            excluded=self.campaigns.suppressed(as_of=day, campaign=campaign, treatments=treatments),
            effects=effects,
            holdout_share=self.campaigns.holdout_share,
            campaign=campaign,
            salt=self.campaigns.salt,
        )

    def describe(self) -> dict[str, Any]:
        """The model that answers, and the batch that is looked up."""
        champion, batch = self.model.current, self.scores.current
        terms = champion.scorer.terms if champion else None
        return {
            "version": champion.scorer.version if champion else None,
            "hash": champion.hash if champion else None,
            "registered": champion.registered if champion else None,
            "as_of": champion.as_of if champion else None,
            "horizon_days": terms.horizon_days if terms else None,
            "currency": terms.currency if terms else None,
            "metrics": champion.metrics if champion else {},
            "needs": online.order_columns(champion.scorer) if champion else [],
            "scores_as_of": batch.info.as_of if batch else None,
            "scores_model_version": batch.info.model_version if batch else None,
            "customers": batch.customers if batch else None,
        }

    def batch(self) -> Store:
        """The scores that are served; raises Unavailable where there are none yet."""
        if self.scores.current is None:
            raise Unavailable("no batch of scores yet", next="Make one: stayworth score --as-of DAY.")
        return self.scores.current

    def _champion(self) -> ActiveModel:
        if self.model.current is None:
            raise Unavailable("no model yet", next="Make one: stayworth train.")
        return self.model.current

    def _scored(self, scorer: Scorer, histories: Histories, *, as_of: date) -> list[dict[str, Any]]:
        records, rows = batch_scores.score_histories(scorer, histories, as_of=as_of)
        segments = (
            self._segments(rows[CURRENT_VALUE_FEATURE].to_numpy(), [one["clv"] for one in records]) if records else []
        )
        return [one | {"segment": segment} for one, segment in zip(records, segments, strict=True)]

    def _segments(self, spent: np.ndarray, clv: Sequence[float]) -> list[str | None]:
        """Among the customers of the last batch; None where there is none."""
        if self.scores.current is None:
            return [None] * len(clv)
        info = self.scores.current.info
        return value_quadrants(spent, clv, current_cut=info.current_cut, future_cut=info.future_cut).tolist()


def _parts(parts: Contributions, place: int, score: float | None) -> dict[str, Any]:
    """What adds up to one customer's score, the largest effect first; what adds nothing is left out.

    score: that of the batch, if the same model made it: it knew the features to more digits than are kept.
    """
    added = parts.added[place]
    order = np.argsort(-np.abs(added), kind="stable")
    total = float(added.sum())
    whole = score if score is not None else float(parts.base[place]) + total
    return {
        "score": whole,
        "base": whole - total,
        "added": {parts.names[one]: float(added[one]) for one in order if added[one]},
    }
