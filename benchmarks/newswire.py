"""A plain, fast news site for benchmarks, in a process of its own: every address of 127/8 is another host.

What a host answers at ``/feed`` is decided by the bodies it was
handed; ETag and 304 are done right, robots.txt is 404.
Connections are kept open until `Newswire.hang_up`.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(slots=True)
class Newswire:
    """The parent's handle: where it listens, and what its hosts serve from now on."""

    port: int
    pid: int
    _pipe: Connection

    def serve(self, bodies: Mapping[str, bytes]) -> None:
        """Give hosts (dotted addresses) their bodies; the others keep theirs."""
        self._pipe.send(dict(bodies))
        self._pipe.recv()

    def hang_up(self) -> None:
        """Close every connection, as servers have long done when the next poll comes."""
        self._pipe.send("hang up")
        self._pipe.recv()

    def requests(self) -> int:
        """How many requests were answered since the last asking."""
        self._pipe.send("count")
        return int(self._pipe.recv())


@contextmanager
def newswire() -> Iterator[Newswire]:
    """Start the site on a free port and end it with the block."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("0.0.0.0", 0))
    sock.listen(4096)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_main, args=(sock, theirs), daemon=True)
    process.start()
    assert process.pid is not None
    try:
        yield Newswire(sock.getsockname()[1], process.pid, ours)
    finally:
        process.terminate()
        process.join()
        sock.close()


def _main(sock: socket.socket, pipe: Connection) -> None:
    asyncio.run(_Site(pipe).run(sock))


class _Site:
    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._bodies, self._count = pipe, dict[str, tuple[bytes, bytes]](), 0
        self._open: set[asyncio.StreamWriter] = set()

    async def run(self, sock: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._told)
        server = await asyncio.start_server(self._talk, sock=sock)
        await server.serve_forever()

    def _told(self) -> None:
        message = self._pipe.recv()
        if message == "count":
            self._pipe.send(self._count)
            self._count = 0
            return
        if message == "hang up":
            for writer in self._open:
                writer.close()
            self._pipe.send(True)
            return
        for host, body in message.items():
            self._bodies[host] = (body, b'"' + hashlib.blake2b(body, digest_size=8).hexdigest().encode() + b'"')
        self._pipe.send(True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self._count += 1
                writer.write(self._answer(host, head))
                await writer.drain()
                if b"onnection: close" in head:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    def _answer(self, host: str, head: bytes) -> bytes:
        body, etag = self._bodies.get(host, (b"", b'""'))
        if head.startswith(b"GET /robots.txt") or not body:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        if b"f-None-Match: " + etag in head or b"f-none-match: " + etag in head:
            return b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n"
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml; charset=utf-8\r\nETag: " + etag
            + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )  # fmt: skip
