"""What the world does to a request, one small behaviour each: ``site.on(path, drip(body))``."""

from __future__ import annotations

import asyncio
import threading

from tests.newsserver.server import Behaviour, Seen, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"


async def drop(seen: Seen, wire: Wire) -> None:
    """Close before the status line."""
    wire.close()


async def reset(seen: Seen, wire: Wire) -> None:
    """RST before the status line."""
    wire.reset()


async def stall(seen: Seen, wire: Wire) -> None:
    """Accept, then say nothing."""
    await wire.gone()


async def garbage(seen: Seen, wire: Wire) -> None:
    """A feed where the status line should be."""
    await wire.send(b"<rss/>\r\n\r\n")
    wire.close()


def drip(body: bytes, *, every: float = 0.05, head: bytes | None = None) -> Behaviour:
    """One byte at a time, headers included unless ``head`` is sent at once."""

    async def behave(seen: Seen, wire: Wire) -> None:
        whole = OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        if head is not None:
            await wire.send(head)
            whole = body
        for place in range(len(whole)):
            await wire.send(whole[place : place + 1])
            await asyncio.sleep(every)

    return behave


def slow(after: float, then: Behaviour) -> Behaviour:
    """Answer late."""

    async def behave(seen: Seen, wire: Wire) -> None:
        await asyncio.sleep(after)
        await then(seen, wire)

    return behave


def held(gate: threading.Event, then: Behaviour) -> Behaviour:
    """Answer when the gate opens."""

    async def behave(seen: Seen, wire: Wire) -> None:
        while not gate.is_set():
            await asyncio.sleep(0.005)
        await then(seen, wire)

    return behave


def short(body: bytes, *, promised: int) -> Behaviour:
    """Promise more than is sent."""

    async def behave(seen: Seen, wire: Wire) -> None:
        await wire.send(OK + f"Content-Length: {promised}\r\n\r\n".encode() + body)
        wire.close()

    return behave


def bad_chunk(body: bytes) -> Behaviour:
    """One good chunk, then a size that is no number."""

    async def behave(seen: Seen, wire: Wire) -> None:
        await wire.send(OK + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(body) + b"ZZZ\r\nmore\r\n")
        wire.close()

    return behave


def no_last_chunk(body: bytes) -> Behaviour:
    async def behave(seen: Seen, wire: Wire) -> None:
        await wire.send(OK + b"Transfer-Encoding: chunked\r\n\r\n" + _chunk(body))
        wire.close()

    return behave


async def endless_chunks(seen: Seen, wire: Wire) -> None:
    await wire.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while not wire.closed:
        await wire.send(_chunk(b"<item/>" * 4096))


async def huge_header(seen: Seen, wire: Wire) -> None:
    """50 MB of one header."""
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Large: ")
    for _ in range(50):
        await wire.send(b"x" * 1024 * 1024)
    await wire.send(b"\r\nContent-Length: 0\r\n\r\n")


async def many_headers(seen: Seen, wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        await wire.send(f"X-{number}: {'y' * 40}\r\n".encode())
    await wire.send(b"Content-Length: 0\r\n\r\n")


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"
