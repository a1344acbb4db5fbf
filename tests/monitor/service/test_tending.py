"""Once a minute: rows of what is configured no more end, critical alerts escalate, the dead are told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from config.model.watches import Watch
from monitor import canary
from monitor.alerts.lane import GIVE_UP
from monitor.errors import StoreBusy
from monitor.model.items import Wanted
from monitor.model.messages import Delivery
from tests.monitor.service.conftest import WATCH, Make, Parts, channel, config

pytestmark = pytest.mark.anyio

OTHER = Watch(id="envoy", title="Envoys", when="envoy")


async def conditions(parts: Parts) -> dict[tuple[str, str], tuple[str, str]]:
    """(watch, channel) → condition and reason, of news."""
    return {(row.watch, row.channel): (row.condition, row.reason) for row in await parts.store.alerts()}


async def waiting(parts: Parts, *titles: str) -> None:
    """Alerts that every channel refuses for now."""
    for inbox in parts.inboxes.values():
        inbox.answer = Delivery(verdict="later", detail="status 500")
    await parts.publish(*titles)
    await parts.dispatcher.drain()


async def test_f137_alerts_of_a_watch_that_is_removed_while_they_wait_end_suppressed_with_the_reason(
    parts: Make,
) -> None:
    both = config(channel("desk"), watches=(WATCH, OTHER))
    made = parts(both)
    await waiting(made, "Envoy lands in Doha for talks")
    assert set(await conditions(made)) == {("talks", "desk"), ("envoy", "desk")}
    await made.save(config(channel("desk"), watches=(OTHER,)))
    after = await conditions(made)
    assert after["talks", "desk"] == ("suppressed", "watch removed")
    assert after["envoy", "desk"][0] == "pending"
    made.inboxes["desk"].answer = Delivery(verdict="sent")
    made.clock.later(3600)
    await made.dispatcher.drain()
    assert [parcel.message.alerts[0].watch for parcel in made.inboxes["desk"].parcels] == ["envoy"]


async def test_f133_alerts_of_a_channel_that_is_removed_while_they_wait_die_and_are_told_on_another(
    parts: Make,
) -> None:
    made = parts(config(channel("desk"), channel("duty"), notify=["desk"]))
    await waiting(made, "Talks resume in Doha")
    await made.save(config(channel("desk"), notify=["desk"]))
    after = await conditions(made)
    assert after["talks", "duty"][0] == "dead"
    assert "duty is not configured any more" in after["talks", "duty"][1]
    assert after["talks", "desk"][0] == "pending"
    assert await made.tending.tell_dead() == 1
    assert await made.tending.tell_dead() == 0, "told once"
    (said,) = await made.store.items(Wanted(outlet="wirewatch"))
    assert said.title.endswith("could not be delivered to duty")


async def test_f133_rows_filed_by_the_old_configuration_after_a_channel_left_end_at_the_next_look(
    parts: Make,
) -> None:
    made = parts(config(channel("desk"), channel("duty")))
    old = made.desk.edition
    await made.save(config(channel("desk")))
    in_force, made.desk.edition = made.desk.edition, old
    await made.publish("Talks resume in Doha")
    made.desk.edition = in_force
    assert (await conditions(made))["talks", "duty"][0] == "pending"
    await made.tending.tend()
    assert (await conditions(made))["talks", "duty"][0] == "dead"


async def test_nothing_of_the_services_own_is_buried(parts: Make) -> None:
    made = parts(config(channel("desk")))
    await waiting(made, "Talks resume in Doha")
    await made.canaries.let_out()
    found = await made.tending.tend()
    assert (found.buried, found.suppressed) == (0, 0)
    (row,) = await made.store.alerts(watch=canary.NAME)
    assert row.condition == "pending"


async def test_a_critical_alert_that_nobody_acknowledges_goes_to_the_other_channel_once(parts: Make) -> None:
    made = parts(
        config(
            channel("duty", escalate_to="desk", escalate_after="10m"), channel("desk"),
            watches=(Watch(id="talks", title="T", when="talks", severity="critical", notify=("duty",)),),
        )
    )  # fmt: skip
    await made.publish("Talks resume in Doha")
    await made.dispatcher.drain()
    assert made.inboxes["desk"].titles == []
    made.clock.later(9 * 60)
    assert (await made.tending.tend()).escalated == 0
    made.clock.later(2 * 60)
    assert (await made.tending.tend()).escalated == 1
    await made.dispatcher.drain()
    assert (await made.tending.tend()).escalated == 0
    assert made.inboxes["desk"].titles == ["Talks resume in Doha"]


async def test_what_is_given_up_is_told_as_dead(parts: Make) -> None:
    made = parts(config(channel("desk"), channel("duty"), notify=["desk"]))
    made.inboxes["duty"].answer = Delivery(verdict="later", detail="status 500")
    await made.publish("Talks resume in Doha")
    await made.dispatcher.drain()
    made.clock.later((GIVE_UP + timedelta(minutes=1)).total_seconds())
    await made.tending.tend()
    assert (await conditions(made))["talks", "duty"][0] == "dead"
    assert await made.tending.tell_dead() == 1


async def test_a_notice_that_dies_makes_no_notice_of_itself(parts: Make) -> None:
    made = parts(config(channel("desk"), channel("duty"), notify=["desk"]))
    for inbox in made.inboxes.values():
        inbox.answer = Delivery(verdict="refused", detail="status 404")
    await made.publish("Talks resume in Doha")
    for _ in range(3):
        await made.dispatcher.drain()
        await made.tending.tell_dead()
    told = [item.title for item in await made.store.items(Wanted(outlet="wirewatch"))]
    assert sorted(title.rpartition(" ")[2] for title in told) == ["desk", "duty"]
    assert await made.store.untold_dead() == ()


async def test_a_store_that_fails_is_reported_and_looked_at_again(parts: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts(config(channel("desk")))
    stop, tend, times = asyncio.Event(), made.tending.tend, [0]

    async def fails_twice() -> None:
        times[0] += 1
        if times[0] < 3:
            raise StoreBusy("locked")
        await tend()
        stop.set()

    monkeypatch.setattr(made.tending, "tend", fails_twice)
    await asyncio.wait_for(made.tending.run(stop), 20)
    assert [str(each) for each in made.failures] == ["locked", "locked"]


async def test_what_waits_for_other_origins_is_asked_about_at_each_look_and_when_a_configuration_is_saved(
    parts: Make,
) -> None:
    waits = Watch.model_validate(
        {"id": "talks", "title": "T", "when": "talks", "corroborated": {"origins": 2, "within": "1h"}}
    )
    made = parts(config(channel("desk"), watches=(waits,)))
    await made.publish("Talks resume in Doha")
    await made.tending.tend()
    await made.dispatcher.drain()
    assert made.inboxes["desk"].titles == []
    assert await conditions(made) == {("talks", "desk"): ("pending", "waits for 2 origins, has 1 (herald)")}
    made.clock.later(3600)
    await made.tending.tend()
    assert (await conditions(made))["talks", "desk"] == (
        "suppressed", "not corroborated: 1 of 2 origins within 60 min",
    )  # fmt: skip
    await made.publish("Talks in Cairo break off")
    await made.save(config(channel("desk"), watches=(WATCH,)))
    await made.dispatcher.drain()
    assert made.inboxes["desk"].titles == ["Talks in Cairo break off"]
