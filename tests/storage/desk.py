"""Values for store tests, and the simplest decision: every item whose title holds a word of a watch is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model.alerts import Held, NewAlert
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Match, Span
from monitor.model.messages import Delivery, Message, Room
from monitor.model.sources import Outcome, SourceState, Validators
from monitor.ports import Decide, Ledger, Outbox, Store
from monitor.stories import identity

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WATCHES = {"doha": "Doha", "cairo": "Cairo"}
CHANNELS = ("desk", "duty")
READ = {"bbc": 600, "ap": 600}
"""Outlets whose pages are read, and how many an hour."""
LEASE = timedelta(minutes=5)
SENT, LATER, REFUSED = (Delivery(verdict=verdict, detail="why") for verdict in ("sent", "later", "refused"))


def source(name: str = "bbc/main", **changes: object) -> SourceState:
    outlet, _, own = name.partition("/")
    state = SourceState(
        id=name,
        outlet=outlet,
        url=f"https://{outlet}.example/{own}.xml",
        host=f"https://{outlet}.example:443",
        next_due=NOW,
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def candidate(
    title: str = "Talks resume in Doha",
    *,
    keys: Sequence[str] = (),
    outlet: str = "bbc",
    lead: str = "",
    **entry: object,
) -> Candidate:
    """Without ``keys`` it is known by its title alone (weak)."""
    own = tuple(keys) or (f"title:{identity.words(title)}",)
    values: dict[str, object] = {"url": f"https://{outlet}.example/{own[0]}", "published": NOW, **entry}
    return Candidate(
        id=identity.item_id(outlet, own[0]),
        entry=Entry(title=title, lead=lead, **values),  # type: ignore[arg-type]
        keys=own,
        text_hash=identity.text_hash(title, lead),
        language="en",
        weak_key=own[0].startswith("title:"),
    )


def filing(
    candidates: Iterable[Candidate] = (),
    *,
    source_id: str = "bbc/main",
    at: datetime = NOW,
    etag: str = '"1"',
    page_of: str | None = None,
    outcome: Outcome = Outcome.OK,
    fence: int | None = None,
) -> Filing:
    own = tuple(candidates)
    outlet = source_id.partition("/")[0]
    answer = Answer(
        source=f"{outlet}/page" if page_of else source_id,
        outlet=outlet,
        url="https://bbc.example/",
        final_url="https://bbc.example/",
        at=at,
        outcome=outcome,
        entries=tuple(each.entry for each in own),
        page_of=page_of,
    )
    after = source(
        source_id,
        next_due=at + timedelta(minutes=15),
        validators=Validators(etag=etag),
        outcome=outcome,
        last_polled=at,
        last_good=at,
        baselined=at,
    )
    held = replace(after, validators=Validators())
    return Filing(
        answer=answer,
        candidates=own,
        after=None if page_of else after,
        held=None if page_of else held,
        fence=fence,
    )


def quiet(_change: Change, _ledger: Ledger) -> Decision:
    """Nothing is watched."""
    return Decision()


def decide(change: Change, _ledger: Ledger) -> Decision:
    """A row for each watch whose word stands in the text, on each channel."""
    entry, matches, alerts = change.candidate.entry, [], []
    for watch, word in WATCHES.items():
        place = f"{entry.title}\n{entry.lead}\n{entry.body}".find(word)
        if place < 0:
            continue
        span = Span(field="title", start=place, end=place + len(word), term=word)
        matches.append(Match(watch=watch, spans=(span,), clause=word))
        state = "new" if change.fresh else "completed" if change.completed else f"edited:{change.revision.id}"
        repeated = "" if watch not in change.matched_before else "not in on"
        alerts += [
            NewAlert(
                watch=watch,
                channel=channel,
                item=change.item.id,
                state=state,
                severity="critical" if watch == "cairo" else "normal",
                suppressed=repeated,
            )
            for channel in CHANNELS
        ]
    return Decision(matches=tuple(matches), alerts=tuple(alerts))


# ------------------------------------------------------------------ the outbox


def until(at: datetime, gather: str = "digest") -> Held:
    """Held until then."""
    return Held(until=at, gather=gather, reason=f"{gather} at {at:%H:%M}")


def telling(channels: Sequence[str] = ("desk",), **row: Any) -> Decide:
    """A row on each of these channels, of the watch "doha" and as ``row`` says."""

    def judge(change: Change, _ledger: Ledger) -> Decision:
        fields = {"watch": "doha", "severity": "normal", "state": "new", "item": change.item.id, **row}
        rows = tuple(NewAlert(channel=channel, **fields) for channel in channels)
        return Decision(matches=(Match(watch=fields["watch"], clause="Doha"),), alerts=rows)

    return judge


async def queued(store: Store, *titles: str, at: datetime = NOW, **row: Any) -> tuple[str, ...]:
    """File an article for each title; the ids of their alerts in the same order (`telling`)."""
    entries = [
        candidate(title, keys=(f"url:{title}",), published=at - timedelta(seconds=len(titles) - place))
        for place, title in enumerate(titles)
    ]
    await store.file(filing(entries, at=at), telling(**row))
    found = [await store.alerts(item=each.id, limit=99) for each in entries]
    return tuple(alert.id for alerts in found for alert in sorted(alerts, key=lambda alert: alert.channel))


async def claimed(
    store: Outbox,
    now: datetime,
    *,
    messages: int = 99,
    alerts: int = 99,
    channels: Collection[str] = CHANNELS,
    lease: timedelta = LEASE,
) -> tuple[Message, ...]:
    rooms = {channel: Room(messages=messages, alerts=alerts) for channel in channels}
    return await store.claim_messages(now, rooms=rooms, lease=lease)


def reads_page(change: Change, ledger: Ledger) -> Decision:
    """`decide`, and the page of what is new is read."""
    return replace(decide(change, ledger), read_page=change.fresh)


def failing_on(word: str) -> Decide:
    """`decide`, with a fault of ours at each title that holds the word."""

    def decide_or_fail(change: Change, ledger: Ledger) -> Decision:
        if word in change.candidate.entry.title:
            raise ValueError(f"cannot judge {word}")
        return decide(change, ledger)

    return decide_or_fail


async def rows_due(store: Store) -> int:
    """Alert rows in whatever condition."""
    counts = await store.count()
    return sum(counts[each] for each in ("pending", "delivered", "dead", "suppressed"))


async def only_item(store: Store) -> str:
    (item,) = await store.items()
    return item.id


# ------------------------------------------------------------------ hits


_HITS = """
SELECT DISTINCT watch, first_seen, number, outlet, language, verdict, starred
FROM (SELECT item, watch FROM matches UNION SELECT item, '*' FROM matches) AS found JOIN items ON items.id = found.item
ORDER BY watch, first_seen, number
"""


def assert_hits_are_the_matches(db: sqlite3.Connection) -> None:
    """What stands ready for the filters of a page is what `matches` and `items` say."""
    held = db.execute("SELECT watch, first_seen, number, outlet, language, verdict, starred FROM hits ORDER BY 1, 2, 3")
    assert [tuple(row) for row in held] == [tuple(row) for row in db.execute(_HITS)]
