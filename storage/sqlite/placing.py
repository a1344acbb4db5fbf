"""Placing: one candidate becomes a new item, a new text of a known one, or nothing new.

A text that its item had before is never a new revision. It becomes the current text again only when the source that
told the current text went back to it, and does not call it older (``updated``): mirrors that alternate (F32) and
sources of an outlet that word a lead differently (F69) thus make no revisions and no alerts, however often they are
polled. A source that tells no lead or no body takes none away.

What an article page brings is placed by ``articles.py``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.model.entries import Candidate
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Item, Revision
from monitor.ports import Decide, Settle
from monitor.stories import identity
from storage import rows
from storage.rows import when
from storage.sqlite import corroborating, decisions, hits, known, pages, stories, texts
from storage.sqlite.merging import merge

_SEEN_AGAIN_AFTER = timedelta(days=1)

_INSERT_ITEM = """
INSERT INTO items (id, outlet, source, url, title, lead, language, kind, author, published, published_assumed,
  first_seen, last_seen, current, revisions, copy_reason, late, marks)
VALUES (:id, :outlet, :source, :url, :title, :lead, :language, :kind, :author, :published, :published_assumed,
  :first_seen, :first_seen, :current, 1, '', :late, :marks)
"""
UPDATE_ITEM = """
UPDATE items SET url = :url, title = :title, lead = :lead, language = :language, kind = :kind, author = :author,
  published = :published, published_assumed = :published_assumed, current = :current, marks = :marks
WHERE id = :id
"""
# A body behind the hyphen is not what a source tells: of texts that differ in it alone, the newest stands.
_HELD_TEXT = """
SELECT number FROM revisions WHERE item = ?1 AND substr(text_hash, 1, length(?2)) = ?2
ORDER BY substr(text_hash, 1, instr(text_hash || '-', '-') - 1) <> ?2, seen DESC, number DESC LIMIT 1
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

    def __init__(self, db: sqlite3.Connection, filing: Filing, decide: Decide, settle: Settle | None = None) -> None:
        self.db, self.answer, self.at = db, filing.answer, filing.answer.at
        self.decide, self.settle, self.ledger = decide, settle, decisions.Ledger(db, filing.answer.at)
        before = db.execute("SELECT * FROM sources WHERE id = ?", (self.answer.source,)).fetchone()
        self.seen = known.sighting(self.answer, before)
        first_poll = before is None or before["baselined"] is None
        self.late_before = None if first_poll else before["newest"]
        self.adopted = {} if self.answer.page_of else known.adopted(db, filing.candidates, self.seen)
        self._listed = frozenset(key for each in filing.candidates for key in each.keys)
        self.moved: set[str] = set()
        """Items that stand at another address now."""

    def place(self, candidate: Candidate, first_seen: datetime) -> Fate:
        found = known.find(self.db, candidate, self.seen)
        items = set(found.items)
        if not items:
            continued = self.adopted.get(candidate.id) or known.moved(self.db, candidate, self._listed, self.seen)
            items = {continued} if continued else items
        if not items:
            return self._new(candidate, found, first_seen)
        if len(items) > 1:
            item = merge(self.db, items, self.at)
            known.keep_keys(self.db, found, item, self.seen)
            return replace(self._text(candidate, item), name="merged")
        item = items.pop()
        if found.add or found.take or found.weak:
            known.keep_keys(self.db, found, item, self.seen)
        if found.add and known.is_new_address(candidate, found):
            self._moved(candidate, item)
        return self._text(candidate, item, found.items.get(item))

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

    def _moved(self, candidate: Candidate, item: str) -> None:
        """The source lists the article at another address: there it is, whatever its old page says."""
        if candidate.entry.url:
            if pages.moved(self.db, item, candidate.entry.url, self.at):
                self.moved.add(item)
            pages.back(self.db, item, self.at, "listed at another address")

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
        values = columns(item) | {"current": current}
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
        return self._decide("new", change, (number, texts.terms(item)))

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
        if old.withdrawn is not None:
            pages.back(self.db, item, self.at, "listed with a new text")
            old = replace(old, withdrawn=None)
        new = _told_anew(old, candidate)
        untold_lead = not candidate.entry.lead and old.lead
        text_hash = identity.text_hash(new.title, new.lead) if untold_lead else candidate.text_hash
        new = replace(new, revision=identity.revision_id(item, text_hash))
        revision = self._revision(new, text_hash)
        number = self._keep(revision, new.html, candidate)
        self.db.execute(UPDATE_ITEM, columns(new) | {"current": number})
        new = replace(new, revisions=texts.cap(self.db, item, number))
        if new.language != old.language:
            hits.carry(self.db, item)
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
        decision = self._decided(change)
        due, suppressed = decisions.write(self.db, change, decision, self.at)
        story = stories.current(self.db, decision.placed.story if decision.placed is not None else change.item.story)
        if self.settle is not None and story:
            told, closed = corroborating.settle(self.db, self.settle(story, self.ledger), self.at)
            due, suppressed = due + told, suppressed + closed
        terms = terms or texts.current_terms(self.db, change.item.id)
        return Fate(name=fate, item=change.item.id, due=due, suppressed=suppressed, terms=terms)

    def _decided(self, change: Change) -> Decision:
        return self.decide(change, self.ledger)


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


def columns(item: Item) -> dict[str, Any]:
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
