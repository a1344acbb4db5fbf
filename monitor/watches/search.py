"""Searching the archive in the language of watches: what a watch with the query finds in the items' present texts.

The index names candidates (`monitor.watches.sought`), the engine judges each and marks its words::

    question = ask("@hostage NEAR/5 doha", edition.watches, edition.outlets)     # or QueryError, with its place
    found = await search(store, question, Wanted(language="en"), clock=clock)
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice

from monitor import health
from monitor.language.identify import identify
from monitor.model.items import EVERYTHING, Item, Match, Spot, Wanted
from monitor.model.sought import Sought
from monitor.ports import Archive, Clock
from monitor.watches.backtest import item_text
from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText
from monitor.watches.expansion import Expansion
from monitor.watches.explain import Explanation
from monitor.watches.lint import Lint, lint
from monitor.watches.sought import sought

NAME = "search"
"""What a question is called where a watch's id stands: in a match, in an explanation."""
MOST = 20_000
SECONDS = 2.0
"""So many candidates are looked at, for so long: a search must end while somebody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query as read: what it finds in a text, and why."""

    text: str
    sought: Sought
    lints: tuple[Lint, ...]
    expansion: tuple[Expansion, ...]
    """How each word and concept is understood."""
    watches: WatchSet
    """The query alone."""

    def match(self, text: ItemText) -> Match | None:
        """What a watch with this query would find; ``None``: nothing."""
        return next(iter(self.watches.match(text)), None)

    def explain(self, text: ItemText) -> Explanation:
        """Why it is found in a text, or what the text lacks; `monitor.watches.explain.told` has it in lines."""
        return self.watches.explain(NAME, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An item that is found, with the words that make it so."""

    item: Item
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, newest first."""

    hits: tuple[Hit, ...]
    looked_at: int
    """Items of which the text was compared."""
    back_to: Spot | None
    """Where the last hit stands, or the oldest item that was looked at: a search ``after`` it goes on from there."""
    complete: bool
    """Nothing older can be found."""
    given_up: bool
    """It had looked at too much, for too long: what is older than `back_to` was not looked at."""


def ask(query: str, watches: WatchSet, outlets: Collection[str]) -> Question:
    """Read a query under the concepts of the watches in force; raises `QueryError` with the place of what is wrong."""
    asked = watches.beside(NAME, query, outlets=outlets)
    read = asked.query(NAME)
    return Question(
        text=query,
        sought=sought(read),
        lints=lint(read, asked.concepts),
        expansion=asked.expansion(NAME),
        watches=asked,
    )


async def search(
    archive: Archive, question: Question, wanted: Wanted = EVERYTHING, *, clock: Clock, limit: int = 50,
    after: Spot | None = None, most: int = MOST, seconds: float = SECONDS,
) -> Found:  # fmt: skip
    """The newest ``limit`` items behind a spot that the question finds among those wanted. As watches that name no
    outlet, it passes over the service's own notices, unless their outlet is wanted.

    It gives up after ``most`` candidates or ``seconds``, and says so."""
    until = clock.monotonic() + seconds
    hits: list[Hit] = []
    looked_at, back_to, late = 0, after, False
    async with aclosing(archive.holding(question.sought, wanted, most=most, after=after)) as portions:
        async for portion in portions:
            late = clock.monotonic() >= until
            if late or len(hits) > limit:
                break
            hits += await asyncio.to_thread(_hits, question, portion, wanted, limit + 1 - len(hits))
            looked_at, back_to = looked_at + len(portion), _spot(portion[-1])
    more = len(hits) > limit
    given_up = not more and (late or looked_at >= most)
    return Found(
        hits=tuple(hits[:limit]),
        looked_at=looked_at,
        back_to=_spot(hits[limit - 1].item) if more else back_to,
        complete=not (more or given_up),
        given_up=given_up,
    )


def pasted(text: str, *, outlet: str = "") -> ItemText:
    """A text that somebody pastes to try a query on: the first line is its headline."""
    headline, _, rest = text.strip().partition("\n")
    return ItemText(headline.strip(), body=rest.strip(), outlet=outlet, language=identify(text))


def _spot(item: Item) -> Spot:
    return Spot(item.first_seen, item.id)


def _hits(question: Question, items: Sequence[Item], wanted: Wanted, most: int) -> list[Hit]:
    news = (item for item in items if item.outlet != health.OUTLET or wanted.outlet is not None)
    judged = ((item, question.match(item_text(item))) for item in news)
    return list(islice((Hit(item=item, match=match) for item, match in judged if match is not None), most))
