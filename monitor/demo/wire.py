"""What each outlet's server would send: feeds, sitemaps and article pages as bytes, in the outlet's own wire format.

The shapes follow the outlets' real ones (tracking, offsets, HTML in descriptions); the words are the script's.
Pure: the time and the address of the server come in as arguments, and the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitor.demo.day import Edition, Feed, Format, Piece

SAMPLE = "Invented sample news of the wirewatch demo"
_ISRAEL, _NEW_YORK = ZoneInfo("Asia/Jerusalem"), ZoneInfo("America/New_York")
_RSS = "application/rss+xml; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of a feed: a piece as it stands now, under one of its addresses."""

    piece: Piece
    title: str
    link: str
    """As the feed writes it, decoration included."""
    clean: str
    at: datetime
    changed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A body ready to be sent."""

    body: bytes
    content_type: str
    changed: datetime
    """When the newest thing in it changed: its Last-Modified."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'


def listed(edition: Edition, feed: Feed, *, base: str, now: datetime) -> tuple[Listed, ...]:
    """The lines of a feed at ``now``: what is published, newest first."""
    lines: list[Listed] = []
    for piece in edition.pieces:
        if feed.path not in piece.feeds or piece.at > now:
            continue
        clean = piece.link.replace("{base}", base)
        addresses = [clean + edition.tracking]
        addresses += [again.link.replace("{base}", base) for again in piece.again if again.at <= now]
        lines += [
            Listed(
                piece=piece,
                title=piece.title_at(now),
                link=link,
                clean=clean,
                at=piece.at,
                changed=piece.changed_at(now),
            )
            for link in addresses
        ]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def render_feed(edition: Edition, feed: Feed, *, base: str, now: datetime, start: datetime) -> Rendered:
    """A feed as it stands at ``now``; ``start`` dates one that is still empty."""
    lines = listed(edition, feed, base=base, now=now)
    again = [a.at for line in lines for a in line.piece.again if a.at <= now]
    changed = max([line.changed for line in lines] + again, default=start)
    body = _RENDER[feed.format](feed, lines, base, changed)
    kind = "application/xml; charset=utf-8" if feed.format == "news-sitemap" else _RSS
    return Rendered(body=body.encode(), content_type=kind, changed=changed)


def _bbc(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    items = "\n".join(
        f"""        <item>
            <title><![CDATA[{line.title}]]></title>
            <description><![CDATA[{line.piece.lead}]]></description>
            <link>{escape(line.link)}</link>
            <guid isPermaLink="false">{escape(line.clean)}#0</guid>
            <pubDate>{_gmt(line.at)}</pubDate>
            <media:thumbnail width="240" height="135" url="https://ichef.bbci.co.uk/ace/standard/240/sample.jpg"/>
        </item>"""
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet title="XSL_formatting" type="text/xsl" href="/shared/bsp/xsl/rss/nolsol.xsl"?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" \
xmlns:atom="http://www.w3.org/2005/Atom" version="2.0" xmlns:media="http://search.yahoo.com/mrss/">
    <channel>
        <title><![CDATA[{feed.title}]]></title>
        <description><![CDATA[{SAMPLE}]]></description>
        <link>https://www.bbc.co.uk/news</link>
        <generator>RSS for Node</generator>
        <lastBuildDate>{_gmt(changed)}</lastBuildDate>
        <atom:link href="{base}{feed.path}" rel="self" type="application/rss+xml"/>
        <language><![CDATA[en-gb]]></language>
        <ttl>15</ttl>
{items}
    </channel>
</rss>
"""


def _aljazeera(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    items = "\n".join(
        f"""    <item>
      <link>{escape(line.link)}</link>
      <title>{escape(line.title)}</title>
      <description><![CDATA[{line.piece.lead}]]></description>
      <pubDate>{format_datetime(line.at)}</pubDate>
      <category>{"Live" if line.piece.kind == "live" else "News"}</category>
      <guid isPermaLink="false">{base}/?t={_number(line.piece)}</guid>
    </item>"""
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>{escape(feed.title)}</title>
    <link>{base}</link>
    <description>{SAMPLE}</description>
    <pubDate>{format_datetime(changed)}</pubDate>
{items}
  </channel>
</rss>
"""


def _haaretz(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    items = "\n".join(
        f"""<item><title>{escape(line.title)}</title><link>{escape(line.link)}</link>\
<description>{escape(line.piece.lead)}</description><pubDate>{_local(line.at)}</pubDate>{_creator(line.piece)}\
<enclosure url="https://img.haarets.co.il/sample.jpg" length="0" type="image/jpeg"/>\
<media:content url="https://img.haarets.co.il/sample.jpg" medium="image" type="image/jpeg"/></item>"""
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>\
<title>{escape(feed.title)}</title><link>{base}</link><description>{SAMPLE}</description>\
<lastBuildDate>{_local(changed)}</lastBuildDate>
{items}
</channel></rss>
"""


def _ynet(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    items = "\n".join(
        f"""<item>
<title><![CDATA[ {line.title} ]]></title>
<description><![CDATA[<div><a href='{line.link}'><img src='https://ynet-pic1.yit.co.il/sample.jpg' \
alt='{escape(line.title)}' border='0' width='116' height='116'></a></div>{escape(line.piece.lead)}]]></description>
<link>{escape(line.link)}</link>
<pubDate>{_local(line.at)}</pubDate>
<guid>{escape(line.link)}</guid>{_creator(line.piece)}
</item>"""
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>{escape(feed.title)}</title>
<link>{base}</link>
<description>{SAMPLE}</description>
<lastBuildDate>{_local(changed)}</lastBuildDate>
{items}
</channel></rss>
"""


def _news_sitemap(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    urls = "\n".join(
        f"""  <url>
    <loc>{escape(line.link)}</loc>
    <lastmod>{line.changed.astimezone(_NEW_YORK).isoformat()}</lastmod>
    <news:news>
      <news:publication>
        <news:name>{escape(feed.title)}</news:name>
        <news:language>{"spa" if line.piece.language == "es" else "eng"}</news:language>
      </news:publication>
      <news:publication_date>{line.at.astimezone(_NEW_YORK).isoformat()}</news:publication_date>
      <news:title>{escape(line.title)}</news:title>
    </news:news>
  </url>"""
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- {SAMPLE} -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" \
xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
{urls}
</urlset>
"""


def _bing(feed: Feed, lines: Sequence[Listed], base: str, changed: datetime) -> str:
    items = "".join(
        f"<item><title>{escape(line.title)}</title><link>{escape(_wrapped(line.link))}</link>"
        f"<description>{escape(line.piece.lead)}</description><pubDate>{_gmt(line.at)}</pubDate>"
        "<News:Source>Reuters</News:Source></item>"
        for line in lines
    )
    return f"""<?xml version="1.0" encoding="utf-8" ?><rss version="2.0" \
xmlns:News="https://www.bing.com/news/search?format=rss"><channel><title>{escape(feed.title)}</title>\
<link>{base}{feed.path}</link><description>{SAMPLE}</description><lastBuildDate>{_gmt(changed)}</lastBuildDate>\
{items}</channel></rss>"""


_RENDER: dict[Format, Callable[[Feed, Sequence[Listed], str, datetime], str]] = {
    "bbc": _bbc,
    "aljazeera": _aljazeera,
    "haaretz": _haaretz,
    "ynet": _ynet,
    "news-sitemap": _news_sitemap,
    "bing": _bing,
}


def _wrapped(link: str) -> str:
    target = quote(link, safe="").replace("%2F", "%2f").replace("%3A", "%3a")
    return f"http://www.bing.com/news/apiclick.aspx?ref=FexRss&aid=&tid={_tid(link)}&url={target}&c=1&mkt=en-us"


def _tid(link: str) -> str:
    return hashlib.blake2b(link.encode(), digest_size=16).hexdigest()


def _number(piece: Piece) -> int:
    return int(piece.at.timestamp())


def _creator(piece: Piece) -> str:
    return f"<dc:creator>{escape(piece.author)}</dc:creator>" if piece.author else ""


def _gmt(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _local(at: datetime) -> str:
    return format_datetime(at.astimezone(_ISRAEL))


# ------------------------------------------------------------------ article pages


def render_page(piece: Piece, *, base: str, now: datetime) -> Rendered:
    """An article page of Al Jazeera's shape: JSON-LD with the body, soft hyphens in the heading, a block to be cut."""
    title, changed, link = piece.title_at(now), piece.changed_at(now), piece.link.replace("{base}", base)
    arabic = piece.outlet.endswith("-ar")
    body = piece.body or piece.lead
    paragraphs = body.split("\n\n")
    data = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting" if piece.kind == "live" else "NewsArticle",
        "mainEntityOfPage": link,
        "headline": title,
        "description": piece.lead,
        "datePublished": piece.at.isoformat().replace("+00:00", "Z"),
        "dateModified": changed.isoformat().replace("+00:00", "Z"),
        "articleBody": body,
        "author": [{"@type": "Organization", "name": "الجزيرة" if arabic else "Al Jazeera"}],
    }
    script = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    html = f"""<!DOCTYPE html>
<html lang="{"ar" if arabic else "en"}" dir="{"rtl" if arabic else "ltr"}">
<head><meta charset="utf-8"><title>{escape(title)}</title>
<link rel="canonical" href="{link}">
<meta property="og:type" content="article"><meta property="og:title" content="{escape(title)}">
<meta property="og:description" content="{escape(piece.lead)}">
<script type="application/ld+json">{script}</script></head>
<body><main>
<header class="article-header"><h1>{escape(_soft(title))}</h1>
<p class="article__subhead">{escape(piece.lead)}</p></header>
<div class="wysiwyg wysiwyg--all-content">
{"".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)}
<div class="more-on"><h3>{SAMPLE}</h3></div>
</div></main></body></html>
"""
    return Rendered(body=html.encode(), content_type="text/html; charset=utf-8", changed=changed)


def _soft(title: str) -> str:
    """Soft hyphens in long Latin words, as on the real pages: a matcher that does not remove them finds nothing."""
    return " ".join(
        f"{word[:5]}\u00ad{word[5:]}" if len(word) > 8 and word.isascii() else word for word in title.split(" ")
    )


CHALLENGE = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<meta http-equiv="content-type" content="text/html; charset=UTF-8"><meta name="robots" content="noindex,nofollow">
</head><body><div class="main-wrapper" role="main">
<noscript><h2>Enable JavaScript and cookies to continue</h2></noscript>
</div><script src="/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1?ray=sample"></script></body></html>
"""
