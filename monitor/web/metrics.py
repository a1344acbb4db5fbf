"""``/metrics``: the service's status in Prometheus' text form (its exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitor.model import Outcome
from monitor.status import Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Look(Collector):
    """One status as metric families; made anew for each request, so nothing is counted twice."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterable[GaugeMetricFamily]:
        seen = self._status
        yield GaugeMetricFamily("wirewatch_up", "1 when the service watches", value=float(seen.state != "failing"))
        late = seen.lateness.total_seconds()
        yield GaugeMetricFamily("wirewatch_lateness_seconds", "How long the most overdue source has waited", value=late)
        alerts = GaugeMetricFamily("wirewatch_alerts", "Alert rows by state", labels=["state"])
        for state in ("pending", "delivered", "dead", "suppressed"):
            alerts.add_metric([state], seen.counts.get(state, 0))
        yield alerts
        kept = GaugeMetricFamily("wirewatch_kept", "What the store holds", labels=["what"])
        for what in ("items", "revisions", "matches", "quarantined"):
            kept.add_metric([what], seen.counts.get(what, 0))
        yield kept
        age = GaugeMetricFamily("wirewatch_source_good_age_seconds", "Since the last good answer", labels=["source"])
        state_of = GaugeMetricFamily("wirewatch_source_state", "1 for the source's state", labels=["source", "state"])
        for source in seen.sources:
            if source.last_good is not None:
                age.add_metric([source.id], (seen.now - source.last_good).total_seconds())
            for outcome in Outcome:
                state_of.add_metric([source.id, outcome.value], float(source.outcome is outcome))
        yield age
        yield state_of


def metrics(status: Status) -> bytes:
    """The text a scraper reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Look(status))
    return generate_latest(registry)
