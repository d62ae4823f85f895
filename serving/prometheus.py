"""Prometheus metrics: response times by route, rows, refusals by reason, and the model and scores in service.

No label holds content of a request: a path that is not a route is "other". Several workers add up their numbers in the
folder PROMETHEUS_MULTIPROC_DIR, which serving/processes/launch.py sets before anything is imported. The age of the
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
ROWS = Counter("stayworth_rows", "Customers in requests", ["route"])
REFUSED = Counter("stayworth_refused", "Requests refused by the guard", ["reason"])


def count_request(request: RequestRecord) -> None:
    """Count a request."""
    SECONDS.labels(request.route, str(request.status)).observe((request.ms or 0.0) / 1000)
    if request.rows:
        ROWS.labels(request.route).inc(request.rows)
    if request.refusal:
        REFUSED.labels(request.refusal).inc()


def metrics_text(responses: Responses) -> bytes:
    """All metrics in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_ServedCollector(responses))
    if os.environ.get(MULTIPROCESS_FOLDER):
        MultiProcessCollector(registry)
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


class _ServedCollector(Collector):
    """Collector of metrics about the model and the scores in service."""

    def __init__(self, responses: Responses) -> None:
        self.responses = responses

    def collect(self) -> Iterator[Metric]:
        champion, batch = self.responses.model.current, self.responses.scores.current
        if champion:
            model = GaugeMetricFamily("stayworth_model_info", "The model in service", labels=["version", "registered"])
            model.add_metric([champion.scorer.version, champion.registered or ""], 1)
            yield model
        if batch:
            midnight = datetime.combine(batch.info.as_of, time(), UTC)
            yield GaugeMetricFamily(
                "stayworth_scores_as_of_timestamp_seconds", "The day of the scores", value=midnight.timestamp()
            )
            yield GaugeMetricFamily("stayworth_scores_customers", "Customers with scores", value=batch.customers)
