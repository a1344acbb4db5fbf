"""``/health`` says how it is, and ``/metrics`` says it to Prometheus."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.alerts.latency import Latency
from monitor.errors import StoreUnusable
from monitor.model.sources import Outcome, SourceState
from monitor.status import TICK_LIMIT
from tests.monitor.web.desk import NOW, Desk, get

pytestmark = pytest.mark.anyio


def source(name: str, *, due: datetime = NOW, outcome: Outcome | None = None) -> SourceState:
    return SourceState(
        id=name, outlet="bbc", url="https://bbc.example/", host="https://bbc.example:443", next_due=due,
        outcome=outcome, last_good=NOW - timedelta(seconds=90) if outcome else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "state", "problem"),
    [
        ({}, 200, "ok", None),
        ({"problems": ("The disk is nearly full.",)}, 200, "degraded", "The disk is nearly full."),
        ({"last_tick": NOW - TICK_LIMIT}, 200, "ok", None),
        ({"last_tick": NOW - TICK_LIMIT - timedelta(seconds=1)}, 503, "failing", "The schedule was last looked at"),
        ({"last_tick": NOW - TICK_LIMIT * 9, "pace": 10.0}, 200, "ok", None),
        ({"last_tick": NOW - TICK_LIMIT * 11, "pace": 10.0}, 503, "failing", "The schedule was last looked at"),
        ({"last_tick": None}, 503, "failing", "has not looked at its schedule yet"),
        ({"crawler_alive": False}, 503, "failing", "The crawler has stopped"),
        ({"crawler_alive": False, "problems": ("x",)}, 503, "failing", "The crawler has stopped"),
        ({"looked": NOW - TICK_LIMIT * 2}, 503, "failing", "The outbox was last looked at"),
        ({"nobody_told": True, "problems": ("x",)}, 503, "failing", "No channel answers"),
    ],
)
async def test_the_state_is_the_worst_that_is_true_and_says_why(
    desk: Desk, change: dict[str, object], code: int, state: str, problem: str | None
) -> None:
    desk.status = replace(desk.status, **change)  # type: ignore[arg-type]
    got = await get(desk, "/health")
    said = json.loads(got.text)
    assert (got.status, said["state"]) == (code, state)
    assert problem is None or problem in said["problems"][0]
    assert bool(said["problems"]) == (state != "ok")


async def test_it_counts_what_the_store_holds(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    desk.status = replace(desk.status, sources=(source("bbc/main", due=NOW - timedelta(seconds=75)),))
    said = json.loads((await get(desk, "/health")).text)
    assert said["items"] == 1
    assert said["alerts"] == {"pending": 2, "delivered": 0, "dead": 0, "suppressed": 0}
    assert said["lateness_seconds"] == 75.0
    assert said["sources"] == 1
    assert said["last_tick"] == NOW.isoformat()


async def test_nothing_is_late_when_everything_is_due_later(desk: Desk) -> None:
    desk.status = replace(desk.status, sources=(source("bbc/main", due=NOW + timedelta(minutes=9)),))
    assert json.loads((await get(desk, "/health")).text)["lateness_seconds"] == 0.0


async def test_a_store_that_does_not_answer_is_failing_not_an_error_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise StoreUnusable("the file is damaged")

    monkeypatch.setattr(desk.store, "count", broken)
    got = await get(desk, "/health")
    said = json.loads(got.text)
    assert (got.status, said["state"]) == (503, "failing")
    assert "the file is damaged" in said["problems"][0]
    assert said["items"] is None


async def test_metrics_are_read_by_prometheus_own_parser(desk: Desk) -> None:
    await desk.file("Talks resume in Doha")
    strange = 'bbc/a"b\\c\nd'
    desk.status = replace(
        desk.status,
        sources=(source("bbc/main", due=NOW - timedelta(seconds=75), outcome=Outcome.CLOSED), source(strange)),
    )
    got = await get(desk, "/metrics")
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    read = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(got.text)
        for sample in family.samples
    }
    assert read["wirewatch_up",] == 1
    assert read["wirewatch_lateness_seconds",] == 75
    assert read["wirewatch_alerts", "pending"] == 2
    assert read["wirewatch_kept", "items"] == 1
    assert read["wirewatch_source_good_age_seconds", "bbc/main"] == 90
    assert ("wirewatch_source_good_age_seconds", strange) not in read
    states = {key[-1]: value for key, value in read.items() if key[:2] == ("wirewatch_source_state", "bbc/main")}
    assert sum(states.values()) == 1
    assert states["closed"] == 1
    assert read["wirewatch_canary_late",] == 0
    assert ("wirewatch_canary_age_seconds",) not in read, "none has arrived yet"
    desk.status = replace(desk.status, crawler_alive=False)
    assert "wirewatch_up 0.0" in (await get(desk, "/metrics")).text


async def test_metrics_say_how_alerts_fare(desk: Desk) -> None:
    counted = Latency()
    counted.sent(NOW - timedelta(seconds=4), NOW - timedelta(minutes=2), NOW)
    counted.sent(NOW - timedelta(seconds=45), None, NOW)
    desk.status = replace(
        desk.status, channels={"desk": True, "duty": False}, messages={"sent": 7, "later": 2, "dead": 1},
        oldest_due={"duty": NOW - timedelta(seconds=90)}, canary=NOW - timedelta(minutes=3), canary_late=True,
        from_seen=counted.from_seen, from_published=counted.from_published,
    )  # fmt: skip
    families = {each.name: each for each in text_string_to_metric_families((await get(desk, "/metrics")).text)}
    read = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert (read["wirewatch_channel_up", "desk"], read["wirewatch_channel_up", "duty"]) == (1, 0)
    assert [read["wirewatch_sent_alerts_total", name] for name in ("sent", "failed", "refused")] == [7, 2, 1]
    assert read["wirewatch_oldest_due_seconds",] == 90
    assert (read["wirewatch_canary_late",], read["wirewatch_canary_age_seconds",]) == (1, 180)
    assert families["wirewatch_alert_seconds"].type == "histogram"
    assert [read["wirewatch_alert_seconds_bucket", edge] for edge in ("2", "5", "30", "60", "+Inf")] == [0, 1, 1, 2, 2]
    assert (read["wirewatch_alert_seconds_count",], read["wirewatch_alert_seconds_sum",]) == (2, 49)
    assert [read["wirewatch_alert_published_seconds_bucket", edge] for edge in ("60", "300", "86400")] == [0, 1, 1]
    assert read["wirewatch_alert_published_seconds_count",] == 1
