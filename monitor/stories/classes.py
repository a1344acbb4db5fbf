"""Which classes of change lie between two versions of one sentence, and the words that show each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from config.model.fields import ChangeClass
from monitor.model.texts import TextLanguage
from monitor.stories.diff import Region, Side
from monitor.stories.figures import Figure, figures
from monitor.stories.names import Name, inside, is_same, names
from monitor.stories.phrases import Phrases, Said
from monitor.stories.quotes import Quotation, quoted_at
from monitor.stories.spelling import is_slip
from monitor.stories.units import letters

SHOWN = 200
"""Letters of the words that show a change, at most."""
_SURE_NAME = 5
"""Letters of a name from which a slip in it is believed."""

Field = Literal["title", "lead", "body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One change, and the words it shows in; empty where there are none."""

    change: ChangeClass
    field: Field
    before: str
    after: str


class Found(NamedTuple):
    """`Evidence` of whichever field."""

    change: ChangeClass
    before: str
    after: str


class Reader:
    """Reads the sentences of one article's two texts. ``texts``: its leads and bodies, in which names are capitalised
    where a headline capitalises every word."""

    def __init__(self, phrases: Phrases, texts: Sequence[str]) -> None:
        self.phrases = phrases
        self._texts = texts

    @cached_property
    def known(self) -> frozenset[str]:
        """Capitalised words inside the sentences of leads and bodies."""
        return frozenset().union(*map(inside, self._texts))


class Reading:
    """A sentence with what it says."""

    def __init__(self, side: Side, marks: Sequence[Quotation], language: TextLanguage, reader: Reader) -> None:
        self.text = side.text
        self.start = side.start
        self.units = side.units
        self._marks = marks
        self.marked = bool(marks)
        """There are quotations in its text, perhaps not in this sentence."""
        self._reader = reader
        self.figures = figures(self.text, self.units)
        self.numbers = [figure for figure in self.figures if figure.kind == "number"]
        self.dates = [figure for figure in self.figures if figure.kind == "date"]
        self.channels = [figure for figure in self.figures if figure.kind == "channel"]
        self._said = reader.phrases.said(self.text, self.units, self.figures) if language != "und" else []
        self.hedges = [said for said in self._said if said.subject == "hedge"]
        self.denials = [said for said in self._said if said.subject == "denial"]
        self.named = [said for said in self._said if said.subject == "name"]
        self._names: list[Name] | None = None

    @property
    def names(self) -> list[Name]:
        if self._names is None:
            self._names = names(self.text, self.units, self._said, self.figures, self._reader)
        return self._names

    def may_name(self, first: int, last: int) -> bool:
        """Whether a name can stand among these units."""
        taken = {place for figure in self.figures for place in range(figure.first, figure.last)}
        if any(place not in taken and self.text[self.units[place].start].isupper() for place in range(first, last)):
            return True
        runs: tuple[Said | Figure, ...] = (*self.named, *self.channels)
        return any(first < run.last and run.first < last for run in runs)

    @property
    def capitalised(self) -> frozenset[str]:
        """Words with a capital, at the beginning of a sentence too, where it may be a name or not."""
        return frozenset(unit.norm for unit in self.units if self.text[unit.start].isupper())

    def quoted(self, index: int) -> bool:
        return self.marked and quoted_at(self._marks, self._place(index))

    def quotation(self, index: int) -> Quotation:
        """The quotation in which a unit stands, in letters of this sentence."""
        place = self._place(index)
        first, last = next(mark for mark in self._marks if mark[0] <= place < mark[1])
        return max(first - self.start, 0), min(last - self.start, len(self.text))

    def _place(self, index: int) -> int:
        """A unit's last letter: particles before a quoted name stand outside."""
        return self.start + self.units[index].end - 1

    def quotations(self) -> list[str]:
        """What is quoted in this sentence, or as much of it as stands here."""
        end = self.start + len(self.text)
        found = [(max(a, self.start), min(b, end)) for a, b in self._marks if a < end and b > self.start]
        return [self.text[a - self.start : b - self.start] for a, b in found]

    def written(self, runs: Iterable[Figure | Said | Name]) -> str:
        """The words as they are written."""
        return shown(", ".join(self.stretch(run.first, run.last) for run in runs))

    def stretch(self, first: int, last: int) -> str:
        return self.text[self.units[first].start : self.units[last - 1].end] if first < last else ""


def shown(text: str) -> str:
    """Short enough to show, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


# ------------------------------------------------------------------ a sentence that became another


class Edited:
    """One sentence before and after. ``went`` and ``came`` are sentences that only one of the texts has: what moved
    between them and this one did not change."""

    def __init__(
        self, old: Reading, new: Reading, regions: Sequence[Region], went: Sequence[Reading], came: Sequence[Reading]
    ) -> None:
        self.old = old
        self.new = new
        self.regions = [region for region in regions if not self._same_letters(region)]
        self.went = went
        self.came = came
        self._all_regions = regions

    def found(self) -> list[Found]:
        """The classes, at least one."""
        if not self._all_regions:
            return [*self._quote()] or [self._spelled()]
        classes = [*self._numbers()]
        if self.regions:
            classes += self._dates()
            classes += self._names()
        classes += self._quote()
        if self.regions:
            classes += self._hedges()
            classes += self._denials()
        return classes or [self._words()]

    def _same_letters(self, region: Region) -> bool:
        i1, i2, j1, j2 = region
        return i1 < i2 and j1 < j2 and letters(self.old.stretch(i1, i2)) == letters(self.new.stretch(j1, j2))

    # ---------------------------------------------------------------- numbers and dates

    def _numbers(self) -> Iterator[Found]:
        if not (self.old.numbers or self.new.numbers):
            return
        gone = _surplus(self.old.numbers, [*self.new.numbers, *(each for more in self.came for each in more.numbers)])
        fresh = _surplus(self.new.numbers, [*self.old.numbers, *(each for more in self.went for each in more.numbers)])
        if not (gone and fresh):
            gone, fresh = _strong(gone), _strong(fresh)
        if gone or fresh:
            yield Found("number", self.old.written(gone), self.new.written(fresh))
        elif self._swapped():
            yield Found("number", self.old.written(self.old.numbers), self.new.written(self.new.numbers))

    def _swapped(self) -> bool:
        """The same numbers, of other things."""
        if [each.key for each in self.old.numbers] == [each.key for each in self.new.numbers]:
            return False
        return _of_what(self.old) != _of_what(self.new) and len(self.old.numbers) == len(self.new.numbers)

    def _dates(self) -> Iterator[Found]:
        if not (self.old.dates or self.new.dates):
            return
        gone = _surplus(self.old.dates, [*self.new.dates, *(each for more in self.came for each in more.dates)])
        fresh = _surplus(self.new.dates, [*self.old.dates, *(each for more in self.went for each in more.dates)])
        if gone or fresh:
            yield Found("date", self.old.written(gone), self.new.written(fresh))

    # ---------------------------------------------------------------- names

    def _names(self) -> Iterator[Found]:
        if not any(self.old.may_name(i1, i2) or self.new.may_name(j1, j2) for i1, i2, j1, j2 in self.regions):
            return
        regions = [region for region in self.regions if not self._slip(region, _SURE_NAME)]
        gone = [
            name for name in self._sure(self.old.names) if _touched(name, [(i1, i2) for i1, i2, _, _ in regions])
            and not _held(name, self.new, *self.came)
        ]  # fmt: skip
        fresh = [
            name for name in self._sure(self.new.names) if _touched(name, [(j1, j2) for _, _, j1, j2 in regions])
            and not _held(name, self.old, *self.went)
        ]  # fmt: skip
        if gone or fresh:
            yield Found("name", self.old.written(gone), self.new.written(fresh))

    def _sure(self, names: Sequence[Name]) -> list[Name]:
        """Without forms that have another common meaning, unless another name stands beside them."""
        strong = {name.key for name in (*self.old.names, *self.new.names) if not name.weak}
        return [name for name in names if not name.weak or strong - {name.key}]

    def _slip(self, region: Region, least: int = 1) -> bool:
        """Every word of the region is its counterpart misspelt; ``least``: only words of so many letters."""
        i1, i2, j1, j2 = region
        return i2 - i1 == j2 - j1 and all(
            min(len(one.norm), len(other.norm)) >= least
            and is_slip(one.norm, other.norm, one_name=self._one_name(i, j))
            for (i, one), (j, other) in zip(
                enumerate(self.old.units[i1:i2], i1), enumerate(self.new.units[j1:j2], j1), strict=True
            )
        )

    def _one_name(self, i: int, j: int) -> bool:
        """Both words are the whole of one name of the lexicon."""
        old = {said.name for said in self.old.named if (said.first, said.last) == (i, i + 1)}
        return any((said.first, said.last) == (j, j + 1) and said.name in old for said in self.new.named)

    # ---------------------------------------------------------------- quotations, hedges, denials

    def _quote(self) -> Iterator[Found]:
        if not (self.old.marked or self.new.marked):
            return
        old = {index for i1, i2, _, _ in self.regions for index in range(i1, i2) if self.old.quoted(index)}
        new = {index for _, _, j1, j2 in self.regions for index in range(j1, j2) if self.new.quoted(index)}
        for i1, i2, j1, j2 in self._alike():
            was = [index for index in range(i1, i2) if self.old.quoted(index)]
            now = [index for index in range(j1, j2) if self.new.quoted(index)]
            if bool(was) != bool(now):
                old.update(was)
                new.update(now)
        if old or new:
            yield Found("quote", _quoted(self.old, old, self.old), _quoted(self.new, new, self.new))

    def _kept(self) -> Iterator[tuple[int, int]]:
        i = j = 0
        for i1, i2, j1, j2 in (*self._all_regions, (len(self.old.units), 0, len(self.new.units), 0)):
            yield from zip(range(i, i1), range(j, j1), strict=True)
            i, j = i2, j2

    def _alike(self) -> Iterator[Region]:
        """Units and runs of units that are the same letters."""
        yield from ((i, i + 1, j, j + 1) for i, j in self._kept())
        yield from (region for region in self._all_regions if region not in self.regions)

    def _hedges(self) -> Iterator[Found]:
        if not (self.old.hedges or self.new.hedges):
            return
        old, new = (Counter(said.name for said in reading.hedges) for reading in (self.old, self.new))
        if old != new:
            gone = [said for said in self.old.hedges if old[said.name] > new[said.name]]
            fresh = [said for said in self.new.hedges if new[said.name] > old[said.name]]
            yield Found("hedge", self.old.written(gone), self.new.written(fresh))

    def _denials(self) -> Iterator[Found]:
        if bool(self.old.denials) != bool(self.new.denials):
            others = self.went if self.new.denials else self.came
            if not any(other.denials for other in others):
                yield Found("denial", self.old.written(self.old.denials), self.new.written(self.new.denials))

    # ---------------------------------------------------------------- the rest

    def _spelled(self) -> Found:
        """The units are the same: letters that the normaliser folds differ, or nothing but spaces and marks."""
        same = letters(self.old.text) == letters(self.new.text)
        return Found("whitespace" if same else "typo", *self._differing())

    def _differing(self) -> tuple[str, str]:
        pairs = [
            (self.old.stretch(i, i + 1), self.new.stretch(j, j + 1)) for i, j in self._kept()
            if self.old.stretch(i, i + 1) != self.new.stretch(j, j + 1)
        ]  # fmt: skip
        return shown(", ".join(old for old, _ in pairs)), shown(", ".join(new for _, new in pairs))

    def _words(self) -> Found:
        if not self.regions:
            change: ChangeClass = "whitespace"
        else:
            change = "typo" if all(self._slip(region) for region in self.regions) else "wording"
        regions = self.regions or self._all_regions
        old = ", ".join(self.old.stretch(i1, i2) for i1, i2, _, _ in regions if i1 < i2)
        return Found(
            change, shown(old), shown(", ".join(self.new.stretch(j1, j2) for _, _, j1, j2 in regions if j1 < j2))
        )


def _surplus(figures: Sequence[Figure], others: Sequence[Figure]) -> list[Figure]:
    """Figures that the others do not make up for."""
    left = Counter(other.key for other in others)
    surplus = []
    for figure in figures:
        left[figure.key] -= 1
        if left[figure.key] < 0:
            surplus.append(figure)
    return surplus


def _strong(figures: Sequence[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.weak]


def _of_what(reading: Reading) -> Counter[tuple[str, str]]:
    """Each number with the word behind it."""
    units = reading.units
    return Counter((each.key, units[each.last].norm if each.last < len(units) else "") for each in reading.numbers)


def _touched(name: Name, regions: Iterable[tuple[int, int]]) -> bool:
    return any(first < name.last and name.first < last for first, last in regions)


def _held(name: Name, *readings: Reading) -> bool:
    return any(
        any(is_same(name.key, other.key) for other in reading.names) or reading.capitalised.issuperset(name.key.split())
        for reading in readings
    )


def _quoted(reading: Reading, indexes: set[int], side: Reading) -> str:
    stretches = sorted({side.quotation(index) for index in indexes})
    return shown(" … ".join(reading.text[first:last] for first, last in stretches))


# ------------------------------------------------------------------ a sentence that only one text has


def came(reading: Reading, went: Sequence[Reading]) -> Found:
    """A sentence that was put in: what it tells is news, and no change of what was told, but for a denial."""
    if reading.denials and not any(other.denials for other in went):
        return Found("denial", "", reading.written(reading.denials))
    return Found("wording", "", shown(reading.text))


def gone(reading: Reading, whole: Reading) -> list[Found]:
    """A sentence that was taken out: what it told and the ``whole`` text tells nowhere any more."""
    classes: list[Found] = []
    for change, held, kept in (("number", reading.numbers, whole.numbers), ("date", reading.dates, whole.dates)):
        keys = {figure.key for figure in kept}
        if lost := [figure for figure in _strong(held) if figure.key not in keys]:
            classes.append(Found("number" if change == "number" else "date", reading.written(lost), ""))
    if names_lost := [name for name in reading.names if not name.weak and not _held(name, whole)]:
        classes.append(Found("name", reading.written(names_lost), ""))
    spelled = letters(whole.text)
    if quotes_lost := [told for told in reading.quotations() if letters(told) not in spelled]:
        classes.append(Found("quote", shown(" … ".join(quotes_lost)), ""))
    if reading.denials and not whole.denials:
        classes.append(Found("denial", reading.written(reading.denials), ""))
    return classes or [Found("wording", shown(reading.text), "")]
