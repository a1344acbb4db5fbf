"""Many watches at once: each is indexed under the rarest word it requires, so an item costs what it matches.

A watch's *cover* is a set of keywords of which a matching item must hold at least one. An item's tokens look
their keywords up; only the watches found there are evaluated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.model import Concept, Watch
from monitor.errors import QueryError, UnknownName
from monitor.language.forms import readings
from monitor.model import Match
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
from monitor.watches.terms import Atom, Slot, Terms

_COMMON = frozenset(
    "a an and are as at be by for from has he in is it its new of on or over said says she that the they this to was "
    "we were who will with after one two how why what "
    "של את על לא אל כי זה הוא היא עמ גמ או אבל יותר רק כל אמ אחרי לפני "
    "في من على الى عن ان التي الذي هذا هذه بعد قبل مع لا ما او".split()
)
_COMMON_COST = 10_000


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


class _Cover(NamedTuple):
    cost: int
    slots: tuple[Slot, ...]


def compile_watches(
    watches: Iterable[Watch], concepts: Mapping[str, Concept], *, outlets: Collection[str]
) -> tuple[WatchSet, tuple[BadWatch, ...]]:
    """Read every query; those refused are returned beside the set of the others, one error each."""
    terms = Terms(concepts)
    good, bad = [], []
    for watch in watches:
        try:
            query = parse(watch.when, terms, outlets=outlets)
        except QueryError as error:
            bad.append(BadWatch(watch=watch.id, error=error))
        else:
            good.append(Compiled(watch.id, query, frozenset(watch.outlets) if watch.outlets else None))
    return WatchSet(good, terms), tuple(bad)


class WatchSet:
    """A whole set of watches in force; it never changes, so an item meets one set even while another is made."""

    def __init__(self, watches: Sequence[Compiled], terms: Terms) -> None:
        self._watches = tuple(watches)
        self._by_id: dict[str, int] | None = None
        self._concepts = terms.concepts
        self._lexicon = Lexicon.of(map(terms.concept, terms.concepts))
        self._fields: tuple[TextField, ...] = DEFAULT_FIELDS
        self._vocabulary: dict[str, tuple[int, ...]] = {}
        self._prefixes: dict[int, dict[str, tuple[int, ...]]] = {}
        self._needs: list[tuple[str, ...]] = []
        self._always: tuple[int, ...] = ()
        self._build()

    def __len__(self) -> int:
        return len(self._watches)

    # ---------------------------------------------------------------- asking

    def match(self, text: ItemText) -> tuple[Match, ...]:
        """Every watch found in the item, in the order the watches were given."""
        return self.match_prepared(self.prepare(text))

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
            watch = self._watches[index]
            if watch.outlets is None or outlet in watch.outlets:
                evaluation.begin()
                truth = evaluation.decide(watch.query.root)
                if truth != MISS:
                    found.append(_match(watch, evaluation, truth))
        return tuple(found)

    def explain(self, watch_id: str, text: ItemText) -> Explanation:
        """Why a watch is found in the item, or what it lacks. Raises `UnknownName`."""
        watch = self._watch(watch_id)
        prepared = self.prepare(text)
        seen, _ = self._look_up(prepared)
        outside = watch.outlets is not None and text.outlet not in watch.outlets
        return explain(watch.id, watch.query, Evaluation(prepared, seen, self._lexicon), outside=outside)

    def expansion(self, watch_id: str) -> tuple[Expansion, ...]:
        """How each word, phrase and concept of a watch is understood. Raises `UnknownName`."""
        return expand(self._watch(watch_id).query, self._concepts)

    def query(self, watch_id: str) -> Query:
        """A watch's query as read. Raises `UnknownName`."""
        return self._watch(watch_id).query

    @property
    def ids(self) -> tuple[str, ...]:
        """The watches' ids, in the order given."""
        return tuple(watch.id for watch in self._watches)

    def _watch(self, watch_id: str) -> Compiled:
        if self._by_id is None:
            self._by_id = {watch.id: index for index, watch in enumerate(self._watches)}
        if watch_id not in self._by_id:
            raise UnknownName(f"there is no watch {watch_id!r}")
        return self._watches[self._by_id[watch_id]]

    def _look_up(self, text: Prepared) -> tuple[dict[str, list[tuple[str, int]]], set[int]]:
        """The item's tokens by keyword, and the watches that may be found in it."""
        seen: dict[str, list[tuple[str, int]]] = {}
        hits: list[tuple[int, ...]] = []
        vocabulary = self._vocabulary
        for norm in text.distinct:
            keys, ways = readings(norm)
            for key, how in zip(keys, ways, strict=True):
                watching = vocabulary.get(key)
                if watching is not None:
                    seen.setdefault(key, []).append((norm, how))
                    if watching:
                        hits.append(watching)
            if self._prefixes:
                hits.extend(self._beginning(keys))
        needs = self._needs
        candidates = {
            index for watching in hits for index in watching if all(key in seen for key in needs[index])
        }  # fmt: skip
        candidates.update(self._always)
        return seen, candidates

    def _beginning(self, keys: Iterable[str]) -> Iterator[tuple[int, ...]]:
        for length, watching in self._prefixes.items():
            for key in keys:
                if len(key) >= length and (found := watching.get(key[:length])):
                    yield found

    # ---------------------------------------------------------------- building

    def _build(self) -> None:
        counts = self._count()
        vocabulary: dict[str, list[int]] = {key: [] for key in counts}
        prefixes: dict[int, dict[str, list[int]]] = {}
        always = []
        for index, watch in enumerate(self._watches):
            cover = _cover(watch.query.root, counts)
            self._needs.append(tuple(_needed(watch.query.root)))
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

    def _count(self) -> Counter[str]:
        """How many watches look for each keyword: the measure of rarity. Also notes which fields are asked for."""
        counts: Counter[str] = Counter()
        fields = dict.fromkeys(DEFAULT_FIELDS)
        for atom in self._lexicon.atoms.values():
            counts.update(key for form in atom.forms for slot in form.slots for key in slot.keys)
        for watch in self._watches:
            for node in walk(watch.query.root):
                if isinstance(node, Term):
                    counts.update(_keys(node.atom))
                elif isinstance(node, Scoped):
                    fields[node.field] = None
        self._fields = tuple(fields)
        return counts


def _keys(atom: Atom) -> Iterator[str]:
    for form in atom.forms:
        for slot in form.slots:
            if slot.kind != "prefix":
                yield from slot.keys


def _cover(node: Node, counts: Counter[str]) -> _Cover | None:
    """The cheapest slots of which a matching item must fill one; ``None``: it need not fill any."""
    if isinstance(node, Term):
        return _joined(_form_cover(form.slots, counts) for form in node.atom.forms)
    if isinstance(node, And):
        return min(filter(None, (_cover(child, counts) for child in node.children)), default=None)
    if isinstance(node, Or):
        covers = [_cover(child, counts) for child in node.children]
        return None if None in covers else _joined(cover for cover in covers if cover)
    if isinstance(node, Near):
        return min(filter(None, (_cover(node.left, counts), _cover(node.right, counts))), default=None)
    if isinstance(node, Scoped | AtLeast):
        return _cover(node.child, counts)
    return None


def _form_cover(slots: Sequence[Slot], counts: Counter[str]) -> _Cover:
    return min(_Cover(_cost(slot, counts), (slot,)) for slot in slots)


def _cost(slot: Slot, counts: Counter[str]) -> int:
    if slot.kind == "prefix":
        return 100 * _COMMON_COST // 10 ** min(len(slot.keys[0]), 6)
    return sum(counts[key] + (_COMMON_COST if key in _COMMON else 0) for key in slot.keys)


def _joined(covers: Iterable[_Cover]) -> _Cover:
    parts = list(covers)
    return _Cover(sum(part.cost for part in parts), tuple(slot for part in parts for slot in part.slots))


def _needed(node: Node) -> Iterator[str]:
    """Keywords that a matching item must hold, every one."""
    if isinstance(node, Term) and len(node.atom.forms) == 1:
        for slot in node.atom.forms[0].slots:
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


def _match(watch: Compiled, evaluation: Evaluation, truth: int) -> Match:
    undecided = ""
    if truth == DOUBT:
        undecided = ", ".join(dict.fromkeys(watch.query.written(node) for node in evaluation.doubts))
    return Match(
        watch=watch.id,
        spans=tuple(evaluation.spans(watch.query.root)),
        clause=clause(watch.query, watch.query.root, evaluation),
        undecided=undecided,
    )
