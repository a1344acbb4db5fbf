"""Entries as the outlet's file wants them: addresses cleaned, absurd fields cut, unwanted entries left out.

Readers say what the wire said; here it is judged by the outlet's rules. Nothing is lost in silence: what was changed
or assumed stands in the entry's ``marks``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import regex

from config.model.outlets import Outlet, Source
from monitor.language.display import balanced
from monitor.model.entries import Entry
from monitor.model.texts import Kind
from monitor.stories.addresses import bare_host, followable, rules

TITLE_GRAPHEMES = 300
LEAD_GRAPHEMES = 4_000
OLDEST = datetime(1995, 1, 1, tzinfo=UTC)
"""No news site is older; what is dated before is a mistake (F77)."""
AHEAD = timedelta(hours=24)
"""Clocks and zones are wrong by hours (F78); a date further ahead is not credible."""

DATE_ASSUMED = "date assumed"
LINK_REFUSED = "link refused"
TITLE_MISSING = "title missing"
PAYWALLED = "paywalled: only the beginning"
CUT_SHORT = "the answer was cut short on its way"
TEXT_LOST = "text lost"
"""Begins the mark of a page that is too deep or too large to be read as one."""

# Words of a path that tell what kind of text stands there; the first kind that fits.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("live", re.compile(r"/(?:live|live-?blog(?:_entry)?|ty-article-live)(?:/|$)|/liveblog-[^/]+/?$")),
    ("opinion", re.compile(r"/(?:opinions?|commentisfree|columnists?|ty-article-opinion)(?:/|$)")),
    ("video", re.compile(r"/(?:videos?|av|newsfeed)(?:/|$)")),
)
# How the wire writes the languages we meet, besides BCP 47 (sitemaps: ISO 639-2; iw: Hebrew until 1989).
_LANGUAGES = {"eng": "en", "heb": "he", "iw": "he", "ara": "ar", "spa": "es", "fre": "fr", "fra": "fr"}
_WRAPPED = "url"
"""The query parameter in which an aggregator carries the publisher's address."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NEW_LINE = re.compile(r"\r\n|[\r\x85\u2028\u2029]")
_VISIBLE = regex.compile(r"[\p{L}\p{N}\p{P}\p{S}]")
_GRAPHEME = regex.compile(r"\X")


def normalise(entry: Entry, outlet: Outlet, source: Source | None, now: datetime) -> Entry | None:
    """The entry by the outlet's rules; None when the outlet's file does not want it (``only``, ``skip``,
    ``languages``, an aggregator's entry of another publisher), or when nothing in it can be shown.

    ``source`` is None for an article page.
    """
    entry = _linked(entry, outlet, source)
    if not _wanted(entry, outlet, source):
        return None
    entry = _dated(_written(entry, outlet, source), now)
    entry = _with(entry, language=_language(entry.language), kind=_kind(entry))
    return entry if entry.title else None


# ------------------------------------------------------------------ addresses


def _linked(entry: Entry, outlet: Outlet, source: Source | None) -> Entry:
    rule = rules(outlet)
    url = entry.url or ""
    if source is not None and source.kind == "aggregator":
        url = _unwrapped(url)
    cleaned = rule.clean(url)
    canonical = rule.clean(entry.canonical) if entry.canonical else ""
    if entry.url and not cleaned:  # kept as text, never followed (F74); it still tells this entry from others
        entry = replace(entry, guid=entry.guid or entry.url, marks=_marked(entry, LINK_REFUSED))
    return _with(entry, url=cleaned or None, canonical=canonical or None)


def _unwrapped(url: str) -> str:
    """The publisher's address inside an aggregator's link; the link itself when it carries none."""
    parts = followable(url)
    inner = parse_qs(parts.query).get(_WRAPPED, []) if parts is not None else []
    return inner[0] if inner and followable(inner[0]) is not None else url


def _wanted(entry: Entry, outlet: Outlet, source: Source | None) -> bool:
    if source is None:
        return True
    url = entry.url or ""
    if source.kind == "aggregator" and not rules(outlet).own(bare_host(urlsplit(url).hostname or "")):
        return False
    if source.only is not None and not re.search(source.only, url):
        return False
    if source.skip is not None and re.search(source.skip, url):
        return False
    # An entry that declares nothing is kept: in doubt, tell (P9).
    wanted = {_language(name) for name in source.languages}
    return not wanted or entry.language is None or _language(entry.language) in wanted


def _kind(entry: Entry) -> Kind:
    if entry.kind != "article" or entry.url is None:
        return entry.kind
    path = urlsplit(entry.url).path.casefold()
    return next((kind for kind, pattern in _KINDS if pattern.search(path)), "article")


# ------------------------------------------------------------------ texts


def _written(entry: Entry, outlet: Outlet, source: Source | None) -> Entry:
    """Texts without control characters, balanced, of a sane length, and with a title."""
    title, lead, author = _line(entry.title), _text(entry.lead), _line(entry.author)
    marks = entry.marks
    if source is not None and source.kind == "aggregator":
        title = _without_publisher(title, entry.publisher or outlet.name)
    if not _VISIBLE.search(title):
        title = _stand_in(lead, _text(entry.body), entry.url)
        marks = _marked(entry, TITLE_MISSING)
    limits = (("title", title, TITLE_GRAPHEMES), ("lead", lead, LEAD_GRAPHEMES), ("author", author, TITLE_GRAPHEMES))
    cut = {name: cut_at(text, limit) for name, text, limit in limits}
    was_cut = [f"{name} cut" for name, text, _ in limits if cut[name] != text]
    return _with(
        entry,
        title=balanced(cut["title"]),
        lead=balanced(cut["lead"]),
        author=balanced(cut["author"]),
        body=balanced(_text(entry.body)),
        publisher=_line(entry.publisher),
        guid=_line(entry.guid) or None if entry.guid is not None else None,
        tags=tuple(_line(tag) for tag in entry.tags),
        marks=tuple(dict.fromkeys((*marks, *was_cut))),
    )


def _text(text: str) -> str:
    """Without control characters and half letters (lone surrogates); lines stay."""
    return _CONTROL.sub("", _NEW_LINE.sub("\n", text)).strip()


def _line(text: str) -> str:
    return " ".join(part for part in _text(text).replace("\t", " ").replace("\n", " ").split(" ") if part)


def _without_publisher(title: str, publisher: str) -> str:
    """Aggregators end a title with its publisher; only that exact name is taken off."""
    for dash in (" - ", " – ", " — ", " | "):
        kept, found, name = title.rpartition(dash)
        if found and kept and name.casefold() == publisher.strip().casefold():
            return kept.rstrip()
    return title


def _stand_in(lead: str, body: str, url: str | None) -> str:
    """What is shown for a title that is empty or invisible (F93): the first words, else the address's last part."""
    for text in (lead, body):
        if _VISIBLE.search(text):
            return _line(cut_at(text, TITLE_GRAPHEMES).partition("\n")[0]) or _line(cut_at(text, TITLE_GRAPHEMES))
    parts = urlsplit(url or "")
    named = unquote(parts.path.rstrip("/").rpartition("/")[2]).replace("-", " ").replace("_", " ")
    return _line(named) or parts.netloc


def cut_at(text: str, graphemes: int) -> str:
    """The first so many letters as a reader counts them; a letter of endless marks is cut inside (F54, F93)."""
    longest = graphemes * 8
    if len(text) <= graphemes:
        return text
    end = 0
    for count, found in enumerate(_GRAPHEME.finditer(text, 0, min(len(text), longest + 64)), start=1):
        if count > graphemes or found.end() > longest:
            break
        end = found.end()
    else:
        return text
    return text[: end or longest].rstrip()


# ------------------------------------------------------------------ dates, languages, marks


def _dated(entry: Entry, now: datetime) -> Entry:
    """Dates that are not credible give way to the time of first sight; as written they are kept (F76-F78, F82)."""
    published = entry.published if _credible(entry.published, now) else None
    updated = entry.updated if _credible(entry.updated, now) else None
    if published is not None:
        return _with(entry, updated=updated)
    written = entry.published_text or (entry.published.isoformat() if entry.published is not None else "")
    return replace(
        entry, published=None, published_text=_line(written), updated=updated, marks=_marked(entry, DATE_ASSUMED)
    )  # fmt: skip


def _credible(date: datetime | None, now: datetime) -> bool:
    return date is not None and OLDEST <= date <= now + AHEAD


def _language(declared: str | None) -> str | None:
    """The declared language as its primary tag in lower case: ``eng`` and ``en-US`` are ``en``."""
    primary = re.split(r"[-_]", (declared or "").strip().casefold())[0]
    return _LANGUAGES.get(primary, primary) or None


def _with(entry: Entry, **values: object) -> Entry:
    """The entry with these values; itself when it has them already, as most entries do: a copy costs most here."""
    if all(getattr(entry, name) == value for name, value in values.items()):
        return entry
    return replace(entry, **values)  # type: ignore[arg-type]


def _marked(entry: Entry, *marks: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*entry.marks, *marks)))
