"""The responses to all requests, from the model and the scores in service at that moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.histories.columns import Histories
from models.keeping.worth_factor import WorthFactor
from models.labelled.label_scorer import LabelScorer
from models.lifetime.next_order import median_day
from models.scoring import batch_scores, explain, online
from models.scoring.scorer import Scorer, predict_next_order
from retention.customer_base.segments import CURRENT_VALUE_FEATURE, value_quadrants
from retention.economics.offers import MEASURED, Offer
from retention.measurement.save_rate_store import believed_worth_factor, with_measured_save_rates
from retention.planning.retention_plan import Plan, plan
from retention.planning.suppression import suppressed_customers
from serving.active_model import ActiveModel
from serving.contract import MOST_IDS, HistoriesRequest, PlanRequest
from serving.hot_reload import HotReload
from serving.plan_inputs import PlanInputs
from serving.row_contract import RowsRequest
from serving.row_responses import describe_label_model, row_scores
from serving.score_parts import days_or_none, score_parts
from serving.store.score_store import Store


class Unavailable(StayworthError):
    """Raised if the model or the scores that a request needs do not exist yet."""


@dataclass(frozen=True)
class CampaignSettings:
    """The campaign settings of the config."""

    offers: tuple[Offer, ...] = ()
    holdout_share: float = 0.1
    salt: str = ""
    capacities: Mapping[str, int] = field(default_factory=dict)
    """Most contacts by channel."""
    do_not_contact: str | None = None
    """The do-not-contact file; read again for each plan."""
    plans: str = ""
    """The folder of kept plans, in the output folder."""
    quiet_days: int | None = None

    @property
    def offers_with_known_save_rate(self) -> list[Offer]:
        """The offers whose save rate is known; a measured one may have become known since the last request."""
        offers = with_measured_save_rates(self.offers, Path(self.plans).parent)
        return [offer for offer in offers if offer.save_rate != MEASURED]

    @property
    def worth_factor(self) -> WorthFactor:
        """What campaigns read out so far say of gains."""
        return believed_worth_factor(Path(self.plans).parent)

    def suppressed(self, *, as_of: date, campaign: str, treatments: pd.DataFrame | None = None) -> dict[str, set[str]]:
        """The ids of suppressed customers, by reason. treatments: as `retention.planning.suppression` takes them."""
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
    """The content of a response, and its facts for the access log."""

    content: dict[str, Any]
    rows: int
    model_version: str | None


@dataclass(frozen=True)
class Responses:
    """The responses of the service, as plain data."""

    model: HotReload[ActiveModel]
    scores: HotReload[Store]
    campaigns: CampaignSettings
    inputs: PlanInputs = field(default_factory=PlanInputs)

    @property
    def is_ready(self) -> bool:
        """True if there is a model or a batch of scores."""
        return self.model.current is not None or self.scores.current is not None

    def score(self, customer_ids: Sequence[str]) -> ResponseContent:
        """Look up scores of the last batch."""
        batch = self.batch()
        scores, unknown = batch.find(customer_ids)
        return ResponseContent({"scores": scores, "unknown": unknown}, len(customer_ids), batch.info.model_version)

    def score_histories(self, request: HistoriesRequest) -> ResponseContent:
        """Score the histories of a request; customers without an order known before `as_of` are unknown."""
        scorer = self._scorer()
        histories = online.histories(scorer, request.customers)
        scores = {score["customer_id"]: score for score in self._score(scorer, histories, as_of=request.as_of)}
        ids = [customer["customer_id"] for customer in request.customers]
        content: dict[str, Any] = {
            "scores": [scores[customer_id] for customer_id in ids if customer_id in scores],
            "unknown": [customer_id for customer_id in ids if customer_id not in scores],
        } | ({"unseen": histories.unseen} if histories.unseen_names else {})
        return ResponseContent(content, len(ids), scorer.version)

    def score_parsed(self, histories: Histories, *, as_of: date) -> list[dict[str, Any]]:
        """Score histories that have been parsed."""
        return self._score(self._scorer(), histories, as_of=as_of)

    def score_rows(self, request: RowsRequest) -> ResponseContent:
        """Score rows of a label table."""
        scorer = self._champion().scorer
        if isinstance(scorer, Scorer):
            raise Unavailable("the model in service reads orders", next="Ask /v1/score_histories.")
        scores = row_scores(scorer, request.rows)
        return ResponseContent({"scores": scores}, len(scores), scorer.version)

    def explain(self, customer_ids: Sequence[str]) -> ResponseContent:
        """Split scores into contributions, by the model in service and the features in the batch."""
        scorer, batch = self._scorer(), self.batch()
        absent = [name for name in scorer.inputs if name not in batch.info.features]
        if absent:
            raise Unavailable(
                f"the last batch lacks {len(absent)} features that the model needs: {', '.join(absent[:5])}",
                next="Score again: stayworth score --as-of DAY.",
            )
        rows, unknown = batch.rows(customer_ids)
        explanations = []
        if len(rows):
            is_same = batch.info.model_version == scorer.version
            stored = batch.find(rows["customer_id"].tolist())[0] if is_same else [{}] * len(rows)
            predicted = scorer.predict_frame(rows)
            explained = {
                "churn_probability": explain.no_order(scorer, predicted),
                "expected_value": explain.expected_value(scorer, predicted),
                "gain": explain.gain(scorer, predicted),
            }
            upcoming = predict_next_order(scorer, predicted)
            days = median_day(upcoming.median, as_of=predicted.rows.as_of).tolist()
            for place, customer_id in enumerate(rows["customer_id"]):
                explanations.append(
                    {
                        "customer_id": customer_id,
                        "as_of": batch.info.as_of,
                        "model_version": scorer.version,
                        **{
                            name: score_parts(parts, place, stored[place].get(name))
                            for name, parts in explained.items()
                        },
                        "next_order_at": stored[place].get("next_order_at", days[place]),
                        "next_order_p10": days_or_none(upcoming.low[place]),
                        "next_order_p90": days_or_none(upcoming.high[place]),
                    }
                )
        content = {"currency": scorer.terms.currency, "explanations": explanations, "unknown": unknown}
        return ResponseContent(content, len(customer_ids), scorer.version)

    def plan(self, request: PlanRequest) -> ResponseContent:
        """Plan a campaign under a budget among the customers of the batch; nothing is kept."""
        batch = self.batch()
        campaign_plan = self.make_plan(
            batch,
            self.offers(request.offers or ()),
            budget=request.budget,
            capacity=request.capacity,
            campaign=f"campaign {batch.info.as_of}",
        )
        first = campaign_plan.frame.head(MOST_IDS)
        content = {
            "summary": campaign_plan.summary | {"currency": batch.info.currency},
            "contacts": first.to_dict("records"),
            "left_out": len(campaign_plan.frame) - len(first),
        }
        return ResponseContent(content, len(first), batch.info.model_version)

    def offers(self, names: Sequence[str]) -> list[Offer]:
        """The offers with these names and a known save rate, by default all; raises StayworthError if there is no such
        offer.
        """
        offers = {offer.name: offer for offer in self.campaigns.offers_with_known_save_rate}
        requested = list(dict.fromkeys(names or offers))
        if not requested or not set(requested) <= set(offers):
            available = ", ".join(offers) or "none"
            raise StayworthError(f"the config has no such offer; it has {available}", next="Name some of these.")
        return [offers[name] for name in requested]

    def make_plan(
        self,
        batch: Store,
        offers: Sequence[Offer],
        *,
        budget: float,
        capacity: int | None,
        campaign: str,
        scores: pd.DataFrame | None = None,
    ) -> Plan:
        """Plan a campaign under the rules of the config, by the effects and bookings that `stayworth plan` goes by.

        scores: those of the batch, if already read.
        """
        used = {offer.channel for offer in offers}
        day = date.fromisoformat(str(batch.info.as_of))
        effects = self.inputs.effects(batch, offers)
        treatments = self.inputs.treatments() if self.campaigns.quiet_days else None
        campaign_plan = plan(
            batch.scores() if scores is None else scores,
            effects.offers,
            budget=budget,
            capacity=capacity,
            capacities={channel: most for channel, most in self.campaigns.capacities.items() if channel in used},
            excluded=self.campaigns.suppressed(as_of=day, campaign=campaign, treatments=treatments),
            effects=effects.frame,
            worth=self.campaigns.worth_factor,
            holdout_share=self.campaigns.holdout_share,
            campaign=campaign,
            salt=self.campaigns.salt,
        )
        about = {"campaign": campaign, "as_of": day.isoformat()}
        return replace(campaign_plan, summary=about | campaign_plan.summary | {"effects": effects.explanations})

    def describe(self) -> dict[str, Any]:
        """Describe the model and the batch of scores in service."""
        champion, batch = self.model.current, self.scores.current
        scorer = champion.scorer if champion else None
        return {
            "version": scorer.version if scorer else None,
            "hash": champion.hash if champion else None,
            "registered": champion.registered if champion else None,
            "as_of": champion.as_of if champion else None,
            "judged": champion.judged if champion else None,
            "metrics": champion.metrics if champion else {},
            **_facts(scorer),
            "scores_as_of": batch.info.as_of if batch else None,
            "scores_model_version": batch.info.model_version if batch else None,
            "customers": batch.customers if batch else None,
        }

    def batch(self) -> Store:
        """The batch of scores in service; raises Unavailable if there is none yet."""
        if self.scores.current is None:
            if self.model.current:
                self._scorer()
            raise Unavailable("there is no batch of scores yet", next="Make one: stayworth score --as-of DAY.")
        return self.scores.current

    def _scorer(self) -> Scorer:
        """The model in service, of a log of orders; raises Unavailable if there is none, or it is of a label table."""
        scorer = self._champion().scorer
        if not isinstance(scorer, Scorer):
            raise Unavailable("the model in service is of a label table, without orders", next="Ask /v1/score_rows.")
        return scorer

    def _champion(self) -> ActiveModel:
        if self.model.current is None:
            raise Unavailable("there is no model yet", next="Train one: stayworth train.")
        return self.model.current

    def _score(self, scorer: Scorer, histories: Histories, *, as_of: date) -> list[dict[str, Any]]:
        records, rows = batch_scores.score_histories(scorer, histories, as_of=as_of)
        segments = (
            self._segments(
                rows[CURRENT_VALUE_FEATURE].to_numpy(),
                *([record[name] for record in records] for name in ("clv", "gain")),
            )
            if records
            else []
        )
        return [record | {"segment": segment} for record, segment in zip(records, segments, strict=True)]

    def _segments(self, spent: np.ndarray, clv: Sequence[float], gain: Sequence[float]) -> list[str | None]:
        """Segments relative to the customers of the last batch; None without a batch."""
        if self.scores.current is None:
            return [None] * len(clv)
        info = self.scores.current.info
        return value_quadrants(
            spent, clv, gain, current_cut=info.current_cut, future_cut=info.future_cut, gain_cut=info.gain_cut
        ).tolist()


def _facts(scorer: Scorer | LabelScorer | None) -> dict[str, Any]:
    """The horizon, the currency and the needs of a model."""
    if isinstance(scorer, LabelScorer):
        return describe_label_model(scorer)
    if scorer is None:
        return {"horizon_days": None, "currency": None, "needs": []}
    terms = scorer.terms
    return {"horizon_days": terms.horizon_days, "currency": terms.currency, "needs": online.order_columns(scorer)}
