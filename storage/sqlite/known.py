"""Which item a candidate is: the look-up by its keys, and the keys it adds.

Any key that is known finds the item. Weak keys (``title:``) count for 48 hours after the item was last seen; an item
that its source still lists is seen by every "unchanged" answer too, although that names no entry.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model.entries import Answer, Candidate, Entry
from monitor.stories.identity import nearly, words
from storage.rows import Row, moment, when

WEAK_FOR = timedelta(hours=48)
FEWEST_ADOPTED = 3
"""Fewer entries than these do not show that a source changed its addresses (F59)."""
_TITLES_WITHIN = timedelta(days=14)
_DATED_ALIKE = timedelta(minutes=10)

_HITS = """
SELECT item_keys.key, item_keys.seen, items.id, items.last_seen, items.title,
  revisions.text_hash, revisions.source AS told_by, revisions.updated, revisions.body <> '' AS has_body
FROM item_keys JOIN items ON items.id = item_keys.item JOIN revisions ON revisions.number = items.current
WHERE item_keys.outlet = ? AND item_keys.key IN ({marks})
"""

# By its title, which hardly another item bears: the plus signs keep SQLite from going through all items of two days.
_MOVED = """
SELECT id, lead FROM items WHERE outlet = :outlet AND title = :title AND +first_seen >= :since
  AND kind = :kind AND +language = :language AND NOT published_assumed AND published BETWEEN :from AND :to
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When and where the entries of one answer are seen, and how the source's earlier answers bear on that."""

    outlet: str
    source: str
    at: datetime
    last_listed: datetime | None
    last_good: datetime | None

    def last_seen(self, seen: datetime) -> datetime:
        """When an item seen at ``seen`` was really there for the last time."""
        listed_still = self.last_listed is not None and seen >= self.last_listed
        return max(seen, self.last_good) if listed_still and self.last_good is not None else seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a candidate's keys hit: ``items`` by id; ``add`` are keys nobody has, ``take`` expired ones of others."""

    items: Mapping[str, Row]
    add: tuple[str, ...]
    take: tuple[str, ...]
    weak: tuple[str, ...]
    """Weak keys that counted: they are seen again now."""


def sighting(answer: Answer, before: Row | None) -> Sighting:
    """``before`` is the source's row as it stood before this answer."""
    return Sighting(
        outlet=answer.outlet,
        source=answer.source,
        at=answer.at,
        last_listed=moment(before["last_listed"]) if before else None,
        last_good=moment(before["last_good"]) if before else None,
    )


def find(db: sqlite3.Connection, candidate: Candidate, seen: Sighting) -> Found:
    """Look a candidate's keys up."""
    keys = candidate.keys
    hits = {row["key"]: row for row in db.execute(_HITS.format(marks=_marks(keys)), (seen.outlet, *keys))}
    expired = {key for key, row in hits.items() if is_weak(key) and not _counts(row, seen)}
    items = {row["id"]: row for key, row in hits.items() if key not in expired}
    return Found(
        items=_without_lodgers(items, hits, words(candidate.entry.title)),
        add=tuple(key for key in keys if key not in hits),
        take=tuple(key for key in keys if key in expired),
        weak=tuple(key for key in keys if is_weak(key) and key in hits and key not in expired),
    )


def _without_lodgers(items: Mapping[str, Row], hits: Mapping[str, Row], title: str) -> Mapping[str, Row]:
    """The items without those that have only the candidate's link in common with it, and another headline, when
    another one has its guid and its headline: such a link is shared by flashes that are listed one at a time."""
    by_guid = {row["id"] for key, row in hits.items() if key.startswith("guid:")} & items.keys()
    if not by_guid or len(items) == len(by_guid):
        return items
    if any(words(items[name]["title"]) != title for name in by_guid):
        return items
    by_link = {name for name in items if all(key.startswith("url:") for key, row in hits.items() if row["id"] == name)}
    return {
        name: row for name, row in items.items()
        if name in by_guid or name not in by_link or words(row["title"]) == title
    }  # fmt: skip


def is_weak(key: str) -> bool:
    return key.startswith("title:")


def _counts(row: Row, seen: Sighting) -> bool:
    return row["seen"] is None or seen.at - seen.last_seen(moment(row["seen"])) <= WEAK_FOR


def keep_keys(db: sqlite3.Connection, found: Found, item: str, seen: Sighting) -> None:
    """Write the keys a candidate brought: the insert decides, a key that is someone's stays so."""
    at = when(seen.at)
    for key in found.add:
        db.execute(
            "INSERT INTO item_keys (outlet, key, item, seen) VALUES (?, ?, ?, ?) ON CONFLICT (outlet, key) DO NOTHING",
            (seen.outlet, key, item, at if is_weak(key) else None),
        )
    for key in found.take + found.weak:
        # Never back: the clock may be set back, and answers may be filed in another order than they came.
        db.execute(
            "UPDATE item_keys SET item = ?, seen = max(seen, ?) WHERE outlet = ? AND key = ?",
            (item, at, seen.outlet, key),
        )


def adopted(db: sqlite3.Connection, candidates: Sequence[Candidate], seen: Sighting) -> dict[str, str]:
    """Candidate id → the item it continues, when the source gave all its articles new addresses (F59).

    More than half of an answer must be unknown by its keys and known to this source by its title, with the same date;
    where one has no date, by nearly the same lead or within two days. Flashes and briefings come back under the same
    titles, with other dates: they are no old acquaintances.
    """
    if len(candidates) < FEWEST_ADOPTED or seen.last_listed is None:
        return {}
    listed = _listed(db, candidates, seen)
    unknown = [each for each in candidates if not any(key in listed for key in each.keys)]
    if len(unknown) * 2 <= len(candidates):
        return {}
    taken = set(listed.values())
    titles = {title: row for title, row in _titles(db, seen).items() if row["id"] not in taken}
    continued = {}
    for each in unknown:
        held = titles.get(words(each.entry.title))
        if held is not None and _continues(each.entry, held, seen):
            continued[each.id] = str(titles.pop(words(each.entry.title))["id"])
    enough = len(continued) >= FEWEST_ADOPTED and len(continued) * 2 > len(candidates)
    return continued if enough else {}


def _continues(entry: Entry, held: Row, seen: Sighting) -> bool:
    if entry.published is not None and not held["published_assumed"]:
        apart: timedelta = abs(entry.published - moment(held["published"]))
        return apart <= _DATED_ALIKE
    known_for: timedelta = seen.at - moment(held["first_seen"])
    return nearly(entry.lead, held["lead"]) or known_for <= WEAK_FOR


def moved(db: sqlite3.Connection, candidate: Candidate, listed: Collection[str], seen: Sighting) -> str | None:
    """The item that a candidate with unknown keys continues at another address: same outlet, title, kind and language,
    nearly the same lead, dated the same, and its old address is not ``listed`` (keys of the whole answer) beside it.

    The date keeps two flashes with the same words apart; without one, or with a short lead, nothing is said to have
    moved: a second alert is better than none.
    """
    entry = candidate.entry
    if not entry.url or not entry.lead or entry.published is None or candidate.weak_key:
        return None
    asked = {
        "outlet": seen.outlet, "title": entry.title, "kind": entry.kind, "language": candidate.language,
        "since": when(seen.at - WEAK_FOR), "from": when(entry.published - _DATED_ALIKE),
        "to": when(entry.published + _DATED_ALIKE),
    }  # fmt: skip
    alike = [row["id"] for row in db.execute(_MOVED, asked) if nearly(row["lead"], entry.lead)]
    if len(alike) != 1:
        return None
    (item,) = alike
    keys = db.execute("SELECT key FROM item_keys WHERE item = ?", (item,))
    return None if any(row["key"] in listed for row in keys) else str(item)


def is_new_address(candidate: Candidate, found: Found) -> bool:
    """A known item that was found by nothing of its address: by its guid and title, or by what it tells."""
    hits = set(candidate.keys) - {*found.add, *found.take}
    return any(key.startswith("url:") for key in found.add) and all(key.startswith("guid:") for key in hits)


def _listed(db: sqlite3.Connection, candidates: Iterable[Candidate], seen: Sighting) -> dict[str, str]:
    keys = json.dumps([key for each in candidates for key in each.keys])
    asked = "SELECT key, item FROM item_keys WHERE outlet = ? AND key IN (SELECT value FROM json_each(?))"
    return dict(db.execute(asked, (seen.outlet, keys)).fetchall())


def _titles(db: sqlite3.Connection, seen: Sighting) -> dict[str, Row]:
    """The titles this source told lately with their items, without those that name several."""
    found = db.execute(
        "SELECT id, title, lead, published, published_assumed, first_seen FROM items"
        " WHERE source = ? AND first_seen >= ?",
        (seen.source, when(seen.at - _TITLES_WITHIN)),
    )
    titles: dict[str, Row | None] = {}
    for row in found:
        title = words(row["title"])
        titles[title] = None if title in titles else row
    return {title: row for title, row in titles.items() if title and row is not None}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
