"""Whose reporting an item is, as it is kept with it, and how many voices tell a story (`origins`, `roots`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from config.model.origins import Relation
from config.wording import near
from monitor.errors import UnknownName
from monitor.model.entries import Entry
from monitor.model.items import Item, Reported
from monitor.stories.origins import Origin, Origins, OriginText, Sources, origins
from monitor.stories.roots import Credited, Root, roots
from monitor.stories.sourcenames import SourceKind

_SHOWN = 120
"""Letters of the words that show it, at most: some stand in texts that may not be kept whole."""

_BY_KIND: Mapping[SourceKind, Relation] = {"agency": "credit", "outlet": "cite", "body": "statement"}
BY_TEXT = "text"
"""The pattern of what was found by comparing texts, not by words that say it."""


def reported(entry: Entry, outlet: str, sources: Sources) -> tuple[Reported, ...]:
    """The outlet's own first, then what the text says of others, the one that counts before what is told in passing."""
    text = OriginText(
        title=entry.title, lead=entry.lead, body=entry.body, author=entry.author, outlet=outlet,
        publisher=entry.publisher, credits=entry.credits,
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


def goes_back_to(told: Sequence[Reported]) -> Reported | None:
    """Whose words a text is by its own word: the source it credits, else its outlet's own; a cite or a statement is
    told in the outlet's words."""
    own = told[0] if told else None
    return next((each for each in told[1:] if each.relation == "credit" and not each.aside), own)


def by_text(source: Reported, share: float, outlet: str) -> Reported:
    """What it means that so much of a text stands in an earlier article of ``outlet``, itself of ``source``."""
    words = f"{share:.0%} of its words stand in an article of {outlet}"
    return Reported(id=source.id, kind=source.kind, relation="credit", words=words, pattern=BY_TEXT)


def with_text(
    told: Sequence[Reported], before: Sequence[Reported], part_of: Sequence[Reported] | None
) -> tuple[Reported, ...]:
    """With what comparing texts found (`by_text`), behind what the text credits itself. ``None``: nothing was compared,
    a poll that brings a headline again; what was found ``before`` in the whole text then stands."""
    held = [replace(each, aside=False) for each in before if each.pattern == BY_TEXT]
    found = part_of if part_of is not None else held
    credited = [each for each in told[1:] if each.relation == "credit" and not each.aside]
    known = {told[0].id, *(each.id for each in credited)} if told else set()
    new = [each for each in found if told and each.id not in known]
    return (*told[:1], *credited, *new, *(each for each in told[1:] if each not in credited))


def whose(item: Item) -> Reported | None:
    """The reporting that counts for an item; ``None``: nothing was ever looked for (it is a notice)."""
    own = item.origins[0] if item.origins else None
    return next((each for each in item.origins[1:] if not each.aside), own)


def by_word(origin: str, sources: Sources, outlets: Collection[str] = ()) -> Reported:
    """A source by its id (``axios``, ``reuters``, ``statement:idf``, one of our ``outlets``), as a reviewer names it
    (`monitor.ports.Corrections`): an agency's item is its copy, a body's tells its statement, another's cites it.
    `UnknownName` for an id that nothing has."""
    names = {source.id: source for source in sources.names.sources.values()} | dict(sources.names.sources)
    source = sources.names.of_outlet(origin) if origin in outlets else names.get(origin)
    if source is None:
        meant = near(origin, {*names, *outlets}) or "ids stand in origins.toml."
        raise UnknownName(f"No source is called {origin}; {meant}")
    return Reported(id=source.id, kind=source.kind, relation=_BY_KIND[source.kind])


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
        item=item.id, published=published, origins=Origins(own=own, found=tuple(found)), copy_of=item.copy_of,
        ruled=any(each.by for each in item.origins),
    )  # fmt: skip
