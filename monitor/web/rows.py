"""Items as lists show them: with the words that were found, the watches, what became of their alerts, and what
reviewers said. Five questions to the store for a whole list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from config.model.fields import SEVERITIES, Severity
from monitor.model.alerts import Alert
from monitor.model.items import Item, Matched, Span
from monitor.model.reviews import Review
from monitor.model.stories import StorySize
from monitor.web import cards, words
from monitor.web.cards import Moment
from monitor.web.site import Site

_LEAD = 280
"""Letters of a lead that a list shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A watch that found the item."""

    watch: str
    title: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item of a list."""

    item: Item
    title: tuple[words.Piece, ...]
    lead: tuple[words.Piece, ...]
    chips: tuple[Chip, ...]
    fates: tuple[cards.Fate, ...]
    review: Review
    story: StorySize | None
    """``None``: it is alone in its story."""
    severity: Severity | None
    acknowledged: bool
    version: str
    """Another one when anything shown here is another: an open page then takes the row anew."""


async def rows(
    site: Site, items: Sequence[Item], moment: Moment, *, spans: Mapping[str, Sequence[Span]] | None = None
) -> tuple[Row, ...]:
    """``spans``: the words that a search found, instead of those of watches."""
    names = [item.id for item in items]
    matched, reviews = await site.store.matches(names), await site.store.reviews(names)
    alerts, sizes = await site.store.alerts_of(names), await site.store.story_sizes([item.story for item in items])
    return tuple(
        _row(
            site, item, moment, matched=matched.get(item.id, ()), alerts=alerts.get(item.id, ()),
            review=reviews.get(item.id) or Review(item=item.id), story=sizes.get(item.story),
            found=None if spans is None else spans.get(item.id, ()),
        )
        for item in items
    )  # fmt: skip


def _row(
    site: Site, item: Item, moment: Moment, *, matched: Sequence[Matched], alerts: Sequence[Alert], review: Review,
    story: StorySize | None, found: Sequence[Span] | None,
) -> Row:  # fmt: skip
    chips = tuple(_chip(site, each) for each in matched)
    if found is None:
        found = [span for each in matched if each.revision == item.revision for span in each.match.spans]
    told = [alert for alert in alerts if not alert.state.startswith("edited:")] or alerts
    fates = cards.fates(reversed(told), moment)
    shown = (
        item.revision,
        item.story,
        item.copy_of,
        item.withdrawn,
        chips,
        fates,
        review,
        story,
        [(each.id, each.condition, each.acknowledged) for each in alerts],
    )
    return Row(
        item=item,
        title=words.marked(item.title, found, "title"),
        lead=words.shortened(words.marked(item.lead, found, "lead"), _LEAD),
        chips=chips,
        fates=fates,
        review=review,
        story=story if story is not None and story.items > 1 else None,
        severity=max((chip.severity for chip in chips), key=SEVERITIES.index, default=None),
        acknowledged=any(alert.acknowledged for alert in alerts),
        version=blake2b(repr(shown).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest(),
    )


def _chip(site: Site, matched: Matched) -> Chip:
    watch = site.edition().by_id.get(matched.match.watch)
    name = matched.match.watch
    return Chip(watch=name, title=cards.watch_title(name, site.config), severity=watch.severity if watch else "normal")
