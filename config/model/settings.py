"""``wirewatch.toml``: the service, the store, the page, channels, and how alike stories must be."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from config.model.fields import DayTime, Duration, Id, Reference, Severity, Told, Zone, refused, web_address


def _address_or_nothing(text: object) -> str:
    return "" if text == "" else web_address(text)


class Service(Told):
    """``[service]``: who we say we are, and what counts as news on a first poll."""

    user_agent: str = "wirewatch/0.1 (+https://example.org/contact)"
    """Sent with every request; put an address in it at which a publisher reaches you."""
    time_zone: Zone = "Asia/Jerusalem"
    """The zone in which people here read times; everything is kept in UTC."""
    baseline: Duration = timedelta(hours=2)
    """On the first poll of a source, what is dated younger is told; the rest, undated too, is filed and listed."""
    notify: tuple[Id, ...] = ()
    """Ids of the channels that get notices of the service itself: a source dead or back, an alert undeliverable."""
    canary: Id | None = None
    """Channel that the hourly canary is sent to, through the whole path; without one it ends inside the service."""
    heartbeat_url: Reference | None = None
    """Asked every minute while all is well (GET), so that an outside dead-man switch notices when it is not:
    ``env:NAME`` or ``file:PATH``."""


class Retention(Told):
    """How long texts are kept. Identity and alert keys outlive them (at least 400 days)."""

    bodies: Duration = timedelta(days=180)
    """How long the text of an article is kept."""
    revisions: Duration = timedelta(days=365)
    """How long earlier versions of an article are kept."""


class StoreSettings(Told):
    """``[store]``: where everything is kept."""

    url: str = "sqlite:///wirewatch.db"
    """The database; a relative path starts at the folder of this file."""
    retention: Retention = Retention()
    """How long texts are kept."""


def store_path(url: str, folder: Path | None) -> Path | None:
    """The file that a store's address names, ``sqlite:///relative.db`` (to ``folder``) or ``sqlite:////absolute.db``;
    ``None`` when it names none."""
    found = re.fullmatch(r"sqlite:///([^?#\0]+)", url)
    if found is None or found[1].startswith(":memory:"):
        return None
    return (folder or Path.cwd()) / found[1]


class WebToken(Told):
    """``[[web.token]]``: a door for one of your other tools: API, feeds, exports, metrics."""

    id: Id
    """Stands beside what the tool reviews."""
    secret: Reference
    """What it shows (``Authorization: Bearer …``), at least 24 characters: ``env:NAME`` or ``file:PATH``."""
    may: Literal["read", "review"] = "read"
    """``review``: also give verdicts, acknowledge, send again and mute."""


def _listening(text: object) -> str:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})", str(text))
    if found is None or int(found[3]) > 65535:
        raise ValueError('write where the page listens as host:port: "127.0.0.1:8737", "[::1]:8737", "0.0.0.0:8737"')
    if found[1].startswith("[") or re.fullmatch(r"[\d.]+", found[1]):
        try:
            ip_address(found[1].strip("[]"))
        except ValueError:
            raise ValueError(f"{found[1]} is no IP address") from None
    return str(text)


class Web(Told):
    """``[web]``: where the page listens, and who may come in.

    Without a password and tokens there is no login, and the page listens on loopback only. With any of them nothing but
    ``/health`` is told to anybody who has not shown one.
    """

    address: Annotated[
        str, BeforeValidator(_listening), WithJsonSchema({"type": "string", "pattern": r"^\S+:\d{1,5}$"})
    ] = "127.0.0.1:8737"
    """Where the page listens, as ``host:port``. Other machines reach it only where it is no loopback address, which
    needs `password` or a `token`."""
    public_url: Annotated[str, BeforeValidator(_address_or_nothing)] = ""
    """The page's address as others reach it; alerts carry links when it is set."""
    password: Reference | None = None
    """Asked by the page, with a name, at least 10 characters: ``env:NAME`` or ``file:PATH``."""
    token: tuple[WebToken, ...] = ()
    """For other tools; one table each. The page takes a token's secret for a password, too."""

    @property
    def host(self) -> str:
        """Of `address`, without brackets."""
        return self.address.rpartition(":")[0].strip("[]").lower()

    @property
    def locked(self) -> bool:
        """Whether who comes in must show something."""
        return self.password is not None or bool(self.token)

    @model_validator(mode="after")
    def _locked_unless_loopback(self) -> Self:
        ids = [each.id for each in self.token]
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise refused(f'two tokens are called "{name}"', "token", index, "id")
        if not self.locked and not _loopback(self.host):
            raise refused(
                "other machines can reach this address, and there is no login: set `password` or a [[web.token]], or "
                'stay on loopback ("127.0.0.1:8737")',
                "address",
            )
        return self


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Allow(Told):
    """``[allow]``: exact ``host:port`` exceptions from "public addresses only"."""

    fetch: tuple[Annotated[str, StringConstraints(pattern=r"^\S+:\d{1,5}$")], ...] = ()
    """Exact ``host:port`` pairs that may be fetched although they are not public."""


class FileReference(Told):
    """``{ file = "/run/secrets/hook" }``: a channel address kept in a file of its own."""

    file: str
    """The file that holds the address, and nothing else."""


class Quiet(Told):
    """``quiet = { from = "23:00", to = "06:00" }``: hours by the clock of `Service.time_zone`, over midnight too."""

    model_config = ConfigDict(serialize_by_alias=True)

    since: DayTime = Field(alias="from")
    """From this time of day."""
    to: DayTime
    """Until this one: what waited leaves then, in one message."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.since == self.to:
            raise refused("quiet hours that end when they begin are none; leave `quiet` out", "to")
        return self


class Channel(Told):
    """``[[channel]]``: where alerts go.

    ``url`` is ``page``, ``stdout``, ``file:NAME.jsonl``, ``webhook:https://…`` written plainly, or a
    reference (``env:NAME``, ``{ file = "…" }``) to one of these, to a mail server (``smtp://…``, see
    ``config/smtp.py``) or to any Apprise address: those carry secrets, so they may not stand in the file itself.
    """

    id: Id
    """Watches name the channel by it, and alerts are kept under it: do not change it."""
    url: Annotated[
        Annotated[str, Tag("text")] | Annotated[FileReference, Tag("table")],
        Discriminator(lambda told: "table" if isinstance(told, (dict, FileReference)) else "text"),
    ]
    """``page``, ``stdout``, ``file:NAME.jsonl``, ``webhook:https://…``, ``env:NAME`` or ``{ file = "…" }``."""
    secret: Reference | None = None
    """Signs a webhook's messages (Standard Webhooks, ``whsec_…``): ``env:NAME`` or ``file:PATH``."""
    min_severity: Severity = "normal"
    """Alerts below it are not sent here."""
    quiet: Quiet | None = None
    """Hours in which only critical alerts are sent; the others wait until they end."""
    digest: Duration | None = None
    """Low and normal alerts are gathered for so long and leave in one message."""
    digest_at: DayTime | None = None
    """Low and normal alerts leave in one message once a day, at this time of `Service.time_zone`."""
    escalate_to: Id | None = None
    """Channel that is told a critical alert of this one that nobody acknowledged."""
    escalate_after: Duration | None = None
    """How long one may take to acknowledge it."""

    @model_validator(mode="after")
    def _one_digest_and_whole_escalation(self) -> Self:
        if self.digest is not None and self.digest_at is not None:
            raise refused("choose `digest` or `digest_at`", "digest_at")
        if self.digest == timedelta():
            raise refused("a digest of no length is none; leave `digest` out", "digest")
        if (self.escalate_to is None) != (self.escalate_after is None):
            key = "escalate_to" if self.escalate_after is None else "escalate_after"
            raise refused("`escalate_to` and `escalate_after` go together", key)
        if self.escalate_to == self.id:
            raise refused("a channel cannot escalate to itself", "escalate_to")
        return self

    @field_validator("url")
    @classmethod
    def _by_reference(cls, url: str | FileReference) -> str | FileReference:
        if isinstance(url, FileReference):
            return url
        if not re.match(r"(page$|stdout$|file:.|webhook:https?://|env:[A-Za-z_][A-Za-z0-9_]*$)", url):
            raise ValueError(
                'write "page", "stdout", "file:NAME.jsonl", "webhook:https://…", or put the address '
                'into the environment and refer to it as "env:NAME" (addresses carry secrets)'
            )
        if url.startswith("webhook:"):
            web_address(url.removeprefix("webhook:"))
        return url


Likeness = Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)]


class StorySettings(Told):
    """``[stories]``: when items tell one event. The defaults were measured (``docs/stories.md``)."""

    join: Likeness = 0.25
    """How alike an item must be to a story to join it: the cosine of their weighted words, 1 for the same words."""
    merge: Likeness = 0.45
    """How alike an item must be to two stories of its language, and these to each other, to make them one."""
    idle: Duration = timedelta(hours=12)
    """A story that nobody told for so long is over."""
    hard: Duration = timedelta(hours=72)
    """From the first item of a story to its last, at most; up to seven days."""
    link: Annotated[float, Field(ge=0.05, le=1.3, allow_inf_nan=False)] = 0.35
    """How alike two stories of different languages must be to be linked: the share of concepts they have in common,
    and 0.15 each for a number and a name."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.merge < self.join:
            raise ValueError("stories are not merged more easily than an item joins one: `merge` is at least `join`")
        if not timedelta() < self.idle <= self.hard <= timedelta(days=7):
            raise ValueError("stories must keep 0 < idle <= hard <= 7d")
        return self


AS_MEASURED = StorySettings()


class Settings(Told):
    """The whole of ``wirewatch.toml``."""

    service: Service = Service()
    """Who we say we are, and what is told on a first poll."""
    store: StoreSettings = StoreSettings()
    """Where everything is kept, and for how long."""
    web: Web = Web()
    """Where the page listens."""
    allow: Allow = Allow()
    """Exceptions from "public addresses only"."""
    stories: StorySettings = AS_MEASURED
    """When items tell one event."""
    channel: tuple[Channel, ...] = ()
    """Where alerts go; one table each."""
