"""Text from outside made fit to stand in a message: a direction of its own, whole letters, no mentions, safe links.

Nothing here knows a format's markup; that is ``markup.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import regex

from monitor.language.display import CONTROLS, balanced

FSI, PDI = "\u2068", "\u2069"
WORD_JOINER = "\u2060"
ELLIPSIS = "…"

_UNSEEN = regex.compile(r"[\p{Z}\p{C}\p{M}\u115f\u1160\u3164\uffa0\u2800]*")
_CLUSTER = regex.compile(r"\X")
_MENTION = regex.compile(r"@(?=[\w<&!*]|$)|<(?=\S|$)")
"""At the end too: what follows may stand in markup of its own (Zulip rings for ``@**all**``)."""
_FAR = 64  # code points: no honest letter is longer, and looking further costs


def visible(text: str) -> bool:
    """Whether there is anything to see (F93)."""
    return _UNSEEN.fullmatch(text) is None


def isolated(text: str) -> str:
    """Its own direction, without a say in that of its neighbours."""
    return f"{FSI}{balanced(text)}{PDI}"


def unmentioned(text: str) -> str:
    """No ``@everyone``, ``<!channel>``, ``<@id>`` or ``<users/all>`` that a chat would ring people for, and no other
    command in angle brackets (F91); it looks the same."""
    return str(_MENTION.sub(lambda found: found[0] + WORD_JOINER, text))


def unmentioned_link(address: str) -> str:
    """The same address without an ``@``, which chats look for inside links too."""
    return address.replace("@", "%40")


def edge(text: str, at: int) -> int:
    """The last place at or before ``at`` where a letter as people see it ends."""
    if at <= 0 or at >= len(text):
        return max(0, min(at, len(text)))
    base = max(0, at - _FAR)
    ends = [base + found.end() for found in _CLUSTER.finditer(text[base : at + _FAR])]
    return max((end for end in ends if end <= at), default=at)


def size(text: str) -> int:
    """Length as chats count it: in UTF-16 units."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` units, cut after a whole letter and marked with ``…`` (F93, F130)."""
    if len(text) * 2 <= limit or size(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    if room <= 0:
        return ""
    kept = 0
    for letters in _letters(text):
        room -= size(letters)
        if room < 0:
            break
        kept += len(letters)
    return text[:kept].rstrip() + ELLIPSIS


def _letters(text: str) -> Iterator[str]:
    """Grapheme clusters; one that is absurdly long comes in pieces."""
    for found in _CLUSTER.finditer(text):
        cluster = found[0]
        for start in range(0, len(cluster), _FAR):
            yield cluster[start : start + _FAR]


def web_link(address: str | None) -> str:
    """An address that may be made a link: http or https, with a host, without a user part, and safe to stand in any
    markup; else empty (F74, F75, F99)."""
    if not address or "\\" in address or CONTROLS.search(address):
        return ""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return ""
    return quote(address, safe="%/:=&?~#+!$,;@[]-._", errors="replace")
