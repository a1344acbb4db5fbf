"""Where a text says whose reporting it is by the place of a name alone: datelines, closing lines, headlines, bylines.

The credits of pictures are everywhere and say nothing of a text: ``(AP Photo/Name)``, ``Name/AFP``, ``צילום: רויטרס``,
``[Reuters]``. A name counts only where it fills its brackets, its line or its part of a byline.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.model.origins import OriginTables
from monitor.stories.attribution import clusters
from monitor.stories.lines import Line, is_in
from monitor.stories.sourcenames import Group, table_words

_LONGEST_HEAD = 60
"""Letters before a dateline's bracket: places and a date."""
_MOST_WORDS = 8
_BEHIND_BRACKET = re.compile(r'[\s"]*[)\]]?\s*(?:--?|:)(?:\s|$)')
_OPEN = re.compile(r"""\(\s*["']?$""")
_CLOSED = re.compile(r"""["']?\s*\)""")
_END = re.compile(r"""[\s."'”]*$""")
_DASH = re.compile(r"(?:^|\s)-{1,2}\s*[\"']?$|^-\s*$")
_HEAD_MARK = re.compile(r"(?:-{1,2}\s*|\S/ )[\"']?$")
_BEHIND_HEAD = re.compile(r"""["']?\s*(?:[-/:]|$)""")
_RIGHTS = re.compile(r"(?:©|\(c\)|\bcopyright\b)\s*(?:(?:19|20)\d\d)?[\s,]*(?:the\s+)?$", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_HEADLINE_MARK = re.compile(r"\s-\s|:")
_PART = re.compile(r"[,;|+&•·()\n:-]|\s/\s")
_LINKING = frozenset({"and", "by", "with", "via", "for", "of", "in", "from", "the", "ו", "و", "من", "מאת"})
_BEHIND_NAME = frozenset(
    {"staff", "writer", "writers", "reporter", "correspondent", "correspondents", "agency", "news"}
)
_BEFORE_PICTURE = 6
"""Words between the word "photo" and the name that it credits, at most."""


class Credit(NamedTuple):
    """A source credited with the text, by what, and between which letters of the folded line."""

    group: Group
    pattern: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CreditWords:
    """Words that make a credit another's (a picture's), or that begin one."""

    photo: frozenset[str]
    source: frozenset[str]

    @classmethod
    def of(cls, tables: OriginTables) -> CreditWords:
        """Made once for a configuration."""
        return cls(table_words(tables, "photo"), table_words(tables, "source"))


def dateline(line: Line, groups: Sequence[Group], words: CreditWords) -> Iterator[Credit]:
    """At the beginning of a text: ``GAZA, Oct 13 (Xinhua) --``, ``الدوحة - رويترز``, ``(Reuters) -``."""
    for joined in clusters(line, groups)[:2]:
        first, last = joined[0], joined[-1]
        if first.source.kind == "body" or first.first > _MOST_WORDS or _is_picture(line, first.first, words.photo):
            continue
        head, behind = _around(line, first, last)
        if _is_bracketed_head(head, behind) or _is_open_head(line, head, behind, first):
            for group in joined:
                yield Credit(group, "dateline", line.starts[group.begin], line.stops[group.end])


def closing(line: Line, groups: Sequence[Group], words: CreditWords, *, last: bool) -> Iterator[Credit]:
    """At the end of a text: ``(Reuters)``, ``- AFP``, ``Source: Al Jazeera and news agencies``, ``© 2025 AFP``; the
    ``last`` line may also be a name and nothing else."""
    for joined in clusters(line, groups):
        one, other = joined[0], joined[-1]
        if one.source.kind == "body" or _is_picture(line, one.first, words.photo):
            continue
        how = _closes(line, joined, words, last=last)
        if how:
            for group in joined:
                yield Credit(group, how, line.starts[one.first], line.stops[other.last])


def headline(line: Line, groups: Sequence[Group], words: CreditWords) -> Iterator[Credit]:
    """In a headline, before a colon or behind a mark at the end: ``Reuters: …``, ``… - Axios``, ``…: AP``."""
    for joined in clusters(line, groups):
        first, last = joined[0], joined[-1]
        before = line.between(first.first - 1) if first.first else ""
        begins = first.first == 0 and ":" in line.between(last.last)
        ends = last.last == len(line) - 1 and _HEADLINE_MARK.search(before) is not None
        if not (begins or ends) or _is_picture(line, first.first, words.photo):
            continue
        for group in joined:
            latin = line.raws[group.begin][0] < "\u0370"  # with the capitals that its name demands
            if group.vouched or (ends and latin):
                yield Credit(group, "headline", line.starts[first.first], line.stops[last.last])


def byline(line: Line, groups: Sequence[Group], photo: Collection[str]) -> Iterator[Credit]:
    """In the name of the author, or a credit field: an agency that is one of its parts, or stands behind a name."""
    for group in groups:
        if group.source.kind == "body" or _is_picture(line, group.begin, photo):
            continue
        if _is_part(line, group, groups):
            yield Credit(group, "byline", line.starts[group.begin], line.stops[group.end])


# ------------------------------------------------------------------ datelines


def _around(line: Line, first: Group, last: Group) -> tuple[str, str]:
    start = line.starts[min(first.first, first.begin)]
    return line.folded[:start], line.folded[line.stops[last.last] :]


def _is_bracketed_head(head: str, behind: str) -> bool:
    if not _OPEN.search(head) or len(head) > _LONGEST_HEAD:
        return False
    places = head.rstrip(" \"'").rstrip("(").strip()
    if not places:  # alone in its line it is a caption's
        closed_at = _CLOSED.match(behind)
        return closed_at is not None and bool(behind[closed_at.end() :].strip())
    inside, closed, rest = behind.partition(")")
    if not closed or len(inside) > 25 or '"' in places:
        return False
    if re.match(r"\s*(?:-{1,2}|:)", rest):
        return True
    return places.isupper() and not inside.strip()


def _is_open_head(line: Line, head: str, behind: str, first: Group) -> bool:
    """``غزة - رويترز``, ``غزة/ الأناضول``: short, without brackets, and something follows only behind another mark.
    A slash with a space before it, or none behind, is a picture's."""
    if not _HEAD_MARK.search(head) or len(head) > _LONGEST_HEAD or "(" in head or ":" in head:
        return False
    slashed = head.rstrip("\"'").endswith("/ ")
    if first.first > (_MOST_WORDS if slashed else 4) or any(line.ends(place) for place in range(first.first)):
        return False
    if head[0].isascii() and not head.isupper():
        return False
    return _BEHIND_HEAD.match(behind) is not None


# ------------------------------------------------------------------ closing lines


def _closes(line: Line, joined: Sequence[Group], words: CreditWords, *, last: bool) -> str:
    head, behind = _around(line, joined[0], joined[-1])
    if _RIGHTS.search(head) and (_YEAR.search(head[-12:]) or (last and _END.match(behind))):
        return "copyright"
    if _OPEN.search(head):
        closed = _CLOSED.match(behind)
        return "closing" if closed and _END.match(behind, closed.end()) and (last or head.strip() != "(") else ""
    if not _END.match(behind):
        return ""
    if joined[0].first == 0:
        return "closing" if (last and not head.strip()) or _DASH.search(head) else ""
    if _DASH.search(head):
        return "closing"
    before = joined[0].first - 1
    return "source" if ":" in line.between(before) and is_in(line.norm(before), words.source) else ""


def _is_picture(line: Line, index: int, photo: Collection[str]) -> bool:
    """Whether a word of pictures stands before the name, or directly behind it."""
    near = (*range(max(0, index - _BEFORE_PICTURE), index), *range(index + 1, min(index + 2, len(line))))
    return any(is_in(line.norm(place), photo) for place in near)


# ------------------------------------------------------------------ bylines


def _is_part(line: Line, group: Group, groups: Sequence[Group]) -> bool:
    """Whether a name is a part of its own: between marks, joining words, other names and the ends."""
    named = {place for other in groups for place in range(other.begin, other.end + 1)} | _joining(line)
    begin, end = group.begin, group.end
    after = end + 1
    while after < len(line) and line.norm(after) in _BEHIND_NAME and not _PART.search(line.between(after - 1)):
        after += 1
    closes = after == len(line) or after in named or bool(_PART.search(line.between(after - 1)))
    if not closes:
        return False
    opens = begin == 0 or begin - 1 in named or bool(_PART.search(line.between(begin - 1)))
    if opens or group.prefix.startswith(("ו", "و")):
        return True
    named_alone = group.source.kind == "agency" and group.vouched and line.raws[begin][0].isupper()
    person = line.raws[begin - 1][0].isupper() and line.between(begin - 1) == " "
    return named_alone and person


def _joining(line: Line) -> set[int]:
    return {place for place, norm in enumerate(line.norms()) if norm in _LINKING}
