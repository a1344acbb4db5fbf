"""Filing: one answer into the store, in one transaction, and what is new decided on the way.

Each candidate runs in a savepoint of its own::

    keys → the item it is (several: merged) → known text | new text | first body | new item
         → decide → matches, alert rows, copy link, page to read

One that fails is undone alone and kept in quarantine; the source then keeps its validators, so the next poll brings
the entry again. The source's state is written last.

A text that its item had before is never a new revision. It becomes the current text again only when the source that
told the current text went back to it, and does not call it older (``updated``): mirrors that alternate (F32) and
sources of an outlet that word a lead differently (F69) thus make no revisions and no alerts, however often they are
polled. A source that tells no lead or no body takes none away.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.model import Candidate, Change, Filed, Filing, Item, Revision
from monitor.ports import Decide
from monitor.stories import identity
from storage import rows
from storage.rows import when
from storage.sqlite import decisions, known, schedule, texts
from storage.sqlite.errors import translate
from storage.sqlite.merging import merge

log = logging.getLogger(__name__)

_SEEN_AGAIN_AFTER = timedelta(days=1)
_PUT_OFF = timedelta(hours=1)

_INSERT_ITEM = """
INSERT INTO items (id, outlet, source, url, title, lead, language, kind, author, published, published_assumed,
  first_seen, last_seen, current, revisions, copy_reason, late, marks)
VALUES (:id, :outlet, :source, :url, :title, :lead, :language, :kind, :author, :published, :published_assumed,
  :first_seen, :first_seen, :current, 1, '', :late, :marks)
"""
_UPDATE_ITEM = """
UPDATE items SET url = :url, title = :title, lead = :lead, language = :language, kind = :kind, author = :author,
  published = :published, published_assumed = :published_assumed, current = :current, marks = :marks
WHERE id = :id
"""
_HELD_TEXT = """
SELECT number FROM revisions WHERE item = ?1 AND substr(text_hash, 1, length(?2)) = ?2
ORDER BY text_hash <> ?2, seen DESC, number DESC LIMIT 1
"""
_QUARANTINE = """
INSERT INTO quarantine (source, candidate, outlet, entry, reason, first, last)
VALUES (:source, :candidate, :outlet, :entry, :reason, :now, :now)
ON CONFLICT (source, candidate)
DO UPDATE SET entry = :entry, reason = :reason, last = :now, times = times + 1, filed = NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
    name: Literal["new", "revised", "known", "merged"]
    item: str
    due: int = 0
    suppressed: int = 0
    terms: tuple[int, texts.Terms] | None = None
    """What the item is to be found by from now on."""


def file(db: sqlite3.Connection, filing: Filing, decide: Decide) -> Filed:
    """File one answer inside the open transaction."""
    return _Filing(db, filing, decide).run()


class _Filing:
    def __init__(self, db: sqlite3.Connection, filing: Filing, decide: Decide) -> None:
        self.db, self.filing, self.decide = db, filing, decide
        self.answer, self.at = filing.answer, filing.answer.at
        self.before = db.execute("SELECT * FROM sources WHERE id = ?", (self.answer.source,)).fetchone()
        self.seen = known.sighting(self.answer, self.before)
        self.ledger = decisions.Ledger(db)
        first_poll = self.before is None or self.before["baselined"] is None
        self.late_before = None if first_poll else self.before["newest"]
        self.adopted: dict[str, str] = {}

    def run(self) -> Filed:
        candidates = self.filing.candidates
        self.adopted = {} if self.answer.page_of else known.adopted(self.db, candidates, self.seen)
        # A feed lists its newest first; a microsecond apart keeps that order and gives pages of a listing an edge.
        fates = [
            self._safely(each, self.at + timedelta(microseconds=len(candidates) - 1 - place))
            for place, each in enumerate(candidates)
        ]
        filed = [fate for fate in fates if fate is not None]
        whole = len(filed) == len(fates)
        texts.index(self.db, dict(fate.terms for fate in filed if fate.terms is not None))
        self._finish(whole)
        counts = Counter(fate.name for fate in filed)
        return Filed(
            new=counts["new"],
            revised=counts["revised"],
            known=counts["known"],
            merged=counts["merged"],
            quarantined=len(fates) - len(filed),
            adopted=len(self.adopted),
            alerts_due=sum(fate.due for fate in filed),
            alerts_suppressed=sum(fate.suppressed for fate in filed),
            items=tuple(fate.item for fate in filed if fate.name == "new"),
        )

    # -------------------------------------------------------------- one candidate

    def _safely(self, candidate: Candidate, first_seen: datetime) -> _Fate | None:
        """One candidate's fate; ``None``: it failed, was undone alone and is in quarantine."""
        self.db.execute("SAVEPOINT candidate")
        try:
            fate = self._file(rows.writable_candidate(candidate), first_seen)
        except Exception as error:
            if translate(error) is not None:
                raise  # the store failed, not the entry
            self.db.execute("ROLLBACK TO candidate")
            self.db.execute("RELEASE candidate")
            self._quarantine(candidate, error)
            return None
        self.db.execute("RELEASE candidate")
        return fate

    def _file(self, candidate: Candidate, first_seen: datetime) -> _Fate:
        if self.answer.page_of:
            return self._file_page(candidate)
        found = known.find(self.db, candidate.keys, self.seen)
        items = set(found.items)
        if not items and candidate.id in self.adopted:
            items = {self.adopted[candidate.id]}
        if not items:
            return self._new(candidate, found, first_seen)
        if len(items) > 1:
            item = merge(self.db, items, self.at)
            known.keep_keys(self.db, found, item, self.seen)
            return replace(self._text(candidate, item), name="merged")
        item = items.pop()
        if found.add or found.take or found.weak:
            known.keep_keys(self.db, found, item, self.seen)
        return self._text(candidate, item, found.items.get(item))

    def _file_page(self, candidate: Candidate) -> _Fate:
        """An article page's text belongs to its item whatever its keys say; other items' keys stay theirs, unless both
        items bear one title: a page that names a wrong address for itself must not melt an outlet into one item."""
        assert self.answer.page_of is not None
        item = decisions.resolve(self.db, self.answer.page_of)
        if item is None:  # pruned while its page waited
            return _Fate(name="known", item=self.answer.page_of)
        found = known.find(self.db, candidate.keys, self.seen)
        title = identity.words(self._row(item)["title"])
        same = {other for other, row in found.items.items() if identity.words(row["title"]) == title}
        merged = bool(same - {item})
        if merged:
            item = merge(self.db, {item, *same}, self.at)
        known.keep_keys(self.db, replace(found, take=(), weak=()), item, self.seen)
        fate = self._text(candidate, item)
        return replace(fate, name="merged") if merged else fate

    def _text(self, candidate: Candidate, item: str, row: rows.Row | None = None) -> _Fate:
        """The candidate as a text of a known item; ``row`` is what its look-up already brought."""
        now = row or self._row(item)
        if now["last_seen"] < when(self.at - _SEEN_AGAIN_AFTER):
            self.db.execute("UPDATE items SET last_seen = ? WHERE id = ?", (when(self.at), item))
        completes = bool(candidate.entry.body) and not now["has_body"]
        if not identity.changed(now["text_hash"], candidate.text_hash):
            return self._complete(candidate, item) if completes else _Fate(name="known", item=item)
        held = self.db.execute(_HELD_TEXT, (item, candidate.text_hash)).fetchone()
        if held is None:
            return self._revise(candidate, item)
        if completes:
            return self._complete(candidate, item, held["number"])
        updated = when(candidate.entry.updated)
        if now["told_by"] == self.answer.source and not (updated and now["updated"] and updated < now["updated"]):
            texts.make_current(self.db, item, held["number"], self.answer.source)
            return _Fate(name="known", item=item, terms=texts.current_terms(self.db, item))
        return _Fate(name="known", item=item)

    def _row(self, item: str) -> sqlite3.Row:
        row: sqlite3.Row = self.db.execute(
            "SELECT items.last_seen, items.title, revisions.text_hash, revisions.source AS told_by, revisions.updated,"
            " revisions.body <> '' AS has_body FROM items JOIN revisions ON revisions.number = items.current"
            " WHERE items.id = ?",
            (item,),
        ).fetchone()
        return row

    # -------------------------------------------------------------- new items, new texts

    def _new(self, candidate: Candidate, found: known.Found, first_seen: datetime) -> _Fate:
        entry = candidate.entry
        item = Item(
            id=self._fresh_id(candidate, first_seen),
            outlet=self.answer.outlet,
            source=self.answer.source,
            url=entry.url,
            title=entry.title,
            lead=entry.lead,
            language=candidate.language,
            kind=entry.kind,
            author=entry.author,
            published=entry.published or first_seen,
            published_assumed=entry.published is None,
            first_seen=first_seen,
            revision="",
            late=self._late(entry.published),
            marks=entry.marks,
            body=entry.body,
            html=entry.html,
        )
        revision = self._revision(item, candidate.text_hash)
        current = self._keep(revision, item.html, candidate)
        values = _columns(item) | {"current": current}
        number = self.db.execute(_INSERT_ITEM, values).lastrowid
        assert number is not None
        known.keep_keys(self.db, found, item.id, self.seen)
        fate = self._decide(
            "new",
            Change(
                item=replace(item, revision=revision.id),
                revision=revision,
                candidate=candidate,
                fresh=True,
                completed=False,
                title_changed=False,
                matched_before=frozenset(),
            ),
        )
        return replace(fate, terms=(number, texts.terms(item.title, item.lead, item.body)))

    def _fresh_id(self, candidate: Candidate, first_seen: datetime) -> str:
        """The candidate's id, or another when an item has it whose weak key has run out: same title, other news."""
        if decisions.resolve(self.db, candidate.id) is None:
            return candidate.id
        return identity.item_id(self.answer.outlet, f"{candidate.keys[0]} {when(first_seen)}")

    def _late(self, published: datetime | None) -> bool:
        return published is not None and self.late_before is not None and when(published) < self.late_before

    def _complete(self, candidate: Candidate, item: str, held: int | None = None) -> _Fate:
        """The first body, for a text we hold already: the current one, or an older one (``held``) that the page shows
        still. It joins that text's revision and the current one."""
        row = self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone()
        self.db.execute(
            "UPDATE revisions SET body = ?, html = ? WHERE number IN (?, ?)",
            (candidate.entry.body, candidate.entry.html, row["current"], held),
        )
        kept = self.db.execute("SELECT * FROM revisions WHERE number = ?", (held or row["current"],)).fetchone()
        new = replace(rows.item(row), body=candidate.entry.body, html=candidate.entry.html)
        return self._decide("revised", self._change(new, rows.revision(kept), candidate, completed=True))

    def _revise(self, candidate: Candidate, item: str) -> _Fate:
        old = rows.item(self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone())
        new = _told_anew(old, candidate)
        untold_lead = not candidate.entry.lead and old.lead
        revision = self._revision(new, identity.text_hash(new.title, new.lead) if untold_lead else candidate.text_hash)
        number = self._keep(revision, new.html, candidate)
        self.db.execute(_UPDATE_ITEM, _columns(new) | {"current": number})
        new = replace(new, revision=revision.id, revisions=texts.cap(self.db, item, number))
        change = self._change(
            new, revision, candidate, completed=bool(new.body) and not old.body, retitled=new.title != old.title
        )
        return self._decide("revised", change)

    def _change(
        self, item: Item, revision: Revision, candidate: Candidate, *, completed: bool, retitled: bool = False
    ) -> Change:
        before = self.db.execute("SELECT DISTINCT watch FROM matches WHERE item = ?", (item.id,))
        return Change(
            item=item,
            revision=revision,
            candidate=candidate,
            fresh=False,
            completed=completed,
            title_changed=retitled,
            matched_before=frozenset(row["watch"] for row in before),
        )

    def _revision(self, item: Item, text_hash: str) -> Revision:
        return Revision(
            id=identity.revision_id(item.id, text_hash),
            item=item.id,
            seen=self.at,
            title=item.title,
            lead=item.lead,
            body=item.body,
            text_hash=text_hash,
        )

    def _keep(self, revision: Revision, html: str, candidate: Candidate) -> int:
        updated = when(candidate.entry.updated)
        return texts.insert(self.db, revision, source=self.answer.source, updated=updated, html=html)

    def _decide(self, fate: Literal["new", "revised"], change: Change) -> _Fate:
        decision = self.decide(change, self.ledger)
        due, suppressed = decisions.write(self.db, change, decision, self.at)
        terms = None if change.fresh else texts.current_terms(self.db, change.item.id)
        return _Fate(name=fate, item=change.item.id, due=due, suppressed=suppressed, terms=terms)

    # -------------------------------------------------------------- the end

    def _quarantine(self, candidate: Candidate, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        log.error(
            "entry quarantined source=%s candidate=%s reason=%s",
            self.answer.source, candidate.id, reason, exc_info=error,
        )  # fmt: skip
        self.db.execute(
            _QUARANTINE,
            {
                "source": self.answer.source,
                "candidate": rows.writable(candidate.id),
                "outlet": self.answer.outlet,
                "entry": rows.entry_json(candidate.entry),
                "reason": rows.writable(reason),
                "now": when(self.at),
            },
        )

    def _finish(self, whole: bool) -> None:
        """The page leaves the queue, or the source's state is written, after everything else."""
        if self.answer.page_of:
            schedule.settle_page(self.db, self.answer.page_of, None if whole else self.at + _PUT_OFF)
        if self.filing.candidates:
            self._leave_quarantine()
        state = self.filing.after if whole else self.filing.held
        if state is not None:
            schedule.save_source(self.db, state)
            self._note_listing()

    def _leave_quarantine(self) -> None:
        """Entries that were filed after all: the record stays, marked."""
        kept = self.db.execute(
            "SELECT candidate FROM quarantine WHERE source = ? AND filed IS NULL AND last < ?",
            (self.answer.source, when(self.at)),
        ).fetchall()
        if not kept:
            return
        filed = {each.id for each in self.filing.candidates}
        for row in kept:
            if row["candidate"] in filed:
                self.db.execute(
                    "UPDATE quarantine SET filed = ? WHERE source = ? AND candidate = ?",
                    (when(self.at), self.answer.source, row["candidate"]),
                )

    def _note_listing(self) -> None:
        """What `known.Sighting` and ``late`` go by. A date in the future is not the newest of anything."""
        if not self.filing.candidates:
            return
        dates = [each.entry.published for each in self.filing.candidates]
        newest = max((date for date in dates if date is not None and date <= self.at), default=None)
        self.db.execute(
            "UPDATE sources SET last_listed = ?1, newest = max(coalesce(newest, ?2), coalesce(?2, newest))"
            " WHERE id = ?3",
            (when(self.at), when(newest), self.answer.source),
        )


def _told_anew(old: Item, candidate: Candidate) -> Item:
    """The item with a new text. What the entry does not tell (no lead, no body) stays as it was."""
    entry = candidate.entry
    return replace(
        old,
        title=entry.title,
        lead=entry.lead or old.lead,
        body=entry.body or old.body,
        html=entry.html if entry.body else old.html,
        url=old.url or entry.url,
        language=candidate.language,
        kind=entry.kind,
        author=entry.author or old.author,
        marks=entry.marks,
        published=entry.published if old.published_assumed and entry.published else old.published,
        published_assumed=old.published_assumed and entry.published is None,
    )


def _columns(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "outlet": item.outlet,
        "source": item.source,
        "url": item.url,
        "title": item.title,
        "lead": item.lead,
        "language": item.language,
        "kind": item.kind,
        "author": item.author,
        "published": when(item.published),
        "published_assumed": item.published_assumed,
        "first_seen": when(item.first_seen),
        "late": item.late,
        "marks": rows.plain_json(item.marks),
    }
