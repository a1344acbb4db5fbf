"""The desk: what is decided about each answer, in order. The path of one item::

    answer → normalised → identified → matched → filed (placed, policy) → dispatcher → channel
             entries      keys, id     watches   one transaction           its own loop

Every stage takes values and returns values; only `Desk.filed` writes, through the archive. One `Edition` (a whole
configuration with its compiled watches) serves an answer from its first stage to its last (F105).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from config.errors import ConfigError, Problem
from config.load import in_order, load, place_in
from config.model.fields import ChangeClass
from config.model.outlets import Cadence, Outlet, Source
from config.model.settings import Channel
from config.model.watches import Watch
from config.model.whole import Config
from monitor import canary, health, pages, rhythm, schedule, signs
from monitor.alerts import corroboration, policy
from monitor.alerts.waiting import Told
from monitor.entries import normalise
from monitor.errors import StoreError
from monitor.language.concepts import lints as concept_lints
from monitor.model.entries import Answer, Candidate, Entry
from monitor.model.filing import Change, Decision, Filed, Filing, Paragraph
from monitor.model.items import Item, Match, Reported, Spot, Wanted
from monitor.model.sources import Outcome, PageDue, SourceState
from monitor.model.stories import Placed
from monitor.ports import Archive, Clock, Corrections, Decide, Ledger, Schedule, Settle
from monitor.restdays import Week, prepare, week_of
from monitor.stories import places
from monitor.stories.changes import Text, changes
from monitor.stories.copies import WINDOW, Copies, Repeats, TitleIndex
from monitor.stories.identity import candidates, is_post
from monitor.stories.origins import Sources
from monitor.stories.phrases import Phrases
from monitor.stories.places import Places
from monitor.stories.prose import prose
from monitor.stories.reported import reported, with_text
from monitor.stories.runs import paragraphs
from monitor.watches.compile import BadWatch, WatchSet, compile_watches
from monitor.watches.engine import ItemText
from monitor.watches.lint import Linter

log = logging.getLogger(__name__)

BUILT_IN = (health.OUTLET, canary.NAME)
"""Outlets of the service itself: what they say is no news."""
_PORTION = 5000
"""Items read at once at start."""
GAP = 5
"""Entries, all new, that make a gap likely: fewer may well be all that a quiet source lists."""


class Desktop(Archive, Schedule, Protocol):
    """The two parts of the store that the desk writes to."""


class Past(Archive, Corrections, Protocol):
    """What was filed, and what reviewers made of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One whole configuration in force, with its watches compiled."""

    config: Config
    watches: WatchSet
    by_id: Mapping[str, Watch]
    outlets: Mapping[str, Outlet]
    phrases: Phrases
    """How hedges and denials are told."""
    sources: Sources
    """What agencies, outlets and bodies are called."""

    def channels_for(self, outlet: str) -> tuple[Channel, ...]:
        """The channels that items of an outlet may be told on."""
        settings = self.config.settings
        return canary.takers(settings) if outlet == canary.NAME else settings.channel

    def match(self, text: ItemText) -> tuple[Match, ...]:
        """What a text matches. A watch that names no outlet means all the news: what is the service's own is matched
        only by watches that name its outlet."""
        found = self.watches.match(text)
        if text.outlet not in BUILT_IN:
            return found
        return tuple(each for each in found if text.outlet in self.by_id[each.watch].outlets)


def open_edition(folder: Path | None, *, watches: Path | None = None) -> Edition:
    """Read a configuration and compile it; raises `ConfigError` with every problem of every file, bad queries included.

    ``watches`` is a draft that stands in for the folder's watches.
    """
    try:
        config = load(folder, watches=watches)
    except ConfigError as error:
        queries = _bad_queries(error.readable) if error.readable else []
        raise ConfigError(in_order([*error.problems, *queries])) from None
    return edition(config)


def edition(config: Config) -> Edition:
    """Compile a configuration; raises `ConfigError` with every bad query at its place in its file."""
    own = (health.built_in_watch(config.settings), canary.built_in_watch(config.settings))
    outlets = {**config.outlets, **{each.id: each for each in (health.built_in_outlet(), canary.built_in_outlet())}}
    compiled, bad = compile_watches([*config.watches.values(), *own], config.concepts, outlets=outlets)
    if bad:
        raise ConfigError([_problem(config, each) for each in bad])
    by_id = {**config.watches, **{watch.id: watch for watch in own}}
    return Edition(
        config=config, watches=compiled, by_id=by_id, outlets=outlets,
        phrases=Phrases.of(config.claims, config.concepts), sources=Sources.of(config.origins),
    )  # fmt: skip


def remarks(edition: Edition) -> tuple[str, ...]:
    """What is allowed and probably not meant, in the watches and concepts: for `check` and for a reload's log."""
    linter = Linter(edition.config.concepts)
    said = []
    for name, watch in edition.config.watches.items():
        for remark in linter.lint(edition.watches.query(name)):
            part = f" at {watch.when[remark.start : remark.end].strip()}" if remark.end else ""
            advice = f" ({remark.suggestion})" if remark.suggestion else ""
            said.append(f"watch {name}{part}: {remark.message}{advice}")
    return (*said, *concept_lints(edition.config.concepts))


def _bad_queries(config: Config) -> list[Problem]:
    """Of a configuration that has other problems: an outlet or concept that could not be read is no query's fault."""
    if not config.concepts:
        return []
    _compiled, bad = compile_watches(config.watches.values(), config.concepts, outlets=config.outlets)
    return [_problem(config, each) for each in bad]


def _problem(config: Config, bad: BadWatch) -> Problem:
    key, error = f"watch.{bad.watch}.when", bad.error
    at = place_in(config, key, error.start)
    return Problem(
        file=at.file, line=at.line, column=at.column, key=key, message=error.message, suggestion=error.suggestion
    )


def item_text(entry: Entry, candidate: Candidate, outlet: str, source: str) -> ItemText:
    """What the watches read of an entry."""
    return ItemText(
        title=entry.title,
        lead=entry.lead,
        body=entry.body,
        url=entry.url or "",
        author=entry.author,
        outlet=outlet,
        source=source,
        language=candidate.language,
        kind=entry.kind,
    )


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
        self._copies = Copies(titles)
        self._places = Places(first.config)
        self._jitter = jitter
        self._on_filed, self._on_failing = filed, failing

    async def prepare(self, edition: Edition) -> None:
        """What would hold up the loop when it is first needed: the holidays of the outlets' countries."""
        countries = {outlet.holidays for outlet in edition.outlets.values()} - {None}
        await asyncio.to_thread(prepare, sorted(filter(None, countries)), self._clock.now().year)

    async def remember(self, archive: Past) -> None:
        """Fill the indexes of titles, texts and stories from the archive, at start."""
        now = self._clock.now()
        self._places.heed(await archive.rulings())  # before its items: what comes in between is heeded again
        recent: list[Item] = []
        after: Spot | None = None
        while portion := await archive.items(
            Wanted(since=now - places.WINDOW), limit=_PORTION, oldest_first=True, after=after
        ):
            after = Spot(portion[-1].first_seen, portion[-1].id)
            for item in portion:
                if item.first_seen >= now - WINDOW:
                    self._copies.remember(item)
                recent.append(replace(item, body="", html=""))  # stories are told by headline and lead
        self._places.refill(recent)

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
                matches[each.id] = tuple(_without_spans(match, outlet) for match in found)
                if answer.outlet not in BUILT_IN:
                    origins[each.id] = reported(each.entry, answer.outlet, edition.sources)
                    texts[each.id] = _paragraphs(each.entry)
        kept = tuple(_kept(each, outlet) for each in filing.candidates)
        if not answer.page_of:
            self._places.read_ahead((each.entry.title, each.entry.lead) for each in kept if each.id in origins)
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
        decide = self._decide(filing, edition, first_poll=due.baselined is None)
        done = await self._store.file(filing, decide, self._settling(edition))
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
        return await self._store.reconsider(self._settle(self.edition), self._clock.now())

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
        await self._store.file(filing, self._decide(filing, self.edition, first_poll=False))
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
        return await self._store.file(filing, self._decide(filing, edition, first_poll=False))

    # ------------------------------------------------------------------ deciding

    def _settling(self, edition: Edition) -> Settle | None:
        """Nothing is asked where no watch waits for origins."""
        return self._settle(edition) if corroboration.needed(edition.by_id.values()) else None

    def _settle(self, edition: Edition) -> Settle:
        """What becomes of rows that wait for other origins, by an edition."""
        settings = edition.config.settings
        terms = corroboration.Terms(
            watches=edition.by_id, channels={channel.id: channel for channel in settings.channel},
            zone=ZoneInfo(settings.service.time_zone), now=self._clock.now(),
        )  # fmt: skip
        return lambda story, ledger: corroboration.settled(story, ledger, terms)

    def _decide(
        self, filing: Filing, edition: Edition, *, first_poll: bool, posts_since: datetime | None = None
    ) -> Decide:
        now = self._clock.now()
        from_then_on = now - edition.config.settings.service.baseline if first_poll else None
        outlet = edition.outlets[filing.answer.outlet]

        def decide(change: Change, ledger: Ledger) -> Decision:
            item, candidate = change.item, change.candidate
            if change.withdrawn:
                return Decision(alerts=policy.withdrawn(change, _setting_of_withdrawn(change, ledger, edition, now)))
            baseline = posts_since if candidate.entry.post and change.fresh else from_then_on
            matches = filing.matches.get(candidate.id)
            if matches is None:  # thought to be unchanged, found to differ: another answer came between
                text = item_text(candidate.entry, candidate, item.outlet, item.source)
                matches = tuple(_without_spans(match, outlet) for match in edition.match(text))
            copy_of, reason, copied_by = item.copy_of, item.copy_reason, None
            placed, told = None, filing.origins.get(candidate.id, ())
            if item.outlet not in BUILT_IN:
                told = told or reported(candidate.entry, item.outlet, edition.sources)
                repeats = self._repeats(change, filing, told, ledger)
                ruled = bool(item.copy_by)  # a reviewer said whose copy it is, or that it is none
                if copy_of is None and repeats.copy is not None and not ruled:
                    copy_of, reason = repeats.copy.of, repeats.copy.reason
                elif copy_of is None and repeats.copied_by is not None and not ruled:
                    copied_by, reason = repeats.copied_by.of, repeats.copied_by.reason
                told = with_text(told, item.origins, repeats.part_of)
                if change.fresh:
                    placed = self._place(item, copy_of, ledger, edition)
            story = placed.story if placed is not None else item.story
            setting = _setting(
                change, matches, ledger, edition, copy_of=copy_of or copied_by, story=story, baseline=baseline, now=now
            )  # fmt: skip
            setting = _corroborated(
                setting, matches, ledger, story=story, placed=placed, language=item.language
            )  # fmt: skip
            rows = policy.rows(change, matches, setting) if matches else ()
            return Decision(
                matches=matches,
                alerts=rows,
                classes=setting.changed,
                copy_of=copy_of,
                copy_reason=reason,
                copied_by=copied_by,
                placed=placed,
                origins=told,
                read_page=not _held_back(item, baseline) and _wants_page(outlet, change, matches),
            )

        return decide

    def _place(self, item: Item, copy_of: str | None, ledger: Ledger, edition: Edition) -> Placed:
        """A new item's story, by what reviewers corrected up to now."""
        if (rulings := ledger.rulings(self._places.heeded)) is not None:
            self._places.heed(rulings)
        return self._places.place(item, copy_of, edition.config)

    def _repeats(self, change: Change, filing: Filing, told: Sequence[Reported], ledger: Ledger) -> Repeats:
        candidate = change.candidate
        text = filing.texts.get(candidate.id)
        text = _paragraphs(candidate.entry) if text is None else text
        return self._copies.look(change, text, told, exists=ledger.exists)

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
        decide = self._decide(filing, edition, first_poll=False, posts_since=since)
        done = await self._store.file(filing, decide, self._settling(edition))
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


def _setting(
    change: Change,
    matches: tuple[Match, ...],
    ledger: Ledger,
    edition: Edition,
    *,
    copy_of: str | None,
    story: str,
    baseline: datetime | None,
    now: datetime,
) -> policy.Setting:
    """What else decides about a change's alerts. The ledger is asked only for what can matter."""
    setting = policy.Setting(
        watches=edition.by_id,
        channels=edition.channels_for(change.item.outlet),
        changed=_changed(change, edition.phrases),
        zone=ZoneInfo(edition.config.settings.service.time_zone),
        now=now,
        baseline=baseline,
    )
    if not matches:
        return setting
    setting = replace(setting, muted=ledger.muted())
    if copy_of is not None:
        setting = replace(setting, told=ledger.told((copy_of, *ledger.copies(copy_of))))
    if any(edition.by_id[match.watch].cooldown for match in matches):
        last = ledger.last((change.item.id, *ledger.story_of(story)))
        setting = replace(setting, last={key: Told(alert=alert, story=story) for key, alert in last.items()})
    return setting


def _setting_of_withdrawn(change: Change, ledger: Ledger, edition: Edition, now: datetime) -> policy.Setting:
    return policy.Setting(
        watches=edition.by_id,
        channels=edition.channels_for(change.item.outlet),
        zone=ZoneInfo(edition.config.settings.service.time_zone),
        now=now,
        told=ledger.told((change.item.id,)),
        muted=ledger.muted(),
    )


def _corroborated(
    setting: policy.Setting,
    matches: tuple[Match, ...],
    ledger: Ledger,
    *,
    story: str,
    placed: Placed | None,
    language: str,
) -> policy.Setting:
    """With what was told of the story because enough origins report it; as it is with the item in it."""
    if not story or not corroboration.needed([setting.watches[match.watch] for match in matches]):
        return setting
    merges, links = ((), ()) if placed is None else (placed.merges, placed.links)
    event = ledger.event((story, *merges), tuple(link.story for link in links), language=language)
    return replace(setting, story=story, corroborated=frozenset(ledger.told_of(event)))


def _changed(change: Change, phrases: Phrases) -> tuple[ChangeClass, ...]:
    """What an edit changed; nothing where there was none: a new item, the first reading of its page."""
    if change.before is None or change.completed:
        return ()
    return tuple(sorted(changes(_text(change.before), _text(change.item), phrases).classes))


def _paragraphs(entry: Entry) -> tuple[Paragraph, ...]:
    """A text as its copies are looked for. A live page has none: it grows by others' words."""
    return () if entry.kind == "live" else paragraphs(entry.lead, entry.body)


def _text(item: Item) -> Text:
    body = prose(item.body)  # what else a page shows changes at every reading
    return Text(title=item.title, lead=item.lead, body=body, language=item.language, kind=item.kind)


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


_NOT_KEPT: Mapping[str, tuple[str, ...]] = {"headline": ("lead", "body", "html"), "lead": ("body", "html"), "body": ()}


def _kept(candidate: Candidate, outlet: Outlet) -> Candidate:
    """The candidate without the texts that its outlet's ``keep`` excludes."""
    entry = candidate.entry
    if not any(getattr(entry, name) for name in _NOT_KEPT[outlet.keep]):
        return candidate
    emptied: dict[str, Any] = dict.fromkeys(_NOT_KEPT[outlet.keep], "")
    return replace(candidate, entry=replace(entry, **emptied))


def _without_spans(match: Match, outlet: Outlet) -> Match:
    """The match without places in texts that are not kept: they would point into nothing."""
    spans = tuple(span for span in match.spans if span.field not in _NOT_KEPT[outlet.keep])
    return match if len(spans) == len(match.spans) else replace(match, spans=spans)


def _held_back(item: Item, baseline: datetime | None) -> bool:
    """Older than a first poll tells: its page is not read either, or its text would be told in its place (F66)."""
    return baseline is not None and (item.published_assumed or item.published < baseline)


def _damaged(answer: Answer, broken: list[str]) -> Answer:
    """Entries could not be read: the validators stay, so that the next poll brings them again."""
    mark = f"{len(broken)} of {answer.listed} entries could not be read: {broken[0]}"
    outcome = Outcome.DEGRADED if answer.entries else Outcome.FAILED
    return replace(answer, outcome=outcome, reason=mark, marks=(*answer.marks, mark), held=True)


def _wants_page(outlet: Outlet, change: Change, matches: tuple[Match, ...]) -> bool:
    """Of a new item, and of one that matches first with a later text. A post of a live page has no page of its own."""
    item = change.item
    if outlet.pages == "none" or item.url is None or item.kind == "video" or is_post(item.url, outlet):
        return False
    if not change.fresh:
        return bool(matches) and not change.matched_before and change.before is not None
    return outlet.pages == "all" or bool(matches)
