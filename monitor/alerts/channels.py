"""Where alerts go, built from the configuration. The only place that knows Apprise.

Addresses and secrets stay inside the channel objects: they are in no message, no error, no ``repr``, and Apprise's
own log goes nowhere (P12, F135).
"""

from __future__ import annotations

import asyncio
import copy
import logging
import re
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from config.errors import ConfigError, Problem
from config.model import Channel as Configured
from config.model import Config
from monitor import health
from monitor.alerts.local import FileChannel, PageChannel, StdoutChannel
from monitor.alerts.webhook import DEADLINE, NEVER, UNFIT, WebhookChannel, webhook_id
from monitor.alerts.wording import Form, Message, Wording
from monitor.clock import SystemClock
from monitor.model import Alert, Delivery, Item
from monitor.ports import Channel, Clock


def open_channels(config: Config, *, clock: Clock | None = None) -> Mapping[str, Channel]:
    """Every channel of the configuration by id. Raises `ConfigError` naming all that cannot be used; never the
    address itself. The first Apprise address takes a second or more (all its plugins are read): call it from a
    thread when a loop is running."""
    clock = clock or SystemClock()
    wording = wording_of(config)
    opened: dict[str, Channel] = {}
    problems: list[Problem] = []
    for told in config.settings.channel:
        try:
            opened[told.id] = _open(told, config, wording, clock)
        except ValueError as error:
            problems.append(_problem(config, told, str(error)))
    if problems:
        raise ConfigError(problems)
    return opened


def wording_of(config: Config) -> Wording:
    own = health.built_in_watch(config.settings)
    outlets = {outlet.id: outlet.name for outlet in (*config.outlets.values(), health.built_in_outlet())}
    watches = {watch.id: watch.title for watch in (*config.watches.values(), own)}
    settings = config.settings
    return Wording(zone=settings.service.time_zone, outlets=outlets, watches=watches, page=settings.web.public_url)


def _open(told: Configured, config: Config, wording: Wording, clock: Clock) -> Channel:
    """ValueError, fit for the operator and without any secret, when it cannot be."""
    address = _address(told, config)
    kind, _, rest = address.partition(":")
    if address == "page":
        return PageChannel(told.id)
    if address == "stdout":
        return StdoutChannel(told.id, wording=wording, clock=clock)
    if kind == "file":
        return FileChannel(told.id, Path(config.folder or ".") / rest, wording=wording, clock=clock)
    if kind == "webhook":
        secret = _secret(config, f"channel.{told.id}.secret") if told.secret else None
        return WebhookChannel(told.id, rest, secret=secret, wording=wording, clock=clock)
    return AppriseChannel(told.id, address, wording=wording, clock=clock)


def _address(told: Configured, config: Config) -> str:
    if isinstance(told.url, str) and not told.url.startswith("env:"):
        return told.url
    return _secret(config, f"channel.{told.id}.url").strip()


def _secret(config: Config, name: str) -> str:
    if name not in config.secrets:
        raise ValueError("the value it refers to was not read")
    return str(config.secrets[name].get_secret_value())


def _problem(config: Config, told: Configured, message: str) -> Problem:
    place = config.places.get(f"channel.{told.id}.url")
    return Problem(
        file=place.file if place else "wirewatch.toml",
        line=place.line if place else 1,
        column=place.column if place else 1,
        key=f"channel.{told.id}",
        message=message,
    )


# ------------------------------------------------------------------ Apprise

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

_statuses: ContextVar[list[int] | None] = ContextVar("statuses", default=None)
_message_id: ContextVar[str] = ContextVar("message_id", default="")


class _Statuses(logging.Filter):
    """Apprise tells an HTTP status in its log only: the number is kept, the text (it may hold secrets) dropped."""

    _said = re.compile(r"\berror=(\d{3})\b")

    def filter(self, record: logging.LogRecord) -> bool:
        kept = _statuses.get()
        if kept is not None:
            kept.extend(int(status) for status in self._said.findall(record.getMessage()))
        return False


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
        self._pace = min(float(self._service.request_rate_per_sec), 0.0 if self._mail else _SLOWEST_PACE)
        self._free_at = 0.0
        self._stuck: list[threading.Thread] = []

    def __repr__(self) -> str:
        return f"<apprise {self.id}>"

    async def send(self, alert: Alert, item: Item, *, copies: Sequence[Item] = (), was: str = "") -> Delivery:
        await self._clock.sleep(max(0.0, self._free_at - self._clock.monotonic()))
        form = Form(
            title=self._service.title_maxlen or Form().title, body=self._service.body_maxlen, chat=not self._mail
        )
        try:
            async with asyncio.timeout(self._deadline):
                for brief in (False, True):
                    message = self._wording.message(
                        alert, item, copies, was=was, sent=self._clock.now(), form=form, brief=brief
                    )
                    delivery, unfit = await self._try(alert, message)
                    if not unfit:
                        return delivery
                return delivery
        except TimeoutError:
            return Delivery(verdict="later", detail=f"no answer within {self._deadline:g} s")
        finally:
            self._free_at = self._clock.monotonic() + self._pace

    async def close(self) -> None:
        return None

    async def _try(self, alert: Alert, message: Message) -> tuple[Delivery, bool]:
        """The delivery, and whether the receiver found the message itself unfit (400, 413)."""
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) >= _STUCK_AT_MOST:
            return Delivery(verdict="later", detail="earlier messages have not ended"), False
        content = self._content(message)
        try:
            sent, statuses = await self._in_thread(self._for(alert), content, webhook_id(alert.key))
        except Exception as error:  # noqa: BLE001  # a plugin's own fault; its text may hold the address
            return Delivery(verdict="later", detail=f"{self._service.service_name}: {type(error).__name__}"), False
        if sent:
            return Delivery(verdict="sent"), False
        detail = ", ".join(f"status {status}" for status in sorted(statuses)) or "not taken"
        if statuses and statuses <= NEVER | UNFIT:
            return Delivery(verdict="refused", detail=detail), statuses <= UNFIT
        return Delivery(verdict="later", detail=detail), False

    def _content(self, message: Message) -> dict[str, Any]:
        """Title and body in the service's own format, so that Apprise converts nothing."""
        body = {"html": message.html, "markdown": message.markdown, "text": message.body}[self._format]
        # Where a title would be rendered as markup it is left out: the body begins with the same words.
        titled = self._mail or (self._format == "text" and self._service.title_maxlen > 0)
        return {"title": message.title if titled else "", "body": body}

    def _for(self, alert: Alert) -> Any:
        """The service with the alert's key on its message, where it can carry headers."""
        service = copy.copy(self._service)
        if isinstance(getattr(service, "headers", None), dict):
            service.headers = {**service.headers, "X-Wirewatch-Key": alert.key}
        return service

    async def _in_thread(self, service: Any, content: dict[str, Any], message: str) -> tuple[bool, frozenset[int]]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[bool, frozenset[int]]] = loop.create_future()
        format_ = self._format

        def settle(result: tuple[bool, frozenset[int]] | None, error: Exception | None) -> None:
            if done.done():  # too late: the deadline has passed
                return
            if error is not None or result is None:
                done.set_exception(error or RuntimeError("no result"))
            else:
                done.set_result(result)

        def work() -> None:
            statuses: list[int] = []
            _statuses.set(statuses)
            _message_id.set(message)
            result, failed = None, None
            try:
                sent = service.notify(**content, body_format=format_, body_passthrough=False)
                result = bool(sent), frozenset(statuses)
            except Exception as error:  # noqa: BLE001  # told as the result, above
                failed = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, failed)

        thread = threading.Thread(target=work, name=f"apprise {self.id}", daemon=True)
        self._stuck.append(thread)
        thread.start()
        return await done


def _service(url: str) -> Any:
    """Apprise's object for an address, redirects forbidden whatever the address says (F127)."""
    _silence()
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  # 0.2 s, only where it is used

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
    mail = sys.modules.get("apprise.plugins.email.base")
    if mail is not None:
        _steady_message_ids(mail)
    return service


def _silence() -> None:
    """Apprise's log spells addresses and header tokens, urllib3's debug log spells paths (F135)."""
    logger = logging.getLogger("apprise")
    if not any(isinstance(each, _Statuses) for each in logger.filters):
        logger.addFilter(_Statuses())
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
