"""``outlets/NAME.toml``: an outlet, its sources, and how its pages are read."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from config.model.fields import Country, Duration, Id, Language, Pattern, Told, WebAddress, Zone, refused, written


class Cadence(Told):
    """How often a source is asked. Once three days of it were seen, it is asked more often in the hours of the week in
    which it usually has something new, and less often in the others; over a week, as often as `every` or less."""

    every: Duration = timedelta(minutes=15)
    """The usual time between two polls. The same as `max`: it is never asked less often."""
    min: Duration = timedelta(minutes=5)
    """The shortest: in its busiest hours, and when everything it lists is new, so that it may have published more than
    it lists. The same as `every`: it is never asked more often."""
    max: Duration = timedelta(hours=1)
    """The longest, in hours in which it is usually silent: at night, on days of rest. Failures push the next poll back
    as far, but at most an hour (or `every`, where that is longer)."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not timedelta() < self.min <= self.every <= self.max:
            raise ValueError("cadence must keep min <= every <= max, all above zero")
        return self


class Selectors(Told):
    """CSS selectors of a listing page: ``entry`` finds each block, the rest look inside it."""

    entry: str
    """Finds the block of each entry."""
    link: str = "a"
    """Inside the block, the link to the article."""
    title: str | None = None
    """Inside the block, the headline; without it, the text of the link."""
    lead: str | None = None
    """Inside the block, the summary."""
    time: str | None = None
    """Inside the block, the time."""


class ArticleSelectors(Told):
    """CSS selectors of an outlet's article page, used where JSON-LD and trafilatura find nothing."""

    headline: str | None = None
    """The headline."""
    byline: str | None = None
    """Who wrote it."""
    body: str | None = None
    """The text; every paragraph in it is read."""
    drop: tuple[str, ...] = ()
    """Blocks removed before any text is read ("more on", inserted link marks)."""


SourceKind = Literal["feed", "sitemap", "listing", "aggregator"]


class Source(Told):
    """``[[source]]``: one address of an outlet that is polled."""

    id: Id
    """Its name within the outlet; the history of polls is kept under it."""
    kind: SourceKind
    """What stands at the address: a feed, a (news) sitemap, a page of links, or an aggregator's feed."""
    url: WebAddress
    """The address."""
    every: Duration | None = None
    """Overrides the outlet's cadence."""
    language: Language | None = None
    """Where it differs from the outlet's."""
    languages: tuple[str, ...] = ()
    """Keep only entries that declare one of these (sitemaps mix languages); empty keeps all."""
    only: Pattern | None = None
    """Keep only entries whose address this pattern is found in."""
    skip: Pattern | None = None
    """Drop entries whose address this pattern is found in."""
    title_is_identity: StrictBool = False
    """The same title within 48 h is the same item (aggregators whose ids change)."""
    selectors: Selectors | None = None
    """For ``kind = "listing"`` only: where the links stand."""
    max_bytes: StrictInt = Field(default=16 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    """A longer answer is refused."""
    verify_tls: StrictBool = True
    """Whether the server's certificate must be good."""
    note: str = ""
    """For whoever reads the file next; shown on the source's page."""

    @model_validator(mode="after")
    def _selectors_with_listing(self) -> Self:
        if (self.kind == "listing") != (self.selectors is not None):
            raise refused('a source of kind "listing" needs [source.selectors], and no other kind has them', "kind")
        return self


class IdentityRule(Told):
    """One way an outlet's addresses name an article.

    ``pattern`` is searched in the cleaned address (scheme dropped, host in lower case,
    ``www.`` dropped); the groups it captures, joined by ``/``, are the article's own id.
    """

    pattern: Pattern
    """Searched in the cleaned address; what its groups capture is the article's id."""

    @field_validator("pattern")
    @classmethod
    def _captures(cls, pattern: str) -> str:
        if not re.compile(pattern).groups:
            raise ValueError("the pattern needs a group ( ) around what names the article")
        return pattern


REREAD = tuple(timedelta(minutes=each) for each in (15, 60, 3 * 60, 8 * 60, 24 * 60, 72 * 60))
"""Most edits come within the first hours. Six times cost a host little, and the last one sees what a newsroom corrects
or takes down a day or two later."""


CLOSEST = timedelta(minutes=10)
"""Between two readings of one page, at least."""


class Outlet(Told):
    """One file in ``outlets/``: who publishes, where, and under which limits."""

    id: Id
    """The file's name without ``.toml``; items are kept under it: do not change it."""
    name: str
    """How the outlet is called in alerts and on the page."""
    name_native: str | None = None
    """Its name in its own language."""
    home: WebAddress
    """Its front page."""
    language: Language
    """The language it writes in."""
    time_zone: Zone
    """The zone of times it writes without one, and of its week."""
    holidays: Country | None = None
    """Country (ISO 3166, two letters) whose public holidays it keeps: it is then expected to be as silent as on its
    weekly day of rest."""
    access: Literal["feed", "page", "headline", "aggregator"]
    """``feed``: feed or sitemap, pages not needed; ``page``: article pages may be read;
    ``headline``: headline and link only; ``aggregator``: only through an aggregator."""
    why: str
    """Shown with the sources: what the publisher permits and why it is watched this way."""
    keep: Literal["headline", "lead", "body"] = "lead"
    """How much of an article may be kept."""
    pages: Literal["all", "matched", "none"] = "none"
    """Whose article pages are read: of all new items, of those that matched, of none."""
    pages_per_hour: StrictInt = Field(default=30, ge=1, le=600)
    """At most so many article pages are read in an hour, those read again included."""
    reread: tuple[Duration, ...] = REREAD
    """When after an item was first seen its page is read again, if a watch matched it: for edits, and to see whether it
    is still there. Empty: never."""
    delay: Duration = timedelta(seconds=2)
    """Between two requests to one host."""
    charset: str | None = None
    """Tried after strict UTF-8 and before what the answer declares, where an outlet is known to lie."""
    robots: Annotated[str, StringConstraints(pattern=r"^(obey|permitted: .+)$")] = "obey"
    """``obey``, or ``permitted: REASON`` where the publisher permits what its robots rules refuse (it is shown)."""
    tracking: tuple[str, ...] = ()
    """Query parameters dropped besides the general ones; ``at_*`` drops all that begin so."""
    keep_parameters: tuple[str, ...] = ()
    """Query parameters that are part of the identity although a rule would drop them."""
    keep_fragment: Pattern | None = None
    """Fragments that name a live-blog post; all others are dropped."""
    same_hosts: tuple[str, ...] = ()
    """Host names that serve the same articles (bbc.co.uk and bbc.com); the first stands for all."""
    identity: tuple[IdentityRule, ...] = ()
    """How its addresses name an article; the first rule that fits wins."""
    cadence: Cadence = Cadence()
    """How often its sources are asked."""
    article: ArticleSelectors | None = None
    """Where the text stands on its article pages."""
    source: tuple[Source, ...] = Field(min_length=1)
    """The addresses that are polled; one table each."""

    def source_of(self, name: str) -> Source | None:
        """The source that ``outlet/source`` names, if it is one of this outlet's."""
        wanted = name.partition("/")[2]
        return next((source for source in self.source if source.id == wanted), None)

    @field_validator("reread")
    @classmethod
    def _growing(cls, times: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if any(later - earlier < CLOSEST for earlier, later in pairwise((timedelta(), *times))):
            raise ValueError(f"times must grow, by {written(CLOSEST)} at least")
        return times

    @model_validator(mode="after")
    def _one_id_each(self) -> Self:
        ids = [source.id for source in self.source]
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise refused(f'two sources are called "{name}"', "source", index, "id")
        return self
