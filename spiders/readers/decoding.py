"""Bytes to text. Strict UTF-8 wins whenever it decodes; what was guessed or repaired is marked (F33-F44).

Order: byte order mark, UTF-16 by its zero bytes, strict UTF-8, nearly UTF-8, the outlet's charset, the
one in the header, the one declared inside, and last what the bytes look like. Nothing here raises.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from spiders.readers.text import clean

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Hebrew pages say iso-8859-8-i; windows-1255 holds the same letters and more. latin-1 means windows-1252 (WHATWG).
_ALIASES = {"iso-8859-8-i": "windows-1255", "iso-8859-8": "windows-1255", "iso8859-8": "windows-1255"}
_ALIASES |= {"iso-8859-1": "windows-1252", "latin-1": "windows-1252", "latin1": "windows-1252"}
_ALIASES |= {"us-ascii": "windows-1252", "ascii": "windows-1252", "gb2312": "gb18030", "gbk": "gb18030"}
_WEAK = "windows-1252"  # what servers say when nobody told them: never proof
_LIKELY = ("windows-1255", "windows-1256", "iso-8859-6", "windows-1252")
_SAMPLE = 64 * 1024

_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]{0,200}?\bencoding|<meta[^>]{0,200}?\bcharset)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_VALID_MULTIBYTE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text without control characters, how it was read, and what had to be done to it."""

    text: str
    encoding: str
    marks: tuple[str, ...] = ()


def decode(body: bytes, *, charset: str | None = None, content_type: str = "") -> Decoded:
    """Decode a body: ``charset`` is the outlet's, ``content_type`` the header as it came."""
    start = body.lstrip(b"\r\n\t ")
    for bom, name in _BOMS:
        if start.startswith(bom):
            return _finished(start[len(bom) :].decode(name, "replace"), name)
    if (wide := _utf16_without_mark(start)) is not None:
        return _finished(start.decode(wide, "replace"), wide)
    try:
        return _finished(body.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        if _nearly_utf8(body, error):
            return _finished(body.decode("utf-8", "replace"), "utf-8", "invalid bytes in UTF-8")
    return _legacy(body, charset, content_type)


def _utf16_without_mark(start: bytes) -> str | None:
    head = start[:4]
    if head[:1] == b"<" and head[1:2] == b"\0" and head[3:4] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if head[:2] == b"\0<" and head[2:3] == b"\0" else None


def _nearly_utf8(body: bytes, error: UnicodeDecodeError) -> bool:
    """A few bad bytes among many whole letters (F37), or a body cut inside its last letter (F38)."""
    if error.reason == "unexpected end of data" and error.end == len(body):
        return True
    damaged = body.decode("utf-8", "replace").count("\ufffd") - body.count(b"\xef\xbf\xbd")
    return len(_VALID_MULTIBYTE.findall(body)) > 4 * damaged


def _legacy(body: bytes, charset: str | None, content_type: str) -> Decoded:
    header = _CHARSET.search(content_type)
    inside = _DECLARED.search(body[:4096])
    told = [charset, header[1] if header else None, inside[1].decode("ascii", "replace") if inside else None]
    names = [known for name in told if name and (known := _known(name)) is not None]
    for name in names:
        if name not in (_WEAK, "utf-8") and (text := _whole(body, name)) is not None:
            return _finished(text, name)
    name = max(_LIKELY, key=lambda candidate: _plausible(body, candidate))
    mark = "" if name in names else f"charset guessed: {name}"
    return _finished(body.decode(name, "replace"), name, mark)


def _known(name: str) -> str | None:
    """The name as Python knows it; unknown ones and ones that are no text (``hex``) are ignored (F36)."""
    name = _ALIASES.get(name.strip().lower(), name.strip().lower())
    try:
        b"a".decode(name)
        return _ALIASES.get(codecs.lookup(name).name, name)
    except (LookupError, ValueError, UnicodeError):
        return None


def _whole(body: bytes, name: str) -> str | None:
    """The text when this charset explains all but one in a hundred of the high bytes."""
    try:
        text = body.decode(name, "replace")
    except UnicodeError:  # codecs that know no replacing, such as idna
        return None
    bad = text.count("\ufffd")
    return text if bad == 0 or bad * 100 < sum(byte > 127 for byte in body) else None


def _plausible(body: bytes, name: str) -> float:
    """How much of the foreign text looks like words of the charset's own script."""
    text = body[:_SAMPLE].decode(name, "replace") if len(body) <= _SAMPLE else _high_part(body).decode(name, "replace")
    words: list[str] = [word for word in _WORD.findall(text) if not word.isascii()]
    total = sum(map(len, words)) + 3 * text.count("\ufffd")
    return sum(len(word) for word in words if _own_script(word, name)) / total if total else 0.0


def _high_part(body: bytes) -> bytes:
    """The sample that starts where the first non-ASCII byte stands: large heads are often plain ASCII."""
    first = re.search(rb"[\x80-\xff]", body)
    start = max(0, first.start() - 64) if first else 0
    return body[start : start + _SAMPLE]


def _own_script(word: str, name: str) -> bool:
    if name == "windows-1255":
        return all("\u0590" <= letter <= "\u05ff" for letter in word)
    if name in ("windows-1256", "iso-8859-6"):
        return all("\u0600" <= letter <= "\u06ff" for letter in word)
    high = sum(letter > "\x7f" for letter in word)
    return high * 2 <= len(word) or len(word) == 1


def _finished(text: str, encoding: str, mark: str = "") -> Decoded:
    text, repaired = repair_twice_encoded(text)
    cleaned = clean(text)
    marks = [mark, repaired]
    if cleaned != text:
        marks.append("control characters removed")
    if _in_visual_order(cleaned):
        marks.append("Hebrew in visual order: its words are reversed")
    return Decoded(text=cleaned, encoding=encoding, marks=tuple(filter(None, marks)))


# ------------------------------------------------------------------ UTF-8 encoded twice (F40)

_SPECIALS = {chr(code): bytes([code]) for code in range(0x80, 0x100)}
for _code in range(0x80, 0xA0):
    _letter = bytes([_code]).decode("windows-1252", "ignore")
    if _letter:
        _SPECIALS[_letter] = bytes([_code])
_HIGH = "".join(map(re.escape, _SPECIALS))
_RUN = re.compile(f"[{_HIGH}]{{2,}}")
_SUSPECT = re.compile(f"(?:[×ØÙÚÛ][{_HIGH}][\\s<>.,:;!?0-9a-zA-Z\"'-]*){{3}}|â[€\x80]|Ã[{_HIGH}]")


def repair_twice_encoded(text: str) -> tuple[str, str]:
    """Undo UTF-8 that was read as windows-1252 and encoded again; exact runs only, with a mark when one is not."""
    if _SUSPECT.search(text) is None:
        return text, ""
    runs = set(_RUN.findall(text))
    back = {run: repaired for run in runs if (repaired := _way_back(run)) is not None}
    letters = sum(letter > "\u0100" for repaired in back.values() for letter in repaired)
    if letters < 3 or len(back) * 5 < len(runs) * 4:
        return text, ""
    mark = "repaired: encoded twice" if len(back) == len(runs) else "damaged: encoded twice, not all of it repaired"
    return _RUN.sub(lambda found: back.get(found[0], found[0]), text), mark


def _way_back(run: str) -> str | None:
    try:
        repaired = b"".join(_SPECIALS[letter] for letter in run).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return repaired if all(_expected(letter) for letter in repaired) else None


def _expected(letter: str) -> bool:
    """Hebrew, Arabic, accented Latin, typographic signs: what news in our languages is written with."""
    return "\u0590" <= letter <= "\u06ff" or "\u00a0" <= letter <= "\u017f" or "\u2000" <= letter <= "\u20cf"


# ------------------------------------------------------------------ Hebrew in visual order (F44)

_FINAL_FIRST = re.compile(r"(?<![\u05d0-\u05ea])[ךםןףץ](?=[\u05d0-\u05ea])")
_FINAL_LAST = re.compile(r"(?<=[\u05d0-\u05ea])[ךםןףץ](?![\u05d0-\u05ea])")


def _in_visual_order(text: str) -> bool:
    """Final letters begin words instead of ending them."""
    first = len(_FINAL_FIRST.findall(text))
    return first > 3 and first > 4 * len(_FINAL_LAST.findall(text))
