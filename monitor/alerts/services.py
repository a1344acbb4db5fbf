"""Chats, push services and all else that Apprise knows, one service a channel. The only place that knows Apprise.

Addresses and secrets stay inside the channel: they are in no message, no error, no ``repr``, and Apprise's own log goes
nowhere (P12, F135).
"""

from __future__ import annotations

import asyncio
import copy
import logging
import re
import sys
import threading
import warnings
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitor.alerts.gathered import Gathered, names, worded
from monitor.alerts.markup import HTML, MARKDOWN, PLAIN
from monitor.alerts.single import Single
from monitor.alerts.webhook import DEADLINE, NEVER, UNFIT, webhook_id, wish_inside
from monitor.alerts.wording import Form, Wording
from monitor.model.messages import Delivery, Parcel
from monitor.ports import Clock

_MAIL = frozenset({"mailto", "mailtos"})
_MARKDOWN_IN_ANY_CASE = frozenset(
    {"discord", "gchat", "guilded", "mmost", "mmosts", "msteams", "revolt", "rocket", "rockets", "webex"}
    | {"workflow", "workflows", "wxteams", "zulip"}
)
"""Chats that render Markdown also in what they are sent as plain text."""

_SLOWEST_PACE = 1.2
"""Seconds between two messages of one channel at most: Apprise's own default of 5.5 would hold a thousand alerts
for an hour and a half; who needs longer says so with 429."""

_STUCK_AT_MOST = 4

_WAIT_AT_LEAST = timedelta(seconds=60)
"""After 429: Apprise does not pass a ``Retry-After`` on, and who is asked too often often counts on."""

_message_id: ContextVar[str] = ContextVar("message_id", default="")


class _Silent(logging.Filter):
    """Nothing passes: Apprise's log spells addresses and header tokens (F135)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


class _Ear(logging.Logger):
    """Stands in for Apprise's log during one send. A status and what the receiver said with it are told there only;
    they are kept, and the texts (they may hold secrets) end here."""

    _said = re.compile(r"\berror=(\d{3})\b")

    def __init__(self) -> None:
        super().__init__("apprise heard", logging.DEBUG)
        self.statuses: set[int] = set()
        self.answer = b""

    def handle(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.statuses |= {int(status) for status in self._said.findall(record.getMessage())}
        elif str(record.msg).startswith("Response Details") and isinstance(record.args, tuple):
            self.answer = next((told for told in record.args if isinstance(told, bytes)), b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Came:
    """What came of one call of a service."""

    sent: bool
    statuses: frozenset[int] = frozenset()
    answer: bytes = field(default=b"", repr=False)


class AppriseChannel:
    """One service of Apprise: one call a message, in a thread of its own, with a deadline and without redirects.

    Apprise's own asynchronous call shares six threads among all services, so that one slow service holds up the
    others (P6), and a thread past its deadline would hold up our end: hence daemon threads, at most
    ``_STUCK_AT_MOST`` of them left behind a channel.
    """

    at_once = 1

    def __init__(self, name: str, url: str, *, wording: Wording, clock: Clock, deadline: float = DEADLINE) -> None:
        self.id = name
        self._service = _service(url)
        self._wording = wording
        self._clock = clock
        self._deadline = deadline
        self._mail = not _schemes(self._service).isdisjoint(_MAIL)
        self._format = _format(self._service)
        self._form = _form(self._service, chat=not self._mail, titled=self._titled)
        self.names = names(self._form.body)
        self._pace = min(float(self._service.request_rate_per_sec), 0.0 if self._mail else _SLOWEST_PACE)
        self._free_at = 0.0
        self._stuck: list[threading.Thread] = []

    def __repr__(self) -> str:
        return f"<apprise {self.id}>"

    async def send(self, parcel: Parcel) -> Delivery:
        await self._clock.sleep(max(0.0, self._free_at - self._clock.monotonic()))
        try:
            async with asyncio.timeout(self._deadline):
                for brief in (False, True):
                    told = worded(parcel, self._wording, form=self._form, brief=brief)
                    delivery, unfit = await self._try(parcel.message.key, told)
                    if not unfit:
                        return delivery
                return delivery
        except TimeoutError:
            return Delivery(verdict="later", detail=f"no answer within {self._deadline:g} s")
        finally:
            self._free_at = self._clock.monotonic() + self._pace

    async def close(self) -> None:
        return None

    @property
    def _titled(self) -> bool:
        """Where a title would be rendered as markup it is left out: the body begins with the same words."""
        return self._mail or (self._format == "text" and self._service.title_maxlen > 0)

    async def _try(self, key: str, told: Single | Gathered) -> tuple[Delivery, bool]:
        """The delivery, and whether the receiver found the message itself unfit (400, 413)."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= _STUCK_AT_MOST:
            return Delivery(verdict="later", detail="earlier messages have not ended"), False
        try:
            came = await self._in_thread(key, self._content(told))
        except Exception as error:  # noqa: BLE001  # a plugin's own fault; its text may hold the address
            return Delivery(verdict="later", detail=f"{self._service.service_name}: {type(error).__name__}"), False
        if came.sent:
            return Delivery(verdict="sent"), False
        detail = ", ".join(f"status {status}" for status in sorted(came.statuses)) or "not taken"
        if came.statuses and came.statuses <= NEVER | UNFIT:
            return Delivery(verdict="refused", detail=detail), came.statuses <= UNFIT
        return Delivery(verdict="later", detail=detail, retry_after=_wish(came)), False

    def _content(self, told: Single | Gathered) -> dict[str, Any]:
        """Title and body in the service's own format, so that Apprise converts nothing."""
        body = told.text({"html": HTML, "markdown": MARKDOWN, "text": PLAIN}[self._format])
        return {"title": told.title() if self._titled else "", "body": body}

    def _for(self, key: str, ear: _Ear) -> Any:
        """The service for one message: with the message's key on it, where it can carry headers."""
        service = copy.copy(self._service)
        service.logger = ear
        if isinstance(getattr(service, "headers", None), dict):
            service.headers = {**service.headers, "X-Wirewatch-Key": key}
        return service

    async def _in_thread(self, key: str, content: dict[str, Any]) -> _Came:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Came] = loop.create_future()
        ear = _Ear()
        service = self._for(key, ear)

        def settle(came: _Came | None, error: Exception | None) -> None:
            if done.done():  # too late: the deadline has passed
                return
            if error is not None or came is None:
                done.set_exception(error or RuntimeError("no result"))
            else:
                done.set_result(came)

        def work() -> None:
            _message_id.set(webhook_id(key))
            came, failed = None, None
            try:
                sent = bool(service.notify(**content, body_format=self._format, body_passthrough=False))
                came = _Came(sent=sent, statuses=frozenset(ear.statuses), answer=ear.answer)
            except Exception as error:  # noqa: BLE001  # told as the result, above
                failed = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, came, failed)

        thread = threading.Thread(target=work, name=f"apprise {self.id}", daemon=True)
        self._stuck.append(thread)
        thread.start()
        return await done


def _wish(came: _Came) -> timedelta | None:
    """How long to leave the service alone (F124)."""
    if 429 not in came.statuses:
        return wish_inside(came.answer) if 503 in came.statuses else None
    return wish_inside(came.answer) or _WAIT_AT_LEAST


def _service(url: str) -> Any:
    """Apprise's object for an address, redirects forbidden whatever the address says (F127)."""
    _silence()
    from apprise import Apprise, AppriseAsset, OverflowMode  # noqa: PLC0415  # 0.2 s, only where it is used

    asset = AppriseAsset(
        app_id="wirewatch", app_desc="wirewatch", app_url="", http_redirects=False, storage_mode="memory"
    )
    with warnings.catch_warnings():
        # The first address loads all plugins, and with them modules that are deprecated in some Python (imghdr).
        warnings.simplefilter("ignore", DeprecationWarning)
        service = Apprise.instantiate(url, asset=asset)
    if service is None:
        raise ValueError("Apprise does not know such an address, or a part of it is missing")
    service.redirects = False
    service.interpret_emojis = False  # ":smile:" in a headline is text
    # A message of ours fits: it is cut by nobody else, and never split into several.
    service.overflow_mode, service.body_max_line_count = OverflowMode.UPSTREAM, 0
    mail = sys.modules.get("apprise.plugins.email.base")
    if mail is not None:
        _steady_message_ids(mail)
    return service


def _silence() -> None:
    """Whatever Apprise says outside a send; and urllib3's debug log, which spells paths (F135)."""
    logger = logging.getLogger("apprise")
    if not any(isinstance(each, _Silent) for each in logger.filters):
        logger.addFilter(_Silent())
    logger.setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.WARNING)


def _steady_message_ids(mail: Any) -> None:
    """The same Message-ID on every attempt of an alert (F131). Apprise offers no way to give one, so its generator
    is replaced in its mail module; outside a send of ours it works as before."""
    original = mail.make_msgid
    if getattr(original, "wirewatch", False):
        return

    def make_msgid(idstring: str | None = None, domain: str | None = None) -> str:
        given = _message_id.get()
        return f"<{given}@{domain or 'wirewatch.invalid'}>" if given else str(original(idstring, domain))

    make_msgid.wirewatch = True  # type: ignore[attr-defined]
    mail.make_msgid = make_msgid


def _form(service: Any, *, chat: bool, titled: bool) -> Form:
    """What the service takes; a title may count as part of the body."""
    title, body = int(service.title_maxlen) or Form().title, int(service.body_maxlen)
    if titled and service.overflow_amalgamate_title:
        body -= title
    return Form(title=title, body=body, chat=chat)


def _format(service: Any) -> str:
    """``text`` where it is taken literally, else what the service speaks."""
    from apprise import NotifyFormat  # noqa: PLC0415

    schemes = _schemes(service)
    if schemes & _MARKDOWN_IN_ANY_CASE:
        return "markdown"
    order = ("html", "text", "markdown") if schemes & _MAIL else ("text", "html", "markdown")
    return next(name for name in order if service.resolve_format(NotifyFormat(name)) == NotifyFormat(name))


def _schemes(service: Any) -> frozenset[str]:
    """What addresses of this service begin with; the one in use may be another (a service's own https link)."""
    told = (service.protocol, service.secure_protocol)
    return frozenset(name for each in told if each for name in ((each,) if isinstance(each, str) else each))
