"""An article's kept markup as the page shows it: its paragraphs, lists, quotes and links, with the found words marked.

Every element is written anew from a short list, without attributes but for a link's guarded address, and all text is
escaped: what leaves here is safe whatever the store holds (F84, F85).
"""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

from markupsafe import Markup

from monitor.alerts.text import web_link
from monitor.model.items import Item, Span
from monitor.web.words import clean, paragraphs

_ELEMENTS = {
    name: (Markup("<{}>").format(name), Markup("</{}>").format(name))
    for name in ("p", "b", "i", "em", "strong", "blockquote", "ul", "ol", "li")
}
_LINK = Markup('<a class="outside" rel="noopener noreferrer nofollow" href="{}">')


class _Unlike(Exception):
    """The markup does not say what the text says, or is not such as we keep."""


def prose(item: Item, spans: Iterable[Span]) -> Markup:
    """The item's body, or its lead where it has none. Plain paragraphs where the markup kept with it is of another
    text (of the summary beside a body, of a body that was cut)."""
    field = "body" if item.body else "lead"
    text = item.body or item.lead
    own = [span for span in spans if span.field == field]
    try:
        return _Writer(text, own).written(item.html)
    except _Unlike:
        return Markup("\n").join(
            Markup("<p>{}</p>").format(Markup("").join(_run(piece.text, piece.found) for piece in paragraph))
            for paragraph in paragraphs(text, own, field)
        )


def _run(text: str, found: bool) -> Markup:
    return (Markup("<mark>{}</mark>") if found else Markup("{}")).format(clean(text))


class _Writer(HTMLParser):
    """Follows the text letter by letter through the markup; blanks are the markup's own."""

    def __init__(self, text: str, spans: Iterable[Span]) -> None:
        super().__init__(convert_charrefs=True)
        self._text, self._at = text, 0
        self._found = bytearray(len(text))
        for span in spans:
            begin, end = max(0, span.start), min(span.end, len(text))
            self._found[begin:end] = b"\1" * (end - begin)
        self._made: list[Markup] = []
        self._open: list[tuple[str, Markup]] = []

    def written(self, markup: str) -> Markup:
        """Raises `_Unlike`."""
        self.feed(markup)
        self.close()
        if self._open or self._text[self._at :].strip():
            raise _Unlike
        return Markup("").join(self._made)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._made.append(Markup("<br>"))
            return
        if tag == "a":
            link = web_link(dict(attrs).get("href"))
            begin, end = (_LINK.format(link), Markup("</a>")) if link else (Markup(""), Markup(""))
        elif tag in _ELEMENTS:
            begin, end = _ELEMENTS[tag]
        else:
            raise _Unlike
        self._made.append(begin)
        self._open.append((tag, end))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            raise _Unlike
        self._made.append(self._open.pop()[1])

    def handle_data(self, data: str) -> None:
        run, marked = "", False
        for letter in data:
            found = self._passed(letter)
            if found != marked and run:
                self._made.append(_run(run, marked))
                run = ""
            run, marked = run + letter, found
        if run:
            self._made.append(_run(run, marked))

    def _passed(self, letter: str) -> bool:
        """Whether the letter stands in what was found."""
        if letter.isspace():
            return self._at < len(self._text) and self._text[self._at].isspace() and bool(self._found[self._at])
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        if self._at == len(self._text) or self._text[self._at] != letter:
            raise _Unlike
        self._at += 1
        return bool(self._found[self._at - 1])
