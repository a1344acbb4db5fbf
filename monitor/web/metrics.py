"""``/metrics``: the service's status in Prometheus' text form (its exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitor.alerts.latency import BUCKETS, Histogram
from monitor.model.sources import Outcome
from monitor.status import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Look(Collector):
    """One status as metric families; made anew for each request, so nothing is counted twice."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        seen = self._status
        yield GaugeMetricFamily("wirewatch_up", "1 when the service watches", value=float(seen.state != "failing"))
        late = seen.lateness.total_seconds()
        yield GaugeMetricFamily("wirewatch_lateness_seconds", "How long the most overdue source has waited", value=late)
        yield from self._alerts()
        kept = GaugeMetricFamily("wirewatch_kept", "What the store holds", labels=["what"])
        for what in ("items", "revisions", "matches", "quarantined"):
            kept.add_metric([what], seen.counts.get(what, 0))
        yield kept
        yield from self._canary()
        yield from self._sources()

    def _alerts(self) -> Iterable[Metric]:
        seen = self._status
        alerts = GaugeMetricFamily("wirewatch_alerts", "Alert rows by state", labels=["state"])
        for state in ("pending", "delivered", "dead", "suppressed"):
            alerts.add_metric([state], seen.counts.get(state, 0))
        yield alerts
        yield GaugeMetricFamily(
            "wirewatch_oldest_due_seconds", "How long the alert has been due that waits longest",
            value=seen.oldest_wait.total_seconds(),
        )  # fmt: skip
        up = GaugeMetricFamily("wirewatch_channel_up", "1 when the channel answers", labels=["channel"])
        for channel, answers in seen.channels.items():
            up.add_metric([channel], float(answers))
        yield up
        outcomes = CounterMetricFamily(
            "wirewatch_sent_alerts", "Alerts by what came of an attempt, since the start", labels=["outcome"]
        )
        for outcome, name in (("sent", "sent"), ("later", "failed"), ("dead", "refused")):
            outcomes.add_metric([name], seen.messages.get(outcome, 0))
        yield outcomes
        yield _histogram("wirewatch_alert_seconds", "From first seen until the alert was taken", seen.from_seen)
        yield _histogram(
            "wirewatch_alert_published_seconds", "From the publisher's own time until the alert was taken",
            seen.from_published,
        )  # fmt: skip

    def _canary(self) -> Iterable[Metric]:
        seen = self._status
        yield GaugeMetricFamily("wirewatch_canary_late", "1 when a canary stays out", value=float(seen.canary_late))
        if seen.canary is not None:
            age = (seen.now - seen.canary).total_seconds()
            yield GaugeMetricFamily("wirewatch_canary_age_seconds", "Since the last canary arrived", value=age)

    def _sources(self) -> Iterable[Metric]:
        seen = self._status
        age = GaugeMetricFamily("wirewatch_source_good_age_seconds", "Since the last good answer", labels=["source"])
        state_of = GaugeMetricFamily("wirewatch_source_state", "1 for the source's state", labels=["source", "state"])
        for source in seen.sources:
            if source.last_good is not None:
                age.add_metric([source.id], (seen.now - source.last_good).total_seconds())
            for outcome in Outcome:
                state_of.add_metric([source.id, outcome.value], float(source.outcome is outcome))
        yield age
        yield state_of


def _histogram(name: str, text: str, counted: Histogram) -> HistogramMetricFamily:
    edges = (*(f"{edge:g}" for edge in BUCKETS), "+Inf")
    buckets = list(zip(edges, accumulate(counted.counts), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=counted.total)


def metrics(status: Status) -> bytes:
    """The text a scraper reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Look(status))
    return generate_latest(registry)
