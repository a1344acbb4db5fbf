"""The sign of life: given each minute while all is well, withheld otherwise, and its address told to nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from monitor.errors import StoreFull
from monitor.service import deadman
from monitor.service.deadman import DeadMan, asked
from monitor.service.running import Running
from tests.hook import CUT, DRIP, NEVER, Hook, Say, redirect

pytestmark = pytest.mark.anyio

SECRET = "canary-in-the-address"


class Minutes:
    """A clock on which every rest is over when the test says so."""

    pace = 1.0

    def __init__(self) -> None:
        self.passed = asyncio.Semaphore(0)
        self.rested: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.rested.append(seconds)
        await self.passed.acquire()


class Switch:
    """A dead man over a receiver, with everything that may go wrong as an attribute."""

    def __init__(self, hook: Hook) -> None:
        self.hook, self.clock = hook, Minutes()
        self.address: str | None = f"{hook.url}?{SECRET}"
        self.unfit, self.full = "", False
        self.writes = 0
        self.running = Running(self.clock, started=datetime.now(UTC))
        self.dead_man = DeadMan(lambda: self.address, self._write, lambda: self.unfit, self.clock, self.running)

    async def _write(self) -> None:
        self.writes += 1
        if self.full:
            raise StoreFull("the disk is full")

    async def minute(self) -> int:
        """Let one pass, to its end; how often was asked in it."""
        before, rests = len(self.hook.received), len(self.clock.rested)
        self.clock.passed.release()
        async with asyncio.timeout(30):
            while len(self.clock.rested) == rests:
                await asyncio.sleep(0.001)
        return len(self.hook.received) - before


@pytest.fixture
async def switch(anyio_backend: str) -> AsyncIterator[Switch]:
    async with Hook() as hook:
        made = Switch(hook)
        stop = asyncio.Event()
        task = asyncio.create_task(made.dead_man.run(stop))
        while not made.clock.rested:
            await asyncio.sleep(0)
        yield made
        stop.set()
        await asyncio.wait_for(task, 10)


async def test_f134_every_minute_one_sign_after_a_write_that_succeeded(switch: Switch) -> None:
    assert [await switch.minute() for _ in range(3)] == [1, 1, 1]
    assert switch.writes == 3
    assert set(switch.clock.rested) == {60.0}
    (first, *_) = switch.hook.received
    assert (first.method, first.path) == ("GET", f"/hook?{SECRET}")
    assert switch.running.unheard == ""


async def test_f134_none_while_the_store_cannot_be_written_and_again_when_it_can(switch: Switch) -> None:
    switch.full = True
    assert [await switch.minute() for _ in range(2)] == [0, 0]
    assert switch.writes == 2, "each is a new try"
    assert switch.running.trouble == "the disk is full"
    switch.full = False
    assert await switch.minute() == 1


async def test_f134_none_while_anything_else_is_unfit_and_again_when_it_is_not(switch: Switch) -> None:
    switch.unfit = "No channel answers."
    assert [await switch.minute() for _ in range(2)] == [0, 0]
    switch.unfit = ""
    assert await switch.minute() == 1


async def test_f134_none_when_it_became_unfit_while_the_store_was_written(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def long_write() -> None:
        switch.unfit = "The outbox was last looked at long ago."

    monkeypatch.setattr(switch.dead_man, "_write", long_write)
    assert await switch.minute() == 0


async def test_an_address_that_comes_or_goes_with_a_reload_counts_from_the_next_minute(switch: Switch) -> None:
    address, switch.address = switch.address, None
    assert await switch.minute() == 0
    assert switch.writes == 0, "who is not asked writes nothing"
    switch.address = address
    assert await switch.minute() == 1


async def test_a_sign_that_is_not_taken_is_said_in_the_status_and_ends_nothing(switch: Switch) -> None:
    switch.hook.answers = [500, redirect("http://127.0.0.1:1/other"), CUT, CUT, 204]  # a cut GET is sent once more
    said = []
    for _ in range(4):
        assert await switch.minute()
        said.append(switch.running.unheard)
    assert [each.rpartition(": ")[2] for each in said] == ["status 500.", "status 302.", "ServerDisconnectedError.", ""]


async def test_what_was_not_taken_is_forgotten_with_the_address(switch: Switch) -> None:
    switch.hook.answers = [500]
    await switch.minute()
    assert switch.running.unheard
    switch.address = None
    await switch.minute()
    assert switch.running.unheard == ""


@pytest.mark.parametrize("say", [NEVER, DRIP, Say(after=3600)])
async def test_one_asking_ends_at_its_deadline(switch: Switch, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadman, "DEADLINE", 0.2)
    switch.hook.answers = [say]
    assert await switch.minute() == 1
    if say is not DRIP:  # a status is enough: its body is not waited for
        assert "TimeoutError" in switch.running.unheard


async def test_a_redirect_is_not_followed_and_no_proxy_is_asked(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hook() as other:
        monkeypatch.setenv("HTTP_PROXY", other.url)
        monkeypatch.setenv("http_proxy", other.url)
        switch.hook.answers = [redirect(other.url), 200]
        assert [await switch.minute() for _ in range(2)] == [1, 1]
        assert other.received == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/{}", "https://127.0.0.1:1/{}", "http://no-such-name.invalid/{}", "http://[{}"]
)
async def test_f135_its_address_is_in_no_error_and_no_log(
    address: str, caplog: pytest.LogCaptureFixture, switch: Switch
) -> None:
    caplog.set_level(logging.DEBUG)
    switch.address = address.format(SECRET)
    await switch.minute()
    switch.address = f"{switch.hook.url}?{SECRET}"
    switch.hook.answers = [404, 200]
    await switch.minute()
    await switch.minute()
    assert len(caplog.records) >= 3, "it says what happened"
    assert SECRET not in caplog.text
    assert SECRET not in switch.running.unheard
    assert SECRET not in await asked(address.format(SECRET))


async def test_the_same_trouble_is_logged_once(switch: Switch, caplog: pytest.LogCaptureFixture) -> None:
    switch.unfit = "No channel answers."
    for _ in range(3):
        await switch.minute()
    assert [each.message for each in caplog.records] == ["the outside gets no sign of life"]
