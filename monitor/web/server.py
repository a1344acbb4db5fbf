"""Uvicorn inside the service's loop: it neither takes the signals nor outlives the service."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from monitor.errors import WirewatchError

BACKLOG = 32
"""Connections that wait to be taken. While no descriptor is free, asyncio logs as many failures a second (F144)."""


class PageAddressTaken(WirewatchError):
    """The page's port is in use, or may not be used."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # the service stops us; it has the signals
        yield


@contextlib.asynccontextmanager
async def serving(
    app: FastAPI, address: str, *, any_port: bool = False, ending: Callable[[], None] = lambda: None
) -> AsyncIterator[str]:
    """Serve ``app`` at ``address`` (host:port) and give its real URL. ``any_port``: a free one when it is taken.
    ``ending`` is called when the block is left, to end what would be answered without end."""
    sock = _listen(address, any_port)
    host, port = sock.getsockname()[:2]
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            lifespan="off",
            backlog=BACKLOG,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
    finally:
        ending()
        server.should_exit = True
        await task
        sock.close()


def _listen(address: str, any_port: bool) -> socket.socket:
    parts = urlsplit(f"//{address}")
    host, port = parts.hostname or "127.0.0.1", parts.port or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in (port, 0) if any_port else (port,):
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: asyncio sets TCP_NODELAY then
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, attempt))
            sock.listen(BACKLOG)  # who asks before the server has begun waits, and is not turned away
        except OSError as error:
            sock.close()
            refused = error
            continue
        return sock
    taken = refused.errno == errno.EADDRINUSE
    why = "Another program has the port" if taken else "This account may not use the port"
    raise PageAddressTaken(
        f"The page cannot listen on {address}: {refused.strerror}. {why}: set [web] address in wirewatch.toml to "
        f"{'a free one' if taken else 'one from 1024 up'}."
    )
