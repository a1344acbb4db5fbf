"""What answered us, by its content: the source, or a challenge, a consent wall, a web page, an error message.

Asked before a body is read, in the service's own process: it looks at the beginning only and builds no tree.
It never looks for a way round (design: no bot-wall circumvention); it names what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.model.sources import Outcome
from spiders.readers.links import feed_links
from spiders.readers.task import EXCERPT
from spiders.readers.text import cut, plain

_LOOK = 128 * 1024
_SHORT = 1_500
"""Readable characters: walls say little, and pages that merely carry a guard's script say more."""

_FEED_ROOT = re.compile(
    r"<(?:rss|feed|rdf:RDF|channel|urlset|sitemapindex|[\w.-]{1,20}:(?:feed|RDF|urlset))\b", re.IGNORECASE
)
_PAGE_ROOT = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_JSON_FEED = re.compile(r"jsonfeed\.org|\"seendate\"|\"articles\"\s*:\s*\[\s*\]")
_TITLE = re.compile(r"<title\b[^<>]*>([^<]{0,300})", re.IGNORECASE)
_CHALLENGE_TITLE = re.compile(
    r"just a moment|attention required|are you a robot|access denied|pardon our interruption"
    r"|verify(?:ing)? you are (?:a )?human"
    r"|human verification|security check|captcha|bot verification",
    re.IGNORECASE,
)
_CHALLENGE = (
    ("geo.captcha-delivery.com", "DataDome"),
    ("_incapsula_resource", "Incapsula"),
    ("incapsula incident", "Incapsula"),
    ("_cf_chl_opt", "Cloudflare"),
    ("cf-chl-", "Cloudflare"),
    ("px-captcha", "PerimeterX"),
    ("awswaf", "AWS WAF"),
    ("g-recaptcha", "captcha"),
    ("h-captcha", "captcha"),
    ("verify you are human", "human check"),
    ("verify that you are human", "human check"),
    ("confirm you are human", "human check"),
    ("not a robot", "human check"),
    ("enable javascript and cookies to continue", "human check"),
)
_CONSENT = re.compile(
    r"consent|before you continue|we value your privacy|cookie (?:policy|settings|preferences)|accept (?:all|cookies)"
    r"|privacy choices|gdpr|הסכמה|עוגיות|ملفات تعريف الارتباط",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s[-–—]\s|[|•·:]")
_NOT_FOUND = re.compile(
    r"(?:error\s*)?404(?:\s*error)?(?:[\s,]*(?:page\s*)?not found)?|not found"
    r"|(?:sorry,? )?(?:the |this |that )?(?:requested )?(?:page|article|story)(?: you[\w' ]{1,40})?"
    r" (?:(?:was|is|could|can) ?not (?:be )?(?:found|available)|not found|(?:couldn|can)['’]?t be found"
    r"|(?:does not|doesn['’]t|no longer) exists?|is no longer available|has been (?:removed|deleted))"
    r"|ה?(?:דף|עמוד|כתבה)(?: המבוקשת?)? (?:לא נמצאה?|אינ[וה] קיימ?ת?)|הדף שחיפשת[םן]? .{0,30}"
    r"|(?:عفوا[ً]?[،,]? )?(?:الصفحة|المقال)(?: المطلوبة?)? غير (?:موجودة?|متوفرة?|متاحة?)"
    r"|لم يتم العثور على الصفحة(?: المطلوبة)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why an answer is not read: *blocked* or *failed*, the reason in words, its first readable characters."""

    outcome: Outcome
    reason: str
    excerpt: str = ""


def judge(
    *, url: str, final_url: str, status: int, headers: Mapping[str, str], body: bytes, kind: str
) -> Verdict | None:
    """``None``: read it. A challenge is recognised whatever the status; the rest is asked of a success only."""
    fields = {name.lower(): value for name, value in headers.items()}
    text = _beginning(body)
    if "challenge" in fields.get("cf-mitigated", "").lower():
        return _blocked("challenge (Cloudflare)", text)
    if not text.strip():
        return Verdict(outcome=Outcome.FAILED, reason="empty body") if status == 200 else None
    return None if _is_feed(text) else _judged(text, url, final_url, status, kind)


def _judged(text: str, url: str, final_url: str, status: int, kind: str) -> Verdict | None:
    if name := _challenge(text, plain(text)):
        return _blocked(f"challenge ({name})", text)
    if not 200 <= status < 300:
        return None
    if _consent(url, final_url, text):
        return _blocked(f"consent wall at {urlsplit(final_url).hostname}", text)
    if kind == "article" and (said := _not_found(text)):
        return Verdict(outcome=Outcome.GONE, reason=f"the page says that it is not there: {said}")
    return _other_than_a_feed(text, final_url) if kind in ("feed", "aggregator", "sitemap") else None


def _beginning(body: bytes) -> str:
    if body[:2] == b"\x1f\x8b":  # a sitemap kept as .gz: its reader unpacks it
        return "<urlset"
    head = body[:_LOOK]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "replace")
    return head.replace(b"\0", b"").decode("utf-8", "replace").lstrip("\ufeff")


def _is_feed(text: str) -> bool:
    root, page = _FEED_ROOT.search(text), _PAGE_ROOT.search(text)
    return root is not None and (page is None or root.start() < page.start())


def _challenge(text: str, readable: str) -> str:
    title = _TITLE.search(text)
    if len(readable) > _SHORT:
        return ""
    lowered = text.lower()
    named = next((name for sign, name in _CHALLENGE if sign in lowered), "")
    return named or ("human check" if title and _CHALLENGE_TITLE.search(title[1]) else "")


def _not_found(text: str) -> str:
    """What the title of an error page says that comes with a success; empty for any other page."""
    title = _TITLE.search(text)
    parts = _BETWEEN.split(" ".join(plain(title[1]).split())) if title else []
    return next((part for part in parts if _NOT_FOUND.fullmatch(part.strip(" .!"))), "")


def _consent(url: str, final_url: str, text: str) -> bool:
    asked, answered = urlsplit(url).hostname or "", urlsplit(final_url).hostname or ""
    if asked.removeprefix("www.") == answered.removeprefix("www."):
        return False
    return answered.startswith("consent.") or _CONSENT.search(text) is not None


def _other_than_a_feed(text: str, final_url: str) -> Verdict | None:
    if text.lstrip()[:1] in "{[":
        return (
            None
            if _JSON_FEED.search(text)
            else Verdict(
                outcome=Outcome.FAILED, reason="JSON, but not a feed", excerpt=cut(" ".join(text.split()), EXCERPT)
            )
        )
    if _PAGE_ROOT.search(text) is None:
        return None  # the reader says what is wrong with it
    links = feed_links(text, final_url)
    return _blocked("a web page, not a feed" + (f"; it names a feed: {', '.join(links)}" if links else ""), text)


def _blocked(reason: str, text: str) -> Verdict:
    return Verdict(outcome=Outcome.BLOCKED, reason=reason, excerpt=cut(" ".join(plain(text).split()), EXCERPT))
