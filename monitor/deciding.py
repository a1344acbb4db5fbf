"""What is decided about a change inside the transaction that files it: whose copy it is, its story, whose reporting it
is, and the rows of alerts. What is asked of the store comes from the transaction's own ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from config.model.fields import ChangeClass
from config.model.outlets import Outlet
from config.model.whole import Config
from monitor.alerts import corroboration, policy
from monitor.alerts.waiting import Told
from monitor.edition import BUILT_IN, Edition
from monitor.model.entries import Candidate, Entry
from monitor.model.filing import Change, Decision, Filing, Paragraph
from monitor.model.items import Item, Match, Reported, Spot, Wanted
from monitor.model.stories import Placed
from monitor.ports import Archive, Corrections, Decide, Ledger, Settle
from monitor.stories import places
from monitor.stories.changes import Text, changes
from monitor.stories.copies import WINDOW, Copies, Copy, Repeats, TitleIndex, says_the_same
from monitor.stories.identity import is_post
from monitor.stories.phrases import Phrases
from monitor.stories.places import Places
from monitor.stories.prose import prose
from monitor.stories.reported import reported, with_text
from monitor.stories.runs import paragraphs
from monitor.watches.engine import ItemText

_PORTION = 5000
"""Items read at once at start."""


class Past(Archive, Corrections, Protocol):
    """What was filed, and what reviewers made of it."""


class Deciding:
    """Holds what copies and stories are found in. `decide` and `settle` give functions that the store's writer calls in
    its own thread."""

    def __init__(self, titles: TitleIndex, config: Config) -> None:
        self._copies, self._places = Copies(titles), Places(config)

    async def remember(self, archive: Past, now: datetime) -> None:
        """Fill the indexes of titles, texts and stories from the archive, at start."""
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

    def read_ahead(self, texts: Iterable[tuple[str, str]]) -> None:
        """Headlines and leads of items that will be placed soon; outside any transaction, from any thread."""
        self._places.read_ahead(texts)

    def decide(
        self,
        filing: Filing,
        edition: Edition,
        *,
        now: datetime,
        first_poll: bool = False,
        posts_since: datetime | None = None,
    ) -> Decide:
        """By an edition; older entries of a source's first poll, and of a live page's posts, are not told."""
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
                matches = tuple(without_spans(match, outlet) for match in edition.match(text))
            copy_of, reason, copied_by = item.copy_of, item.copy_reason, None
            same = True
            placed, told = None, filing.origins.get(candidate.id, ())
            if item.outlet not in BUILT_IN:
                told = told or reported(candidate.entry, item.outlet, edition.sources)
                repeats = self._repeats(change, filing, told, ledger)
                ruled = bool(item.copy_by)  # a reviewer said whose copy it is, or that it is none
                if copy_of is None and repeats.copy is not None and not ruled:
                    copy_of, reason = repeats.copy.of, repeats.copy.reason
                    same = _tells_the_same(repeats.copy, item, edition.phrases)
                elif copy_of is None and repeats.copied_by is not None and not ruled:
                    copied_by, reason = repeats.copied_by.of, repeats.copied_by.reason
                told = with_text(told, item.origins, repeats.part_of)
                if change.fresh:
                    placed = self._place(item, copy_of, ledger, edition)
            story = placed.story if placed is not None else item.story
            setting = _setting(
                change, matches, ledger, edition, told_by=(copy_of or copied_by) if same else None, story=story,
                baseline=baseline, now=now,
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
        text = copied_parts(candidate.entry) if text is None else text
        return self._copies.look(change, text, told, exists=ledger.exists)


def settling(edition: Edition, now: datetime) -> Settle | None:
    """As `settle`; nothing is asked where no watch waits for origins."""
    return settle(edition, now) if corroboration.needed(edition.by_id.values()) else None


def settle(edition: Edition, now: datetime) -> Settle:
    """What becomes of rows that wait for other origins, by an edition."""
    settings = edition.config.settings
    terms = corroboration.Terms(
        watches=edition.by_id, channels={channel.id: channel for channel in settings.channel},
        zone=ZoneInfo(settings.service.time_zone), now=now,
    )  # fmt: skip
    return lambda story, ledger: corroboration.settled(story, ledger, terms)


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


_NOT_KEPT: Mapping[str, tuple[str, ...]] = {"headline": ("lead", "body", "html"), "lead": ("body", "html"), "body": ()}


def as_kept(candidate: Candidate, outlet: Outlet) -> Candidate:
    """The candidate without the texts that its outlet's ``keep`` excludes. Where there is no body, the markup is the
    lead's."""
    entry = candidate.entry
    excluded = _NOT_KEPT[outlet.keep] if entry.body or outlet.keep == "headline" else ()
    if not any(getattr(entry, name) for name in excluded):
        return candidate
    emptied: dict[str, Any] = dict.fromkeys(excluded, "")
    return replace(candidate, entry=replace(entry, **emptied))


def without_spans(match: Match, outlet: Outlet) -> Match:
    """The match without places in texts that are not kept: they would point into nothing."""
    spans = tuple(span for span in match.spans if span.field not in _NOT_KEPT[outlet.keep])
    return match if len(spans) == len(match.spans) else replace(match, spans=spans)


def _setting(
    change: Change,
    matches: tuple[Match, ...],
    ledger: Ledger,
    edition: Edition,
    *,
    told_by: str | None,
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
    if told_by is not None:
        setting = replace(setting, told=ledger.told((told_by, *ledger.copies(told_by))))
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


def _tells_the_same(copy: Copy, item: Item, phrases: Phrases) -> bool:
    """Whether who was told of the original knows what this one says: a copy by its headline alone may deny it."""
    if not copy.headline:
        return True
    one, other = (
        Text(title=title, lead="", body="", language=item.language, kind=item.kind)
        for title in (copy.headline, item.title)
    )
    return says_the_same(one.title, other.title) and policy.PRESSING.isdisjoint(changes(one, other, phrases).classes)


def _changed(change: Change, phrases: Phrases) -> tuple[ChangeClass, ...]:
    """What an edit changed; nothing where there was none: a new item, the first reading of its page."""
    if change.before is None or change.completed:
        return ()
    return tuple(sorted(changes(_text(change.before), _text(change.item), phrases).classes))


def copied_parts(entry: Entry) -> tuple[Paragraph, ...]:
    """The paragraphs by which copies of a text are looked for. A live page has none: it grows by others' words."""
    return () if entry.kind == "live" else paragraphs(entry.lead, entry.body)


def _text(item: Item) -> Text:
    body = prose(item.body)  # what else a page shows changes at every reading
    return Text(title=item.title, lead=item.lead, body=body, language=item.language, kind=item.kind)


def _held_back(item: Item, baseline: datetime | None) -> bool:
    """Older than a first poll tells: its page is not read either, or its text would be told in its place (F66)."""
    return baseline is not None and (item.published_assumed or item.published < baseline)


def _wants_page(outlet: Outlet, change: Change, matches: tuple[Match, ...]) -> bool:
    """Of a new item, and of one that matches first with a later text. A post of a live page has no page of its own."""
    item = change.item
    if outlet.pages == "none" or item.url is None or item.kind == "video" or is_post(item.url, outlet):
        return False
    if not change.fresh:
        return bool(matches) and not change.matched_before and change.before is not None
    return outlet.pages == "all" or bool(matches)
