"""Stories inside one language: which items tell one event, found at once in an index of the last three days.

An item joins the story whose centroid (the sum of its items' weighted terms) it is most like, if it is like it enough
and the story is not over; else it begins one. Two stories that an item belongs to strongly are one: the later is merged
into the earlier. What reviewers decided (`Clusters.move`, `Clusters.keep_apart`) holds for later items.

Items of one answer are handed in by `in_order`, so that the order of a feed decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from heapq import heappop, heappush

from config.model.settings import AS_MEASURED, StorySettings
from monitor.stories.centroids import Stories, Story, Vector, cosine
from monitor.stories.gist import Gist, Gists, StoryItem, written

_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an item belongs. ``merges``: stories that are now part of ``story``; nothing is told again for it."""

    story: str
    score: float
    """Cosine to the story; 1 where it was not scored (the first item, a copy, an item placed before)."""
    reason: str
    merges: tuple[str, ...] = ()


def in_order(items: Iterable[StoryItem]) -> list[StoryItem]:
    """One answer's items in the order they must be placed in."""
    return sorted(items, key=lambda item: (item.published, item.id))


def story_id(item: str) -> str:
    """The id of the story that an item begins."""
    return f"s{item}"


def split_id(story: str, correction: int) -> str:
    """The id of a story that a reviewer split off another, by the number of the correction."""
    return story_id(blake2b(f"{story} {correction}".encode(), digest_size=8).hexdigest())


class Clusters:
    """The stories of the last three days by their words. Not for several threads at once."""

    def __init__(self, gists: Gists, settings: StorySettings = AS_MEASURED) -> None:
        self.gists, self.settings = gists, settings
        """May be replaced when the configuration changes: later items are read and placed by the new ones."""
        self._languages: dict[str, Stories] = {}
        self._story_of: dict[str, tuple[Stories, Story]] = {}
        self._stories: dict[str, tuple[Stories, Story]] = {}
        self._aliases: dict[str, str] = {}
        self._apart: dict[str, set[str]] = {}
        self._ages: list[tuple[datetime, int, str]] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._stories)

    def story_of(self, item: str) -> str | None:
        """The story of an item that was placed in the last three days."""
        found = self._story_of.get(item)
        return found[1].id if found else None

    def place(self, item: StoryItem) -> Placement:
        """Put a new item into its story. An item that has its place stays there, whatever its text says now."""
        if (held := self._story_of.get(item.id)) is not None:
            # What was merged for it is said again: the filing that should have written it may have been undone.
            again = tuple(alias for alias in self._aliases if self._named(alias) == held[1].id)
            return Placement(story=held[1].id, score=1.0, reason="placed before", merges=again)
        self._forget(item.seen)
        language = self._languages.setdefault(item.language, Stories())
        vector, gist = language.read(item, self.gists)
        original = self._story_of.get(item.copy_of) if item.copy_of else None
        if original is not None:
            self._join(*original, item, vector)
            return Placement(story=original[1].id, score=1.0, reason=f"a copy of {item.copy_of}")
        near = language.nearest(vector, item.published, self.settings)
        if not near:
            story = self._begin(language, story_id(item.id), item)
            self._join(language, story, item, vector)
            return Placement(story=story.id, score=1.0, reason="the first to tell it")
        score, story = near[0]
        reason = _reason(vector, story.centroid, gist)
        self._join(language, story, item, vector)
        merges = []
        for other_score, other in near[1:]:
            if min(score, other_score) >= self.settings.merge and self._are_one(story, other):
                early, late = sorted((story, other), key=lambda each: (each.first, each.number))
                self._unite((language, late), (language, early))
                merges.append(late.id)
                story = early
        return Placement(story=story.id, score=round(score, 3), reason=reason, merges=tuple(merges))

    def add(self, item: StoryItem, story: str) -> None:
        """An item with its story: from the archive at start (the oldest first; eight days teach which headlines come
        back), or as somebody decided. It is moved when it stood elsewhere."""
        self._forget(item.seen)
        language = self._languages.setdefault(item.language, Stories())
        held = self._story_of.get(item.id)
        if held is not None:
            vector = held[1].members[item.id]
            self._leave(*held, item.id)
        else:
            vector, _ = language.read(item, self.gists)
        name = self._named(story)
        found = self._stories.get(name)
        if found is None:
            found = language, self._begin(language, name, item)
        self._join(*found, item, vector)

    def move(self, stories: Mapping[str, str]) -> None:
        """Somebody decided in which stories these items stand; items that are not held are let be. A story that loses
        all its items to another is part of that one."""
        for (old, name), items in self._moving(stories).items():
            language, left = self._stories[old]
            self._aliases.pop(name, None)
            if name not in self._stories:
                self._begin_at(language, name, left.first, left.last, left.seen)
            home, into = self._stories[name]
            if len(items) == len(left.members):
                self._unite((language, left), (home, into))
                continue
            vectors = {item: left.members[item] for item in items}
            language.leave(left, items)
            for item, vector in vectors.items():
                home.join(into, item, vector)
                self._story_of[item] = home, into

    def _moving(self, stories: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
        """Their items by the story they stand in and the one they shall."""
        moving: dict[tuple[str, str], list[str]] = {}
        for item, name in stories.items():
            held = self._story_of.get(item)
            if held is not None and held[1].id != name:
                moving.setdefault((held[1].id, name), []).append(item)
        return moving

    def keep_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Somebody decided that the stories of these pairs, and only of these, are not merged."""
        self._apart.clear()
        for one, other in pairs:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    # ---------------------------------------------------------------- stories

    def _named(self, story: str) -> str:
        while story in self._aliases:
            story = self._aliases[story]
        return story

    def _begin(self, language: Stories, name: str, item: StoryItem) -> Story:
        return self._begin_at(language, name, item.published, item.published, item.seen)

    def _begin_at(self, language: Stories, name: str, first: datetime, last: datetime, seen: datetime) -> Story:
        self._next += 1
        story = Story(id=name, number=self._next, first=first, last=last, seen=seen)
        self._stories[name] = language, story
        heappush(self._ages, (seen, story.number, name))
        return story

    def _join(self, language: Stories, story: Story, item: StoryItem, vector: Vector) -> None:
        story.first, story.last = min(story.first, item.published), max(story.last, item.published)
        story.seen = max(story.seen, item.seen)
        language.join(story, item.id, vector)
        self._story_of[item.id] = language, story

    def _leave(self, language: Stories, story: Story, item: str) -> None:
        language.leave(story, [item])
        del self._story_of[item]
        if not story.members:
            self._drop(story)

    def _are_one(self, one: Story, other: Story) -> bool:
        length = max(one.last, other.last) - min(one.first, other.first)
        if other.id in self._apart.get(one.id, ()) or length > self.settings.hard:
            return False
        return cosine(one, other) >= self.settings.merge

    def _unite(self, gone: tuple[Stories, Story], stays: tuple[Stories, Story]) -> None:
        (language, late), (home, early) = gone, stays
        early.first, early.last = min(early.first, late.first), max(early.last, late.last)
        early.seen = max(early.seen, late.seen)
        for item, vector in late.members.items():
            home.join(early, item, vector)
            self._story_of[item] = stays
        language.unindex(late)
        del self._stories[late.id]
        self._aliases[late.id] = early.id
        for other in self._apart.pop(late.id, set()) - {early.id}:
            self._apart[other] = self._apart[other] - {late.id} | {early.id}
            self._apart.setdefault(early.id, set()).add(other)

    def _forget(self, now: datetime) -> None:
        """Stories that nobody told for the idle window are not joined any more; after the hard one they are gone."""
        idle, hard = self.settings.idle, self.settings.hard
        while self._ages and now - self._ages[0][0] > idle:
            _, number, name = heappop(self._ages)
            language, story = self._stories.get(name, (None, None))
            if language is None or story is None or story.number != number:
                continue
            quiet = now - story.seen
            if quiet > hard:
                self._drop(story)
                continue
            if quiet > idle:
                language.unindex(story)
            heappush(self._ages, (story.seen + hard - idle if quiet > idle else story.seen, number, name))

    def _drop(self, story: Story) -> None:
        language, _ = self._stories.pop(story.id)
        language.unindex(story)
        for item in story.members:
            del self._story_of[item]
        for alias in [alias for alias, name in self._aliases.items() if name == story.id]:
            del self._aliases[alias]


def _reason(vector: Vector, centroid: Vector, gist: Gist) -> str:
    """The terms that count most in the likeness, as the item writes them."""
    shared = sorted(
        (term for term in vector if term in centroid), key=lambda term: (-vector[term] * centroid[term], term)
    )
    return "shares " + ", ".join(written(gist.words.get(term, term)) for term in shared[:_SHOWN])
