"""A story as it went: who told it first, who followed with what reporting, what was changed and denied. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from config.model.fields import ChangeClass
from monitor.model.items import Item, Reported, Revision, Whereabouts
from monitor.model.stories import Correction, Story
from monitor.model.texts import TextLanguage
from monitor.stories.corrected import of_item
from monitor.stories.phrases import Phrases, denied, hedged
from monitor.stories.reported import roots_of, whose
from monitor.stories.roots import Root

What = Literal["first", "followed", "copy", "edited", "withdrawn", "back", "lost", "moved", "corrected", "elsewhere"]
"""``withdrawn``, ``back``, ``lost``, ``moved``: as `Whereabouts`; ``corrected``: by a reviewer; ``elsewhere``: the
first item of a story of another language that seems to tell the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened to a story."""

    at: datetime
    what: What
    item: str
    outlet: str
    language: TextLanguage
    headline: str
    before: str = ""
    """The headline before an edit of it."""
    changed: tuple[ChangeClass, ...] = ()
    root: Root | None = None
    """To whose reporting the item goes back."""
    reported: Reported | None = None
    """What its own text says of it."""
    denies: bool = False
    hedges: bool = False
    """By the words of the headline and lead."""
    url: str | None = None
    why: str = ""
    """Why the item stands in the story, or the other story beside it; what showed that it is gone; what a reviewer
    said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """``moments`` in the order in which they were seen; ``origins`` are the ids of the independent voices."""

    story: str
    headline: str
    language: TextLanguage
    outlets: tuple[str, ...]
    origins: tuple[str, ...]
    moments: tuple[Moment, ...]


def timeline(
    story: Story,
    revisions: Mapping[str, Sequence[Revision]],
    linked: Sequence[Story],
    phrases: Phrases,
    whereabouts: Mapping[str, Sequence[Whereabouts]],
    *,
    corrections: Sequence[Correction] = (),
) -> Timeline:
    """``revisions`` and ``whereabouts``: of each item, the oldest first; ``linked``: the stories of `Story.links` that
    are still held; ``corrections``: those that name the story or its items."""
    roots = roots_of(story.items)
    first = story.items[0]
    moments = [*_appearances(story, roots, phrases, revisions), *_edits(story, revisions, phrases)]
    moments += [*_addresses(story, whereabouts), *_corrected(story, corrections), *_elsewhere(story, linked)]
    return Timeline(
        story=story.id,
        headline=first.title,
        language=first.language,
        outlets=tuple(dict.fromkeys(item.outlet for item in story.items)),
        origins=tuple(dict.fromkeys(root.id for item in story.items if (root := roots.get(item.id)) is not None)),
        moments=tuple(sorted(moments, key=lambda each: (each.at, each.item))),
    )


def _appearances(
    story: Story, roots: Mapping[str, Root], phrases: Phrases, revisions: Mapping[str, Sequence[Revision]]
) -> Iterator[Moment]:
    for item in story.items:
        kept = revisions.get(item.id, ())
        title, lead = (kept[0].title, kept[0].lead) if kept else (item.title, item.lead)
        what: What = "copy" if item.copy_of else "followed"
        if item is story.items[0]:
            what = "first"
        yield Moment(
            at=item.first_seen, what=what, item=item.id, outlet=item.outlet, language=item.language, headline=title,
            root=roots.get(item.id), reported=whose(item), url=item.url,
            why=item.copy_reason if item.copy_of else item.story_reason,
            denies=_denies(title, lead, item, phrases), hedges=_hedges(title, lead, item, phrases),
        )  # fmt: skip


def _edits(story: Story, revisions: Mapping[str, Sequence[Revision]], phrases: Phrases) -> Iterator[Moment]:
    for item in story.items:
        kept = revisions.get(item.id, ())
        for before, after in pairwise(kept):
            if after.classes:
                yield Moment(
                    at=after.seen, what="edited", item=item.id, outlet=item.outlet, language=item.language,
                    headline=after.title, before=before.title if before.title != after.title else "",
                    changed=after.classes, url=item.url,
                    denies=_denies(after.title, after.lead, item, phrases),
                    hedges=_hedges(after.title, after.lead, item, phrases),
                )  # fmt: skip


def _addresses(story: Story, whereabouts: Mapping[str, Sequence[Whereabouts]]) -> Iterator[Moment]:
    for item in story.items:
        for each in whereabouts.get(item.id, ()):
            yield Moment(
                at=each.at, what=each.what, item=item.id, outlet=item.outlet, language=item.language,
                headline=item.title, url=item.url, why=each.words,
            )  # fmt: skip


def _corrected(story: Story, corrections: Sequence[Correction]) -> Iterator[Moment]:
    """What reviewers said of its items, and what still holds of it."""
    held = {item.id: item for item in story.items}
    for each in corrections:
        if each.undone or each.undoes is not None:
            continue
        moved = each.kind in ("split", "merge")
        for item in (held[name] for name in (each.items if moved else each.items[:1]) if name in held):
            yield Moment(
                at=each.at, what="corrected", item=item.id, outlet=item.outlet, language=item.language,
                headline=item.title, url=item.url, why=of_item(each),
            )  # fmt: skip


def _elsewhere(story: Story, linked: Sequence[Story]) -> Iterator[Moment]:
    reasons = {link.story: link.reason for link in story.links}
    for other in linked:
        first = other.items[0]
        yield Moment(
            at=first.first_seen, what="elsewhere", item=first.id, outlet=first.outlet, language=first.language,
            headline=first.title, url=first.url, why=reasons.get(other.id, ""),
        )  # fmt: skip


def _denies(title: str, lead: str, item: Item, phrases: Phrases) -> bool:
    return bool(denied(f"{title}\n{lead}", item.language, phrases))


def _hedges(title: str, lead: str, item: Item, phrases: Phrases) -> bool:
    return bool(hedged(f"{title}\n{lead}", item.language, phrases))
