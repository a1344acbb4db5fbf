"""Article pages placed: what a page's text makes of its item, and where the article went.

A page brings its item's body; its headline ("… | Site name") and its lead are no news of the item. The first body
completes the item's text. Another one is an edit if its sentences differ (`monitor.stories.prose`): what stands around
an article changes at every reading. Posts of a live page with addresses of their own are items like any other.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from monitor.entries import DATE_ASSUMED, PAYWALLED
from monitor.model.entries import Candidate, Entry
from monitor.model.filing import Change, Decision, Filing
from monitor.model.items import Item
from monitor.model.sources import NO_VALIDATORS
from monitor.pages import is_whole
from monitor.ports import Decide, Settle
from monitor.stories import identity, prose
from storage import rows
from storage.sqlite import decisions, known, pages, texts
from storage.sqlite.merging import merge
from storage.sqlite.placing import UPDATE_ITEM, Fate, Placing, columns


class PagePlacing(Placing):
    """The candidates of one page: the article's, and a live page's posts."""

    def __init__(self, db: sqlite3.Connection, filing: Filing, decide: Decide, settle: Settle | None) -> None:
        super().__init__(db, filing, decide, settle)
        self.page = filing.page

    def place(self, candidate: Candidate, first_seen: datetime) -> Fate:
        if not candidate.entry.post:
            return self._article(candidate)
        if self.page is not None and self.page.fate == "lost":  # another page's
            return Fate(name="known", item=self._asked)
        return super().place(candidate, first_seen)

    def end_page(self) -> Fate | None:
        """What becomes of the page after its texts were placed; the fate of an item that is withdrawn now."""
        item = self._item()
        if item is None or self.page is None:
            pages.settle(self.db, self._asked, None)
            return None
        if self.page.asked and pages.asked_at(self.db, item) not in (None, self.page.asked):
            return None  # it was asked at an address that is no longer its own: it stays due at the new one
        told = self._befell(item)
        pages.keep(self.db, item, self.page)
        return told

    @property
    def _asked(self) -> str:
        assert self.answer.page_of is not None
        return self.answer.page_of

    def _item(self) -> str | None:
        """``None``: pruned while its page waited."""
        return decisions.resolve(self.db, self._asked)

    def _befell(self, item: str) -> Fate | None:
        page = self.page
        assert page is not None
        if page.fate == "there":
            pages.back(self.db, item, self.at, "its page is there")
            if page.moved_to and pages.moved(self.db, item, page.moved_to, self.at):
                self.moved.add(item)
        elif page.fate == "lost":
            pages.lost(self.db, item, self.at, page.words)
        elif page.fate == "withdrawn" and page.missing and pages.is_outage(self.db, item, page.missing):
            self.page = replace(page, fate="unknown")  # asked again at its next time, with one 404 behind it
        elif page.fate == "withdrawn" and pages.withdraw(self.db, item, page.since or self.at, page.words):
            return self._withdrawn(item)
        return None

    def _withdrawn(self, item: str) -> Fate:
        """Decided on the text that is held: the page has none any more."""
        row = self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone()
        held, number = rows.item(row), row["current"]
        kept = rows.revision(self.db.execute("SELECT * FROM revisions WHERE number = ?", (number,)).fetchone())
        change = self._change(held, kept, _as_held(held, kept.text_hash), completed=False)
        return self._decide("known", replace(change, withdrawn=True))

    # -------------------------------------------------------------- the article

    def _article(self, candidate: Candidate) -> Fate:
        """An article page's text belongs to its item whatever its keys say; other items' keys stay theirs, unless both
        items bear one title: a page that names a wrong address for itself must not melt an outlet into one item."""
        item = self._item()
        if item is None:
            return Fate(name="known", item=self._asked)
        found = known.find(self.db, candidate, self.seen)
        title = identity.words(self._row(item)["title"])
        same = {other for other, row in found.items.items() if identity.words(row["title"]) == title}
        others = set(found.items) - same - {item}
        if self._leads_to_another(item, candidate, others=bool(others)):
            return Fate(name="known", item=item)
        merged = bool(same - {item})
        if merged:
            item = merge(self.db, {item, *same}, self.at)
        known.keep_keys(self.db, replace(found, take=(), weak=()), item, self.seen)
        fate = self._page(candidate, item)
        return replace(fate, name="merged") if merged else fate

    def _leads_to_another(self, item: str, candidate: Candidate, *, others: bool) -> bool:
        """The address of an article that was read once leads to another article now: nothing of it is this one's."""
        if self.page is None or not self.page.led_on:
            return False
        row = self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone()
        if not row["page_read"] or not (others or prose.another(row["body"], candidate.entry.body)):
            return False
        words = f"it leads to another article: {candidate.entry.url}"
        self.page = replace(self.page, fate="lost", words=words, moved_to="", validators=NO_VALIDATORS)
        return True

    def _page(self, candidate: Candidate, item: str) -> Fate:
        """The first reading is decided whatever of the page may be kept: the watches have read all of it. Another one
        only if its body is a new text."""
        row = self.db.execute(f"{texts.ITEM} WHERE items.id = ?", (item,)).fetchone()
        old, first = rows.item(row), not row["page_read"]
        new = _with_page(old, candidate)
        if not first and old.body:
            return self._again(candidate, old, new, row)
        retold = (new.title, new.lead, new.body) != (old.title, old.lead, old.body)
        if not first and not retold:
            return Fate(name="known", item=item)
        number = row["current"]
        if (new.title, new.lead) != (old.title, old.lead):
            number, new = self._page_text(new, candidate)
        self.db.execute("UPDATE revisions SET body = ?, html = ? WHERE number = ?", (new.body, new.html, number))
        self._write(new, number)
        new = replace(new, revisions=texts.cap(self.db, item, number))
        if is_whole(self.answer):  # what comes whole after half a reading is still its first
            self.db.execute("UPDATE items SET page_read = 1 WHERE id = ?", (item,))
        kept = rows.revision(self.db.execute("SELECT * FROM revisions WHERE number = ?", (number,)).fetchone())
        return self._decide("revised" if retold else "known", self._change(new, kept, candidate, completed=True))

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

    def _write(self, item: Item, number: int) -> None:
        self.db.execute(UPDATE_ITEM, columns(item) | {"current": number})

    # -------------------------------------------------------------- the article, read again

    def _again(self, candidate: Candidate, old: Item, new: Item, row: sqlite3.Row) -> Fate:
        cut_short = PAYWALLED in candidate.entry.marks and len(new.body) < len(old.body)
        if cut_short or prose.same(old.body, new.body):
            if new.kind != old.kind:
                self._write(replace(new, body=old.body), row["current"])
            return Fate(name="known", item=old.id)
        held = self._held(old, new.body)
        if held is not None:  # the page went back to a text that it had: as with any source, that is no new text
            texts.make_current(self.db, old.id, held, row["told_by"])
            return Fate(name="known", item=old.id, terms=texts.current_terms(self.db, old.id))
        return self._edited(candidate, old, new, row)

    def _held(self, item: Item, body: str) -> int | None:
        """A text of the item with its present headline and lead and this body."""
        found = self.db.execute(
            "SELECT number, body FROM revisions WHERE item = ? AND title = ? AND lead = ? AND body <> ''",
            (item.id, item.title, item.lead),
        )
        return next((row["number"] for row in found if prose.same(row["body"], body)), None)

    def _edited(self, candidate: Candidate, old: Item, new: Item, row: sqlite3.Row) -> Fate:
        """A text of its own, told by whoever told the headline: that source may take the headline back."""
        told = self.db.execute(
            "SELECT text_hash, updated FROM revisions WHERE number = ?", (row["current"],)
        ).fetchone()
        text_hash = identity.with_body(told["text_hash"], prose.prose(new.body))
        new = replace(new, revision=identity.revision_id(old.id, text_hash))
        revision = self._revision(new, text_hash)
        number = texts.insert(
            self.db, revision, source=row["told_by"], updated=told["updated"], html=new.html
        )  # fmt: skip
        self._write(new, number)
        new = replace(new, revisions=texts.cap(self.db, old.id, number))
        return self._decide("revised", self._change(new, revision, candidate, completed=False, before=old))

    def _decided(self, change: Change) -> Decision:
        decision = super()._decided(change)
        return decision if change.candidate.entry.post else _in_own_text(decision, change)


def _as_held(item: Item, text_hash: str) -> Candidate:
    entry = Entry(
        title=item.title, lead=item.lead, body=item.body, url=item.url, author=item.author, kind=item.kind,
        published=None if item.published_assumed else item.published,
    )  # fmt: skip
    return Candidate(id=item.id, entry=entry, keys=(), text_hash=text_hash, language=item.language)


def _with_page(old: Item, candidate: Candidate) -> Item:
    """The item with what its article page adds. What it has of its own stays, but for a body; and what its page calls a
    live blog is one."""
    entry = candidate.entry
    dated = old.published_assumed and entry.published is not None
    return replace(
        old,
        title=old.title or entry.title,
        lead=old.lead or entry.lead,
        body=entry.body or old.body,
        html=entry.html if entry.body else old.html,
        url=old.url or entry.url,
        kind="live" if entry.kind == "live" else old.kind,
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
