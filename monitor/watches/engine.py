"""Whether a query is found in a text, and where: the one engine of live service, backtest and explanation.

An `Evaluation` is one item under one set of watches. A part of a query is a hit, a miss, or in doubt (a pattern
that ran out of time); doubt survives NOT and AND, and an alert is sent for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from monitor.language.forms import readings
from monitor.language.normalise import offsets
from monitor.language.tokens import Words
from monitor.model.items import Span
from monitor.model.texts import Kind, TextLanguage
from monitor.watches.places import Place, together, within
from monitor.watches.query import (
    DEFAULT_FIELDS,
    And,
    AtLeast,
    Filter,
    Near,
    Node,
    Not,
    Or,
    Regex,
    Scoped,
    Term,
    TextField,
    walk,
)
from monitor.watches.terms import Atom, Form, Slot

MISS, DOUBT, HIT = 0, 1, 2
PATTERN_SECONDS = 0.05
"""For all patterns of one watch in one item."""
MAX_PLACES = 10_000
"""Of the inner parts of a chain of NEARs; beyond it the chain is in doubt."""
MAX_SPANS = 20
"""Shown for one part of a query."""


@dataclass(frozen=True, slots=True)
class ItemText:
    """What a watch is compared with. ``language`` and ``kind`` only serve ``lang:`` and ``kind:``."""

    title: str
    lead: str = ""
    body: str = ""
    url: str = ""
    author: str = ""
    outlet: str = ""
    source: str = ""
    language: TextLanguage = "und"
    kind: Kind = "article"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item's texts, normalised and cut into tokens."""

    item: ItemText
    words: Mapping[TextField, Words]
    distinct: Mapping[str, None]
    """Every token and every capital acronym of the item, once, in order."""

    @classmethod
    def of(cls, item: ItemText, fields: Iterable[TextField] = DEFAULT_FIELDS) -> Prepared:
        words = {name: Words(text) for name in fields if (text := getattr(item, name))}
        distinct: dict[str, None] = {}
        for cut in words.values():
            distinct.update(dict.fromkeys(cut.norms))
            if cut.capitals:
                distinct.update(dict.fromkeys(cut.capitals.values()))
        return cls(item, words, distinct)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The concepts in force; ``by_key``: key of a strong form's first word → names of its concepts."""

    atoms: Mapping[str, Atom] = field(default_factory=dict)
    by_key: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, atoms: Iterable[Atom]) -> Lexicon:
        by_name = {atom.concept: atom for atom in atoms}
        by_key: dict[str, set[str]] = {}
        for name, atom in by_name.items():
            for form in atom.strong_forms:
                for key in form[0].keys:
                    by_key.setdefault(key, set()).add(name)
        return cls(by_name, {key: frozenset(names) for key, names in by_key.items()})


class Evaluation:
    """One item under one set of watches; what was worked out for one watch serves the others."""

    def __init__(self, text: Prepared, seen: Mapping[str, Sequence[tuple[str, int]]], lexicon: Lexicon) -> None:
        self.text = text
        self._seen = seen  # keyword → the item's tokens that can be a form of it, and how
        self._lexicon = lexicon
        self._index: dict[str, dict[str, list[int]]] = {}
        self._places: dict[tuple[int, str], list[Place]] = {}
        self._slots: dict[tuple[int, str], list[int]] = {}
        self._over: set[int] = set()
        self._strong: frozenset[str] | None = None
        self._seconds_left = PATTERN_SECONDS
        self.doubts: list[Node] = []

    def begin(self) -> None:
        """A watch begins: its patterns have their whole time."""
        self._seconds_left = PATTERN_SECONDS
        self.doubts = []

    # ---------------------------------------------------------------- truth

    def decide(  # noqa: PLR0911  # one return a kind of node
        self, node: Node, fields: Sequence[TextField] = DEFAULT_FIELDS
    ) -> int:
        """`HIT`, `MISS` or `DOUBT`."""
        if isinstance(node, Term):
            return HIT if any(self.places(node, name) for name in fields if name in self.text.words) else MISS
        if isinstance(node, And):
            return self._all(node, fields)
        if isinstance(node, Or):
            return max(self.decide(child, fields) for child in node.children)
        if isinstance(node, Not):
            return HIT - self.decide(node.child, fields)
        if isinstance(node, Scoped):
            return self.decide(node.child, (node.field,))
        if isinstance(node, Near):
            return self._any_near(node, fields)
        if isinstance(node, AtLeast):
            enough = self.count(node, fields) >= node.least
            return HIT if enough else DOUBT if self._cut_short(node) else MISS
        if isinstance(node, Filter):
            return HIT if self._passes(node) else MISS
        return self._search(node, fields)

    def _all(self, node: And, fields: Sequence[TextField]) -> int:
        """Patterns last: most items are decided without their cost."""
        worst = HIT
        for child in sorted(node.children, key=lambda child: isinstance(child, Regex | Scoped)):
            worst = min(worst, self.decide(child, fields))
            if worst == MISS:
                return MISS
        return worst

    def _any_near(self, node: Near, fields: Sequence[TextField]) -> int:
        for name in fields:
            if name in self.text.words and next(self._pairs(node, name), None) is not None:
                return HIT
        return DOUBT if self._cut_short(node) else MISS

    def _cut_short(self, node: Node) -> bool:
        """Whether a part below has more places than we look at."""
        return any(id(part) in self._over for part in walk(node))

    def _passes(self, node: Filter) -> bool:
        item = self.text.item
        if node.field == "source":
            return node.value in (item.source.casefold(), item.source.casefold().rpartition("/")[2])
        held = {"outlet": item.outlet, "lang": item.language, "kind": item.kind}[node.field]
        return held.casefold() == node.value

    def _search(self, node: Regex, fields: Sequence[TextField]) -> int:
        found = MISS
        for name in fields:
            if name in self.text.words:
                found = max(found, self._search_field(node, name))
        return found

    def _search_field(self, node: Regex, name: TextField) -> int:
        started = time.perf_counter()
        try:
            if self._seconds_left <= 0:
                raise TimeoutError
            hit = node.pattern.search(self.text.words[name].folded, timeout=self._seconds_left) is not None
        except TimeoutError:
            self._seconds_left = 0.0
            self.doubts.append(node)
            return DOUBT
        self._seconds_left -= time.perf_counter() - started
        return HIT if hit else MISS

    # ---------------------------------------------------------------- places

    def places(self, node: Node, name: TextField) -> list[Place]:
        """Where an operand of NEAR stands in a field, in order; at most `MAX_PLACES`."""
        key = (id(node.atom if isinstance(node, Term) else node), name)
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = self._find(node, name)
        return known

    def _find(self, node: Node, name: TextField) -> list[Place]:
        if name not in self.text.words:
            return []
        if isinstance(node, Term):
            return self._atom_places(node.atom, name)
        if isinstance(node, Or):
            return sorted({place for child in node.children for place in self.places(child, name)})
        assert isinstance(node, Near)
        found: dict[tuple[int, int], Place] = {}
        for number, place in enumerate(self._pairs(node, name)):
            if number >= MAX_PLACES:
                self._over.add(id(node))
                self.doubts.append(node)
                break
            found.setdefault((place.start, place.end), place)
        return sorted(found.values())

    def _atom_places(self, atom: Atom, name: TextField) -> list[Place]:
        found = self._form_places(atom.strong_forms, name)
        if atom.weak_forms and atom.weak_rule == "context":
            weak = self._form_places(atom.weak_forms, name)
            if weak and self.in_context(atom.concept):
                found |= weak
        return [Place(start, end, ((start, end, atom.label),)) for start, end in sorted(found)]

    def _form_places(self, forms: Iterable[Form], name: TextField) -> set[tuple[int, int]]:
        seen = self._seen.keys()
        likely = (form for form in forms if form[0].kind != "word" or not seen.isdisjoint(form[0].keys))
        return {(start, start + len(form)) for form in likely for start in self._form_starts(form, name)}

    def in_context(self, concept: str) -> bool:
        """Whether the item holds a strong form of another concept: then weak forms of this one count."""
        if self._strong is None:
            candidates: set[str] = set()
            for key in self._seen:
                candidates |= self._lexicon.by_key.get(key, frozenset())
            strong = (
                name
                for name in candidates
                if any(
                    self._form_places(self._lexicon.atoms[name].strong_forms, field)
                    for field in DEFAULT_FIELDS
                    if field in self.text.words
                )
            )
            self._strong = frozenset(islice(strong, 2))  # of two, one is another than any concept
        return bool(self._strong - {concept})

    def _form_starts(self, form: Form, name: TextField) -> list[int]:
        first = self.slot_positions(form[0], name)
        if len(form) == 1 or not first:
            return first
        starts = first
        for index, slot in enumerate(form[1:], 1):
            following = set(self.slot_positions(slot, name))
            starts = [start for start in starts if start + index in following]
            if not starts:
                break
        return starts

    def slot_positions(self, slot: Slot, name: TextField) -> list[int]:
        """The tokens of a field that a slot takes, in order."""
        key = (id(slot), name)
        known = self._slots.get(key)
        if known is None:
            known = self._slots[key] = self.find_slot(slot, name)
        return known

    def find_slot(self, slot: Slot, name: TextField) -> list[int]:
        """As `slot_positions`, for a slot made for the occasion: nothing is remembered."""
        if slot.kind == "capital":
            return [index for index, letters in self.text.words[name].capitals.items() if letters == slot.keys[0]]
        taken = set(self._taken(slot))
        if not taken:
            return []
        if slot.kind == "prefix":
            return [index for index, norm in enumerate(self.text.words[name].norms) if norm in taken]
        positions = self._positions(name)
        if len(taken) == 1:
            return positions.get(taken.pop(), [])
        return sorted(index for norm in taken for index in positions.get(norm, ()))

    def _taken(self, slot: Slot) -> Iterator[str]:
        if slot.kind == "prefix":
            for norm in self.text.distinct:
                keys, ways = readings(norm)
                if any(key.startswith(slot.keys[0]) and slot.takes(how) for key, how in zip(keys, ways, strict=True)):
                    yield norm
            return
        for key in slot.keys:
            for norm, how in self._seen.get(key, ()):
                if slot.takes(how):
                    yield norm

    def _positions(self, name: TextField) -> dict[str, list[int]]:
        """Where the tokens that mean something to this set stand."""
        known = self._index.get(name)
        if known is None:
            known = self._index[name] = {}
            wanted = {norm for pairs in self._seen.values() for norm, _ in pairs}
            for index, norm in enumerate(self.text.words[name].norms):
                if norm in wanted:
                    if norm in known:
                        known[norm].append(index)
                    else:
                        known[norm] = [index]
        return known

    # ---------------------------------------------------------------- nearness

    def _pairs(self, node: Near, name: TextField) -> Iterator[Place]:
        """Every pair of places that satisfies a NEAR or PRE; the two never share a token."""
        left, right = self.places(node.left, name), self.places(node.right, name)
        if not left or not right:
            return
        if node.unit == "words":
            yield from within(left, right, node)
        else:
            words = self.text.words[name]
            yield from together(left, right, words.sentences if node.unit == "sentence" else words.paragraphs)

    def count(self, node: AtLeast, fields: Sequence[TextField]) -> int:
        """Distinct places of what ``atleastN`` counts: places that overlap are one."""
        total = 0
        for name in fields:
            reached = 0
            for place in self.places(node.child, name):
                if place.start >= reached:
                    total += 1
                reached = max(reached, place.end)
        return total

    # ---------------------------------------------------------------- spans

    def spans(self, node: Node, fields: Sequence[TextField] = DEFAULT_FIELDS) -> list[Span]:
        """The words in the original texts that make ``node`` a hit, in reading order."""
        found = dict.fromkeys(self._spans(node, fields))
        order = {name: index for index, name in enumerate(self.text.words)}
        return sorted(found, key=lambda span: (order[span.field], span.start, span.end))

    def _spans(self, node: Node, fields: Sequence[TextField]) -> Iterator[Span]:
        if isinstance(node, Scoped):
            yield from self._spans(node.child, (node.field,))
        elif isinstance(node, And | Or):
            for child in node.children:
                if isinstance(node, And) or self.decide(child, fields) != MISS:
                    yield from self._spans(child, fields)
        elif isinstance(node, Regex):
            yield from self._pattern_spans(node, fields)
        elif isinstance(node, Term | Near | AtLeast):
            for name in fields:
                if name in self.text.words:
                    yield from self._word_spans(node, name)

    def _word_spans(self, node: Term | Near | AtLeast, name: TextField) -> Iterator[Span]:
        if isinstance(node, Near):
            found: Iterable[Place] = self._pairs(node, name)
        else:
            found = self.places(node.child if isinstance(node, AtLeast) else node, name)
        words = self.text.words[name].spans
        for place in islice(found, MAX_SPANS):
            for start, end, term in place.parts:
                yield Span(field=name, start=words[start][0], end=words[end - 1][1], term=term)

    def _pattern_spans(self, node: Regex, fields: Sequence[TextField]) -> Iterator[Span]:
        if node in self.doubts:
            return
        for name in fields:
            if name not in self.text.words:
                continue
            words = self.text.words[name]
            found = node.pattern.search(words.folded)
            if found is not None and found.end() > found.start():
                back = offsets(words.text)
                start, end = back.starts[found.start()], back.ends[found.end() - 1]
                yield Span(field=name, start=start, end=end, term=f"/{node.pattern.pattern}/")
