"""Inside one story: to whose reporting each article goes back, and how many voices that makes.

Copies go back to the text they repeat, credits and cites to the source they name, and where that source has an article
in the story, to whatever that goes back to. An article goes back only to one that is not published later; an agency
counts as published half an hour earlier, since its clients are often faster to put its text on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.stories.origins import Origin, Origins
from monitor.stories.sourcenames import SourceKind

AGENCY_LEAD = timedelta(minutes=30)
UNNAMED = "agencies"
"""The id of agencies that are credited without a name."""

How = Literal["own", "copy", "credit", "cite", "statement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """One article of a story, with whose reporting its text says it is."""

    item: str
    published: datetime
    origins: Origins
    copy_of: str | None = None
    """The item whose words it repeats; one outside of the story says nothing here."""
    ruled: bool = False
    """A reviewer said whose reporting it is: that goes for all articles of the same words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Whose reporting an article goes back to, over which articles of the story."""

    id: str
    """As `Origin.id`: two articles with the same are one voice."""
    kind: SourceKind
    how: How
    """The first step; ``own``: nothing says that it is another's; ``copy``: its words are another article's."""
    path: tuple[str, ...] = ()
    """Items of the story that it goes back over, the nearest first."""


_Key = tuple[datetime, bool, bool, str]


def roots(items: Sequence[Credited]) -> Mapping[str, Root]:
    """Each item's root. The same for every order of ``items``; an id that stands there twice is refused."""
    story = _Story(items)
    found: dict[str, Root] = {}
    for group in story.groups:  # the earliest first: what a group goes back to is known before it
        found |= story.settle(group, found)
    return _with_unnamed(story, found)


class _Story:
    """The articles of a story in groups of the same words, each group and the groups in order of time."""

    def __init__(self, items: Sequence[Credited]) -> None:
        self.items = {item.item: item for item in items}
        if len(self.items) != len(items):
            raise ValueError("an item stands twice in one story")
        self.groups = sorted(self._alike(), key=lambda group: _key(group[0]))
        self.place = {item.item: number for number, group in enumerate(self.groups) for item in group}
        self.by_source: dict[str, list[Credited]] = {}
        for item in sorted(items, key=_key):
            self.by_source.setdefault(item.origins.own.id, []).append(item)

    def settle(self, group: Sequence[Credited], known: Mapping[str, Root]) -> Iterator[tuple[str, Root]]:
        """The roots of a group's items: they have one, since their words are the same."""
        leader, named = group[0], _named(group)
        root = self._followed(named, leader, known)
        for item in group:
            yield item.item, _seen_from(item, leader, named, root)

    def _followed(self, named: Origin, leader: Credited, known: Mapping[str, Root]) -> Root:
        """What the named source's earliest article in the story goes back to; without one, the source itself."""
        if named.relation != "own":
            for item in self.by_source.get(named.id, ()):
                before = self.place[item.item] < self.place[leader.item]
                if before and _effective(item) <= _effective(leader):
                    root = known[item.item]
                    return Root(id=root.id, kind=root.kind, how=named.relation, path=(item.item, *root.path))
        return Root(id=named.id, kind=named.kind, how=named.relation)

    def _alike(self) -> Iterable[list[Credited]]:
        """Items joined by copies, whichever of them was taken for the copy."""
        joined = {item: item for item in self.items}

        def top(item: str) -> str:
            while joined[item] != item:
                item = joined[item]
            return item

        for item in self.items.values():
            if item.copy_of in joined:
                joined[top(item.item)] = top(item.copy_of)
        groups: dict[str, list[Credited]] = {}
        for item in sorted(self.items.values(), key=_key):
            groups.setdefault(top(item.item), []).append(item)
        return groups.values()


def _key(item: Credited) -> _Key:
    """The order in which articles can go back to each other: by time; at the same time agencies first, then what names
    nobody."""
    return _effective(item), not _is_agency(item), item.origins.whose.relation != "own", item.item


def _effective(item: Credited) -> datetime:
    return item.published - AGENCY_LEAD if _is_agency(item) else item.published


def _is_agency(item: Credited) -> bool:
    return item.origins.own.kind == "agency"


def _named(group: Sequence[Credited]) -> Origin:
    """Whose reporting a group's words are by its own word: those of an agency in front by that text alone; else what
    any of the texts credits, what the first that names anybody names, and at last the first text's own outlet."""
    first = group[0].origins
    if ruled := [item for item in group if item.ruled]:
        return ruled[0].origins.whose
    if _is_agency(group[0]):
        return first.whose
    told = [item.origins.whose for item in group]
    told = [origin for origin in told if origin.relation != "own" and origin.id != first.own.id]
    return next((origin for origin in told if origin.relation == "credit"), told[0] if told else first.own)


def _seen_from(item: Credited, leader: Credited, named: Origin, root: Root) -> Root:
    """The group's root, reached from one of its items: by what it names itself, or as a copy of the first."""
    own = item.origins.whose
    says_so = item is leader or item.ruled or own.relation != "own"
    if (own.id, own.relation) == (named.id, named.relation) and says_so:
        return root
    path = root.path if item is leader else (leader.item, *root.path)
    return Root(id=root.id, kind=root.kind, how="copy", path=path)


def _with_unnamed(story: _Story, found: Mapping[str, Root]) -> Mapping[str, Root]:
    """Agencies credited without a name are no voice beside one that has a name: it may well be the same."""
    named = [found[item.item] for group in story.groups for item in group if found[item.item].kind == "agency"]
    one = next((root for root in named if root.id != UNNAMED), None)
    if one is None:
        return found
    return {
        item: Root(id=one.id, kind=one.kind, how=root.how, path=root.path) if root.id == UNNAMED else root
        for item, root in found.items()
    }
