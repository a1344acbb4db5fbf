"""What of a page's text is the article's: its sentences.

A reading of a page brings along what stands around the article: headlines of others, counters, captions, "updated five
minutes ago". Watches read all of it, since a sentence too many is noise and one too few a missed alert; but it changes
at every reading, and says nothing of an edit. A line is the article's if it ends as a sentence does, or is long.
"""

from __future__ import annotations

import re

LONG = 25
"""Words of a line that needs no mark at its end: headlines and captions are shorter."""
OTHER = 0.3
"""Of a text's words: a text with fewer of them is another article."""

_CLOSERS = "\"'”’»)׳״"
_MARKS = tuple(".!?…؟׃۔")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]")
_PICTURE = re.compile(
    r"[(\[][^()\[\]]{0,80}(?:\bphotos?\b|getty|צילום|תצלום|تصوير|/\s?(?:afp|reuters|ap|epa|anadolu)\b)[^()\[\]]{0,60}[)\]]\.?$"
    r"|^(?:photo|image|picture|צילום|תצלום|קרדיט|تصوير|صورة)\s*:.{0,80}$"
    r"|\]$",
    re.IGNORECASE,
)
_STAMP = re.compile(
    r"^(?:(?:last |first )?(?:updated|modified|published|posted)\b"
    r"|עודכן|פורסם|עדכון אחרון|آخر تحديث|تم التحديث|نشر في|نُشر)"
    r"(?=.{0,80}$).*(?:\d{1,2}:\d\d|\b\d{4}\b|\d{1,2}[./]\d{1,2}|\bago\b|לפני|منذ)",
    re.IGNORECASE,
)
_POINTER = re.compile(
    r"^(?:read more|read also|also read|see also|more on|related|watch|listen|recommended|advertisement)\s*"
    r"(?::|$).{0,160}$"
    r"|^(?:follow us|share this|sign up|subscribe|click here|join (?:us|our))\b.{0,160}$"
    r"|^(?:קראו (?:גם|עוד)|ראו גם|לקריאה נוספת|כתבות נוספות|עוד בנושא|הצטרפו|לעדכונים)(?:\s|:|$).{0,160}$"
    r"|^(?:اقرأ (?:أيضا|أيضاً|المزيد)|شاهد أيضا|مواضيع ذات صلة|اشترك|تابعونا|انضم)(?:\s|:|$).{0,160}$",
    re.IGNORECASE,
)


def prose(body: str) -> str:
    """The sentences of a body, a paragraph a line, with a blank line between them; empty where it holds none."""
    lines = (" ".join(_INVISIBLE.sub("", line).split()) for line in body.splitlines())
    return "\n\n".join(line for line in lines if _is_told(line))


def same(old: str, new: str) -> bool:
    """Two readings of one article tell the same."""
    return prose(old) == prose(new)


def another(old: str, new: str) -> bool:
    """Hardly anything of the old text stands in the new one: the page is another article's."""
    was, now = set(prose(old).casefold().split()), set(prose(new).casefold().split())
    return bool(was and now) and len(was & now) < OTHER * len(was)


def _is_told(line: str) -> bool:
    if not line or _PICTURE.search(line) or _STAMP.match(line) or _POINTER.match(line):
        return False
    return line.rstrip(_CLOSERS + " ").endswith(_MARKS) or len(line.split()) >= LONG


__all__ = ["another", "prose", "same"]
