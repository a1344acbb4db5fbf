"""A newsroom's store, configuration and status that tests set, and requests to the page over them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp

from config.model.fields import Severity
from config.model.outlets import Cadence, Outlet, Source
from config.model.whole import Config
from monitor.alerts.links import Signer
from monitor.edition import Edition, edition
from monitor.model.alerts import Held, NewAlert
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Match, Reported, Span
from monitor.model.messages import Message, Room
from monitor.model.sources import Outcome, SourceState
from monitor.model.stories import Placed
from monitor.model.texts import TextLanguage
from monitor.ports import Ledger, Store
from monitor.status import Status
from monitor.stories import identity
from monitor.web.live import Live

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHANNELS = ("desk", "duty")
FOUND = "Doha"
"""The word whose headlines make an alert on each channel."""


def outlet(name: str, title: str, language: str, why: str) -> Outlet:
    source = Source(id="main", kind="feed", url=f"https://{name}.example/feed", note="A note for the reader.")
    return Outlet.model_validate(
        {
            "id": name, "name": title, "home": f"https://{name}.example/", "language": language, "time_zone": "UTC",
            "access": "feed", "why": why, "cadence": Cadence(), "source": (source,),
        }
    )  # fmt: skip


@dataclass(slots=True)
class Desk:
    """A store, a configuration and a status that tests set, and the page over them at ``url``."""

    store: Store
    config: Config
    status: Status
    signer: Signer
    url: str = ""
    sources: dict[str, SourceState] = field(default_factory=dict)
    live: Live = field(default_factory=Live)

    def edition(self) -> Edition:
        """The configuration as it is now, compiled."""
        return edition(self.config)

    async def looked(self) -> Status:
        """The status as tests set it, with the store's own counts."""
        counts = {**await self.store.count(), **self.status.counts}
        return replace(self.status, counts=counts)

    async def file(
        self, title: str, *, language: TextLanguage = "en", outlet: str = "bbc", key: str = "", age: float = 0,
        url: str | None = "https://bbc.example/a", lead: str = "", body: str = "", html: str = "", suppressed: str = "",
        marks: Sequence[str] = (), held: Held | None = None, severity: Severity = "high", placed: Placed | None = None,
    ) -> str:  # fmt: skip
        """File one entry, ``age`` minutes ago; its id."""
        own = f"url:{key or title}"
        entry = Entry(
            title=title, lead=lead, body=body, html=html, url=url, published=NOW, author="A. Writer", marks=tuple(marks)
        )
        candidate = Candidate(
            id=identity.item_id(outlet, own), entry=entry, keys=(own,),
            text_hash=identity.text_hash(title, lead), language=language,
        )  # fmt: skip
        await self.file_all(
            [candidate], outlet=outlet, age=age, suppressed=suppressed, held=held, severity=severity, placed=placed
        )
        return candidate.id

    async def claimed(self, *channels: str) -> tuple[Message, ...]:
        """What is due on these channels, or on all, as a dispatcher takes it."""
        rooms = {name: Room(messages=10, alerts=10) for name in channels or CHANNELS}
        return await self.store.claim_messages(NOW, rooms=rooms, lease=timedelta(minutes=1))

    async def file_all(
        self, candidates: Iterable[Candidate], *, outlet: str = "bbc", age: float = 0, suppressed: str = "",
        held: Held | None = None, severity: Severity = "high", placed: Placed | None = None,
    ) -> None:  # fmt: skip
        own, at = tuple(candidates), NOW - timedelta(minutes=age)
        address = f"https://{outlet}.example/feed"
        answer = Answer(
            source=f"{outlet}/main", outlet=outlet, url=address, final_url=address, at=at, outcome=Outcome.OK,
            entries=tuple(each.entry for each in own),
        )  # fmt: skip
        after = SourceState(
            id=f"{outlet}/main", outlet=outlet, url=address, host=f"https://{outlet}.example:443",
            next_due=at + timedelta(minutes=15), outcome=Outcome.OK, last_polled=at, last_good=at, baselined=at,
        )  # fmt: skip

        def decide(change: Change, _ledger: Ledger) -> Decision:
            own = (Reported(id=outlet, kind="outlet", relation="own"),)
            return replace(_decided(change, suppressed, held, severity), placed=placed, origins=own if placed else ())

        await self.store.file(Filing(answer=answer, candidates=own, after=after, held=after), decide)


def _decided(change: Change, suppressed: str, held: Held | None, severity: Severity) -> Decision:
    entry = change.candidate.entry
    spans = [
        Span(field=name, start=start, end=start + len(FOUND), term=FOUND)
        for name in ("title", "body")
        if (start := getattr(entry, name).find(FOUND)) >= 0
    ]
    if not spans:
        return Decision()
    state = "new" if change.fresh else f"edited:{change.revision.id}"
    item = change.item.id
    rows = tuple(
        NewAlert(
            watch="doha", channel=channel, item=item, state=state, severity=severity, suppressed=suppressed, held=held
        )
        for channel in CHANNELS
    )  # fmt: skip
    return Decision(matches=(Match(watch="doha", spans=tuple(spans), clause="doha"),), alerts=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    status: int
    headers: dict[str, str]
    text: str


async def get(desk: Desk, path: str, *, host: str | None = None, method: str = "GET") -> Got:
    """One request to the page, over the wire."""
    headers = {} if host is None else {"Host": host}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, desk.url + path, headers=headers, allow_redirects=False) as answer,
    ):
        return Got(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            text=await answer.text(),
        )


async def post(desk: Desk, path: str, told: dict[str, str]) -> Got:
    """A form as the page's own script sends it: with the token of the page that it stands on."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(desk.url + "/watches") as page:
            [token, *_] = re.findall(r'name="csrf" value="([^"]*)"', await page.text())
        form = {**told, "csrf": token}
        headers = {"Origin": desk.url}
        async with session.post(desk.url + path, data=form, headers=headers, allow_redirects=False) as answer:
            return Got(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.headers.items()},
                text=await answer.text(),
            )
