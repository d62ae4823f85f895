"""Prometheus metrics: how long answers took by route, how many rows, refusals by reason, which model and scores serve.

No label holds what a caller sent: a path of none of our routes is "other". Several workers add up their numbers in the
folder PROMETHEUS_MULTIPROC_DIR, which serving/processes/launch.py names before anything is imported. The age of the
scores is `time() - stayworth_scores_as_of_timestamp_seconds`.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, time

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from serving.access_log import RequestRecord
from serving.responses import Responses

CONTENT_TYPE = CONTENT_TYPE_LATEST
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

SECONDS = Histogram(
    "stayworth_request_seconds", "From the first byte to the last", ["route", "status"], buckets=BUCKETS
)
ROWS = Counter("stayworth_rows", "Customers asked for", ["route"])
REFUSED = Counter("stayworth_refused", "Requests turned away at the door", ["reason"])


def count_request(visit: RequestRecord) -> None:
    """Add a request."""
    SECONDS.labels(visit.route, str(visit.status)).observe((visit.ms or 0.0) / 1000)
    if visit.rows:
        ROWS.labels(visit.route).inc(visit.rows)
    if visit.refusal:
        REFUSED.labels(visit.refusal).inc()


def metrics_text(answers: Responses) -> bytes:
    """All metrics, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_ServedCollector(answers))
    if os.environ.get(MULTIPROCESS_FOLDER):
        MultiProcessCollector(registry)
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


class _ServedCollector(Collector):
    """What serves at this moment."""

    def __init__(self, answers: Responses) -> None:
        self.answers = answers

    def collect(self) -> Iterator[Metric]:
        champion, batch = self.answers.model.current, self.answers.scores.current
        if champion:
            model = GaugeMetricFamily("stayworth_model_info", "The model that serves", labels=["version", "registered"])
            model.add_metric([champion.scorer.version, champion.registered or ""], 1)
            yield model
        if batch:
            midnight = datetime.combine(batch.info.as_of, time(), UTC)
            yield GaugeMetricFamily(
                "stayworth_scores_as_of_timestamp_seconds", "The day of the scores", value=midnight.timestamp()
            )
            yield GaugeMetricFamily("stayworth_scores_customers", "Customers with scores", value=batch.customers)
