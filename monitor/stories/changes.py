"""What changed between two texts of an article: a word diff, and the classes of change with the words that show them.

Every sentence that changed is looked at by itself; what a class means stands in ``docs/edits.md``. No clock, no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import regex

from config.model.fields import ChangeClass
from monitor.model.alerts import Piece
from monitor.model.texts import Kind, TextLanguage
from monitor.stories import classes
from monitor.stories.classes import Edited, Evidence, Field, Found, Reader, Reading, shown
from monitor.stories.diff import Comparison, Side, compare, middles
from monitor.stories.figures import figures
from monitor.stories.phrases import Phrases
from monitor.stories.quotes import Quotation, quotations
from monitor.stories.units import cut, letters

_INVISIBLE = regex.compile(r"\p{Cf}+")
SENTENCES = 400
"""Changed sentences of one field that are read for classes; what else changed is wording."""
FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text of an article."""

    title: str
    lead: str = ""
    body: str = ""
    language: TextLanguage = "und"
    kind: Kind = "article"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """``title``, ``lead``, ``body``: pieces that are, one after the other, the text before (without the added ones) and
    the text after (without the removed ones)."""

    title: tuple[Piece, ...] = ()
    lead: tuple[Piece, ...] = ()
    body: tuple[Piece, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def classes(self) -> frozenset[ChangeClass]:
        """Everything that the edit is; empty when nothing changed."""
        return frozenset(each.change for each in self.evidence)


def changes(before: Text, after: Text, phrases: Phrases) -> Changes:
    """What the edit from ``before`` to ``after`` changed."""
    pieces: dict[Field, tuple[Piece, ...]] = {}
    evidence: list[Evidence] = []
    reader = Reader(phrases, (before.lead, before.body, after.lead, after.body))
    for field in FIELDS:
        old, new = getattr(before, field), getattr(after, field)
        compared = compare(old, new, whole=field == "title")
        pieces[field] = compared.pieces
        if old != new:
            texts = (_Written(old, before.language), _Written(new, after.language))
            live = "live" in (before.kind, after.kind)
            evidence += _evidence(field, _Edit(*texts, compared, live=live and field != "title", reader=reader).found())
    told = [each for each in evidence if each.change != "whitespace"] or evidence  # it is a class by itself only
    return Changes(title=pieces["title"], lead=pieces["lead"], body=pieces["body"], evidence=tuple(told))


def _evidence(field: Field, found: Sequence[Found]) -> Iterator[Evidence]:
    for change, old, new in dict.fromkeys(found):
        yield Evidence(change=change, field=field, before=old, after=new)


# ------------------------------------------------------------------ one field


class _Written:
    """A field in one of the two texts."""

    def __init__(self, text: str, language: TextLanguage) -> None:
        self.text = text
        self.language = language
        self.marks: list[Quotation] = quotations(text)

    def quoted(self) -> list[str]:
        """What it quotes, by its letters, whatever spaces stand between its words."""
        line = " ".join(_INVISIBLE.sub("", self.text).split())
        return [letters(line[first:last]) for first, last in quotations(line)]

    def reading(self, side: Side, reader: Reader) -> Reading:
        return Reading(side, self.marks, self.language, reader)

    def whole(self, reader: Reader) -> Reading:
        return self.reading(Side(self.text, 0, cut(self.text)), reader)


class _Edit:
    """One field that changed. ``live``: posts may be put in."""

    def __init__(self, old: _Written, new: _Written, compared: Comparison, *, live: bool, reader: Reader) -> None:
        self.old = old
        self.new = new
        self.pairs = compared.pairs
        self.live = live
        self.reader = reader

    def found(self) -> list[Found]:
        """At least one class."""
        if self._only_marks():
            return [Found("whitespace", "", "")]
        if self.live and (added := _around(self.old.text.strip(), self.new.text.strip())):
            return [Found("liveblog", "", shown(added))]
        if not self.new.text.strip():  # a source that leaves a text out takes nothing back
            return [Found("wording", shown(self.old.text), "")]
        return list(self._sentences())

    def _only_marks(self) -> bool:
        """Nothing but spaces, marks, invisible letters and case, and the same quotations."""
        old, new = middles(self.old.text, self.new.text)
        if letters(old) != letters(new):
            return False
        return _figures(old) == _figures(new) and self.old.quoted() == self.new.quoted()

    def _sentences(self) -> Iterator[Found]:
        pairs = self.pairs[:SENTENCES]
        old = [self.old.reading(pair.before, self.reader) if pair.before else None for pair in pairs]
        new = [self.new.reading(pair.after, self.reader) if pair.after else None for pair in pairs]
        went = [one for one, other in zip(old, new, strict=True) if one and not other]
        came = [other for one, other in zip(old, new, strict=True) if other and not one]
        posts = _posts(came, self.new.text) if self.live else frozenset()
        rolled = _last(went, self.old.text) if posts else frozenset()
        for pair, one, other in zip(pairs, old, new, strict=True):
            if one and other:
                yield from Edited(one, other, pair.regions, went, came).found()
            elif other:
                yield Found("liveblog", "", shown(other.text)) if other.start in posts else classes.came(other, went)
            elif one:
                yield from [] if one.start in rolled else classes.gone(one, self._whole)
        if len(self.pairs) > len(pairs):
            yield Found("wording", "", "")

    @cached_property
    def _whole(self) -> Reading:
        return self.new.whole(self.reader)


def _figures(text: str) -> list[str]:
    units = cut(text) if any(map(str.isdigit, text)) else []
    return [figure.key for figure in figures(text, units) if figure.kind == "number"]


# ------------------------------------------------------------------ live items


def _around(old: str, new: str) -> str:
    """What was put before or behind a text that is otherwise the same; empty when it is not."""
    if not old or len(new) <= len(old):
        return "" if old else new
    if new.startswith(old) and not (new[len(old)].isalnum() and old[-1].isalnum()):
        return new[len(old) :]
    if new.endswith(old) and not (new[-len(old) - 1].isalnum() and old[0].isalnum()):
        return new[: -len(old)]
    return ""


def _posts(came: Sequence[Reading], text: str) -> frozenset[int]:
    """Where the sentences begin that were put in at the top, at the end, or as whole lines."""
    return frozenset(
        each.start
        for run in _runs(came)
        if not text[: run[0].start].strip() or text[run[0].start - 1] == "\n" or not text[_end(run[-1]) :].strip()
        for each in run
    )


def _last(went: Sequence[Reading], text: str) -> frozenset[int]:
    """Where the sentences begin that were the last ones: the oldest posts, which a live item drops."""
    return frozenset(each.start for run in _runs(went) if not text[_end(run[-1]) :].strip() for each in run)


def _runs(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Sentences that follow one another."""
    run: list[Reading] = []
    for reading in readings:
        if run and _end(run[-1]) != reading.start:
            yield run
            run = []
        run.append(reading)
    if run:
        yield run


def _end(reading: Reading) -> int:
    return reading.start + len(reading.text)
