"""The sign of life to the outside (F134): a dead-man switch, asked every minute, notices when it stays out.

It is given only while everything holds that makes the service worth trusting (`Status.unfit`), and only after a write
to the store that succeeded just now. Its address is a secret: it stands in no log, and no error's text does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp

from monitor.clock import rest
from monitor.errors import StoreError
from monitor.ports import Clock
from monitor.service.running import Running

log = logging.getLogger(__name__)

EVERY = 60.0
DEADLINE = 10.0
"""Seconds for one whole asking."""


class DeadMan:
    """``address``: where to ask, if anywhere, at each moment; ``write``: writes to the store; ``unfit``: why the
    outside must not hear that all is well."""

    def __init__(
        self,
        address: Callable[[], str | None],
        write: Callable[[], Awaitable[None]],
        unfit: Callable[[], str],
        clock: Clock,
        running: Running,
    ) -> None:
        self._address, self._write, self._unfit = address, write, unfit
        self._clock, self._running = clock, running
        self._said = ""

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await rest(self._clock, EVERY, stop)
            if not stop.is_set():
                self._running.unheard = await self._minute()

    async def _minute(self) -> str:
        """Ask, if all is well; what the desk should know of it."""
        address = self._address()
        if address is None:
            return ""
        if why := await self._why_not():
            self._say("the outside gets no sign of life", why)
            return ""
        failed = await asked(address)
        self._say("the sign of life was not taken" if failed else "the sign of life was taken", failed)
        return f"The dead-man switch did not take the last sign of life: {failed}." if failed else ""

    async def _why_not(self) -> str:
        if why := self._unfit():
            return why
        try:
            await self._write()
        except StoreError as error:
            self._running.troubled(error)
            return f"The store cannot be written: {error}"
        return self._unfit()  # a write may have waited long

    def _say(self, phrase: str, why: str) -> None:
        """Once, until it is another."""
        if self._said != f"{phrase} {why}":
            self._said = f"{phrase} {why}"
            log.log(logging.WARNING if why else logging.INFO, phrase, extra={"reason": why} if why else None)


async def asked(address: str) -> str:
    """Ask once, without following anybody elsewhere and past every proxy of the environment; why it was not taken, or
    nothing."""
    try:
        async with (
            asyncio.timeout(DEADLINE),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
            session.get(address, allow_redirects=False, headers={"user-agent": "wirewatch"}) as answer,
        ):
            return "" if 200 <= answer.status < 300 else f"status {answer.status}"
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return type(error).__name__
