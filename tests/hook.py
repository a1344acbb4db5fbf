"""A webhook receiver on loopback that records what it gets and misbehaves on request.

    async with Hook() as hook:
        hook.answers = [500, Say(429, headers={"Retry-After": "2"}), SLOW, 200]
        ... send to hook.url ...
        await hook.wait_for(4)

Answers are given in order; when they run out, ``hook.then`` (200) answers. Raw sockets, so that any answer is possible.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, whole."""

    at: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def key(self) -> str:
        return self.headers.get("x-wirewatch-key", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Say:
    """An answer. ``after`` seconds late, or when ``gate`` opens; ``drip``: one byte each so many seconds, for ever."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0
    gate: asyncio.Event | None = None
    drip: float = 0.0
    close: bool = False
    """Take the message, then cut the connection without an answer."""


NEVER = Say(after=3600)
"""Takes the message and never answers."""
CUT = Say(close=True)
DRIP = Say(drip=0.05)


def redirect(to: str, status: int = 302) -> Say:
    return Say(status, {"Location": to})


class Hook:
    """See the module. ``judge`` may choose the answer by the request (for one key, say) before the list does."""

    def __init__(self, *, port: int = 0) -> None:
        self.received: list[Received] = []
        self.said: list[Say] = []
        """What was answered to each, in the same order."""
        self.answers: list[int | Say] = []
        self.then: int | Say = 200
        self.judge: Callable[[Received], int | Say | None] = lambda received: None
        self._port = port
        self._changed = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=2**20)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hook"

    @property
    def keys(self) -> Counter[str]:
        """How often each key came."""
        return Counter(each.key for each in self.received)

    @property
    def repeats(self) -> dict[str, int]:
        """Keys that came more than once, and how many times too often."""
        return {key: count - 1 for key, count in self.keys.items() if count > 1}

    async def wait_for(self, count: int, *, timeout: float = 20) -> None:
        """Until that many requests came; TimeoutError when they do not."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= count)

    async def emptied(self) -> None:
        """Until everything that has come was read and every connection is closed: whoever sent it is gone."""
        await asyncio.sleep(0.01)  # what waits to be accepted
        while self._open:
            await asyncio.wait(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        received = await _read(reader)
        self.received.append(received)
        chosen = self.judge(received)
        if chosen is None:
            chosen = self.answers.pop(0) if self.answers else self.then
        say = Say(chosen) if isinstance(chosen, int) else chosen
        self.said.append(say)
        async with self._changed:
            self._changed.notify_all()
        await asyncio.sleep(say.after)
        if say.gate is not None:
            await say.gate.wait()
        if say.close:
            writer.transport.abort()
            return False
        await _write(writer, say)
        return True


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ")
    return Received(at=datetime.now(UTC), method=method, path=path, headers=headers, body=body)


async def _write(writer: asyncio.StreamWriter, say: Say) -> None:
    headers = {"Content-Length": str(10**9 if say.drip else len(say.body)), **say.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {say.status} said\r\n{head}\r\n".encode() + say.body)
    await writer.drain()
    while say.drip:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(say.drip)
