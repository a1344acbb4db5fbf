"""An article page → one entry: JSON-LD first, then trafilatura, then the outlet's selectors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import trafilatura
from selectolax.lexbor import LexborHTMLParser

from config.model.outlets import ArticleSelectors
from monitor.entries import PAYWALLED, TEXT_LOST
from monitor.model.entries import Entry
from monitor.model.sources import Outcome
from spiders.readers import jsonld, page
from spiders.readers.build import Builder, Raw
from spiders.readers.decoding import decode
from spiders.readers.links import resolve
from spiders.readers.task import EXCERPT, Reading, ReadTask, reading
from spiders.readers.text import as_html, cut, depth, plain

MOST_POSTS = 300
PAYWALLED_BELOW = 1_200
"""Characters: an article that is not free and shorter than this is only its beginning."""
_ENDS = frozenset(".!?…\"'”’»)؟׃")
_CREDITS = ("article:publisher", "syndication-source", "original-source")
_HEAD = 300_000
_HEAD_END = re.compile(r"</head\s*>|<body\b", re.IGNORECASE)
_HEADING = re.compile(r"<h1\b[^<>]*>", re.IGNORECASE)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?؟…])\s+|\n+")
_TELLING = 4
"""Words of a sentence that says something."""
_TITLE = re.compile(r"<title\b[^<>]*>([^<]{1,2000})", re.IGNORECASE)


def read(task: ReadTask) -> Reading:
    """Read one page. The body is plain paragraphs separated by blank lines; the outlet's suffix stays in the title."""
    decoded = decode(task.body, charset=task.charset, content_type=task.content_type)
    text = decoded.text
    if not text.strip():
        return Reading(outcome=Outcome.FAILED, reason="empty body", marks=decoded.marks)
    found, damaged = jsonld.find(text)
    told = found or jsonld.Article()
    head = _head(text)
    try:
        seen = _seen(text, task.article)
    except page.BadSelector as error:
        return Reading(outcome=Outcome.FAILED, reason=f"the selector {error} cannot be used")
    body = _without_heading(_body(told, seen), {told.headline, head.get("og:title"), _heading(text)})
    raw = _raw(told, head, seen, body, text)
    entry = Builder(task, base=page.base_of(text, task.url), time_zone="UTC").entry(raw)
    if entry is None or not (raw.title or body):
        reason = "no headline found: not an article page"
        return Reading(outcome=Outcome.FAILED, reason=reason, marks=decoded.marks, excerpt=cut(plain(text), EXCERPT))
    marks = [*entry.marks, "JSON-LD damaged" if damaged else ""]
    if told.paywalled and len(body) < PAYWALLED_BELOW:
        marks.append(PAYWALLED)
    canonical = resolve(head.canonical, task.url) or resolve(told.url, task.url)
    entry = replace(
        entry, url=task.url, canonical=canonical, marks=tuple(filter(None, marks)), html=as_html(entry.body)
    )
    lost = f"{TEXT_LOST}: {seen.hard}" if seen.hard else ("" if body else "no text found")
    return reading((entry, *_posts(told, task)), (*decoded.marks, lost))


def _posts(told: jsonld.Article, task: ReadTask) -> Iterator[Entry]:
    """A live page's updates with addresses of their own; whether one names a post, its outlet's rules say."""
    builder = Builder(task, time_zone="UTC")
    page_itself = task.url.partition("#")[0]
    for post in told.updates[:MOST_POSTS]:
        raw = Raw(
            title=post.headline or post.body.partition("\n")[0], title_form="text", content=post.body,
            content_form="text", authors=post.authors, published=post.published, kind="live",
            language=told.language, link=page_itself + post.url if post.url.startswith("#") else post.url,
        )  # fmt: skip
        entry = builder.entry(raw)
        if entry is not None and entry.url not in (None, task.url):
            yield replace(entry, post=True, html=as_html(entry.body))


def _raw(told: jsonld.Article, head: _Head, seen: _Seen, body: str, text: str) -> Raw:
    title = told.headline or head.get("og:title") or seen.headline or head.title or _heading(text)
    return Raw(
        title=title,
        summary=told.description or head.get("og:description", "description"),
        content=body,
        content_form="text",
        link=None,
        credits=(*told.credits, *head.credits),
        authors=told.authors or tuple(filter(None, (seen.byline or head.get("author", "byl"),))),
        published=told.published or head.get("article:published_time", "article:published", "date"),
        updated=told.modified or head.get("article:modified_time", "article:modified"),
        language=told.language or page.language_of(text),
        tags=told.tags,
        kind=told.kind,
    )


# ------------------------------------------------------------------ the head


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """``<meta>`` by name or property, whichever the outlet writes, the canonical link and the title."""

    meta: dict[str, str]
    canonical: str = ""
    title: str = ""

    def get(self, *names: str) -> str:
        return next((self.meta[name] for name in names if self.meta.get(name)), "")

    @property
    def credits(self) -> tuple[str, ...]:
        """Who published the text, in words: most write the address of a page about themselves there."""
        return tuple(told for name in _CREDITS if (told := self.meta.get(name, "")) and "//" not in told)


def _head(text: str) -> _Head:
    end = _HEAD_END.search(text)
    markup = text[: min(end.start() if end else _HEAD, _HEAD)]
    title = _TITLE.search(markup)
    if depth(markup, enough=page.PAGE_DEPTH) >= page.PAGE_DEPTH:
        return _Head(meta={}, title=plain(title[1]) if title else "")
    tree = LexborHTMLParser(markup)
    meta: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = (node.attributes.get("property") or node.attributes.get("name") or "").lower()
        meta.setdefault(name, node.attributes.get("content") or "")
    canonical = tree.css_first("link[rel=canonical]")
    return _Head(
        meta=meta,
        canonical=(canonical.attributes.get("href") or "") if canonical is not None else meta.get("og:url", ""),
        title=plain(title[1]) if title else "",
    )


def _heading(text: str) -> str:
    """The first ``h1``, found without a tree."""
    found = _HEADING.search(text)
    return plain(text[found.end() : found.end() + 2_000].partition("</h1")[0]) if found else ""


# ------------------------------------------------------------------ the body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the page shows, when it may be parsed at all (``hard`` says why not)."""

    headline: str = ""
    byline: str = ""
    body: str = ""
    hard: str = ""


def _seen(text: str, selectors: ArticleSelectors | None) -> _Seen:
    if hard := page.too_hard(text):
        return _Seen(hard=hard)
    if selectors is None:
        return _Seen(body=_extracted(text))
    tree = LexborHTMLParser(text)
    for selector in selectors.drop:
        for node in page.select(tree, selector):
            node.decompose()
    if selectors.drop:
        text = tree.html or text
    return _Seen(
        headline=_selected(tree, selectors.headline, " "),
        byline=_selected(tree, selectors.byline, ", "),
        body=_extracted(text) or _selected(tree, selectors.body, "\n\n"),
    )


def _selected(tree: LexborHTMLParser, selector: str | None, between: str) -> str:
    if not selector:
        return ""
    nodes: Iterable[str] = (plain(node.html or "") for node in page.select(tree, selector))
    return between.join(filter(None, nodes))


def _extracted(text: str) -> str:
    found: str | None = trafilatura.extract(text, include_comments=False)
    return "\n\n".join(line.strip() for line in (found or "").splitlines() if line.strip())


def _without_heading(body: str, headings: set[str]) -> str:
    """Extraction may begin with the headline, which is no part of the text."""
    first, _, rest = body.partition("\n\n")
    same = _bare(first) in {_bare(heading) for heading in headings}
    return rest if same and rest else body


def _bare(text: str) -> str:
    return " ".join(text.replace("\u00ad", "").casefold().split())


def _body(told: jsonld.Article, seen: _Seen) -> str:
    """JSON-LD is the publisher's own text, unless it is cut short or the page shows more; where the page shows mostly
    other text, it is both: a sentence too many is noise, a sentence too few is a missed alert."""
    if told.posts or not seen.body:
        return told.body
    if told.body[-1:] in _ENDS and len(told.body) >= len(seen.body):
        return told.body or seen.body
    return seen.body if _stands_in(told.body, seen.body) else f"{told.body}\n\n{seen.body}"


def _stands_in(one: str, other: str) -> bool:
    """Whether half of a text's sentences, or more, are in another."""
    sentences = [bare for each in _SENTENCE_ENDS.split(one) if len((bare := _bare(each)).split()) >= _TELLING]
    where = _bare(other)
    return 2 * sum(each in where for each in sentences) >= len(sentences)
