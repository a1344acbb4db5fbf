"""What an alert says of its item's story: whose reporting it is, who else tells it, how many voices that makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.alerts.text import cut, isolated, web_link
from monitor.alerts.wording import Wording, headline, stamp
from monitor.model import Item, Story, Telling
from monitor.stories.reported import roots_of, whose
from monitor.stories.roots import Root

_HOW = {"credit": "credited", "cite": "cited", "statement": "stated", "copy": "the same words"}
_LANGUAGES = {"en": "en", "he": "he", "ar": "ar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyline:
    """One alert's story while it is worded."""

    telling: Telling
    wording: Wording

    def lines(self, shown: int) -> Iterator[str]:
        """Plain lines; ``shown``: how many outlets are named."""
        if (origin := self._origin()) is not None:
            yield origin
        story = self.telling.story
        others = self._others(story)
        if story is not None and others:
            voices = len({root.id for root in self._roots.values()})
            names = ", ".join(self._named(each) for each in others[:shown])
            more = f" and {len(others) - shown} more" if len(others) > shown else ""
            yield f"Also told by {names}{more}: {_counted(len(others) + 1, 'outlet')}, {_counted(voices, 'origin')}"
        linked = [_first_of_each_outlet(each.items)[0] for each in self.telling.linked if each.items]
        if linked:
            yield "It seems also in: " + ", ".join(
                f"{self.wording.outlet(each.outlet)} ({_LANGUAGES.get(each.language, '?')})" for each in linked[:shown]
            )

    def payload(self, shown: int) -> dict[str, Any]:
        """``origin`` and ``story``; field names are documented in ``docs/alerts.md``."""
        root, story, item = self._root, self.telling.story, self.telling.item
        own, linked = whose(item), {each.id: each for each in self.telling.linked}
        return {
            "origin": None if root is None or own is None else {
                "id": root.id, "name": self.wording.source(root.id), "how": root.how, "words": own.words or None,
            },
            "story": None if story is None else {
                "id": story.id,
                "outlets": len({each.outlet for each in story.items}),
                "origins": len({each.id for each in self._roots.values()}),
                "others": [self._row(each) for each in self._others(story)[:shown]],
                "also_in": [
                    {"story": each.id, "reason": link.reason, "score": link.score, **self._row(each.items[0])}
                    for link in story.links if (each := linked.get(link.story)) is not None and each.items
                ],
            },
        }  # fmt: skip

    def _row(self, item: Item) -> dict[str, Any]:
        return {
            "item": item.id,
            "outlet": item.outlet,
            "outlet_name": self.wording.outlet(item.outlet),
            "language": item.language,
            "headline": cut(headline(item), 250),
            "url": web_link(item.url) or None,
            "first_seen": stamp(item.first_seen),
        }

    def _named(self, item: Item) -> str:
        return f"{isolated(self.wording.outlet(item.outlet))} {self.wording.time(item.first_seen)[-5:]}"

    def _origin(self) -> str | None:
        """Nothing is said of an outlet's own reporting."""
        root, own = self._root, whose(self.telling.item)
        if root is None or root.how == "own":
            return None
        words = f": {isolated(own.words)}" if own is not None and own.words and root.how != "copy" else ""
        return f"Goes back to {isolated(self.wording.source(root.id))} ({_HOW[root.how]}{words})"

    @property
    def _roots(self) -> dict[str, Root]:
        story = self.telling.story
        return dict(roots_of(story.items if story is not None else (self.telling.item,)))

    @property
    def _root(self) -> Root | None:
        return self._roots.get(self.telling.item.id)

    def _others(self, story: Story | None) -> list[Item]:
        """The first item of every other outlet, in the order in which they were seen."""
        mine = self.telling.item.outlet
        return [each for each in _first_of_each_outlet(story.items if story else ()) if each.outlet != mine]


def _first_of_each_outlet(items: Sequence[Item]) -> list[Item]:
    first: dict[str, Item] = {}
    for each in sorted(items, key=lambda item: (item.first_seen, item.id)):
        first.setdefault(each.outlet, each)
    return list(first.values())


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
