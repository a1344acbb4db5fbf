"""What the review page asks of a store that holds 100,000 items, and how long each answer takes.

``python -m benchmarks.page store [ITEMS]`` makes such a store in a temporary folder and asks it everything that a page,
a feed or an export asks, over and over. A month of news: 60 outlets in four languages, 150,000 texts, 30,000 matches of
12 watches, 20,000 alert rows, 5,000 reviewed items. Of these up to 10,000 items come through the store's own doors; the
others are the same ones a few minutes later, copied in the file.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args
from zoneinfo import ZoneInfo

from monitor.model.alerts import Condition, NewAlert
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Match, Span, Wanted
from monitor.model.messages import Delivery, Room
from monitor.model.reviews import Reviewed
from monitor.model.sources import Outcome, SourceState
from monitor.model.stories import Placed
from monitor.model.texts import TextLanguage
from monitor.ports import Ledger, Store
from monitor.stories import identity
from storage import open_store
from storage.rows import moment, when
from storage.sqlite.opening import connect

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""When the month of a filled store ends, if nobody says otherwise."""
MONTH = timedelta(days=33)
ZONE = ZoneInfo("Asia/Jerusalem")
OUTLETS = tuple(f"outlet-{number:02}" for number in range(60))
WATCHES: Mapping[str, float] = {f"watch-{number:02}": 0.12 / (number + 1) for number in range(12)}
"""Watch → the share of items that it matches."""
CHANNELS = ("desk", "duty")
REVIEWERS = ("Noa", "Sami", "Ruth")
FILED = 10_000
"""So many items are filed; of a larger store the others are copies."""
_PER_ANSWER, _AT_ONCE = 10, 64
_LETTERS: Mapping[TextLanguage, str] = {
    "en": "etaoinshrdlucm", "he": "אבגדהוזחטילמנר", "ar": "ابتثجحدذرسشعفق", "und": "абвгдежзиклмно",
}  # fmt: skip
_SENT, _REFUSED = Delivery(verdict="sent"), Delivery(verdict="refused", detail="no such chat")

Call = Callable[[], Awaitable[object]]


# ------------------------------------------------------------------ a month of news


class _News:
    """Made-up news, the same for the same number of items: words as frequent as in a language."""

    def __init__(self, items: int, now: datetime) -> None:
        self.random = Random(7)
        self.items, self.now = items, now
        self.words = {language: self._vocabulary(letters) for language, letters in _LETTERS.items()}
        self.weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(6000)))
        self.stories: dict[TextLanguage, list[str]] = {language: [] for language in _LETTERS}

    def answers(self) -> Iterator[tuple[Filing, Mapping[str, tuple[str, ...]]]]:
        """Each answer lists what is new of an outlet and what its last one listed, half of it edited; with the watches
        that each of its texts holds."""
        count = -(-self.items // _PER_ANSWER)
        last: dict[str, list[Candidate]] = {}
        for number in range(count):
            outlet = self.random.choices(OUTLETS, cum_weights=self.weights[: len(OUTLETS)])[0]
            at = self.now - MONTH * ((count - number) / count)
            old = [self._edited(each, number) if place % 2 else each for place, each in enumerate(last.get(outlet, []))]
            fresh = [self._candidate(outlet, f"url:{number}-{each}", at) for each in range(_PER_ANSWER)]
            last[outlet] = fresh
            texts = [*fresh, *old]
            yield _filing(outlet, at, texts), {each.id: self._found() for each in texts}

    def decide(self, change: Change, watches: tuple[str, ...]) -> Decision:
        item, fresh = change.item, change.fresh
        spans = (Span(field="title", start=0, end=len(item.title.split(" ")[0]), term="word"),)
        return Decision(
            matches=tuple(Match(watch=watch, spans=spans, clause="word") for watch in watches),
            alerts=tuple(self._alerts(change, watches)),
            placed=self._placed(item.id, item.language) if fresh else None,
        )

    def _vocabulary(self, letters: str) -> list[str]:
        return ["".join(self.random.choices(letters, k=self.random.randint(3, 8))) for _ in range(6000)]

    def _text(self, language: TextLanguage, words: int) -> str:
        return " ".join(self.random.choices(self.words[language], cum_weights=self.weights, k=words))

    def _candidate(self, outlet: str, key: str, at: datetime) -> Candidate:
        place = OUTLETS.index(outlet)
        language: TextLanguage = ("en", "en", "en", "he", "he", "ar")[place % 6]
        if self.random.random() < 0.01:
            language = "und"
        title, lead = self._text(language, 9).capitalize(), self._text(language, 28)
        body = self._text(language, 250) if place % 4 == 0 else ""
        entry = Entry(
            title=title, lead=lead, body=body, html=f"<p>{body}</p>" if body else "", url=f"https://{outlet}.example/{key}",
            published=at - timedelta(minutes=self.random.randint(1, 60)), author=self._text(language, 2),
        )  # fmt: skip
        return Candidate(
            id=identity.item_id(outlet, key), entry=entry, keys=(key,), text_hash=identity.text_hash(title, lead),
            language=language,
        )  # fmt: skip

    def _edited(self, old: Candidate, number: int) -> Candidate:
        lead = f"{old.entry.lead} {self.words[old.language][number % 6000]}"
        entry = replace(old.entry, lead=lead)
        return replace(old, entry=entry, text_hash=identity.text_hash(entry.title, lead))

    def _found(self) -> tuple[str, ...]:
        return tuple(watch for watch, share in WATCHES.items() if self.random.random() < share * 0.65)

    def _alerts(self, change: Change, watches: Sequence[str]) -> Iterator[NewAlert]:
        for watch in watches:
            for channel in CHANNELS if change.fresh and self.random.random() < 0.45 else ():
                yield NewAlert(
                    watch=watch, channel=channel, item=change.item.id, state="new",
                    severity=self.random.choice(("low", "normal", "high")),
                    suppressed="too old" if self.random.random() < 0.2 else "",
                )  # fmt: skip

    def _placed(self, item: str, language: TextLanguage) -> Placed:
        """Two of three items join a story that was told lately; few stories have most of them."""
        known = self.stories[language]
        if known and self.random.random() < 0.66:
            back = min(int(self.random.paretovariate(0.8)), len(known))
            return Placed(story=known[-back], score=0.7, reason="the same names and numbers")
        known.append(f"s{item}")
        return Placed(story=f"s{item}", score=1.0, reason="")


def _state(outlet: str, at: datetime) -> SourceState:
    return SourceState(
        id=f"{outlet}/main", outlet=outlet, url=f"https://{outlet}.example/feed", host=f"https://{outlet}.example:443",
        next_due=at + timedelta(minutes=5), outcome=Outcome.OK, last_polled=at, last_good=at, baselined=at,
    )  # fmt: skip


def _filing(outlet: str, at: datetime, texts: Sequence[Candidate]) -> Filing:
    after = _state(outlet, at)
    answer = Answer(
        source=after.id, outlet=outlet, url=after.url, final_url=after.url, at=at, outcome=Outcome.OK,
        entries=tuple(each.entry for each in texts),
    )  # fmt: skip
    return Filing(answer=answer, candidates=tuple(texts), after=after, held=after)


async def filled(path: Path, items: int = 100_000, *, now: datetime = NOW) -> None:
    """Make a store at ``path`` with so many items, seen within the 33 days before ``now``, and close it."""
    copies = -(-items // FILED)
    news = _News(-(-items // copies), now)
    store = open_store(f"sqlite:///{path}", exclusive=True)
    try:
        await _file(store, news)
        await _send(store, now)
        await _review(store, news)
    finally:
        await store.close()
    await asyncio.to_thread(_multiply, path, copies)


async def _file(store: Store, news: _News) -> None:
    """Many answers at once: they share a commit, as answers do that come at the same time."""

    async def one(filing: Filing, watches: Mapping[str, tuple[str, ...]]) -> None:
        def decide(change: Change, _ledger: Ledger) -> Decision:
            return news.decide(change, watches[change.candidate.id])

        await store.file(filing, decide)

    await store.register([_state(outlet, news.now - MONTH) for outlet in OUTLETS], {})
    answers = news.answers()
    while portion := list(itertools.islice(answers, _AT_ONCE)):
        await asyncio.gather(*(one(*each) for each in portion))


async def _send(store: Store, now: datetime) -> None:
    """All that is due leaves; one message in a hundred is refused."""
    rooms = {channel: Room(messages=200, alerts=50) for channel in CHANNELS}
    count = itertools.count()
    for minute in itertools.count():
        at = now + timedelta(minutes=minute)
        messages = await store.claim_messages(at, rooms=rooms, lease=timedelta(minutes=1))
        if not messages:
            return
        await asyncio.gather(
            *(store.settle(each, _REFUSED if next(count) % 100 == 0 else _SENT, now=at, due=None) for each in messages)
        )


async def _review(store: Store, news: _News) -> None:
    """One item in twenty is reviewed, most of them lately matched ones; some are starred or have a note."""
    wanted = news.items // 20
    matched = await store.items(Wanted(watch="*"), limit=wanted)
    others = await store.items(limit=wanted)
    chosen = [each.id for each in (*matched[::2], *others[::2])]
    for place, item in enumerate(chosen):
        by, verdict = news.random.choice(REVIEWERS), news.random.choice(("relevant", "noise", "noise", "later"))
        said: list[Awaitable[object]] = [store.remark([item], by=by, kind="verdict", value=verdict, now=news.now)]
        if place % 20 == 0:
            said.append(store.remark([item], by=by, kind="star", value="yes", now=news.now))
        if place % 30 == 0:
            said.append(store.remark([item], by=by, kind="note", value="ask the duty editor", now=news.now))
        await asyncio.gather(*said)


# ------------------------------------------------------------------ the same again


_KEY, _NUMBER, _TIME = "{0} || :suffix", "{0} + :offset", "moved({0}, :minutes)"
_COPIED: Mapping[str, Mapping[str, str]] = {
    "items": {
        "number": _NUMBER, "id": _KEY, "current": _NUMBER, "copy_of": _KEY, "published": _TIME, "first_seen": _TIME,
        "last_seen": _TIME, "story": "CASE {0} WHEN '' THEN '' ELSE {0} || :suffix END",
    },
    "revisions": {"number": _NUMBER, "id": _KEY, "item": _KEY, "seen": _TIME},
    "item_keys": {"key": _KEY, "item": _KEY},
    "matches": {"item": _KEY, "revision": _KEY, "found": _TIME},
    "hits": {"number": _NUMBER, "first_seen": _TIME},
    "remarks": {"number": _NUMBER, "item": _KEY},
    "messages": {"number": _NUMBER, "id": _KEY, "key": _KEY, "created": _TIME},
    "alerts": {
        "number": _NUMBER, "id": _KEY, "key": _KEY, "item": _KEY, "revision": _KEY, "created": _TIME,
        "message": _NUMBER,
    },
    "search": {"rowid": _NUMBER},
}  # fmt: skip
"""Table → what is another in a copy of its rows."""


def _multiply(path: Path, copies: int) -> None:
    """Add every item ``copies - 1`` times more, each time three minutes later, with all that is its."""
    with closing(connect(path)) as db:
        db.create_function("moved", 2, _moved, deterministic=True)
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN")
        most = max(db.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0 for table in ("items", "revisions"))
        for table, changes in _COPIED.items():
            _copy(db, table, changes, copies, most)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy(db: sqlite3.Connection, table: str, changes: Mapping[str, str], copies: int, most: int) -> None:
    columns = [row["name"] for row in db.execute(f"PRAGMA table_info({table})")]
    columns = ["rowid", *columns] if table == "search" else columns
    chosen = ", ".join(changes.get(column, "{0}").format(column) for column in columns)
    db.execute(f"CREATE TEMP TABLE first AS SELECT {', '.join(columns)} FROM {table}")
    for copy in range(1, copies):
        at = {"suffix": f"-{copy}", "offset": copy * most, "minutes": 3 * copy}
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM temp.first", at)
    db.execute("DROP TABLE temp.first")


def _moved(text: str | None, minutes: int) -> str | None:
    return None if text is None else when(moment(text) + timedelta(minutes=minutes))


# ------------------------------------------------------------------ asking


async def calls(store: Store, now: datetime = NOW) -> dict[str, Call]:
    """Name → a call that a page makes."""
    newest = await store.items(limit=50)
    names, story = [each.id for each in newest], newest[10].story
    day, lately, month = now - timedelta(days=1), now - timedelta(days=2), now - timedelta(days=30)
    morning = now.astimezone(ZONE).replace(hour=0)
    filters = {
        "": {}, "outlet": {"outlet": OUTLETS[0]}, "a rare outlet": {"outlet": OUTLETS[-1]},
        "language": {"language": "he"}, "a rare language": {"language": "und"},
        "watch": {"watch": "watch-00"}, "a rare watch": {"watch": "watch-11"},
        "any watch": {"watch": "*"}, "story": {"story": story}, "since": {"since": day}, "before": {"before": month},
        "since and before": {"since": month, "before": month + timedelta(days=1)},
        "outlet and language": {"outlet": OUTLETS[0], "language": "und"},
        "outlet and watch": {"outlet": OUTLETS[0], "watch": "watch-00"},
        "a rare outlet and any watch": {"outlet": OUTLETS[-1], "watch": "*"},
        "language and watch": {"language": "ar", "watch": "watch-01"},
        "watch and before": {"watch": "watch-00", "before": month},
        "watch, language and since": {"watch": "*", "language": "und", "since": month},
        "outlet and unreviewed": {"outlet": OUTLETS[0], "review": "unreviewed"},
        "language and unreviewed": {"language": "he", "review": "unreviewed"},
        "watch and relevant": {"watch": "watch-00", "review": "relevant"},
        "watch and unreviewed": {"watch": "watch-00", "review": "unreviewed"},
        "any watch and unreviewed": {"watch": "*", "review": "unreviewed"},
        "outlet and relevant": {"outlet": OUTLETS[0], "review": "relevant"},
        "story and any watch": {"story": story, "watch": "*"},
        **{each: {"review": each} for each in get_args(Reviewed)},
    }  # fmt: skip
    asked: dict[str, Call] = {}
    for name, words in filters.items():
        wanted = Wanted(**words)  # type: ignore[arg-type]
        asked[f"items: {name or 'all'}"] = _later(store.items, wanted)
        asked[f"how many: {name or 'all'}"] = _later(store.how_many, wanted, at_most=1000)
    conditions: dict[str, Call] = {
        f"alerts: {each}": _later(store.alerts, condition=each) for each in get_args(Condition)
    }
    return asked | conditions | {
        "reviews of 50": _later(store.reviews, names),
        "matches of 50": _later(store.matches, names),
        "alerts of 50": _later(store.alerts_of, names),
        "remarks": _later(store.remarks, names[0]),
        "item": _later(store.item, names[0]),
        "revisions": _later(store.revisions, names[-1]),
        "story": _later(store.story, story),
        "stories of two days": _later(store.stories, limit=50, outlets=2, since=lately),
        "stories": _later(store.stories, limit=50, outlets=2),
        "stories of a watch": _later(store.stories, limit=50, outlets=2, watch="watch-01", since=lately),
        "stories in Arabic": _later(store.stories, limit=50, outlets=2, language="ar", since=lately),
        "tallies of a day by hour": _later(store.tallies, since=morning, before=now, step=timedelta(hours=1)),
        "tallies of 30 days": _later(
            store.tallies, since=morning - timedelta(days=30), before=now, step=timedelta(days=1)
        ),
        "tallies of 30 days, a watch": _later(
            store.tallies, since=morning - timedelta(days=30), before=now, step=timedelta(days=1), watch="watch-00"
        ),
        "hits of 30 days": _later(store.hits, since=month, zone=ZONE),
        "alerts": _later(store.alerts),
        "alerts of a watch": _later(store.alerts, watch="watch-11"),
        "alerts of a channel": _later(store.alerts, channel="duty"),
        "muted": _later(store.muted, now),
        "oldest due": _later(store.oldest_due, now),
        "sources": _later(store.sources),
        "count": _later(store.count),
    }  # fmt: skip


def _later(ask: Callable[..., Awaitable[object]], *args: Any, **words: Any) -> Call:
    return lambda: ask(*args, **words)


async def measure(path: Path, *, rounds: int = 40) -> dict[str, tuple[float, float]]:
    """Name of a call → its median and 95th percentile, in milliseconds. One at a time."""
    store = open_store(f"sqlite:///{path}")
    try:
        asked = await calls(store)
        taken: dict[str, list[float]] = {name: [] for name in asked}
        for number in range(rounds + 1):
            for name, ask in asked.items():
                began = time.perf_counter()
                await ask()
                if number:  # the first round reads the file
                    taken[name].append((time.perf_counter() - began) * 1000)
        return {
            name: (sorted(each)[len(each) // 2], sorted(each)[int(len(each) * 0.95)]) for name, each in taken.items()
        }
    finally:
        await store.close()


async def of_store(items: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, began = Path(folder) / "page.db", time.monotonic()
        await filled(path, items)
        seconds = time.monotonic() - began
        store = open_store(f"sqlite:///{path}")
        counts = dict(await store.count())
        await store.close()
        print(json.dumps({"filled in seconds": round(seconds), "MB": path.stat().st_size // 1_000_000, **counts}))
        for name, (median, high) in (await measure(path)).items():
            print(f"{name:40} p50 {median:7.2f} ms  p95 {high:7.2f} ms{'  over 25' if high > 25 else ''}")


def main() -> int:
    match sys.argv[1:]:
        case ["store", *rest]:
            asyncio.run(of_store(int(rest[0]) if rest else 100_000))
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
