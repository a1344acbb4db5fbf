"""Rows and values: the one place where a column becomes a field and a field a column.

Times are kept as ISO-8601 text in UTC with six digits of a second, always 32 characters long: they sort as text,
SQLite's date functions read them, and so does a person who opens the file in Datasette.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, overload

from config.model.fields import SEVERITIES
from monitor.model.alerts import Alert
from monitor.model.entries import Candidate, Entry
from monitor.model.items import Item, Match, Matched, Reported, Revision, Span, Whereabouts
from monitor.model.messages import Message
from monitor.model.reviews import Remark
from monitor.model.sources import Outcome, PageDue, Rhythm, RobotsCopy, SourceState, Validators
from monitor.model.stories import Correction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
_RHYTHM = struct.Struct("<qqdddBBBB3sH")
"""What goes before the shares, the week's slots and the listed hashes of a packed `Rhythm`."""

# Half a UTF-16 pair cannot be written as UTF-8 (F43); PostgreSQL's text refuses NUL (F42).
_UNWRITABLE = re.compile("[\ud800-\udfff\x00]")


class Row(Protocol):
    """A result row of any database: columns by name."""

    def __getitem__(self, column: str, /) -> Any: ...


# ------------------------------------------------------------------ texts and times


@overload
def when(moment: datetime) -> str: ...
@overload
def when(moment: datetime | None) -> str | None: ...
def when(moment: datetime | None) -> str | None:
    """A moment as it is kept."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


@overload
def moment(text: str) -> datetime: ...
@overload
def moment(text: str | None) -> datetime | None: ...
def moment(text: str | None) -> datetime | None:
    """A kept time as a moment."""
    return None if text is None else datetime.fromisoformat(text)


def writable(text: str) -> str:
    """The text with U+FFFD for what no database can hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def writable_candidate(candidate: Candidate) -> Candidate:
    """The candidate with texts that can be kept; the same object when they are so already, which is nearly always."""
    entry = candidate.entry
    texts = (
        *candidate.keys, *entry.tags, *entry.marks, *entry.credits, entry.title, entry.lead, entry.body, entry.html,
        entry.url or "", entry.canonical or "", entry.guid or "", entry.language or "", entry.author, entry.publisher,
        entry.published_text,
    )  # fmt: skip
    whole = "".join(texts)
    if not _UNWRITABLE.search(whole):
        return candidate
    return replace(candidate, keys=tuple(map(writable, candidate.keys)), entry=_writable_entry(entry))


def _writable_entry(entry: Entry) -> Entry:
    texts: dict[str, Any] = {}
    for name in Entry.__slots__:
        value = getattr(entry, name)
        if isinstance(value, str):
            texts[name] = writable(value)
        elif isinstance(value, tuple):
            texts[name] = tuple(map(writable, value))
    return replace(entry, **texts)


def plain_json(value: object) -> str:
    """JSON in which Hebrew and Arabic stay readable."""
    return writable(json.dumps(value, ensure_ascii=False, default=str))


# ------------------------------------------------------------------ sources and hosts


def source_columns(state: SourceState) -> dict[str, Any]:
    return {
        "id": state.id,
        "outlet": state.outlet,
        "url": state.url,
        "host": state.host,
        "next_due": when(state.next_due),
        "etag": state.validators.etag,
        "last_modified": state.validators.last_modified,
        "body_hash": state.validators.body_hash,
        "outcome": state.outcome,
        "reason": writable(state.reason),
        "excerpt": writable(state.excerpt),
        "status": state.status,
        "failures": state.failures,
        "last_polled": when(state.last_polled),
        "last_good": when(state.last_good),
        "last_plain": when(state.last_plain),
        "baselined": when(state.baselined),
        "moved_to": state.moved_to,
        "moved_since": when(state.moved_since),
        "alarm": state.alarm,
        "entries": state.entries,
        "late": state.late / _SECOND,
        **_rhythm_columns(state.rhythm),
    }


def _rhythm_columns(rhythm: Rhythm | None) -> dict[str, Any]:
    if rhythm is None:
        return {"last_new": None, "longest_silence": None, "rhythm": None}
    head = _RHYTHM.pack(
        _micros(rhythm.since), _micros(rhythm.seen), rhythm.watched, rhythm.usual, rhythm.garbled, rhythm.short_polls,
        rhythm.foreign_polls, rhythm.garbled_polls, len(rhythm.mix), rhythm.foreign.encode(), len(rhythm.slots),
    )  # fmt: skip
    mix = struct.pack(f"<{len(rhythm.mix)}d", *rhythm.mix)
    return {
        "last_new": when(rhythm.last_new),
        "longest_silence": rhythm.longest / _SECOND,
        "rhythm": head + mix + rhythm.slots + rhythm.listed,
    }


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def rhythm(row: Row) -> Rhythm | None:
    packed: bytes | None = row["rhythm"]
    if packed is None:
        return None
    since, seen, watched, usual, garbled, short, foreign_polls, garbled_polls, shares, foreign, size = (
        _RHYTHM.unpack_from(packed)
    )  # fmt: skip
    slots = _RHYTHM.size + 8 * shares
    return Rhythm(
        since=_EPOCH + since * _MICROSECOND,
        seen=_EPOCH + seen * _MICROSECOND,
        last_new=moment(row["last_new"]),
        longest=row["longest_silence"] * _SECOND,
        watched=watched,
        slots=packed[slots : slots + size],
        listed=packed[slots + size :],
        usual=usual,
        mix=struct.unpack_from(f"<{shares}d", packed, _RHYTHM.size),
        garbled=garbled,
        short_polls=short,
        foreign_polls=foreign_polls,
        foreign=foreign.rstrip(b"\0").decode(),
        garbled_polls=garbled_polls,
    )


def source(row: Row) -> SourceState:
    return SourceState(
        id=row["id"],
        outlet=row["outlet"],
        url=row["url"],
        host=row["host"],
        next_due=moment(row["next_due"]),
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"], body_hash=row["body_hash"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        reason=row["reason"],
        excerpt=row["excerpt"],
        status=row["status"],
        failures=row["failures"],
        last_polled=moment(row["last_polled"]),
        last_good=moment(row["last_good"]),
        last_plain=moment(row["last_plain"]),
        baselined=moment(row["baselined"]),
        moved_to=row["moved_to"],
        moved_since=moment(row["moved_since"]),
        alarm=row["alarm"],
        entries=row["entries"],
        late=row["late"] * _SECOND,
        rhythm=rhythm(row),
    )


def robots_columns(copy: RobotsCopy) -> dict[str, Any]:
    return {
        "host": copy.host,
        "asked": when(copy.asked),
        "status": copy.status,
        "text": writable(copy.text),
        "good_at": when(copy.good_at),
    }


def robots(row: Row) -> RobotsCopy:
    return RobotsCopy(
        host=row["host"],
        asked=moment(row["asked"]),
        status=row["status"],
        text=row["text"],
        good_at=moment(row["good_at"]),
    )


def page(row: Row) -> PageDue:
    """``first_seen`` is the item's."""
    return PageDue(
        item=row["item"],
        outlet=row["outlet"],
        url=row["url"],
        host=row["host"],
        attempts=row["attempts"],
        first_seen=moment(row["first_seen"]),
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"], body_hash=row["body_hash"]),
        read=moment(row["read"]),
        missing=moment(row["missing"]),
    )


def whereabouts(row: Row) -> Whereabouts:
    return Whereabouts(item=row["item"], at=moment(row["at"]), what=row["what"], words=row["words"])


# ------------------------------------------------------------------ items


def item(row: Row) -> Item:
    return Item(
        id=row["id"],
        outlet=row["outlet"],
        source=row["source"],
        url=row["url"],
        title=row["title"],
        lead=row["lead"],
        language=row["language"],
        kind=row["kind"],
        author=row["author"],
        published=moment(row["published"]),
        published_assumed=bool(row["published_assumed"]),
        first_seen=moment(row["first_seen"]),
        revision=row["revision"],
        revisions=row["revisions"],
        copy_of=row["copy_of"],
        copy_reason=row["copy_reason"],
        copy_by=row["copy_by"],
        story=row["story"],
        story_reason=row["story_reason"],
        story_score=row["story_score"],
        origins=_origins(row["origins"], row["origin"]),
        late=bool(row["late"]),
        withdrawn=moment(row["withdrawn"]),
        marks=tuple(json.loads(row["marks"])),
        body=row["body"],
        html=row["html"],
    )


def _origins(found: str, ruled: str) -> tuple[Reported, ...]:
    """A reviewer's word counts; what the text says otherwise is told beside it."""
    told = origins_of(found)
    if not ruled or not told:
        return told
    (word,), (own, *others) = origins_of(ruled), told
    aside = tuple(replace(each, aside=True) for each in others)
    if word.relation == "own":
        return (replace(own, by=word.by), *aside)
    return (own, word, *aside)


def origins_of(kept: str) -> tuple[Reported, ...]:
    return tuple(Reported(**each) for each in json.loads(kept))


def origins_json(origins: tuple[Reported, ...]) -> str:
    told = (asdict(each).items() for each in origins)
    return plain_json(
        [{key: writable(value) if isinstance(value, str) else value for key, value in each} for each in told]
    )


def correction(row: Row) -> Correction:
    return Correction(
        number=row["number"],
        at=moment(row["at"]),
        by=row["by"],
        kind=row["kind"],
        story=row["story"],
        other=row["other"],
        items=tuple(json.loads(row["items"])),
        value=row["value"],
        undoes=row["undoes"],
        undone=bool(row["undone"]),
    )


def revision(row: Row) -> Revision:
    return Revision(
        id=row["id"],
        item=row["item"],
        seen=moment(row["seen"]),
        title=row["title"],
        lead=row["lead"],
        body=row["body"],
        text_hash=row["text_hash"],
        classes=tuple(json.loads(row["classes"])),
    )


def entry_json(entry: Entry) -> str:
    """A whole entry as a quarantined one is kept: as told, to be read by a person."""
    return plain_json(asdict(entry))


# ------------------------------------------------------------------ matches and alerts


def spans_json(spans: Iterable[Span]) -> str:
    return plain_json([[span.field, span.start, span.end, span.term] for span in spans])


def match(row: Row) -> Match:
    spans = (Span(field=field, start=start, end=end, term=term) for field, start, end, term in json.loads(row["spans"]))
    return Match(watch=row["watch"], spans=tuple(spans), clause=row["clause"], undecided=row["undecided"])


def matched(row: Row) -> Matched:
    return Matched(match=match(row), revision=row["revision"], found=moment(row["found"]))


def alert(row: Row) -> Alert:
    """``spans``, ``clause`` and ``undecided`` come from the match of the alert's own revision; ``message_id``,
    ``attempts`` and ``last_error`` from its message."""
    return Alert(
        id=row["id"],
        key=row["key"],
        watch=row["watch"],
        channel=row["channel"],
        item=row["item"],
        revision=row["revision"],
        state=row["state"],
        severity=row["severity"],
        condition=row["condition"],
        reason=row["reason"],
        created=moment(row["created"]),
        due=moment(row["due"]),
        gather=row["gather"],
        message=row["message_id"] or "",
        attempts=row["attempts"] or 0,
        last_error=row["last_error"] or "",
        delivered=moment(row["delivered"]),
        acknowledged=moment(row["acknowledged"]),
        match=None if row["spans"] is None else match(row),
    )


def message(row: Row, alerts: tuple[Alert, ...]) -> Message:
    return Message(
        id=row["id"],
        key=row["key"],
        channel=row["channel"],
        kind=row["kind"],
        severity=SEVERITIES[row["rank"]],
        alerts=alerts,
        created=moment(row["created"]),
        attempts=row["attempts"],
        fence=row["fence"],
        taken=tuple(json.loads(row["taken"])),
    )


# ------------------------------------------------------------------ reviews


def remark(row: Row) -> Remark:
    return Remark(
        number=row["number"],
        item=row["item"],
        by=row["reviewer"],
        at=moment(row["at"]),
        kind=row["kind"],
        value=row["value"],
        undone=bool(row["undone"]),
    )


Columns = Mapping[str, Any]
