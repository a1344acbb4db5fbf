"""The configuration as values: validated, frozen, unknown keys refused.

Written by the operator as TOML (see ``config/load.py`` for the folder it comes from) and never
changed while in force: a reload makes a whole new `Config`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

Language = Literal["en", "he", "ar"]
Severity = Literal["low", "normal", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high", "critical")

_DURATION = re.compile(r"(\d+)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: object) -> timedelta:
    """``"90s"``, ``"15m"``, ``"2h"``, ``"7d"`` as a timedelta; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('write a duration as a number and a unit: "90s", "15m", "2h", "7d"')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _zone(name: object) -> str:
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError(f'no time zone is called {name!r}; names look like "Asia/Jerusalem"') from None
    return str(name)


def _web_address(text: object) -> str:
    parts = urlsplit(str(text))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a whole address that begins with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("an address may not carry a user name or password")
    return str(text)


def _pattern(text: object) -> str:
    try:
        re.compile(str(text))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return str(text)


Duration = Annotated[
    timedelta, BeforeValidator(duration), WithJsonSchema({"type": "string", "pattern": r"^\d+\s*(s|m|h|d)$"})
]
Zone = Annotated[str, BeforeValidator(_zone)]
WebAddress = Annotated[str, BeforeValidator(_web_address)]
Pattern = Annotated[str, BeforeValidator(_pattern)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
ConceptId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")]
"""A secret's place, never the secret: ``env:NAME`` or ``file:PATH``."""


class _Told(BaseModel):
    """Base of everything an operator can write: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


# ------------------------------------------------------------------ settings (wirewatch.toml)


class Service(_Told):
    """``[service]``: who we say we are, and what counts as news on a first poll."""

    user_agent: str = "wirewatch/0.1 (+https://example.org/contact)"
    time_zone: Zone = "Asia/Jerusalem"
    baseline: Duration = timedelta(hours=2)
    notify: tuple[Id, ...] = ()


class Retention(_Told):
    """How long texts are kept. Identity and alert keys outlive them (at least 400 days)."""

    bodies: Duration = timedelta(days=180)
    revisions: Duration = timedelta(days=365)


class StoreSettings(_Told):
    """``[store]``: where everything is kept."""

    url: str = "sqlite:///wirewatch.db"
    retention: Retention = Retention()


class Web(_Told):
    """``[web]``: where the page listens. Only loopback is accepted until the page has a login."""

    address: Annotated[str, StringConstraints(pattern=r"^(127\.\d+\.\d+\.\d+|\[::1\]|localhost):\d{1,5}$")] = (
        "127.0.0.1:8737"
    )
    public_url: Literal[""] | WebAddress = ""


class Allow(_Told):
    """``[allow]``: exact ``host:port`` exceptions from "public addresses only"."""

    fetch: tuple[Annotated[str, StringConstraints(pattern=r"^\S+:\d{1,5}$")], ...] = ()


class FileReference(_Told):
    """``{ file = "/run/secrets/hook" }``: a channel address kept in a file of its own."""

    file: str


class Channel(_Told):
    """``[[channel]]``: where alerts go.

    ``url`` is ``page``, ``stdout``, ``file:NAME.jsonl``, ``webhook:https://…`` written plainly, or a
    reference (``env:NAME``, ``{ file = "…" }``) to one of these or to any Apprise address: those carry
    secrets, so they may not stand in the file itself.
    """

    id: Id
    url: str | FileReference
    secret: Reference | None = None
    """Signs a webhook's messages (Standard Webhooks, ``whsec_…``)."""
    min_severity: Severity = "normal"

    @model_validator(mode="after")
    def _by_reference(self) -> Self:
        plain = self.url if isinstance(self.url, str) else "env:"
        if not re.match(r"(page$|stdout$|file:.|webhook:https?://|env:)", plain):
            raise ValueError(
                'url: write "page", "stdout", "file:NAME.jsonl", "webhook:https://…", or put the address '
                'into the environment and refer to it as "env:NAME" (addresses carry secrets)'
            )
        return self


class Settings(_Told):
    """The whole of ``wirewatch.toml``."""

    service: Service = Service()
    store: StoreSettings = StoreSettings()
    web: Web = Web()
    allow: Allow = Allow()
    channel: tuple[Channel, ...] = ()


# ------------------------------------------------------------------ outlets (outlets/NAME.toml)


class Cadence(_Told):
    """How often a source is asked: usually ``every``, never outside ``min`` … ``max``."""

    every: Duration = timedelta(minutes=15)
    min: Duration = timedelta(minutes=5)
    max: Duration = timedelta(hours=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not timedelta() < self.min <= self.every <= self.max:
            raise ValueError("cadence must keep min <= every <= max, all above zero")
        return self


class Selectors(_Told):
    """CSS selectors of a listing page: ``entry`` finds each block, the rest look inside it."""

    entry: str
    link: str = "a"
    title: str | None = None
    lead: str | None = None
    time: str | None = None


class ArticleSelectors(_Told):
    """CSS selectors of an outlet's article page, used where JSON-LD and trafilatura find nothing."""

    headline: str | None = None
    byline: str | None = None
    body: str | None = None
    drop: tuple[str, ...] = ()
    """Blocks removed before any text is read ("more on", inserted link marks)."""


SourceKind = Literal["feed", "sitemap", "listing", "aggregator"]


class Source(_Told):
    """``[[source]]``: one address of an outlet that is polled."""

    id: Id
    kind: SourceKind
    url: WebAddress
    every: Duration | None = None
    """Overrides the outlet's cadence."""
    language: Language | None = None
    languages: tuple[str, ...] = ()
    """Keep only entries that declare one of these (sitemaps mix languages); empty keeps all."""
    only: Pattern | None = None
    """Keep only entries whose address this pattern is found in."""
    skip: Pattern | None = None
    title_is_identity: StrictBool = False
    """The same title within 48 h is the same item (aggregators whose ids change)."""
    selectors: Selectors | None = None
    max_bytes: StrictInt = Field(default=16 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    verify_tls: StrictBool = True
    note: str = ""

    @model_validator(mode="after")
    def _selectors_with_listing(self) -> Self:
        if (self.kind == "listing") != (self.selectors is not None):
            raise ValueError('a source of kind "listing" needs [source.selectors], and no other kind has them')
        return self


class IdentityRule(_Told):
    """One way an outlet's addresses name an article.

    ``pattern`` is searched in the cleaned address (scheme dropped, host in lower case,
    ``www.`` dropped); the groups it captures, joined by ``/``, are the article's own id.
    """

    pattern: Pattern


class Outlet(_Told):
    """One file in ``outlets/``: who publishes, where, and under which limits."""

    id: Id
    name: str
    name_native: str | None = None
    home: WebAddress
    language: Language
    time_zone: Zone
    access: Literal["feed", "page", "headline", "aggregator"]
    """``feed``: feed or sitemap, pages not needed; ``page``: article pages may be read;
    ``headline``: headline and link only; ``aggregator``: only through an aggregator."""
    why: str
    """Shown with the sources: what the publisher permits and why it is watched this way."""
    keep: Literal["headline", "lead", "body"] = "lead"
    pages: Literal["all", "matched", "none"] = "none"
    pages_per_hour: StrictInt = Field(default=30, ge=1, le=600)
    delay: Duration = timedelta(seconds=2)
    """Between two requests to one host."""
    charset: str | None = None
    """Tried after strict UTF-8 and before what the answer declares, where an outlet is known to lie."""
    robots: Annotated[str, StringConstraints(pattern=r"^(obey|permitted: .+)$")] = "obey"
    tracking: tuple[str, ...] = ()
    """Query parameters dropped besides the general ones; ``at_*`` drops all that begin so."""
    keep_parameters: tuple[str, ...] = ()
    """Query parameters that are part of the identity although a rule would drop them."""
    keep_fragment: Pattern | None = None
    """Fragments that name a live-blog post; all others are dropped."""
    same_hosts: tuple[str, ...] = ()
    """Host names that serve the same articles (bbc.co.uk and bbc.com); the first stands for all."""
    identity: tuple[IdentityRule, ...] = ()
    cadence: Cadence = Cadence()
    article: ArticleSelectors | None = None
    source: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_id_each(self) -> Self:
        ids = [source.id for source in self.source]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"two sources are called {', '.join(twice)}")
        return self


# ------------------------------------------------------------------ concepts and watches


class Concept(_Told):
    """``[concepts.NAME]``: one idea and its surface forms in three languages."""

    kind: Literal["name", "word"]
    group: str
    en: tuple[str, ...] = ()
    he: tuple[str, ...] = ()
    ar: tuple[str, ...] = ()
    weak: Mapping[Language, tuple[str, ...]] = Field(default_factory=dict)
    """Forms with another common meaning, counted by ``weak_rule``."""
    weak_rule: Literal["context", "preposition"] = "context"


class Examples(_Told):
    """Headlines that must and must not fire the watch; `wirewatch check` runs them."""

    hit: tuple[str, ...] = ()
    miss: tuple[str, ...] = ()


class Watch(_Told):
    """``[[watch]]``: a saved query with conditions, the user's keyword alert."""

    id: Id
    title: str
    when: str
    outlets: tuple[Id, ...] = ()
    """Empty means all."""
    on: tuple[Literal["new", "edited"], ...] = ("new",)
    max_age: Duration | None = None
    severity: Severity = "normal"
    notify: tuple[Id, ...] = ()
    """Channel ids; empty means every channel that takes this severity."""
    examples: Examples = Examples()


# ------------------------------------------------------------------ the whole


class Place(_Told):
    """Where a key stands: ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Config(_Told):
    """One whole configuration, as loaded at one moment."""

    settings: Settings
    outlets: Mapping[str, Outlet]
    watches: Mapping[str, Watch]
    concepts: Mapping[str, Concept]
    places: Mapping[str, Place] = Field(default_factory=dict)
    """``"watch.hostage-deal.when"`` → where it stands; keys are kind, id, key."""
    secrets: Mapping[str, Any] = Field(default_factory=dict, repr=False, exclude=True)
    """``"channel.newsroom.url"`` → `pydantic.SecretStr`; the only place secrets live."""
    warnings: tuple[str, ...] = ()
    folder: str | None = None
    """The operator's folder; ``None``: what ships. Relative paths (the store, file channels) start here."""


__all__ = [
    "SEVERITIES", "Allow", "ArticleSelectors", "Cadence", "Channel", "Concept", "Config", "Examples",
    "FileReference", "IdentityRule", "Language", "Outlet", "Place", "Retention", "Selectors", "Service",
    "Settings", "Severity", "Source", "SourceKind", "StoreSettings", "Watch", "Web", "duration",
]  # fmt: skip
