"""Filing: one answer into the store, in one transaction, and what is new decided on the way.

Each candidate runs in a savepoint of its own::

    keys → the item it is (several: merged) → known text | new text | first body | new item
         → decide → matches, alert rows, copy link, page to read

One that fails is undone alone and kept in quarantine; the source then keeps its validators, so the next poll brings
the entry again. The source's state is written last.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from datetime import datetime, timedelta

from monitor.model.entries import Candidate
from monitor.model.filing import Filed, Filing
from monitor.ports import Decide, Settle
from storage import rows
from storage.rows import when
from storage.sqlite import decisions, pages, schedule, texts
from storage.sqlite.articles import PagePlacing
from storage.sqlite.errors import translate
from storage.sqlite.placing import Fate, Placing

log = logging.getLogger(__name__)

_PUT_OFF = timedelta(hours=1)
_PAGE_ATTEMPTS = 3

_QUARANTINE = """
INSERT INTO quarantine (source, candidate, outlet, entry, reason, first, last)
VALUES (:source, :candidate, :outlet, :entry, :reason, :now, :now)
ON CONFLICT (source, candidate)
DO UPDATE SET entry = :entry, reason = :reason, last = :now, times = times + 1, filed = NULL
"""


def file(db: sqlite3.Connection, filing: Filing, decide: Decide, settle: Settle | None = None) -> Filed:
    """File one answer inside the open transaction."""
    return _Filing(db, filing, decide, settle).run()


def _in_order(told: tuple[Candidate, datetime]) -> tuple[bool, datetime, str]:
    """A page's article before its posts; else as `monitor.stories.clusters.in_order`: an undated entry or one from the
    future counts as seen now."""
    candidate, seen = told
    published = candidate.entry.published
    now = seen.replace(microsecond=0)
    return candidate.entry.post, (now if published is None else min(published, now)), candidate.id


class _Filing:
    def __init__(self, db: sqlite3.Connection, filing: Filing, decide: Decide, settle: Settle | None) -> None:
        self.db, self.filing = db, filing
        self.answer, self.at = filing.answer, filing.answer.at
        self.page = PagePlacing(db, filing, decide, settle) if self.answer.page_of else None
        self.placing = self.page or Placing(db, filing, decide, settle)

    def run(self) -> Filed:
        candidates = self.filing.candidates
        # A feed lists its newest first; a microsecond apart keeps that order and gives pages of a listing an edge.
        seen = [self.at + timedelta(microseconds=len(candidates) - 1 - place) for place in range(len(candidates))]
        # In the order of time: what an answer's order is decides nothing about stories.
        fates = [self._safely(each, at) for each, at in sorted(zip(candidates, seen, strict=True), key=_in_order)]
        filed = [fate for fate in fates if fate is not None]
        whole = len(filed) == len(fates)
        texts.index(self.db, dict(fate.terms for fate in filed if fate.terms is not None))
        withdrawn = self._settle_page(self.page, whole) if self.page is not None else None
        there = (decisions.resolve(self.db, item) for item in sorted(self.placing.moved))
        texts.index(self.db, dict(texts.current_terms(self.db, item) for item in there if item is not None))
        saved = self._finish(whole)
        decided = [*filed, withdrawn] if withdrawn is not None else filed
        counts = Counter(fate.name for fate in filed)
        return Filed(
            new=counts["new"],
            revised=counts["revised"],
            known=counts["known"],
            merged=counts["merged"],
            quarantined=len(fates) - len(filed),
            overtaken=not saved,
            adopted=len(self.placing.adopted),
            alerts_due=sum(fate.due for fate in decided),
            alerts_suppressed=sum(fate.suppressed for fate in decided),
            items=tuple(fate.item for fate in filed if fate.name == "new"),
        )

    # -------------------------------------------------------------- one candidate

    def _safely(self, candidate: Candidate, first_seen: datetime) -> Fate | None:
        """One candidate's fate; ``None``: it failed, was undone alone and is in quarantine."""
        self.db.execute("SAVEPOINT candidate")
        try:
            fate = self.placing.place(rows.writable_candidate(candidate), first_seen)
        except Exception as error:
            if translate(error) is not None:
                raise  # the store failed, not the entry
            self.db.execute("ROLLBACK TO candidate")
            self.db.execute("RELEASE candidate")
            self._quarantine(candidate, error)
            return None
        self.db.execute("RELEASE candidate")
        return fate

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

    def _finish(self, whole: bool) -> bool:
        """The source's state is written, after everything else; False: it was not, because a later visit's stands."""
        if self.filing.candidates:
            self._leave_quarantine()
        state = self.filing.after if whole else self.filing.held
        if state is None:
            return True
        if not schedule.save_source(self.db, state, self.filing.fence):
            log.warning("overtaken by a later visit, source's state not kept source=%s", self.answer.source)
            return False
        self._note_listing()
        return True

    def _settle_page(self, page: PagePlacing, whole: bool) -> Fate | None:
        """A page that cannot be filed is given up in the end; the quarantine keeps it with the reason."""
        if whole:
            return page.end_page()
        item = self.answer.page_of
        assert item is not None
        again = pages.attempts(self.db, item) + 1 < _PAGE_ATTEMPTS
        if not again:
            log.error("article page given up item=%s", item)
        pages.settle(self.db, item, self.at + _PUT_OFF if again else None)
        return None

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
