"""Links between stories of different languages that seem to tell one event. They are shown, with their reason; stories
of different languages are never merged.

Two items are as alike as the concepts they have in common of all they name (Jaccard), a little more when a number or a
name is the same; two stories as their items are on average. Measured on 96 real openings such links are right about
seven times in ten when many stories of one subject run at once: hence links, and the windows, and a concept that is not
in every story of the beat.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple

from config.model.lexicon import Concept
from config.model.settings import AS_MEASURED, StorySettings
from monitor.stories.gist import Gists, StoryItem, written
from monitor.stories.traits import SURE_NAME, Traits, traits

NUMBERS = NAMES = 0.15
"""What one number, one name in common adds."""
APART = timedelta(hours=36)
"""Between the end of one story and the beginning of the other, at most."""
KEPT = timedelta(hours=72)
"""After its last item a story is forgotten."""
TELLING = frozenset(["event", "terms", "person", "process"])
"""Groups of concepts of which one must be shared: places and parties are the same in different events."""
UBIQUITOUS = frozenset(["israel", "gaza", "hamas", "qatar", "hostage", "deal"])
_USUAL, _USUAL_OF = 0.25, 40
"""A concept in more than a quarter of the stories held is in too many to tell two apart; counted from forty stories."""
_MEMBERS = 5
"""Items of a story that are compared, the newest."""
_CANDIDATES = 40
"""Stories that one is compared with, those nearest in time."""
_MOST = 10
"""Links shown for a story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A story of another language, how much it is alike, and in what."""

    story: str
    score: float
    reason: str


class _Member(NamedTuple):
    item: StoryItem
    traits: Traits


@dataclass(slots=True, kw_only=True, eq=False)
class _Story:
    id: str
    language: str
    first: datetime
    last: datetime
    seen: datetime
    members: deque[_Member] = field(default_factory=lambda: deque(maxlen=_MEMBERS))
    concepts: frozenset[str] = frozenset()
    """Those of its members that may tell an event."""
    links: dict[str, Link] = field(default_factory=dict)

    def apart(self, other: _Story) -> timedelta:
        return max(other.first - self.last, self.first - other.last, timedelta())


class Links:
    """Stories of the last three days by their concepts. Not for several threads at once."""

    def __init__(self, gists: Gists, concepts: Mapping[str, Concept], settings: StorySettings = AS_MEASURED) -> None:
        self.gists, self.settings = gists, settings
        self._telling = _telling(concepts)
        self._stories: dict[str, _Story] = {}
        self._story_of: dict[str, str] = {}
        self._places: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._ages: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._stories)

    def of(self, story: str) -> tuple[Link, ...]:
        """The links of a story, the strongest first; at most ten."""
        held = self._stories.get(story)
        links = held.links.values() if held is not None else ()
        return tuple(sorted(links, key=lambda link: (-link.score, link.story))[:_MOST])

    def add(self, item: StoryItem, story: str) -> None:
        """An item was put into a story, for the first time or out of another one; also at start, the oldest first."""
        self._forget(item.seen)
        if item.language == "und":
            return
        if (before := self._story_of.get(item.id)) is not None:
            self._leave(before, item.id)
        held = self._stories.get(story)
        if held is None:
            held = _Story(
                id=story, language=item.language, first=item.published, last=item.published, seen=item.seen
            )  # fmt: skip
            self._stories[story] = held
            heappush(self._ages, (item.seen, story))
        held.first, held.last = min(held.first, item.published), max(held.last, item.published)
        held.seen = max(held.seen, item.seen)
        self._put(held, [_Member(item, traits(self.gists.of(item)))])

    def merge(self, story: str, into: str) -> None:
        """Two stories of one language have become one."""
        late, early = self._stories.get(story), self._stories.get(into)
        if late is None or story == into:
            return
        self._drop(late)
        if early is None:
            early = _Story(id=into, language=late.language, first=late.first, last=late.last, seen=late.seen)
            self._stories[into] = early
            heappush(self._ages, (late.seen, into))
        early.first, early.last = min(early.first, late.first), max(early.last, late.last)
        early.seen = max(early.seen, late.seen)
        self._put(early, late.members)

    def move(self, stories: Mapping[str, str]) -> None:
        """Somebody decided in which stories these items stand; items that are not held are let be."""
        for item, name in stories.items():
            before = self._story_of.get(item, name)
            if before == name:
                continue
            held = self._stories[before]
            member = next(each for each in held.members if each.item.id == item)
            self._leave(held.id, item)
            into = self._stories.get(name)
            if into is None:
                into = _Story(id=name, language=held.language, first=held.first, last=held.last, seen=held.seen)
                self._stories[name] = into
                heappush(self._ages, (held.seen, name))
            self._put(into, [member])

    def read_by(self, gists: Gists, concepts: Mapping[str, Concept]) -> None:
        """Another lexicon is in force: all that is held is read by it, and compared again."""
        self.gists, self._telling = gists, _telling(concepts)
        self._places.clear()
        for story in self._stories.values():
            again = (_Member(each.item, traits(gists.of(each.item))) for each in story.members)
            story.members = deque(again, maxlen=_MEMBERS)
            story.concepts = frozenset()
            story.links.clear()
        for story in self._stories.values():
            self._place(story)  # all of them first: how usual a concept is, is counted over all
        for story in self._stories.values():
            self._renew(story)

    # ---------------------------------------------------------------- inside

    def _put(self, story: _Story, members: Iterable[_Member]) -> None:
        for each in members:
            if len(story.members) == _MEMBERS:
                self._story_of.pop(story.members[0].item.id, None)
            story.members.append(each)
            self._story_of[each.item.id] = story.id
        self._renew(story)

    def _leave(self, name: str, item: str) -> None:
        story = self._stories[name]
        story.members = deque((each for each in story.members if each.item.id != item), maxlen=_MEMBERS)
        del self._story_of[item]
        if story.members:
            self._renew(story)
        else:
            self._drop(story)

    def _renew(self, story: _Story) -> None:
        """Compare a story with the others again."""
        self._place(story)
        self._unlink(story)
        for other in self._near(story):
            if link := self._compared(story, other):
                score, reason = link
                story.links[other.id] = Link(story=other.id, score=score, reason=reason)
                other.links[story.id] = Link(story=story.id, score=score, reason=reason)

    def _place(self, story: _Story) -> None:
        concepts = self._telling & frozenset(concept for each in story.members for concept in each.traits.concepts)
        for concept in story.concepts - concepts:
            self._places[concept].pop(story.id, None)
        for concept in concepts - story.concepts:
            self._places[concept][story.id] = None
        story.concepts = concepts

    def _near(self, story: _Story) -> list[_Story]:
        found = {
            name: self._stories[name] for concept in sorted(story.concepts) if not self._usual(concept)
            for name in self._places[concept]
        }  # fmt: skip
        near = [
            (apart, other.id, other) for other in found.values()
            if other.language != story.language and (apart := story.apart(other)) <= APART
        ]  # fmt: skip
        return [other for _, _, other in sorted(near, key=lambda each: each[:2])[:_CANDIDATES]]

    def _usual(self, concept: str) -> bool:
        total = len(self._stories)
        return total >= _USUAL_OF and len(self._places[concept]) > _USUAL * total

    def _compared(self, one: _Story, other: _Story) -> tuple[float, str] | None:
        least = SURE_NAME if "en" not in (one.language, other.language) else 0
        pairs = [(a.traits, b.traits) for a in one.members for b in other.members]
        score = sum([_alike(a, b, least) for a, b in pairs]) / len(pairs)
        return (round(score, 3), _reason(pairs, least)) if score >= self.settings.link else None

    def _unlink(self, story: _Story) -> None:
        for other in story.links:
            self._stories[other].links.pop(story.id, None)
        story.links.clear()

    def _drop(self, story: _Story) -> None:
        self._unlink(story)
        del self._stories[story.id]
        for concept in story.concepts:
            self._places[concept].pop(story.id, None)
        for each in story.members:
            del self._story_of[each.item.id]

    def _forget(self, now: datetime) -> None:
        while self._ages and now - self._ages[0][0] > KEPT:
            _, name = heappop(self._ages)
            story = self._stories.get(name)
            if story is None:
                continue
            if now - story.seen > KEPT:
                self._drop(story)
            else:
                heappush(self._ages, (story.seen, name))


def _telling(concepts: Mapping[str, Concept]) -> frozenset[str]:
    return frozenset(name for name, each in concepts.items() if each.group in TELLING) - UBIQUITOUS


def _alike(one: Traits, other: Traits, least: int) -> float:
    common = len(one.concepts & other.concepts)
    score = common / (len(one.concepts) + len(other.concepts) - common) if common else 0.0
    if not one.numbers.isdisjoint(other.numbers):
        score += NUMBERS
    if not (one.sure if least else one.bones).isdisjoint(other.bones):
        score += NAMES
    return score


def _reason(pairs: Iterable[tuple[Traits, Traits]], least: int) -> str:
    """What the stories share: concepts, then numbers, then names, in Latin letters where one of them is."""
    concepts: dict[str, None] = {}
    numbers: dict[str, None] = {}
    names: dict[str, None] = {}
    for one, other in pairs:
        new = (one.concepts & other.concepts) - concepts.keys()
        if new:
            concepts.update(dict.fromkeys(sorted(new)))
        if not one.numbers.isdisjoint(other.numbers):
            numbers.update(dict.fromkeys(sorted(one.numbers & other.numbers)))
        if not one.bones.isdisjoint(other.bones):
            shared = sorted((one.sure if least else one.bones) & other.bones)
            names.update(dict.fromkeys(min(one.names[name], other.names[name]) for name in shared))
    return "both tell of " + ", ".join((*(f"@{each}" for each in concepts), *numbers, *map(written, names)))
