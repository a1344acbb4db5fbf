"""Placing: one candidate becomes a new item, a new text of a known one, or nothing new.

A text that its item had before is never a new revision. It becomes the current text again only when the source that
told the current text went back to it, and does not call it older (``updated``): mirrors that alternate (F32) and
sources of an outlet that word a lead differently (F69) thus make no revisions and no alerts, however often they are
polled. A source that tells no lead or no body takes none away.

An article page brings an item's body; its headline ("… | Site name") and its lead are no news of the item.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.entries import DATE_ASSUMED
from monitor.model import Candidate, Change, Decision, Filing, Item, Revision
from monitor.ports import Decide
from monitor.stories import identity
from storage import rows
from storage.rows import when
from storage.sqlite import decisions, known, texts
from storage.sqlite.merging import merge

_SEEN_AGAIN_AFTER = timedelta(days=1)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    name: Literal["new", "revised", "known", "merged"]
    item: str
    due: int = 0
    suppressed: int = 0
    terms: tuple[int, texts.Terms] | None = None
    """What the item is to be found by from now on."""


class Placing:
    """The candidates of one answer, one after another."""

    def __init__(self, db: sqlite3.Connection, filing: Filing, decide: Decide) -> None:
        self.db, self.answer, self.at = db, filing.answer, filing.answer.at
        self.decide, self.ledger = decide, decisions.Ledger(db, filing.answer.at)
        before = db.execute("SELECT * FROM sources WHERE id = ?", (self.answer.source,)).fetchone()
        self.seen = known.sighting(self.answer, before)
        first_poll = before is None or before["baselined"] is None
        self.late_before = None if first_poll else before["newest"]
        self.adopted = {} if self.answer.page_of else known.adopted(db, filing.candidates, self.seen)

    def place(self, candidate: Candidate, first_seen: datetime) -> Fate:
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

    def _file_page(self, candidate: Candidate) -> Fate:
        """An article page's text belongs to its item whatever its keys say; other items' keys stay theirs, unless both
        items bear one title: a page that names a wrong address for itself must not melt an outlet into one item."""
        assert self.answer.page_of is not None
        item = decisions.resolve(self.db, self.answer.page_of)
        if item is None:  # pruned while its page waited
            return Fate(name="known", item=self.answer.page_of)
        found = known.find(self.db, candidate.keys, self.seen)
        title = identity.words(self._row(item)["title"])
        same = {other for other, row in found.items.items() if identity.words(row["title"]) == title}
        merged = bool(same - {item})
        if merged:
            item = merge(self.db, {item, *same}, self.at)
        known.keep_keys(self.db, replace(found, take=(), weak=()), item, self.seen)
        fate = self._page(candidate, item)
        return replace(fate, name="merged") if merged else fate

    def _page(self, candidate: Candidate, item: str) -> Fate:
        """The first reading is decided whatever of the page may be kept: the watches have read all of it. Another one
        only if its body is a new text."""
        row = self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone()
        old, first = rows.item(row), not row["page_read"]
        new = _with_page(old, candidate)
        retold = (new.title, new.lead, new.body) != (old.title, old.lead, old.body)
        if not first and not retold:
            return Fate(name="known", item=item)
        number = row["current"]
        if (new.title, new.lead) != (old.title, old.lead):
            number, new = self._page_text(new, candidate)
        self.db.execute("UPDATE revisions SET body = ?, html = ? WHERE number = ?", (new.body, new.html, number))
        self.db.execute(_UPDATE_ITEM, _columns(new) | {"current": number})
        new = replace(new, revisions=texts.cap(self.db, item, number))
        self.db.execute("UPDATE items SET page_read = 1 WHERE id = ?", (item,))
        kept = rows.revision(self.db.execute("SELECT * FROM revisions WHERE number = ?", (number,)).fetchone())
        return self._decide("revised" if retold else "known", self._change(new, kept, candidate, completed=first))

    def _page_text(self, new: Item, candidate: Candidate) -> tuple[int, Item]:
        """The text of an item that had no headline or no lead of its own until its page told one."""
        text_hash = identity.text_hash(new.title, new.lead)
        held = self.db.execute(
            "SELECT number, id FROM revisions WHERE item = ? AND text_hash = ?", (new.id, text_hash)
        ).fetchone()
        if held is not None:
            return held["number"], replace(new, revision=held["id"])
        new = replace(new, revision=identity.revision_id(new.id, text_hash))
        return self._keep(self._revision(new, text_hash), new.html, candidate), new

    def _text(self, candidate: Candidate, item: str, row: rows.Row | None = None) -> Fate:
        """The candidate as a text of a known item; ``row`` is what its look-up already brought."""
        now = row or self._row(item)
        if now["last_seen"] < when(self.at - _SEEN_AGAIN_AFTER):
            self.db.execute("UPDATE items SET last_seen = ? WHERE id = ?", (when(self.at), item))
        completes = bool(candidate.entry.body) and not now["has_body"]
        if not identity.changed(now["text_hash"], candidate.text_hash):
            return self._complete(candidate, item) if completes else Fate(name="known", item=item)
        held = self.db.execute(_HELD_TEXT, (item, candidate.text_hash)).fetchone()
        if held is None:
            return self._revise(candidate, item)
        if completes:
            return self._complete(candidate, item, held["number"])
        updated = when(candidate.entry.updated)
        if now["told_by"] == self.answer.source and not (updated and now["updated"] and updated < now["updated"]):
            texts.make_current(self.db, item, held["number"], self.answer.source)
            return Fate(name="known", item=item, terms=texts.current_terms(self.db, item))
        return Fate(name="known", item=item)

    def _row(self, item: str) -> sqlite3.Row:
        row: sqlite3.Row = self.db.execute(
            "SELECT items.last_seen, items.title, revisions.text_hash, revisions.source AS told_by, revisions.updated,"
            " revisions.body <> '' AS has_body FROM items JOIN revisions ON revisions.number = items.current"
            " WHERE items.id = ?",
            (item,),
        ).fetchone()
        return row

    # -------------------------------------------------------------- new items, new texts

    def _new(self, candidate: Candidate, found: known.Found, first_seen: datetime) -> Fate:
        entry, name = candidate.entry, self._fresh_id(candidate, first_seen)
        item = Item(
            id=name,
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
            revision=identity.revision_id(name, candidate.text_hash),
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
        change = Change(
            item=item,
            revision=revision,
            candidate=candidate,
            fresh=True,
            completed=False,
        )
        return self._decide("new", change, (number, texts.terms(item.title, item.lead, item.body)))

    def _fresh_id(self, candidate: Candidate, first_seen: datetime) -> str:
        """The candidate's id, or another when an item has it whose weak key has run out: same title, other news."""
        if decisions.resolve(self.db, candidate.id) is None:
            return candidate.id
        return identity.item_id(self.answer.outlet, f"{candidate.keys[0]} {when(first_seen)}")

    def _late(self, published: datetime | None) -> bool:
        return published is not None and self.late_before is not None and when(published) < self.late_before

    def _complete(self, candidate: Candidate, item: str, held: int | None = None) -> Fate:
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

    def _revise(self, candidate: Candidate, item: str) -> Fate:
        old = rows.item(self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone())
        new = _told_anew(old, candidate)
        untold_lead = not candidate.entry.lead and old.lead
        text_hash = identity.text_hash(new.title, new.lead) if untold_lead else candidate.text_hash
        new = replace(new, revision=identity.revision_id(item, text_hash))
        revision = self._revision(new, text_hash)
        number = self._keep(revision, new.html, candidate)
        self.db.execute(_UPDATE_ITEM, _columns(new) | {"current": number})
        new = replace(new, revisions=texts.cap(self.db, item, number))
        change = self._change(new, revision, candidate, completed=bool(new.body) and not old.body, before=old)
        return self._decide("revised", change)

    def _change(
        self, item: Item, revision: Revision, candidate: Candidate, *, completed: bool, before: Item | None = None
    ) -> Change:
        matched = self.db.execute("SELECT DISTINCT watch FROM matches WHERE item = ?", (item.id,))
        return Change(
            item=item,
            revision=revision,
            candidate=candidate,
            fresh=False,
            completed=completed,
            before=before,
            matched_before=frozenset(row["watch"] for row in matched),
        )

    def _revision(self, item: Item, text_hash: str) -> Revision:
        return Revision(
            id=item.revision,
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

    def _decide(
        self, fate: Literal["new", "revised", "known"], change: Change, terms: tuple[int, texts.Terms] | None = None
    ) -> Fate:
        decision = self.decide(change, self.ledger)
        if self.answer.page_of:
            decision = _in_own_text(decision, change)
        due, suppressed = decisions.write(self.db, change, decision, self.at)
        terms = terms or texts.current_terms(self.db, change.item.id)
        return Fate(name=fate, item=change.item.id, due=due, suppressed=suppressed, terms=terms)


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


def _with_page(old: Item, candidate: Candidate) -> Item:
    """The item with what its article page adds. What it has of its own stays, but for a body."""
    entry = candidate.entry
    dated = old.published_assumed and entry.published is not None
    return replace(
        old,
        title=old.title or entry.title,
        lead=old.lead or entry.lead,
        body=entry.body or old.body,
        html=entry.html if entry.body else old.html,
        url=old.url or entry.url,
        author=old.author or entry.author,
        published=entry.published if dated and entry.published else old.published,
        published_assumed=old.published_assumed and not dated,
        marks=tuple(mark for mark in old.marks if mark != DATE_ASSUMED) if dated else old.marks,
    )


def _in_own_text(decision: Decision, change: Change) -> Decision:
    """Without the places in a page's headline or lead that are not the item's: they would point into other words."""
    entry, item = change.candidate.entry, change.item
    others = {name for name in ("title", "lead") if getattr(entry, name) != getattr(item, name)}
    matches = (
        replace(match, spans=tuple(span for span in match.spans if span.field not in others))
        for match in decision.matches
    )
    return replace(decision, matches=tuple(matches)) if others else decision


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
