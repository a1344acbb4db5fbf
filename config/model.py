"""The configuration as values: validated, frozen, unknown keys refused.

Written by the operator as TOML (see ``config/load.py`` for the folder it comes from) and never
changed while in force: a reload makes a whole new `Config`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    SecretStr,
    StrictBool,
    StrictInt,
    StringConstraints,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from config.countries import WITH_HOLIDAYS

Language = Literal["en", "he", "ar"]
Severity = Literal["low", "normal", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("low", "normal", "high", "critical")
ChangeClass = Literal[
    "number", "name", "quote", "hedge", "denial", "date", "typo", "whitespace", "liveblog", "wording"
]  # fmt: skip
"""What an edit changed (``docs/edits.md`` says what each means)."""

_DURATION = re.compile(r"(\d+)\s*(s|m|h|d)")
_LONGEST = timedelta(days=36500)
"""A hundred years: any date of ours can be so much earlier or later."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: object) -> timedelta:
    """``"90s"``, ``"15m"``, ``"2h"``, ``"7d"`` as a timedelta; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('write a duration as a number and a unit: "90s", "15m", "2h", "7d"')
    try:
        length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"a duration may not be longer than {_LONGEST.days} days")
    return length


def written(length: timedelta) -> str:
    """A duration as an operator writes it, in the largest unit that divides it."""
    seconds = round(length.total_seconds())
    size, unit = next(
        (size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if not seconds % size
    )
    return f"{seconds // size}{unit}"


def _refused(message: str, *path: str | int) -> PydanticCustomError:
    """A table's error that belongs to one key inside it: ``path`` leads from the table to the key."""
    return PydanticCustomError("refused", "{message}", {"message": message, "path": path})


def _zone(name: object) -> str:
    try:
        ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        raise ValueError(f'no time zone is called {name!r}; names look like "Asia/Jerusalem"') from None
    return str(name)


def _country(code: object) -> str:
    if code not in WITH_HOLIDAYS:
        raise ValueError('must be a country whose public holidays are known, as two capital letters: "IL", "QA", "GB"')
    return str(code)


def _web_address(text: object) -> str:
    if not isinstance(text, str) or re.search(r"[\s\x00-\x1f]", text):  # urlsplit drops line ends silently
        raise ValueError("write a whole address, without spaces, that begins with https:// or http://")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a whole address that begins with https:// or http://")
    if parts.username or parts.password:
        raise ValueError("an address may not carry a user name or password")
    if parts.port == 0:  # reading it also refuses what is no port at all
        raise ValueError("0 is not a port")
    return text


def _day_time(text: object) -> time:
    if isinstance(text, time) and text == time(text.hour, text.minute):
        return text
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('write a time of day as hours and minutes in quotes: "07:30", "23:00"')
    return time(int(found[1]), int(found[2]))


def _address_or_nothing(text: object) -> str:
    return "" if text == "" else _web_address(text)


def _pattern(text: object) -> str:
    try:
        re.compile(str(text))
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return str(text)


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*(s|m|h|d)$"}),
]
Zone = Annotated[str, BeforeValidator(_zone)]
DayTime = Annotated[
    time,
    BeforeValidator(_day_time),
    PlainSerializer(lambda told: f"{told:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}),
]
Country = Annotated[
    str, BeforeValidator(_country), WithJsonSchema({"type": "string", "enum": list(WITH_HOLIDAYS)})
]  # fmt: skip
WebAddress = Annotated[str, BeforeValidator(_web_address)]
Pattern = Annotated[str, BeforeValidator(_pattern)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
ConceptId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Form = Annotated[str, StringConstraints(pattern=r"\S")]
Reference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")]
"""A secret's place, never the secret: ``env:NAME`` or ``file:PATH``."""


class _Told(BaseModel):
    """Base of everything an operator can write: frozen, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,  # an address in the wrong place may carry a secret
        use_attribute_docstrings=True,  # the published schema explains every key
    )


# ------------------------------------------------------------------ settings (wirewatch.toml)


class Service(_Told):
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


class Retention(_Told):
    """How long texts are kept. Identity and alert keys outlive them (at least 400 days)."""

    bodies: Duration = timedelta(days=180)
    """How long the text of an article is kept."""
    revisions: Duration = timedelta(days=365)
    """How long earlier versions of an article are kept."""


class StoreSettings(_Told):
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


class WebToken(_Told):
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


class Web(_Told):
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
                raise _refused(f'two tokens are called "{name}"', "token", index, "id")
        if not self.locked and not _loopback(self.host):
            raise _refused(
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


class Allow(_Told):
    """``[allow]``: exact ``host:port`` exceptions from "public addresses only"."""

    fetch: tuple[Annotated[str, StringConstraints(pattern=r"^\S+:\d{1,5}$")], ...] = ()
    """Exact ``host:port`` pairs that may be fetched although they are not public."""


class FileReference(_Told):
    """``{ file = "/run/secrets/hook" }``: a channel address kept in a file of its own."""

    file: str
    """The file that holds the address, and nothing else."""


class Quiet(_Told):
    """``quiet = { from = "23:00", to = "06:00" }``: hours by the clock of `Service.time_zone`, over midnight too."""

    model_config = ConfigDict(serialize_by_alias=True)

    since: DayTime = Field(alias="from")
    """From this time of day."""
    to: DayTime
    """Until this one: what waited leaves then, in one message."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.since == self.to:
            raise _refused("quiet hours that end when they begin are none; leave `quiet` out", "to")
        return self


class Channel(_Told):
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
            raise _refused("choose `digest` or `digest_at`", "digest_at")
        if self.digest == timedelta():
            raise _refused("a digest of no length is none; leave `digest` out", "digest")
        if (self.escalate_to is None) != (self.escalate_after is None):
            key = "escalate_to" if self.escalate_after is None else "escalate_after"
            raise _refused("`escalate_to` and `escalate_after` go together", key)
        if self.escalate_to == self.id:
            raise _refused("a channel cannot escalate to itself", "escalate_to")
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
            _web_address(url.removeprefix("webhook:"))
        return url


Likeness = Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)]


class StorySettings(_Told):
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


class Settings(_Told):
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


# ------------------------------------------------------------------ outlets (outlets/NAME.toml)


class Cadence(_Told):
    """How often a source is asked. Once three days of it were seen, it is asked more often in the hours of the week in
    which it usually has something new, and less often in the others; over a week, as often as `every` or less."""

    every: Duration = timedelta(minutes=15)
    """The usual time between two polls. The same as `max`: it is never asked less often."""
    min: Duration = timedelta(minutes=5)
    """The shortest: in its busiest hours, and when everything it lists is new, so that it may have published more than
    it lists. The same as `every`: it is never asked more often."""
    max: Duration = timedelta(hours=1)
    """The longest, in hours in which it is usually silent: at night, on days of rest. Failures push the next poll back
    as far, but at most an hour (or `every`, where that is longer)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not timedelta() < self.min <= self.every <= self.max:
            raise ValueError("cadence must keep min <= every <= max, all above zero")
        return self


class Selectors(_Told):
    """CSS selectors of a listing page: ``entry`` finds each block, the rest look inside it."""

    entry: str
    """Finds the block of each entry."""
    link: str = "a"
    """Inside the block, the link to the article."""
    title: str | None = None
    """Inside the block, the headline; without it, the text of the link."""
    lead: str | None = None
    """Inside the block, the summary."""
    time: str | None = None
    """Inside the block, the time."""


class ArticleSelectors(_Told):
    """CSS selectors of an outlet's article page, used where JSON-LD and trafilatura find nothing."""

    headline: str | None = None
    """The headline."""
    byline: str | None = None
    """Who wrote it."""
    body: str | None = None
    """The text; every paragraph in it is read."""
    drop: tuple[str, ...] = ()
    """Blocks removed before any text is read ("more on", inserted link marks)."""


SourceKind = Literal["feed", "sitemap", "listing", "aggregator"]


class Source(_Told):
    """``[[source]]``: one address of an outlet that is polled."""

    id: Id
    """Its name within the outlet; the history of polls is kept under it."""
    kind: SourceKind
    """What stands at the address: a feed, a (news) sitemap, a page of links, or an aggregator's feed."""
    url: WebAddress
    """The address."""
    every: Duration | None = None
    """Overrides the outlet's cadence."""
    language: Language | None = None
    """Where it differs from the outlet's."""
    languages: tuple[str, ...] = ()
    """Keep only entries that declare one of these (sitemaps mix languages); empty keeps all."""
    only: Pattern | None = None
    """Keep only entries whose address this pattern is found in."""
    skip: Pattern | None = None
    """Drop entries whose address this pattern is found in."""
    title_is_identity: StrictBool = False
    """The same title within 48 h is the same item (aggregators whose ids change)."""
    selectors: Selectors | None = None
    """For ``kind = "listing"`` only: where the links stand."""
    max_bytes: StrictInt = Field(default=16 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    """A longer answer is refused."""
    verify_tls: StrictBool = True
    """Whether the server's certificate must be good."""
    note: str = ""
    """For whoever reads the file next; shown on the source's page."""

    @model_validator(mode="after")
    def _selectors_with_listing(self) -> Self:
        if (self.kind == "listing") != (self.selectors is not None):
            raise _refused('a source of kind "listing" needs [source.selectors], and no other kind has them', "kind")
        return self


class IdentityRule(_Told):
    """One way an outlet's addresses name an article.

    ``pattern`` is searched in the cleaned address (scheme dropped, host in lower case,
    ``www.`` dropped); the groups it captures, joined by ``/``, are the article's own id.
    """

    pattern: Pattern
    """Searched in the cleaned address; what its groups capture is the article's id."""

    @field_validator("pattern")
    @classmethod
    def _captures(cls, pattern: str) -> str:
        if not re.compile(pattern).groups:
            raise ValueError("the pattern needs a group ( ) around what names the article")
        return pattern


REREAD = tuple(timedelta(minutes=each) for each in (15, 60, 3 * 60, 8 * 60, 24 * 60, 72 * 60))
"""Most edits come within the first hours. Six times cost a host little, and the last one sees what a newsroom corrects
or takes down a day or two later."""
CLOSEST = timedelta(minutes=10)
"""Between two readings of one page, at least."""


class Outlet(_Told):
    """One file in ``outlets/``: who publishes, where, and under which limits."""

    id: Id
    """The file's name without ``.toml``; items are kept under it: do not change it."""
    name: str
    """How the outlet is called in alerts and on the page."""
    name_native: str | None = None
    """Its name in its own language."""
    home: WebAddress
    """Its front page."""
    language: Language
    """The language it writes in."""
    time_zone: Zone
    """The zone of times it writes without one, and of its week."""
    holidays: Country | None = None
    """Country (ISO 3166, two letters) whose public holidays it keeps: it is then expected to be as silent as on its
    weekly day of rest."""
    access: Literal["feed", "page", "headline", "aggregator"]
    """``feed``: feed or sitemap, pages not needed; ``page``: article pages may be read;
    ``headline``: headline and link only; ``aggregator``: only through an aggregator."""
    why: str
    """Shown with the sources: what the publisher permits and why it is watched this way."""
    keep: Literal["headline", "lead", "body"] = "lead"
    """How much of an article may be kept."""
    pages: Literal["all", "matched", "none"] = "none"
    """Whose article pages are read: of all new items, of those that matched, of none."""
    pages_per_hour: StrictInt = Field(default=30, ge=1, le=600)
    """At most so many article pages are read in an hour, those read again included."""
    reread: tuple[Duration, ...] = REREAD
    """When after an item was first seen its page is read again, if a watch matched it: for edits, and to see whether it
    is still there. Empty: never."""
    delay: Duration = timedelta(seconds=2)
    """Between two requests to one host."""
    charset: str | None = None
    """Tried after strict UTF-8 and before what the answer declares, where an outlet is known to lie."""
    robots: Annotated[str, StringConstraints(pattern=r"^(obey|permitted: .+)$")] = "obey"
    """``obey``, or ``permitted: REASON`` where the publisher permits what its robots rules refuse (it is shown)."""
    tracking: tuple[str, ...] = ()
    """Query parameters dropped besides the general ones; ``at_*`` drops all that begin so."""
    keep_parameters: tuple[str, ...] = ()
    """Query parameters that are part of the identity although a rule would drop them."""
    keep_fragment: Pattern | None = None
    """Fragments that name a live-blog post; all others are dropped."""
    same_hosts: tuple[str, ...] = ()
    """Host names that serve the same articles (bbc.co.uk and bbc.com); the first stands for all."""
    identity: tuple[IdentityRule, ...] = ()
    """How its addresses name an article; the first rule that fits wins."""
    cadence: Cadence = Cadence()
    """How often its sources are asked."""
    article: ArticleSelectors | None = None
    """Where the text stands on its article pages."""
    source: tuple[Source, ...] = Field(min_length=1)
    """The addresses that are polled; one table each."""

    def source_of(self, name: str) -> Source | None:
        """The source that ``outlet/source`` names, if it is one of this outlet's."""
        wanted = name.partition("/")[2]
        return next((source for source in self.source if source.id == wanted), None)

    @field_validator("reread")
    @classmethod
    def _growing(cls, times: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if any(later - earlier < CLOSEST for earlier, later in pairwise((timedelta(), *times))):
            raise ValueError(f"times must grow, by {written(CLOSEST)} at least")
        return times

    @model_validator(mode="after")
    def _one_id_each(self) -> Self:
        ids = [source.id for source in self.source]
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise _refused(f'two sources are called "{name}"', "source", index, "id")
        return self


# ------------------------------------------------------------------ concepts and watches


class Concept(_Told):
    """``[concepts.NAME]``: one idea and its surface forms in three languages."""

    kind: Literal["name", "word"]
    """``name``: a proper noun; ``word``: a common noun, whose number and possessive forms are tried too."""
    group: str
    """The kind of thing it is, for lists: place, person, org, people, process, event, terms, politics, aid."""
    en: tuple[Form, ...] = ()
    """Its forms in English."""
    he: tuple[Form, ...] = ()
    """Its forms in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Its forms in Arabic."""
    weak: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Forms with another common meaning, counted by ``weak_rule``."""
    weak_rule: Literal["context", "preposition"] = "context"
    """When a weak form counts: beside a strong form of another concept, or only with an attached preposition."""

    @model_validator(mode="after")
    def _some_form(self) -> Self:
        if not (self.en or self.he or self.ar or any(self.weak.values())):
            raise ValueError("a concept needs a form in at least one language: en, he or ar")
        return self


class ConceptFile(_Told):
    """The whole of ``concepts.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the concepts that ship, replacing those of the same name; without it the file stands alone."""
    concepts: Mapping[ConceptId, Concept]
    """One table each: ``[concepts.NAME]``; a watch names it as ``@NAME``."""


class ClaimWords(_Told):
    """``[hedges.NAME]``, ``[denials.NAME]``: words that say the same of a claim, in three languages.

    A phrase is found in its forms; ``a|b`` is either word, ``…`` stands for up to three words, ``*`` ends a word of
    which only the beginning is given (never the first), ``=`` before a phrase lets its words have no endings.
    """

    en: tuple[Form, ...] = ()
    """Phrases in English."""
    he: tuple[Form, ...] = ()
    """Phrases in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Phrases in Arabic."""
    unless: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Longer phrases in which they mean something else: what these cover does not count."""
    before_number: StrictBool = False
    """They count only where a number follows ("about 20")."""

    @model_validator(mode="after")
    def _some_phrase(self) -> Self:
        if not (self.en or self.he or self.ar):
            raise ValueError("it needs a phrase in at least one language: en, he or ar")
        return self


class Claims(_Told):
    """How texts hedge and deny: by these an edit is recognised that makes a claim weaker, stronger, or denied."""

    hedges: Mapping[ConceptId, ClaimWords] = Field(default_factory=dict)
    """One table each: ``[hedges.NAME]``."""
    denials: Mapping[ConceptId, ClaimWords] = Field(default_factory=dict)
    """One table each: ``[denials.NAME]``."""


class ClaimFile(Claims):
    """The whole of ``claims.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the tables that ship, replacing those of the same name; without it the file stands alone."""


class OriginName(_Told):
    """``[agencies.ID]``, ``[outlets.ID]``, ``[bodies.ID]``: what a source is called in three languages.

    A form is found with everything attached in front. One written with a capital is found only with one, one written in
    capitals only in capitals.
    """

    en: tuple[Form, ...] = ()
    """Its names in Latin letters, found in texts of every language."""
    he: tuple[Form, ...] = ()
    """Its names in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Its names in Arabic."""
    weak: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Names with another common meaning: they count in quotation marks, in a credit, or beside a word of `beside`."""
    beside: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Words of which one must stand directly before or behind a weak name."""
    unless: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Longer names that hold one of its names and are something else."""
    signs: tuple[Form, ...] = ()
    """Phrases that end its copy without its name; ``…`` stands for up to forty words."""
    outlets: tuple[Id, ...] = ()
    """Outlets of the configuration that are this source, besides one of the same id."""

    @model_validator(mode="after")
    def _some_name(self) -> Self:
        if not (self.en or self.he or self.ar or any(self.weak.values())):
            raise ValueError("a source needs a name in at least one language: en, he or ar")
        return self


Relation = Literal["credit", "cite", "statement"]
"""``credit``: the text is the source's copy; ``cite``: it repeats what the source reported; ``statement``: it tells
what an official body said."""


class OriginPattern(_Told):
    """``[patterns.NAME]``: how texts name whose reporting they are.

    ``@`` is the source's name with the words of ``[words.describing]`` around it; letters before it (``ל@``) must be
    attached to it. ``a|b`` is either word, ``…`` stands for up to five words, and at the end ``.`` is the end of a
    sentence and ``:`` a colon.
    """

    relation: Relation
    """``credit`` (of agencies and outlets), ``cite`` (of agencies and outlets) or ``statement`` (of bodies)."""
    en: tuple[Form, ...] = ()
    """Patterns in English."""
    he: tuple[Form, ...] = ()
    """Patterns in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Patterns in Arabic."""

    @field_validator("en", "he", "ar")
    @classmethod
    def _readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if pattern.count("@") != 1:
                raise ValueError("a pattern holds the source's name once, as @")
            if not re.search(r"\w @|@ \w|\w@", pattern):
                raise ValueError("a pattern needs a word directly before or behind @, or letters attached to it")
            if re.search(r"@\S", pattern):
                raise ValueError("nothing may be attached behind @")
        return patterns


WordsName = Literal["describing", "officials", "governing", "photo", "source", "via"]
"""``describing``: may stand between pattern and name; ``officials``: behind a body's name, not the body speaks;
``governing``: before a body's name, somebody else is the subject; ``photo``: the credit of a picture; ``source``:
before a colon, a credit; ``via``: behind a publisher's name, of whoever passes it on."""


class OriginWords(_Told):
    """``[words.NAME]``: words by which names and patterns are read."""

    en: tuple[Form, ...] = ()
    """In English."""
    he: tuple[Form, ...] = ()
    """In Hebrew."""
    ar: tuple[Form, ...] = ()
    """In Arabic."""


class OriginTables(_Told):
    """How texts name whose reporting they are: the sources' names, and the patterns around them."""

    agencies: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[agencies.ID]``; what they write is published by others as it is."""
    outlets: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[outlets.ID]``; others repeat what they reported."""
    bodies: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[bodies.ID]``; what they state is the origin ``statement:ID``."""
    patterns: Mapping[ConceptId, OriginPattern] = Field(default_factory=dict)
    """One table each: ``[patterns.NAME]``."""
    words: Mapping[WordsName, OriginWords] = Field(default_factory=dict)
    """By which names and patterns are read: ``[words.describing]``, and so on."""


class OriginFile(OriginTables):
    """The whole of ``origins.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the tables that ship, replacing those of the same name; without it the file stands alone."""


class Examples(_Told):
    """Headlines that must and must not fire the watch; `wirewatch check` runs them."""

    hit: tuple[str, ...] = ()
    """Headlines that must fire the watch."""
    miss: tuple[str, ...] = ()
    """Headlines that must not."""


class Corroboration(_Told):
    """``corroborated = { origins = 3, within = "90m" }``: a story is told once enough independent origins report it.

    ``docs/origins.md`` says what an origin is: copies of one agency's text, and all that repeat one report, are one.
    """

    origins: StrictInt = Field(ge=2, le=20)
    """So many must report the story, in whatever language, whether this watch finds their words or not."""
    within: Duration
    """From the first of them to the last, by when each was first seen here; a minute to three days."""

    @field_validator("within")
    @classmethod
    def _while_a_story_lasts(cls, within: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= within <= timedelta(days=3):
            raise ValueError('must be from "1m" to "3d": a story is held together for three days')
        return within


class Watch(_Told):
    """``[[watch]]``: a saved query with conditions, the user's keyword alert."""

    id: Id
    """The alerts' keys are made of it: do not change it."""
    title: str
    """How the watch is called in alerts and on the page."""
    when: str
    """The query: words, phrases, ``@concepts``, AND, OR, NOT, NEAR/n."""
    outlets: tuple[Id, ...] = ()
    """Empty means all."""
    on: tuple[Literal["new", "edited", "withdrawn"], ...] = ("new", "withdrawn")
    """What fires it: an item that is new, one that was edited, one that was told and whose page is taken down."""
    edited: tuple[ChangeClass, ...] = Field(
        default=("number", "name", "quote", "hedge", "denial", "date"), min_length=1
    )
    """With ``edited`` in `on`: which changes of a text that matched before are told (``docs/edits.md``)."""
    corroborated: Corroboration | None = None
    """Tell of a story only when so many independent origins reported it within so long; it waits until then, and is
    listed as not corroborated when the time is over."""
    max_age: Duration | None = None
    """Items dated older are not told."""
    cooldown: Duration | None = None
    """After an alert, what else is told of the same story waits so long and leaves in one message. A changed number,
    quote or hedge, a denial and a critical alert do not wait."""
    severity: Severity = "normal"
    """Of its alerts: the most severe leave first, and a channel takes those from its `min_severity` up."""
    notify: tuple[Id, ...] = ()
    """Channel ids; empty means every channel that takes this severity."""
    lookalikes: StrictBool = False
    """Also find words written with Cyrillic or Greek letters that look like Latin ones (`Нamas`)."""
    examples: Examples = Examples()
    """Headlines that test the watch."""


class WatchFile(_Told):
    """The whole of one file in ``watches/``: a beat."""

    watch: tuple[Watch, ...] = ()
    """The watches; one table each."""


# ------------------------------------------------------------------ the whole


class Place(_Told):
    """Where a key stands: ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A string value as it stands in its file, quotes and escapes included, and where it begins."""

    at: Place
    text: str


class Config(_Told):
    """One whole configuration, as loaded at one moment."""

    settings: Settings
    outlets: Mapping[str, Outlet]
    watches: Mapping[str, Watch]
    concepts: Mapping[str, Concept]
    claims: Claims = Claims()
    origins: OriginTables = OriginTables()
    places: Mapping[str, Place] = Field(default_factory=dict)
    """``"watch.hostage-deal.when"`` → where it stands; keys are kind, id, key."""
    strings: Mapping[str, Written] = Field(default_factory=dict, repr=False, exclude=True)
    """The string values under the same keys; `config.load.place_in` finds places inside them."""
    secrets: Mapping[str, SecretStr] = Field(default_factory=dict, repr=False, exclude=True)
    """``"channel.newsroom.url"``, ``"channel.newsroom.secret"``: the only place secrets live."""
    warnings: tuple[str, ...] = ()
    folder: str | None = None
    """The operator's folder; ``None``: what ships. Relative paths (the store, file channels) start here."""

    @property
    def secret_values(self) -> tuple[str, ...]:
        """What must not stand in any log."""
        return tuple(secret.get_secret_value() for secret in self.secrets.values())


__all__ = [
    "AS_MEASURED", "SEVERITIES", "Allow", "ArticleSelectors", "Cadence", "ChangeClass", "Channel", "ClaimFile",
    "ClaimWords", "Claims", "Concept", "ConceptFile", "Config", "Corroboration", "Examples", "FileReference",
    "IdentityRule", "Language", "OriginFile", "OriginName", "OriginPattern", "OriginTables", "OriginWords",
    "Outlet", "Place", "Relation", "Retention", "Selectors", "Service", "Settings", "Severity", "Source",
    "SourceKind", "StoreSettings", "StorySettings", "Watch", "WatchFile", "Web", "WebToken", "WordsName", "Written",
    "duration", "store_path", "written",
]  # fmt: skip
