"""What an alert says of its item's story: whose reporting it is, who else tells it, how many voices that makes, and how
sure the only one of them sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.alerts import claims
from monitor.alerts.origingroups import Group, groups
from monitor.alerts.text import cut, isolated, web_link
from monitor.alerts.wording import Wording, headline, stamp
from monitor.model.alerts import Telling
from monitor.model.items import Item
from monitor.model.stories import Story
from monitor.stories.reported import roots_of, whose
from monitor.stories.roots import Root

_HOW = {"credit": "credited", "cite": "cited", "statement": "stated", "copy": "the same words"}
_NAMED = 4
"""Origins named in the short form, at most."""
_LANGUAGES = {"en": "en", "he": "he", "ar": "ar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storyline:
    """One alert's story while it is worded."""

    telling: Telling
    wording: Wording

    def lines(self, shown: int) -> Iterator[str]:
        """Plain lines; ``shown``: how many outlets are named."""
        if self._groups:
            yield self._reported_by(shown, lambda group: group.told(self.wording, shown))
        else:
            yield from self._told_by(shown)
        yield from self.claimed()
        linked = [_first_of_each_outlet(each.items)[0] for each in self.telling.linked if each.items]
        if linked:
            yield "It seems also in: " + ", ".join(
                f"{self.wording.outlet(each.outlet)} ({_LANGUAGES.get(each.language, '?')})" for each in linked[:shown]
            )

    def short(self) -> str:
        """One line, for a message of several alerts: ``Goes back to Reuters; also told by 4 outlets``; may be empty."""
        if self._groups:
            return self._reported_by(_NAMED, lambda group: group.name(self.wording))
        root, others = self._root, len(self._others(self.telling.story))
        parts = [] if root is None or root.how == "own" else [f"goes back to {isolated(self.wording.source(root.id))}"]
        parts += [f"also told by {_counted(others, 'outlet')}"] if others else []
        line = "; ".join(parts)
        return line[:1].upper() + line[1:]

    def claimed(self) -> Iterator[str]:
        """How the headline or lead denies something; and how it hedges, where nobody else vouches for it."""
        claim, root = self._claim, self._root
        if claim is None or root is None:
            return
        origin = isolated(self.wording.source(root.id))
        if claim.denied:
            yield f"Denied: “{isolated(claim.denied)}” ({origin})"
        if claim.hedged and self._one_source:
            yield f"One source, hedged: “{isolated(claim.hedged)}” ({origin})"

    def payload(self, shown: int) -> dict[str, Any]:
        """``origin``, ``story``, ``claim`` and ``corroboration``; field names are documented in ``docs/alerts.md``."""
        root, story, item, claim = self._root, self.telling.story, self.telling.item, self._claim
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
            "claim": None if claim is None else {
                "one_source": self._one_source, "hedged": claim.hedged or None, "denied": claim.denied or None,
            },
            "corroboration": self._corroboration(),
        }  # fmt: skip

    def _corroboration(self) -> dict[str, Any] | None:
        if not self._groups:
            return None
        within = self.wording.within.get(self.telling.alert.watch)
        return {
            "origins": [group.payload(self.wording) for group in self._groups],
            "within_seconds": None if within is None else round(within.total_seconds()),
        }

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

    def _reported_by(self, shown: int, told: Callable[[Group], str]) -> str:
        found = self._groups
        more = f" and {len(found) - shown} more" if len(found) > shown else ""
        return f"Reported by {_counted(len(found), 'origin')}: {', '.join(map(told, found[:shown]))}{more}"

    def _told_by(self, shown: int) -> Iterator[str]:
        if (origin := self._origin()) is not None:
            yield origin
        if others := self._others(self.telling.story):
            voices = len({root.id for root in self._roots.values()})
            names = ", ".join(self._named(each) for each in others[:shown])
            more = f" and {len(others) - shown} more" if len(others) > shown else ""
            yield f"Also told by {names}{more}: {_counted(len(others) + 1, 'outlet')}, {_counted(voices, 'origin')}"

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
    def _groups(self) -> Sequence[Group]:
        """Empty but for an alert that is told because enough origins report its story."""
        return groups(item for story in self.telling.event for item in story.items)

    @property
    def _claim(self) -> claims.Claim | None:
        """``None``: nothing is known of the item's reporting, or of how claims are worded."""
        phrases = self.wording.phrases
        return None if phrases is None or self._root is None else claims.claim(self.telling.item, phrases)

    @property
    def _one_source(self) -> bool:
        """Whether all that is known of the event, in every language, goes back to one origin."""
        story = self.telling.story
        told = () if story is None else (story, *self.telling.linked, *self.telling.event)
        items = {item.id: item for each in told for item in each.items}
        return len({root.id for root in roots_of(items.values()).values()}) == 1

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
