"""Many watches at once: each is indexed under the rarest word it requires, so an item costs what it matches.

A watch's *cover* is a set of keywords of which a matching item must hold at least one. An item's tokens look
their keywords up; only the watches found there are evaluated.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from config.model.lexicon import Concept
from config.model.watches import Watch
from monitor.errors import QueryError, UnknownName
from monitor.language.forms import readings
from monitor.language.lookalikes import folded
from monitor.model.items import Match
from monitor.watches.engine import DOUBT, MISS, Evaluation, ItemText, Lexicon, Prepared
from monitor.watches.expansion import Expansion, expand
from monitor.watches.explain import Explanation, clause, explain
from monitor.watches.parse import parse
from monitor.watches.query import (
    DEFAULT_FIELDS,
    And,
    AtLeast,
    Near,
    Node,
    Or,
    Query,
    Scoped,
    Term,
    TextField,
    walk,
)
from monitor.watches.terms import Atom, Form, Slot, Terms

COMMON_WORDS = frozenset([
             "a",         "an",         "and",         "are",         "as",         "at",         "be",
    "by",         "for",         "from",         "has",         "he",         "in",         "is",         "it",
    "its",         "new",         "of",         "on",         "or",         "over",         "said",
    "says",         "she",         "that",         "the",         "they",         "this",         "to",
    "was",         "we",         "were",         "who",         "will",         "with",         "after",
    "one",         "two",         "how",         "why",         "what",         "של",         "את",         "על",
    "לא",         "אל",         "כי",         "זה",         "הוא",         "היא",         "עמ",         "גמ",
    "או",         "אבל",         "יותר",         "רק",         "כל",         "אמ",         "אחרי",         "לפני",
    "في",         "من",         "على",         "الى",         "عن",         "ان",         "التي",         "الذي",
    "هذا",         "هذه",         "بعد",         "قبل",         "مع",         "لا",         "ما",         "او",
])  # fmt: skip
_COMMON_COST = 10_000
_FEW = 12
"""Keywords of a small set, as of one query."""
_REMEMBERED = 30_000
"""Tokens whose meaning to a set is remembered; with 100,000 watches some 6 MB."""

_Meaning = tuple[tuple[tuple[str, int], ...], tuple[int, ...]] | tuple[()]
"""Keywords a token can be a form of, with how; and the watches indexed under them. Most tokens mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadWatch:
    """A watch whose query is refused; the error's offsets are into its ``when``."""

    watch: str
    error: QueryError


class Compiled(NamedTuple):
    """A watch with its query read."""

    id: str
    query: Query
    outlets: frozenset[str] | None = None
    """``None``: all."""
    lookalikes: bool = False
    """Tried on the text with look-alike letters folded as well (F89)."""


class _Cover(NamedTuple):
    cost: int
    slots: tuple[Slot, ...]


def compile_watches(
    watches: Iterable[Watch], concepts: Mapping[str, Concept], *, outlets: Collection[str]
) -> tuple[WatchSet, tuple[BadWatch, ...]]:
    """Read every query; those refused are returned beside the set of the others, one error each."""
    terms = Terms(concepts)
    bad: list[BadWatch] = []

    def good() -> Iterator[Compiled]:
        for watch in watches:
            try:
                query = parse(watch.when, terms, outlets=outlets)
            except QueryError as error:
                bad.append(BadWatch(watch=watch.id, error=error))
            else:
                outlets_of = frozenset(watch.outlets) if watch.outlets else None
                yield Compiled(watch.id, query, outlets_of, watch.lookalikes)

    return WatchSet(good(), terms), tuple(bad)


class WatchSet:
    """A whole set of watches in force; it never changes, so an item meets one set even while another is made."""

    def __init__(self, watches: Iterable[Compiled], terms: Terms, lexicon: Lexicon | None = None) -> None:
        # Columns, not a list of values: 100,000 watches are to fit in 70 MB.
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._roots: list[Node] = []
        self._outlets: list[frozenset[str] | None] = []
        folding: list[Compiled] = []
        with _collector_paused():
            for watch in watches:
                if watch.lookalikes:
                    folding.append(watch._replace(lookalikes=False))
                self._ids.append(watch.id)
                self._texts.append(watch.query.text)
                self._roots.append(watch.query.root)
                self._outlets.append(watch.outlets)
        self._by_id: dict[str, int] | None = None
        self._concepts = terms.concepts
        self._lexicon = Lexicon.of(map(terms.concept, terms.concepts)) if lexicon is None else lexicon
        self._fields: tuple[TextField, ...] = DEFAULT_FIELDS
        self._vocabulary: dict[str, tuple[int, ...]] = {}
        self._prefixes: dict[int, dict[str, tuple[int, ...]]] = {}
        self._needs: list[tuple[str, ...]] = []
        self._always: tuple[int, ...] = ()
        self._known: dict[str, _Meaning] = {}
        self._hint: re.Pattern[str] | None = None
        with _collector_paused():
            self._build()
        self._folding = WatchSet(folding, terms) if folding else None

    def __len__(self) -> int:
        return len(self._ids)

    # ---------------------------------------------------------------- asking

    def match(self, text: ItemText) -> tuple[Match, ...]:
        """Every watch found in the item, in the order the watches were given."""
        found = self.match_prepared(self.prepare(text))
        if self._folding is None or (plain := _folded(text)) == text:
            return found
        by_id = {match.watch: match for match in (*self._folding.match(plain), *found)}
        return tuple(by_id[name] for name in self._ids if name in by_id)

    def prepare(self, text: ItemText) -> Prepared:
        """Normalise and cut once; what `match_prepared` takes."""
        return Prepared.of(text, self._fields)

    def match_prepared(self, text: Prepared) -> tuple[Match, ...]:
        """As `match`, without normalising and cutting again."""
        seen, candidates = self._look_up(text)
        evaluation = Evaluation(text, seen, self._lexicon)
        outlet = text.item.outlet
        found = []
        for index in sorted(candidates):
            outlets = self._outlets[index]
            if outlets is None or outlet in outlets:
                evaluation.begin()
                truth = evaluation.decide(self._roots[index])
                if truth != MISS:
                    found.append(_match(self._ids[index], self._query(index), evaluation, truth))
        return tuple(found)

    def explain(self, watch_id: str, text: ItemText) -> Explanation:
        """Why a watch is found in the item, or what it lacks. Raises `UnknownName`."""
        explanation = self._explain(watch_id, text)
        if explanation.hit or self._folding is None or watch_id not in self._folding.ids:
            return explanation
        return self._folding.explain(watch_id, _folded(text))

    def _explain(self, watch_id: str, text: ItemText) -> Explanation:
        index = self._number(watch_id)
        outlets = self._outlets[index]
        prepared = self.prepare(text)
        seen, _ = self._look_up(prepared)
        outside = outlets is not None and text.outlet not in outlets
        evaluation = Evaluation(prepared, seen, self._lexicon)
        return explain(watch_id, self._query(index), evaluation, outside=outside)

    def beside(self, watch_id: str, when: str, *, outlets: Collection[str] | None = None) -> WatchSet:
        """Another set, of one query that is read under the same concepts. Raises `QueryError`."""
        terms = Terms(self._concepts)
        query = parse(when, terms, outlets=outlets)
        lexicon = self._lexicon if _needs_context(query) else Lexicon()
        return WatchSet([Compiled(watch_id, query)], terms, lexicon)

    def expansion(self, watch_id: str) -> tuple[Expansion, ...]:
        """How each word, phrase and concept of a watch is understood. Raises `UnknownName`."""
        return expand(self.query(watch_id), self._concepts)

    def query(self, watch_id: str) -> Query:
        """A watch's query as read. Raises `UnknownName`."""
        return self._query(self._number(watch_id))

    @property
    def concepts(self) -> Mapping[str, Concept]:
        """The concepts that the queries were read under."""
        return self._concepts

    @property
    def ids(self) -> tuple[str, ...]:
        """The watches' ids, in the order given."""
        return tuple(self._ids)

    def _query(self, index: int) -> Query:
        return Query(text=self._texts[index], root=self._roots[index])

    def _number(self, watch_id: str) -> int:
        if self._by_id is None:
            self._by_id = {name: index for index, name in enumerate(self._ids)}
        if watch_id not in self._by_id:
            raise UnknownName(f"there is no watch {watch_id!r}")
        return self._by_id[watch_id]

    def _look_up(self, text: Prepared) -> tuple[dict[str, list[tuple[str, int]]], set[int]]:
        """The item's tokens by keyword, and the watches that may be found in it."""
        seen: dict[str, list[tuple[str, int]]] = {}
        hits: list[int] = []
        known = self._known
        for norm in text.distinct:
            meaning = known.get(norm)
            if meaning is None:
                meaning = self._learn(norm)
            if meaning:
                for key, how in meaning[0]:
                    seen.setdefault(key, []).append((norm, how))
                hits += meaning[1]
        candidates = set(self._always)
        needs = self._needs
        for index in hits:
            for key in needs[index]:
                if key not in seen:
                    break
            else:
                candidates.add(index)
        return seen, candidates

    def _learn(self, norm: str) -> _Meaning:
        """What a token means to this set: remembered, since the tokens of news repeat."""
        read: list[tuple[str, int]] = []
        watching: set[int] = set()
        hint = self._hint
        unlike = hint is not None and norm[0] >= "\u0370" and hint.search(norm) is None
        keys, ways = readings(norm) if not unlike else ((), b"")
        if not self._vocabulary.keys().isdisjoint(keys):
            for key, how in zip(keys, ways, strict=True):
                found = self._vocabulary.get(key)
                if found is not None:
                    read.append((key, how))
                    watching.update(found)
        for length, beginnings in self._prefixes.items():
            for key in keys:
                watching.update(beginnings.get(key[:length], ()))
        meaning: _Meaning = (tuple(read), tuple(watching)) if read or watching else ()
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        self._known[norm] = meaning
        return meaning

    # ---------------------------------------------------------------- building

    def _build(self) -> None:
        counts = self._count()
        vocabulary: dict[str, list[int]] = {key: [] for key in counts}
        prefixes: dict[int, dict[str, list[int]]] = {}
        always = []
        for index, root in enumerate(self._roots):
            cover = _cover(root, counts)
            needed = tuple(_needed(root))
            self._needs.append(needed if len(needed) > 1 else ())  # one alone is the cover, as a rule
            if cover is None:
                always.append(index)
                continue
            for slot in cover.slots:
                for key in slot.keys:
                    if slot.kind == "prefix":
                        prefixes.setdefault(len(key), {}).setdefault(key, []).append(index)
                    else:
                        vocabulary[key].append(index)
        self._vocabulary = {key: tuple(found) for key, found in vocabulary.items()}
        self._prefixes = {
            length: {key: tuple(found) for key, found in keys.items()} for length, keys in prefixes.items()
        }
        self._always = tuple(always)
        self._hint = _hint([*self._vocabulary, *(key for keys in prefixes.values() for key in keys)])

    def _count(self) -> dict[str, int]:
        """How many watches look for each keyword: the measure of rarity. Also notes which fields are asked for."""
        counts: dict[str, int] = {}
        fields = dict.fromkeys(DEFAULT_FIELDS)
        for atom in self._lexicon.atoms.values():
            _count_keys(atom, counts)
        for root in self._roots:
            for node in walk(root):
                if isinstance(node, Term):
                    _count_keys(node.atom, counts)
                elif isinstance(node, Scoped):
                    fields[node.field] = None
        self._fields = tuple(fields)
        return counts


def _hint(keywords: Sequence[str]) -> re.Pattern[str] | None:
    """What a Hebrew or Arabic token holds that can be a form of one of the keywords: all but its last letter, whose
    place an ending may take. Of a few keywords this is asked faster than all that a token can be a form of; of more,
    ``None``."""
    if len(keywords) > _FEW:
        return None
    return re.compile("|".join(re.escape(keyword[:-1]) for keyword in keywords))


def _needs_context(query: Query) -> bool:
    """Whether a form counts only beside another concept."""
    atoms = (node.atom for node in walk(query.root) if isinstance(node, Term))
    return any(atom.weak_forms and atom.weak_rule == "context" for atom in atoms)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Building makes a great many small values and no cycles: collecting between them takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _count_keys(atom: Atom, counts: dict[str, int]) -> None:
    for form in atom.all_forms:
        for slot in form:
            if slot.kind != "prefix":
                for key in slot.keys:
                    counts[key] = counts.get(key, 0) + 1


def _cover(node: Node, counts: Mapping[str, int]) -> _Cover | None:
    """The cheapest slots of which a matching item must fill one; ``None``: it need not fill any."""
    if isinstance(node, Term):
        return _joined([_form_cover(form, counts) for form in node.atom.all_forms])
    if isinstance(node, And):
        return min(filter(None, (_cover(child, counts) for child in node.children)), default=None)
    if isinstance(node, Or):
        covers = [_cover(child, counts) for child in node.children]
        return None if None in covers else _joined([cover for cover in covers if cover])
    if isinstance(node, Near):
        return min(filter(None, (_cover(node.left, counts), _cover(node.right, counts))), default=None)
    if isinstance(node, Scoped | AtLeast):
        return _cover(node.child, counts)
    return None


def _form_cover(form: Form, counts: Mapping[str, int]) -> _Cover:
    costs = [_cost(slot, counts) for slot in form]
    least = min(costs)
    return _Cover(least, (form[costs.index(least)],))


def _cost(slot: Slot, counts: Mapping[str, int]) -> int:
    if slot.kind == "prefix":
        return int(100 * _COMMON_COST / 10 ** min(len(slot.keys[0]), 6))
    cost = 0
    for key in slot.keys:
        cost += counts[key] + (_COMMON_COST if key in COMMON_WORDS else 0)
    return cost


def _joined(parts: Sequence[_Cover]) -> _Cover:
    if len(parts) == 1:
        return parts[0]
    return _Cover(sum(part.cost for part in parts), tuple(slot for part in parts for slot in part.slots))


def _needed(node: Node) -> Iterator[str]:
    """Keywords that a matching item must hold, every one."""
    if isinstance(node, Term) and len(node.atom.all_forms) == 1:
        for slot in node.atom.forms[0]:
            if slot.kind != "prefix" and len(slot.keys) == 1:
                yield slot.keys[0]
    elif isinstance(node, And):
        for child in node.children:
            yield from _needed(child)
    elif isinstance(node, Near):
        yield from _needed(node.left)
        yield from _needed(node.right)
    elif isinstance(node, Scoped | AtLeast):
        yield from _needed(node.child)


def _match(watch: str, query: Query, evaluation: Evaluation, truth: int) -> Match:
    undecided = ""
    if truth == DOUBT:
        undecided = ", ".join(dict.fromkeys(query.written(node) for node in evaluation.doubts))
    return Match(
        watch=watch,
        spans=tuple(evaluation.spans(query.root)),
        clause=clause(query, query.root, evaluation),
        undecided=undecided,
    )


def _folded(text: ItemText) -> ItemText:
    """The item with look-alike letters in Latin; offsets are the same."""
    return replace(
        text, title=folded(text.title), lead=folded(text.lead), body=folded(text.body), author=folded(text.author)
    )
