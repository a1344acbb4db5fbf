"""Stories inside one language: which items tell one event, found at once in an index of the last three days.

An item joins the story whose centroid (the sum of its items' weighted terms) it is most like, if it is like it enough
and the story is not over; else it begins one. Two stories that an item belongs to strongly are one: the later is merged
into the earlier. What people decided (`Clusters.merge`, `Clusters.split`) holds for later items.

Items of one answer are handed in by `in_order`, so that the order of a feed decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from heapq import heappop, heappush

from monitor.stories.centroids import HARD, IDLE, Stories, Story, Vector, cosine
from monitor.stories.gist import Gist, Gists, StoryItem, written

MERGE = 0.45
"""Cosine of an item to each of two stories, and of these to each other, that makes them one."""
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


class Clusters:
    """The stories of the last three days by their words. Not for several threads at once."""

    def __init__(self, gists: Gists) -> None:
        self.gists = gists
        """May be replaced when the lexicon changes: later items are read by the new one."""
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
            return Placement(story=held[1].id, score=1.0, reason="placed before")
        self._forget(item.seen)
        language = self._languages.setdefault(item.language, Stories())
        vector, gist = language.read(item, self.gists)
        original = self._story_of.get(item.copy_of) if item.copy_of else None
        if original is not None:
            self._join(*original, item, vector)
            return Placement(story=original[1].id, score=1.0, reason=f"a copy of {item.copy_of}")
        near = language.nearest(vector, item.published)
        if not near:
            story = self._begin(language, story_id(item.id), item)
            self._join(language, story, item, vector)
            return Placement(story=story.id, score=1.0, reason="the first to tell it")
        score, story = near[0]
        reason = _reason(vector, story.centroid, gist)
        self._join(language, story, item, vector)
        merges = []
        for other_score, other in near[1:]:
            if min(score, other_score) >= MERGE and self._are_one(story, other):
                early, late = sorted((story, other), key=lambda each: (each.first, each.number))
                self._unite(language, late, early)
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

    def merge(self, story: str, into: str) -> None:
        """Somebody decided that two stories are one; later items of either join ``into``. What is over is let be.
        Raises `ValueError` when they are of different languages."""
        story, into = self._named(story), self._named(into)
        late, early = self._stories.get(story), self._stories.get(into)
        if late is None or story == into:
            return
        if early is None:
            early = late[0], self._begin_at(late[0], into, late[1].first, late[1].last, late[1].seen)
        if late[0] is not early[0]:
            raise ValueError(f"{story} and {into} are stories of different languages")
        for one, other in ((story, into), (into, story)):
            self._apart.get(one, set()).discard(other)
        self._unite(early[0], late[1], early[1])

    def split(self, items: Sequence[str], *, story: str | None = None) -> str:
        """Somebody decided that these items of one story tell another event; its id (``story``, or one made from the
        items). The two are never merged by themselves. Raises `KeyError` when an item is not held."""
        language, old = self._story_of[items[0]]
        members = {item: self._story_of[item][1].members[item] for item in items}
        name = story or story_id(blake2b("\n".join((old.id, *sorted(items))).encode(), digest_size=8).hexdigest())
        held = self._stories.get(self._named(name))
        new = held[1] if held else self._begin_at(language, name, old.first, old.last, old.seen)
        self.keep_apart(old.id, new.id)
        for item, vector in members.items():
            self._leave(*self._story_of[item], item)
            self._story_of[item] = language, new
            language.join(new, item, vector)
        return new.id

    def keep_apart(self, one: str, other: str) -> None:
        """Two stories that must not be merged by themselves: to be told again at start."""
        for story, without in ((one, other), (other, one)):
            self._apart.setdefault(self._named(story), set()).add(self._named(without))

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
        language.leave(story, item)
        del self._story_of[item]
        if not story.members:
            self._drop(story)

    def _are_one(self, one: Story, other: Story) -> bool:
        if other.id in self._apart.get(one.id, ()) or max(one.last, other.last) - min(one.first, other.first) > HARD:
            return False
        return cosine(one, other) >= MERGE

    def _unite(self, language: Stories, late: Story, early: Story) -> None:
        early.first, early.last = min(early.first, late.first), max(early.last, late.last)
        early.seen = max(early.seen, late.seen)
        for item, vector in late.members.items():
            language.join(early, item, vector)
            self._story_of[item] = language, early
        language.unindex(late)
        del self._stories[late.id]
        self._aliases[late.id] = early.id
        for other in self._apart.pop(late.id, set()):
            self._apart[other].discard(late.id)
            self.keep_apart(early.id, other)

    def _forget(self, now: datetime) -> None:
        """Stories that nobody told for the idle window are not joined any more; after the hard one they are gone."""
        while self._ages and now - self._ages[0][0] > IDLE:
            _, number, name = heappop(self._ages)
            language, story = self._stories.get(name, (None, None))
            if language is None or story is None or story.number != number:
                continue
            quiet = now - story.seen
            if quiet > HARD:
                self._drop(story)
                continue
            if quiet > IDLE:
                language.unindex(story)
            heappush(self._ages, (story.seen + HARD - IDLE if quiet > IDLE else story.seen, number, name))

    def _drop(self, story: Story) -> None:
        language, _ = self._stories.pop(story.id)
        language.unindex(story)
        for item in story.members:
            del self._story_of[item]
        for other in self._apart.pop(story.id, set()):
            self._apart[other].discard(story.id)
        for alias in [alias for alias, name in self._aliases.items() if name == story.id]:
            del self._aliases[alias]


def _reason(vector: Vector, centroid: Vector, gist: Gist) -> str:
    """The terms that count most in the likeness, as the item writes them."""
    shared = sorted(
        (term for term in vector if term in centroid), key=lambda term: (-vector[term] * centroid[term], term)
    )
    return "shares " + ", ".join(written(gist.words.get(term, term)) for term in shared[:_SHOWN])
