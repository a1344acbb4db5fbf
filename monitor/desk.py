"""The desk: what is decided about each answer, in order. The path of one item::

    answer → normalised → identified → matched → filed (placed, policy) → dispatcher → channel
             entries      keys, id     watches   one transaction           its own loop

Every stage takes values and returns values; only `Desk.filed` writes, through the archive. One `Edition` (a whole
configuration with its compiled watches) serves an answer from its first stage to its last (F105).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from config.model.outlets import Cadence, Outlet, Source
from monitor import canary, health, pages, rhythm, schedule, signs
from monitor.deciding import Deciding, Past, as_kept, copied_parts, item_text, settle, settling, without_spans
from monitor.edition import BUILT_IN, Edition
from monitor.entries import normalise
from monitor.errors import StoreError
from monitor.model.entries import Answer, Entry
from monitor.model.filing import Filed, Filing
from monitor.model.sources import Outcome, PageDue, SourceState
from monitor.ports import Archive, Clock, Schedule
from monitor.restdays import Week, prepare, week_of
from monitor.stories.copies import TitleIndex
from monitor.stories.identity import candidates, is_post
from monitor.stories.reported import reported

log = logging.getLogger(__name__)

GAP = 5
"""Entries, all new, that make a gap likely: fewer may well be all that a quiet source lists."""


class Desktop(Archive, Schedule, Protocol):
    """The two parts of the store that the desk writes to."""


class Desk:
    """The stages as methods, over the edition in force. Called from the event loop and from its threads."""

    def __init__(
        self,
        first: Edition,
        store: Desktop,
        clock: Clock,
        *,
        titles: TitleIndex,
        jitter: Callable[[], float],
        filed: Callable[[Filed], None] = lambda filed: None,
        failing: Callable[[StoreError], None] = lambda error: None,
    ) -> None:
        self.edition = first
        self._store = store
        self._clock = clock
        self.deciding = Deciding(titles, first.config)
        self._jitter = jitter
        self._on_filed, self._on_failing = filed, failing

    async def prepare(self, edition: Edition) -> None:
        """What would hold up the loop when it is first needed: the holidays of the outlets' countries."""
        countries = {outlet.holidays for outlet in edition.outlets.values()} - {None}
        await asyncio.to_thread(prepare, sorted(filter(None, countries)), self._clock.now().year)

    async def remember(self, archive: Past) -> None:
        """Fill the indexes of titles, texts and stories from the archive, at start."""
        await self.deciding.remember(archive, self._clock.now())

    # ------------------------------------------------------------------ stages

    def wants(self, due: SourceState | PageDue, edition: Edition) -> bool:
        """Whether the edition still watches what was asked: a save may have come while the answer was on its way."""
        outlet = edition.outlets.get(due.outlet)
        if outlet is None or isinstance(due, PageDue):
            return outlet is not None
        source = outlet.source_of(due.id)
        return source is not None and source.url == due.url

    def normalised(self, answer: Answer, edition: Edition) -> Answer:
        """Entries cleaned by the outlet's rules; those its file does not want are left out."""
        outlet = edition.outlets[answer.outlet]
        source = outlet.source_of(answer.source)
        kept: list[Entry] = []
        broken: list[str] = []
        for entry in answer.entries:
            try:
                cleaned = normalise(entry, outlet, source, answer.at)
            except Exception as error:  # one entry's fault is its own (P6)
                log.exception("entry not read", extra={"source": answer.source, "title": entry.title[:200]})
                broken.append(f"{type(error).__name__}: {error}")
            else:
                kept += [cleaned] if cleaned is not None else []
        if answer.page_of:
            kept = [each for each in kept if not each.post or is_post(each.url or "", outlet)]
        answer = replace(answer, entries=tuple(kept), listed=len(answer.entries))
        return _damaged(answer, broken) if broken else answer

    def identified(self, answer: Answer, due: SourceState | PageDue, edition: Edition) -> Filing:
        """Entries with their keys, and the source's next state."""
        outlet = edition.outlets[answer.outlet]
        source = outlet.source_of(answer.source)
        found = candidates(answer.entries, outlet, source)
        if isinstance(due, PageDue):
            page = pages.after(answer, due, outlet, now=self._clock.now())
            if due.read is not None and not pages.is_whole(answer):
                found = ()  # half a text is no edit of the whole
            return Filing(answer=answer, candidates=found, after=None, held=None, page=page, fence=due.fence)
        now, week, learnt = self._clock.now(), week_of(outlet), due.rhythm
        if not _may_be_empty(source, due, week, now):
            answer = schedule.judged(answer, due)
        if answer.outcome in schedule.GOOD:
            told = due.episode(schedule.SILENT) is not None
            learnt = rhythm.learned(learnt, answer, found, week, now=now, told=told)
        after, held = schedule.after(
            due, answer, _cadence(outlet, source), now=now, jitter=self._jitter(), learnt=learnt, week=week
        )  # fmt: skip
        return Filing(answer=answer, candidates=found, after=after, held=held, fence=due.fence)

    def matched(self, filing: Filing, unchanged: Collection[str], edition: Edition) -> Filing:
        """What each text that may be new matches; then the texts are cut to what the outlet's file lets us keep.

        Watches read all that the wire said: a word in a lead that may not be kept still alerts, by its clause alone.
        """
        answer, outlet = filing.answer, edition.outlets[filing.answer.outlet]
        matches, origins, texts = {}, {}, {}
        for each in filing.candidates:
            if each.id in unchanged:
                continue
            try:
                found = edition.match(item_text(each.entry, each, answer.outlet, answer.source))
            except Exception:  # tried again in the filing, which puts this entry alone into quarantine
                log.exception("entry not matched", extra={"source": answer.source, "title": each.entry.title[:200]})
            else:
                matches[each.id] = tuple(without_spans(match, outlet) for match in found)
                if answer.outlet not in BUILT_IN:
                    origins[each.id] = reported(each.entry, answer.outlet, edition.sources)
                    texts[each.id] = copied_parts(each.entry)
        kept = tuple(as_kept(each, outlet) for each in filing.candidates)
        if not answer.page_of:
            self.deciding.read_ahead((each.entry.title, each.entry.lead) for each in kept if each.id in origins)
        return replace(filing, matches=matches, origins=origins, texts=texts, candidates=kept)

    async def unchanged(self, filing: Filing) -> frozenset[str]:
        """Candidates whose text is held already: nothing needs to be matched again."""
        if not filing.candidates or filing.answer.page_of:
            return frozenset()
        return await self._store.unchanged(filing.answer.outlet, filing.candidates)

    async def filed(self, filing: Filing, due: SourceState | PageDue, edition: Edition) -> Filed:
        """Everything in one transaction; then, if the source's health changed, the notice of it in another."""
        try:
            return await self._filed(filing, due, edition)
        except StoreError as error:
            self._on_failing(error)
            raise

    async def _filed(self, filing: Filing, due: SourceState | PageDue, edition: Edition) -> Filed:
        if isinstance(due, PageDue):
            return await self._page_filed(filing, due, edition)
        decide = self.deciding.decide(filing, edition, now=self._clock.now(), first_poll=due.baselined is None)
        done = await self._store.file(filing, decide, settling(edition, self._clock.now()))
        self._report(filing.answer, done)
        now_held = filing.held if done.quarantined else filing.after
        assert now_held is not None
        if not done.overtaken:  # else the later visit tells how its source is
            now_held = await self._tell_health(due, now_held, filing.answer, edition)
        if told := health.moved(due, now_held, now=self._clock.now()):
            await self.tell(told)
        if self._gap(filing.answer, due, done, edition):
            await self._tell_gap(due, now_held, done, edition)
        if done.adopted:
            await self.tell((health.adopted(due.id, done.adopted, now=self._clock.now()),))
        return done

    async def reconsider(self) -> int:
        """Ask anew about what waits for other origins; how many rows were told or closed."""
        now = self._clock.now()
        return await self._store.reconsider(settle(self.edition, now), now)

    async def unfiled(self, due: SourceState | PageDue, answer: Answer, error: Exception) -> None:
        """An answer that a fault of ours kept from being filed: the source is failed, with the reason, and rests."""
        if isinstance(due, PageDue):
            again = due.attempts + 1 < pages.ATTEMPTS
            await self._store.settle_page(due.item, retry_at=self._clock.now() + pages.PUT_OFF if again else None)
            return
        reason = f"could not be filed: {type(error).__name__}: {error}"
        failed = replace(answer, outcome=Outcome.FAILED, reason=reason, entries=(), validators=due.validators)
        outlet = self.edition.outlets[due.outlet]
        cadence = _cadence(outlet, outlet.source_of(due.id))
        after, _held = schedule.after(due, failed, cadence, now=self._clock.now(), jitter=self._jitter())
        filing = Filing(answer=failed, candidates=(), after=after, held=after, fence=due.fence)
        await self._store.file(filing, self.deciding.decide(filing, self.edition, now=self._clock.now()))
        await self._tell_health(due, after, failed, self.edition)

    async def tell(self, entries: tuple[Entry, ...], *, after: SourceState | None = None) -> Filed:
        """File notices of the service itself; ``after`` is a source's state that must change with them."""
        edition = self.edition
        done = await self._file_own(self._own_answer(edition.outlets[health.OUTLET], entries), edition, after)
        for entry in entries:
            log.warning("notice", extra={"title": entry.title, "lead": entry.lead})
        self._on_filed(done)
        return done

    async def file_canary(self) -> str | None:
        """Send a canary the way of an answer, from its first stage on; its item, or ``None`` when a stage held it
        back."""
        edition = self.edition
        answer = self._own_answer(edition.outlets[canary.NAME], (canary.entry(self._clock.now()),))
        done = await self._file_own(self.normalised(answer, edition), edition)
        return done.items[0] if done.items else None

    def _own_answer(self, outlet: Outlet, entries: tuple[Entry, ...]) -> Answer:
        return Answer(
            source=f"{outlet.id}/{outlet.source[0].id}", outlet=outlet.id, url=outlet.home, final_url=outlet.home,
            at=self._clock.now(), outcome=Outcome.OK, entries=entries,
        )  # fmt: skip

    async def _file_own(self, answer: Answer, edition: Edition, after: SourceState | None = None) -> Filed:
        filing = Filing(
            answer=answer, candidates=candidates(answer.entries, edition.outlets[answer.outlet], None), after=after,
            held=after, fence=after.fence if after is not None else None,
        )  # fmt: skip
        filing = self.matched(filing, (), edition)
        return await self._store.file(filing, self.deciding.decide(filing, edition, now=self._clock.now()))

    @staticmethod
    def _gap(answer: Answer, due: SourceState, done: Filed, edition: Edition) -> bool:
        """Nothing of what a source lists was known: more was published between two polls than it holds (F58)."""
        source = edition.outlets[due.outlet].source_of(answer.source)
        if due.baselined is None or source is None or source.kind == "aggregator" or done.adopted:
            return False
        return done.new >= GAP and done.known + done.revised + done.merged + done.quarantined == 0

    # ------------------------------------------------------------------ reporting

    async def _page_filed(self, filing: Filing, due: PageDue, edition: Edition) -> Filed:
        """What a live page held before its article was seen is told by the article's own alert, not post by post."""
        since = due.first_seen if due.read is None else None
        decide = self.deciding.decide(filing, edition, now=self._clock.now(), posts_since=since)
        done = await self._store.file(filing, decide, settling(edition, self._clock.now()))
        answer, page = filing.answer, filing.page
        if answer.outcome in schedule.GOOD or done.alerts_due + done.alerts_suppressed:
            self._report(answer, done)
        if answer.outcome not in schedule.GOOD and page is not None:
            fields = {"item": due.item, "url": due.url, "reason": answer.reason, "again": page.again, "fate": page.fate}
            log.info("page not read", extra=fields)
        return done

    async def _tell_health(
        self, before: SourceState, after: SourceState, answer: Answer, edition: Edition
    ) -> SourceState:
        """Tell what begins or ends; the source's state with its open episodes."""
        now, outlet = self._clock.now(), edition.outlets[before.outlet]
        source = outlet.source_of(before.id)
        state, entries = health.episode(before, after, answer, now=now)
        if state.outcome is Outcome.FAILED and state.status is None:
            if state.episode("network") is not None:
                state = health.left_behind(state, await self._store.sources())
            elif entries:
                state, entries = health.shared(state, entries, await self._store.sources(), now=now)
        query = source is not None and source.kind == "aggregator"
        state, more = signs.episodes(before, state, answer, week_of(outlet), query=query, now=now)
        every = _cadence(outlet, source).every * self._clock.pace
        told = (*entries, *more, *health.late(before, state, every, now=now))
        if told or state is not after:
            await self.tell(told, after=state)
        return state

    async def _tell_gap(self, due: SourceState, after: SourceState, done: Filed, edition: Edition) -> None:
        """Ask the outlet's sitemaps now, and the source again sooner. After an outage of ours a gap says nothing of the
        source: what is missing is only looked for."""
        now, outlet = self._clock.now(), edition.outlets[due.outlet]
        sitemaps = [f"{outlet.id}/{each.id}" for each in outlet.source if each.kind == "sitemap"]
        sitemaps = [each for each in sitemaps if each != due.id]
        await self._store.mark_due(sitemaps, now)
        usual = schedule.longest(_cadence(outlet, outlet.source_of(due.id)), due.rhythm)
        if due.last_good is not None and now - due.last_good <= 2 * usual:
            sooner = replace(after, next_due=min(after.next_due, now + outlet.cadence.min))
            await self.tell((health.gap(due.id, done.new, sitemaps, now=now),), after=sooner)

    def _report(self, answer: Answer, done: Filed) -> None:
        level = logging.DEBUG if answer.outcome is Outcome.UNCHANGED else logging.INFO
        log.log(
            level,
            "answer filed",
            extra={
                "source": answer.source, "outcome": answer.outcome.value, "status": answer.status,
                "new": done.new, "revised": done.revised, "known": done.known, "alerts": done.alerts_due,
                "reason": answer.reason,
            },
        )  # fmt: skip
        if done.quarantined:
            log.error("entries held back", extra={"source": answer.source, "count": done.quarantined})
        self._on_filed(done)


def _may_be_empty(source: Source | None, due: SourceState, week: Week, now: datetime) -> bool:
    """A query that finds nothing today is not emptied (F46), nor is a news sitemap after two days of rest."""
    kind = source.kind if source is not None else ""
    return kind == "aggregator" or (
        kind == "sitemap" and due.rhythm is not None and rhythm.rests(due.rhythm, week, now=now)
    )


def _cadence(outlet: Outlet, source: Source | None) -> Cadence:
    """A source's own. An aggregator's answer serves for as long as its file says: it is never asked sooner."""
    cadence = outlet.cadence
    if source is not None and source.every is not None:
        cadence = cadence.model_copy(update={"every": source.every})
    if source is not None and source.kind == "aggregator":
        cadence = cadence.model_copy(update={"min": cadence.every})
    return cadence


def _damaged(answer: Answer, broken: list[str]) -> Answer:
    """Entries could not be read: the validators stay, so that the next poll brings them again."""
    mark = f"{len(broken)} of {answer.listed} entries could not be read: {broken[0]}"
    outcome = Outcome.DEGRADED if answer.entries else Outcome.FAILED
    return replace(answer, outcome=outcome, reason=mark, marks=(*answer.marks, mark), held=True)
