"""The server: a thread, a loop, a listener for each address."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from html import escape
from typing import Any, Self

Behaviour = Callable[["Seen", "Wire"], Awaitable[None]]
"""Answers one request on the raw connection. Returning keeps the connection open unless it was closed."""

Entries = Sequence[tuple[str, str] | Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request, as it came."""

    at: float
    """`time.monotonic` of its arrival."""
    site: str
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An honest response."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    etag: str | None = None
    """Also makes the answer a 304 for a request that carries it."""

    async def __call__(self, seen: Seen, wire: Wire) -> None:
        headers, body, status = dict(self.headers), self.body, self.status
        if self.etag is not None:
            headers["ETag"] = self.etag
            if seen.headers.get("if-none-match") == self.etag:
                status, body = 304, b""
        if not any(name.lower() in ("content-length", "transfer-encoding") for name in headers) and status != 304:
            headers["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await wire.send(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body)


class Wire:
    """The raw connection under one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client hangs up."""
        while await self._reader.read(1024):
            pass

    @property
    def closed(self) -> bool:
        return self._writer.is_closing()


class Site:
    """One host: what it answers by path, and what it was asked."""

    def __init__(self, address: str, port: int, scheme: str, name: str) -> None:
        self.address, self.port, self.scheme, self.name = address, port, scheme, name
        self.requests: list[Seen] = []
        self.most_at_once = 0
        self._under_way = 0
        self._scripts: dict[str, list[Behaviour]] = {}

    @property
    def netloc(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def host(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    def url(self, path: str = "/") -> str:
        return self.host + path

    def paths(self) -> list[str]:
        return [seen.path for seen in self.requests]

    def on(self, path: str, *behaviours: Behaviour) -> None:
        """Answer ``path`` so; several take turns, the last one stays."""
        self._scripts[path] = list(behaviours)

    def answer(
        self, path: str, *, status: int = 200, headers: Mapping[str, str] | None = None, body: bytes | str = b"",
        etag: str | None = None,
    ) -> None:  # fmt: skip
        body = body.encode() if isinstance(body, str) else body
        self.on(path, Answer(status=status, headers=headers or {}, body=body, etag=etag))

    def answers(self, path: str, *answers: Behaviour) -> None:
        self.on(path, *answers)

    def feed(self, path: str, entries: Entries, *, etag: str | None = "auto", title: str = "News") -> None:
        """An RSS feed of (title, link) pairs, or of mappings of RSS elements. ``etag=None``: no validators."""
        body = rss([_absolute(entry, self.host) for entry in entries], title=title)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if etag == "auto" else etag
        self.answer(path, headers={"Content-Type": "application/rss+xml; charset=utf-8"}, body=body, etag=tag)

    def robots(self, text: str = "", *, status: int = 200) -> None:
        self.answer("/robots.txt", status=status, headers={"Content-Type": "text/plain"}, body=text)

    async def serve(self, seen: Seen, wire: Wire) -> None:
        self.requests.append(seen)
        script = self._scripts.get(seen.path) or self._scripts.get("*") or [Answer(status=404)]
        behaviour = script.pop(0) if len(script) > 1 else script[0]
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            await behaviour(seen, wire)
        finally:
            self._under_way -= 1


class NewsServer:
    """All sites, in a thread; use as a context manager."""

    def __init__(self) -> None:
        self.sites: dict[tuple[str, str], Site] = {}
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="newsserver", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def allow(self) -> tuple[str, ...]:
        """The exact exceptions the guard needs, and no more."""
        return tuple(site.netloc for site in self.sites.values())

    def site(self, address: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None, name: str | None = None) -> Site:
        """The site at a loopback address; ``tls`` makes it https, ``name`` is what the stub resolver calls it."""
        scheme = "https" if tls else "http"
        if (address, scheme) not in self.sites:
            port = self._run(self._listen(address, tls))
            self.sites[address, scheme] = Site(address, port, scheme, name or address)
        return self.sites[address, scheme]

    def _run(self, coroutine: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(10)

    async def _listen(self, address: str, tls: ssl.SSLContext | None) -> int:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._converse(address, "https" if tls else "http", reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        port = 0 if tls else self._port
        server = await asyncio.start_server(connected, address, port, ssl=tls, backlog=1024, limit=2**20)
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        if not tls:
            self._port = bound
        return bound

    async def _converse(
        self, address: str, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        wire = Wire(reader, writer)
        try:
            while not wire.closed and (seen := await _request(address, reader)) is not None:
                await self.sites[address, scheme].serve(seen, wire)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client hung up, as it may
        finally:
            writer.close()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await asyncio.sleep(0)


async def _request(address: str, reader: asyncio.StreamReader) -> Seen | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    fields = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(at=time.monotonic(), site=address, method=method, path=path, headers=headers)


def rss(entries: Iterable[Mapping[str, str]], *, title: str = "News") -> bytes:
    """An RSS 2.0 document; an entry maps element names to texts."""
    items = "".join(
        "<item>" + "".join(f"<{name}>{escape(text)}</{name}>" for name, text in entry.items()) + "</item>\n"
        for entry in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>http://example.org/</link>\n{items}</channel></rss>"
    ).encode()


def _absolute(entry: tuple[str, str] | Mapping[str, str], host: str) -> Mapping[str, str]:
    if isinstance(entry, Mapping):
        return entry
    title, link = entry
    link = link if "://" in link else host + link
    return {"title": title, "link": link, "guid": link}
