"""A mail server on loopback that keeps what it is handed and misbehaves on request.

    async with MailServer() as server:
        server.answers["RCPT TO:<gone@example.org>"] = ["550 no such user"]
        server.answers["."] = ["451 greylisted", OK]       # after the mail itself
        ... send to server.url("desk@example.org") ...
        server.mails[0].message["subject"]

An answer is looked for by the beginning of the command's line. A list is used up in order, then all is well again.
"""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Self

OK = "250 OK"
CUT = "cut"
"""The connection ends without an answer."""
DRIP = "drip"
"""An answer that never ends."""
SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as it was taken: whom the envelope named, and what was in it."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


class MailServer:
    """``tls``: offers STARTTLS with it, or speaks it from the first byte when ``implicit``. ``login``: user name and
    password that it demands. ``size``: the longest mail it says it takes."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: tuple[str, str] | None = None,
        size: int | None = None,
    ) -> None:  # fmt: skip
        self.answers: dict[str, list[str]] = {}
        self.mails: list[Mail] = []
        self.lines: list[str] = []
        """Every command, over all connections."""
        self.connections = 0
        self._tls, self._implicit, self._login, self._size = tls, implicit, login, size
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        context = self._tls if self._implicit else None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def url(self, *to: str, user: str = "", more: str = "") -> str:
        scheme = "smtps" if self._implicit else "smtp"
        return f"{scheme}://{user}127.0.0.1:{self.port}?from=wire@example.org&to={','.join(to)}{more}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            await _Session(self, reader, writer).run()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    def answer(self, line: str) -> str | None:
        """What was told to be said to this line."""
        for beginning, told in self.answers.items():
            if told and line.lower().startswith(beginning.lower()):
                return told.pop(0)
        return None


class _Session:
    """One connection."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.secure = server._implicit
        self.known = server._login is None
        self.sender, self.recipients = "", list[str]()

    async def run(self) -> None:
        await self._say(self.server.answer("") or "220 mail.example ready")
        while True:
            line = (await self.reader.readuntil(b"\n")).decode("latin-1").strip()
            self.server.lines.append(line)
            told = self.server.answer(line)
            if told in (CUT, DRIP, SILENCE):
                await self._misbehave(told)
                return
            if told is None or told[0] in "23":
                told = await self._obeyed(line)
            await self._say(told)
            if line.upper() == "STARTTLS" and told.startswith("220"):
                assert self.server._tls is not None
                await self.writer.start_tls(self.server._tls)
                self.secure = True
            if line.upper() == "QUIT" or told.startswith("421"):
                return

    async def _obeyed(self, line: str) -> str:
        verb = line.split(" ", maxsplit=1)[0].upper()
        if verb == "EHLO":
            return "\n".join(self._offers())
        if verb == "STARTTLS":
            return "220 go ahead"
        if verb == "AUTH":
            return self._logged_in(line)
        if verb == "MAIL":
            self.sender, self.recipients = _address(line), []
            return OK if self.known else "530 log in first"
        if verb == "RCPT":
            self.recipients.append(_address(line))
            return OK
        if verb == "DATA":
            return await self._taken()
        return "221 bye" if verb == "QUIT" else OK

    def _offers(self) -> list[str]:
        offers = ["mail.example"]
        if self.server._tls is not None and not self.secure:
            offers.append("STARTTLS")
        if self.server._login is not None:
            offers.append("AUTH PLAIN")
        if self.server._size is not None:
            offers.append(f"SIZE {self.server._size}")
        return [f"250{'-' if each is not offers[-1] else ' '}{each}" for each in offers]

    def _logged_in(self, line: str) -> str:
        _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
        self.known = (user, password) == self.server._login
        return "235 welcome" if self.known else "535 not you"

    async def _taken(self) -> str:
        await self._say("354 go on")
        raw = await self.reader.readuntil(b"\r\n.\r\n")
        mail = Mail(sender=self.sender, recipients=tuple(self.recipients), raw=raw[:-3].replace(b"\r\n..", b"\r\n."))
        told = self.server.answer(".") or OK
        if told in (CUT, DRIP, SILENCE):
            self.server.mails.append(mail)  # taken, and nobody is told
            await self._misbehave(told)
            raise ConnectionResetError
        if told.startswith("2"):
            self.server.mails.append(mail)
        return told

    async def _misbehave(self, how: str) -> None:
        while how == DRIP:
            self.writer.write(b"250-x")
            await self.writer.drain()
            await asyncio.sleep(0.02)
        if how == SILENCE:
            await asyncio.sleep(3600)
        self.writer.transport.abort()

    async def _say(self, told: str) -> None:
        self.writer.write(told.replace("\n", "\r\n").encode() + b"\r\n")
        await self.writer.drain()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
