"""Mail, handed in at one SMTP server for several recipients, each with its own fate (F131).

    connected → TLS → logged in → sender → each recipient's answer → the mail, to those who were taken

Who has it is told as `Delivery.taken`, and is not mailed again when the message is retried for the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.policy
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b

import aiosmtplib
from aiosmtplib import SMTPAuthenticationError, SMTPDataError, SMTPRecipientRefused, SMTPSenderRefused

from config.smtp import MailServer, mail_server
from monitor.alerts.gathered import worded
from monitor.alerts.markup import HTML, PLAIN
from monitor.alerts.text import WORD_JOINER
from monitor.alerts.webhook import DEADLINE, webhook_id
from monitor.alerts.wording import NAMES, Form, Wording
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Clock

FORM = Form(body=100_000)
"""Readers of mail cut longer ones (Gmail: 102 kB)."""
_TOO_LONG = 552
_FAREWELL = 1.0
"""Seconds that a server may take to say goodbye: the mail is handed in by then."""
_PLAIN_SUBJECT = 66
"""Letters that fit a line after ``Subject: ``."""
_POLICY = email.policy.SMTP.clone(cte_type="7bit")  # every server takes it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """One recipient."""

    address: str = field(repr=False)
    name: str
    """Kept in the store: a hash of the address."""
    mask: str
    """For people: which of the addresses it is, without saying it."""


@dataclass(slots=True, kw_only=True)
class _Answers:
    """What came of each recipient so far. It is complete at every moment: the deadline may come at any."""

    people: tuple[_Person, ...]
    before: frozenset[str]
    """Names of those who had it."""
    taken: set[str]
    """Names of those who have it."""
    codes: dict[str, int] = field(default_factory=dict)
    """Of those who were not taken: what the server said, by name."""

    def delivery(self, failure: str = "", *, final: bool = False) -> Delivery:
        """``failure``: why the exchange as a whole broke off; ``final``: it always will."""
        left = self.waiting()
        if not left:
            return Delivery(verdict="sent")
        said = [f"{each.mask}: status {self.codes[each.name]}" for each in left if each.name in self.codes]
        detail = "; ".join([failure, *said] if failure else said)
        for_ever = final if failure else all(self.codes[each.name] // 100 == 5 for each in left)
        if not for_ever:
            # Only a server that was reached is well: who had it before says nothing of it now.
            taken = self.taken - self.before if failure else self.taken
            return Delivery(verdict="later", detail=detail, taken=tuple(sorted(taken)))
        if self.taken and not failure:
            return Delivery(verdict="sent", detail=f"not to all: {detail}")
        return Delivery(verdict="refused", detail=detail)

    def waiting(self) -> list[_Person]:
        return [each for each in self.people if each.name not in self.taken]


class _NoSafety(Exception):
    """The server offers no STARTTLS."""


class SmtpChannel:
    """One mail server and its recipients. A connection a message: servers close idle ones, and alerts are rare."""

    at_once = 2
    names = NAMES

    def __init__(self, name: str, url: str, *, wording: Wording, clock: Clock, deadline: float = DEADLINE) -> None:
        self.id = name
        self._server = mail_server(url)
        self._people = _people(self._server)
        self._wording = wording
        self._clock = clock
        self._deadline = deadline

    def __repr__(self) -> str:
        """The address is a secret (P12)."""
        return f"<smtp {self.id}>"

    async def send(self, parcel: Parcel) -> Delivery:
        """Texts of errors and answers are not told: they spell addresses."""
        before = frozenset(parcel.message.taken)
        answers = _Answers(people=self._people, before=before, taken=set(before))
        try:
            async with asyncio.timeout(self._deadline):
                await self._exchange(parcel, answers)
        except (SMTPAuthenticationError, SMTPSenderRefused) as error:
            what = "login" if isinstance(error, SMTPAuthenticationError) else "sender"
            return answers.delivery(f"{what} not taken: status {error.code}", final=error.code // 100 == 5)
        except TimeoutError:
            return answers.delivery(f"no answer within {self._deadline:g} s")
        except (aiosmtplib.SMTPException, OSError, _NoSafety) as error:
            return answers.delivery(_failure(error))
        return answers.delivery()

    async def close(self) -> None:
        return None

    # ------------------------------------------------------------------ one exchange

    async def _exchange(self, parcel: Parcel, answers: _Answers) -> None:
        waiting = answers.waiting()
        if not waiting:
            return
        client = self._client()
        try:
            await self._enter(client)
            for brief in (False, True):
                if await self._handed_in(client, self._mail(parcel, brief), waiting, answers):
                    break
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                async with asyncio.timeout(_FAREWELL):
                    await client.quit()
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=False,  # `_enter` asks for it, and says so when there is none
            local_hostname=_domain(server.sender),  # the machine's own name is nobody's business
            timeout=self._deadline,
        )

    async def _enter(self, client: aiosmtplib.SMTP) -> None:
        await client.connect()
        await client.ehlo()
        if self._server.tls == "starttls":
            if not client.supports_extension("starttls"):
                raise _NoSafety
            await client.starttls()
            await client.ehlo()
        if self._server.user:
            await client.login(self._server.user, self._server.password)

    async def _handed_in(
        self, client: aiosmtplib.SMTP, mail: bytes, waiting: Iterable[_Person], answers: _Answers
    ) -> bool:
        """Offer the mail to those who wait. False: it is too long for the server, and nobody has it."""
        options = [f"SIZE={len(mail)}"] if client.supports_extension("size") else []
        try:
            await client.mail(self._server.sender, options=options)
        except SMTPSenderRefused as error:
            if error.code == _TOO_LONG:
                answers.codes |= {each.name: error.code for each in waiting}
                return False
            raise
        accepted = []
        for person in waiting:
            try:
                await client.rcpt(person.address)
            except SMTPRecipientRefused as error:
                answers.codes[person.name] = _temporary(error.code)
            else:
                accepted.append(person.name)
        if not accepted:
            return True
        try:
            await client.data(mail)
        except SMTPDataError as error:
            answers.codes |= dict.fromkeys(accepted, error.code)
            return error.code != _TOO_LONG
        answers.taken |= set(accepted)
        return True

    # ------------------------------------------------------------------ the mail

    def _mail(self, parcel: Parcel, brief: bool) -> bytes:
        told = worded(parcel, self._wording, form=FORM, brief=brief)
        message, server = parcel.message, self._server
        mail = EmailMessage(policy=_POLICY)
        mail["From"] = Address(display_name="wirewatch", addr_spec=server.sender)
        mail["To"] = [Address(addr_spec=each) for each in server.recipients]
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = self._reference(webhook_id(message.key))
        if thread := _thread(parcel):
            mail["In-Reply-To"] = mail["References"] = self._reference(thread)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834, 5: nobody's absence notice answers it
        mail.set_content(told.text(PLAIN), charset="utf-8")
        mail.add_alternative(told.text(HTML), subtype="html", charset="utf-8")
        # Keys are ASCII without spaces: the library would encode one that is longer than its line.
        own = f"X-Wirewatch-Key: {message.key}\r\nSubject: {_subject(told.title())}\r\n"
        return own.encode() + mail.as_bytes()

    def _reference(self, name: str) -> str:
        return f"<{name}@{_domain(self._server.sender)}>"


def _failure(error: Exception) -> str:
    if isinstance(error, _NoSafety):
        return "the server offers no STARTTLS"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"status {error.code}" if error.code > 0 else "what answers is no mail server"
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "no safe connection: TLS failed, or the certificate is not good"
    return f"not reached ({type(error).__name__})"


def _subject(title: str) -> str:
    """A headline as a header: encoded whole (RFC 2047) unless it is short and plain. The library's own folding of a new
    message loses a space between two encoded words. What looks encoded already is broken up, since readers would
    decode it: a headline is only ever text (P10)."""
    safe = title.replace("=?", f"={WORD_JOINER}?")
    if safe.isascii() and len(safe) <= _PLAIN_SUBJECT:
        return safe
    return Header(safe, "utf-8", header_name="Subject").encode(linesep="\r\n")


def _thread(parcel: Parcel) -> str:
    """What mail readers put the messages of one item together by: a first message that nobody has. Several items have
    none, but for those that followed one within its cooldown."""
    items = {each.item.id for each in parcel.tellings}
    if parcel.message.kind == "cooldown":
        items = {each.gather.rpartition(":")[2] for each in parcel.message.alerts}
    return f"item.{items.pop()}" if len(items) == 1 else ""


def _people(server: MailServer) -> tuple[_Person, ...]:
    return tuple(
        _Person(
            address=address,
            name=blake2b(address.lower().encode(), digest_size=6).hexdigest(),
            mask=f"recipient {number} ({address[0]}…@{_domain(address)[0]}…)",
        )
        for number, address in enumerate(server.recipients, 1)
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _temporary(code: int) -> int:
    """RFC 5321, 4.5.3.1.10: too many recipients, which old servers say with 552."""
    return 452 if code == _TOO_LONG else code
