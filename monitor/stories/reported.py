"""Whose reporting an item is, as it is kept with it, and how many voices tell a story (`origins`, `roots`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from monitor.model import Entry, Item, Reported
from monitor.stories.origins import Origin, Origins, OriginText, Sources, origins
from monitor.stories.roots import Credited, Root, roots
from monitor.stories.sourcenames import SourceKind

_SHOWN = 120
"""Letters of the words that show it, at most: some stand in texts that may not be kept whole."""


def reported(entry: Entry, outlet: str, sources: Sources) -> tuple[Reported, ...]:
    """The outlet's own first, then what the text says of others, the one that counts before what is told in passing."""
    text = OriginText(
        title=entry.title, lead=entry.lead, body=entry.body, author=entry.author, outlet=outlet,
        publisher=entry.publisher,
    )  # fmt: skip
    found = origins(text, sources)
    return tuple(_kept(each, text) for each in (found.own, *found.found))


def _kept(origin: Origin, text: OriginText) -> Reported:
    evidence, words = origin.evidence, ""
    if evidence is not None and evidence.field != "credit":
        words = " ".join(str(getattr(text, evidence.field))[evidence.start : evidence.end].split())[:_SHOWN]
    return Reported(
        id=origin.id, kind=origin.kind, relation=origin.relation, words=words,
        pattern=evidence.pattern if evidence is not None else "", aside=origin.aside,
    )  # fmt: skip


def whose(item: Item) -> Reported | None:
    """The reporting that counts for an item; ``None``: nothing was ever looked for (it is a notice)."""
    own = item.origins[0] if item.origins else None
    return next((each for each in item.origins[1:] if not each.aside), own)


def roots_of(items: Iterable[Item]) -> Mapping[str, Root]:
    """To whose reporting each item of one story goes back; those of which nothing is known are left out."""
    return roots([_credited(item) for item in items if item.origins])


def _credited(item: Item) -> Credited:
    own, *found = (
        Origin(id=each.id, kind=cast(SourceKind, each.kind), relation=each.relation, aside=each.aside)
        for each in item.origins
    )
    published = item.first_seen if item.published_assumed else min(item.published, item.first_seen)
    return Credited(
        item=item.id, published=published, origins=Origins(own=own, found=tuple(found)), copy_of=item.copy_of
    )
