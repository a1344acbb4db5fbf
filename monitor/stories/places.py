"""Where a new item stands among the others: its story, and the stories of other languages that seem to tell the same.

Held in memory, filled from the archive at start; asked inside the filing transaction, so it never waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from config.model.lexicon import Concept
from config.model.settings import StorySettings
from config.model.whole import Config
from monitor.model.items import Item
from monitor.model.stories import Placed, Rulings, StoryLink
from monitor.stories.clusters import Clusters
from monitor.stories.gist import Gists, StoryItem
from monitor.stories.links import Links

WINDOW = timedelta(days=8)
"""How far back it must know: stories need three days, headlines that come back need eight."""


class Places:
    """Called from one thread at a time, the writer's, but for `read_ahead`."""

    def __init__(self, config: Config) -> None:
        self._concepts = config.concepts
        self._clusters = Clusters(Gists(config.concepts), config.settings.stories)
        self._links = Links(self._clusters.gists, config.concepts, config.settings.stories)
        self.heeded = 0
        """The number of the last correction that it knows of."""

    def place(self, item: Item, copy_of: str | None, config: Config) -> Placed:
        """A new item's story. Items of one answer come in the order of `clusters.in_order`."""
        self._read_by(config.concepts, config.settings.stories)
        told = _told(item, copy_of)
        placement = self._clusters.place(told)
        self._links.add(told, placement.story)
        for gone in placement.merges:
            self._links.merge(gone, placement.story)
        links = tuple(
            StoryLink(story=each.story, score=each.score, reason=each.reason)
            for each in self._links.of(placement.story)
        )
        return Placed(
            story=placement.story, score=placement.score, reason=placement.reason, merges=placement.merges, links=links
        )

    def read_ahead(self, texts: Iterable[tuple[str, str]]) -> None:
        """Read headlines and leads of items that may soon be placed, outside of the transaction; from any thread."""
        self._clusters.gists.read_ahead(texts)

    def refill(self, items: Iterable[Item]) -> None:
        """From the archive, the oldest first."""
        for item in items:
            if item.story:
                told = _told(item, item.copy_of)
                self._clusters.add(told, item.story)
                self._links.add(told, item.story)

    def heed(self, rulings: Rulings) -> None:
        """What reviewers decided, from the store; before the next item is placed."""
        self._clusters.move(rulings.stories)
        self._clusters.keep_apart(rulings.apart)
        self._links.move(rulings.stories)
        self.heeded = rulings.number

    def _read_by(self, concepts: Mapping[str, Concept], settings: StorySettings) -> None:
        """Another lexicon came into force: stories stay, links are found anew (0.4 s for 600 stories, once). Other
        thresholds hold from the next item on."""
        if concepts is not self._concepts and concepts != self._concepts:
            self._clusters.gists = Gists(concepts)
            self._links.read_by(self._clusters.gists, concepts)
        self._concepts = concepts
        self._clusters.settings = self._links.settings = settings


def _told(item: Item, copy_of: str | None) -> StoryItem:
    published = item.first_seen if item.published_assumed else min(item.published, item.first_seen)
    return StoryItem(
        id=item.id, outlet=item.outlet, language=item.language, title=item.title, lead=item.lead, published=published,
        seen=item.first_seen, copy_of=copy_of,
    )  # fmt: skip
