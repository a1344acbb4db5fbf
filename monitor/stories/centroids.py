"""Stories as centroids: the weighted terms of a language, how frequent they are, and which stories hold them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log, sqrt

from config.model.settings import StorySettings
from monitor.stories.gist import Gist, Gists, StoryItem
from monitor.stories.standing import Standing

_COUNTED = timedelta(hours=72)
"""How frequent a term is, is counted over so long."""
_LEAD = 0.5
"""What a word of the lead counts beside one of the headline."""
_FEWEST_TERMS = 3
"""An item of fewer says too little to be like anything."""
_FEWEST_SHARED = 2
_NEWS_ASSUMED = 300
"""Items that the counts begin with, so that the first day's rare words are no rarer than a later day's."""
_CENTROID = 160
"""Terms of a centroid, at most; the weakest go when there are half as many again."""

Vector = dict[str, float]
"""Terms with their weights, in the order of the text: the same sums come out whatever the seed of hashes."""
_NOWHERE: dict[int, float] = {}


@dataclass(slots=True, kw_only=True, eq=False)
class Story:
    """One story; the sum of its items' vectors is its centroid."""

    id: str
    number: int
    """Counts up: the higher, the newer."""
    first: datetime
    last: datetime
    seen: datetime
    members: dict[str, Vector] = field(default_factory=dict)
    centroid: Vector = field(default_factory=dict)
    square: float = 0.0
    """Of the centroid's length."""
    indexed: bool = False

    def may_take(self, published: datetime, settings: StorySettings) -> bool:
        if not self.first - settings.idle <= published <= self.last + settings.idle:
            return False
        return max(self.last, published) - min(self.first, published) <= settings.hard


class Stories:
    """Of one language. Not for several threads at once."""

    def __init__(self) -> None:
        self._standing = Standing()
        self._counts: Counter[str] = Counter()
        self._recent: deque[tuple[datetime, tuple[str, ...]]] = deque()
        self._places: defaultdict[str, dict[int, float]] = defaultdict(dict)
        self._stories: dict[int, Story] = {}

    def read(self, item: StoryItem, gists: Gists) -> tuple[Vector, Gist]:
        """The item's weighted terms, of length 1; they are counted."""
        gist = gists.of(item)
        title = self._standing.rest(item.outlet, item.title, item.published)
        heading = gist.title if title == item.title else gists.read(title, "").title
        weights: Vector = dict.fromkeys((*heading, *gist.lead), _LEAD)
        weights.update(dict.fromkeys(heading, 1.0))
        self._count(item.seen, tuple(weights))
        total, counts = log(len(self._recent) + _NEWS_ASSUMED), self._counts
        vector = {term: weight * (total - log(counts[term])) for term, weight in weights.items()}
        length = sqrt(sum([weight * weight for weight in vector.values()])) or 1.0
        return {term: weight / length for term, weight in vector.items()}, gist

    def _count(self, seen: datetime, terms: tuple[str, ...]) -> None:
        counts = self._counts
        while self._recent and seen - self._recent[0][0] > _COUNTED:
            for term in self._recent.popleft()[1]:
                if counts[term] == 1:
                    del counts[term]
                else:
                    counts[term] -= 1
        self._recent.append((seen, terms))
        counts.update(terms)

    def nearest(self, vector: Vector, published: datetime, settings: StorySettings) -> list[tuple[float, Story]]:
        """Stories that the item may join, the most alike first; of equals the newest."""
        if len(vector) < _FEWEST_TERMS:
            return []
        sums: defaultdict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for number, held in self._places.get(term, _NOWHERE).items():
                sums[number] += weight * held
        near = []
        for number, total in sums.items():
            if total < settings.join:  # no centroid is shorter than 1
                continue
            story = self._stories[number]
            score = total / sqrt(story.square)
            if score < settings.join or not story.may_take(published, settings):
                continue
            if shared(vector, story.centroid) >= _FEWEST_SHARED:
                near.append((score, story))
        return sorted(near, key=lambda each: (-round(each[0], 9), -each[1].number))

    def join(self, story: Story, item: str, vector: Vector) -> None:
        """Put an item in; the story is found again if it was over."""
        story.members[item] = vector
        if not story.indexed:
            self._stories[story.number] = story
            story.indexed = True
            for term, weight in story.centroid.items():
                self._places[term][story.number] = weight
        for term, weight in vector.items():
            before = story.centroid.get(term, 0.0)
            story.centroid[term] = self._places[term][story.number] = before + weight
            story.square += weight * (2 * before + weight)
        if len(story.centroid) > _CENTROID * 3 // 2:
            self._prune(story)

    def _prune(self, story: Story) -> None:
        weakest = sorted(story.centroid, key=lambda term: (story.centroid[term], term))[:-_CENTROID]
        for term in weakest:
            self._remove(story, term)
        story.square = sum(weight * weight for weight in story.centroid.values())

    def leave(self, story: Story, items: Iterable[str]) -> None:
        """Take items out; the centroid is added up again."""
        for item in items:
            del story.members[item]
        for term in list(story.centroid):
            self._remove(story, term)
        story.square = 0.0
        members, story.members = story.members, {}
        for other, vector in members.items():
            self.join(story, other, vector)

    def _remove(self, story: Story, term: str) -> None:
        del story.centroid[term]
        held = self._places.get(term)
        if held is not None:
            held.pop(story.number, None)
            if not held:
                del self._places[term]

    def unindex(self, story: Story) -> None:
        """It is not found any more; its centroid stays for who is put into it."""
        if not story.indexed:
            return
        story.indexed = False
        del self._stories[story.number]
        for term in story.centroid:
            held = self._places[term]
            held.pop(story.number, None)
            if not held:
                del self._places[term]


def shared(vector: Vector, centroid: Vector) -> int:
    """How many terms they have in common."""
    return sum(term in centroid for term in vector)


def cosine(one: Story, other: Story) -> float:
    """Of two centroids."""
    short, long = sorted((one.centroid, other.centroid), key=len)
    return sum(weight * long[term] for term, weight in short.items() if term in long) / sqrt(one.square * other.square)
