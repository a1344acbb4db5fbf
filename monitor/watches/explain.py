"""Why a watch was found in an item, and for a miss: which part failed and what came nearest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from monitor.language.forms import BARE, LOOSE, PREPOSITION, STRICT
from monitor.model.items import Span
from monitor.watches.engine import DOUBT, HIT, MISS, Evaluation, ItemText
from monitor.watches.query import (
    DEFAULT_FIELDS,
    And,
    AtLeast,
    Filter,
    Near,
    Node,
    Not,
    Or,
    Query,
    Regex,
    Scoped,
    Term,
    TextField,
)
from monitor.watches.terms import Atom, Form, Slot

_ANY_WAY = BARE | STRICT | LOOSE | PREPOSITION
_CONTEXT_LETTERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A part of the query that is not met: as written, its offsets in ``when``, why, and what came nearest."""

    clause: str
    start: int
    end: int
    reason: str
    nearest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a watch is found in an item, or what it lacks."""

    watch: str
    hit: bool
    clause: str = ""
    """For a hit: the part of the query that made it."""
    spans: tuple[Span, ...] = ()
    """The words found; for a miss, those of the parts that are met."""
    failures: tuple[Failure, ...] = ()
    undecided: str = ""


def explain(watch: str, query: Query, evaluation: Evaluation, *, outside: bool = False) -> Explanation:
    """Judge one watch aloud; ``outside``: the item's outlet is none of the watch's outlets."""
    evaluation.begin()
    truth = evaluation.decide(query.root)
    spans = tuple(evaluation.spans(query.root))
    if outside:
        reason = f"the watch does not look at the outlet {evaluation.text.item.outlet or '(none)'}"
        failed = (Failure(clause="outlets", start=0, end=0, reason=reason),)
        return Explanation(watch=watch, hit=False, spans=spans, failures=failed)
    if truth == MISS:
        failures = tuple(_Failures(query, evaluation).of(query.root, DEFAULT_FIELDS))
        return Explanation(watch=watch, hit=False, spans=spans, failures=failures)
    doubts = ", ".join(dict.fromkeys(map(query.written, evaluation.doubts))) if truth == DOUBT else ""
    made = clause(query, query.root, evaluation)
    return Explanation(watch=watch, hit=True, clause=made, spans=spans, undecided=doubts)


def clause(query: Query, node: Node, evaluation: Evaluation) -> str:
    """The part of the query that made the hit, as written: of an OR the alternative that is met."""
    if isinstance(node, And):
        parts = [clause(query, child, evaluation) for child in node.children if not isinstance(child, Not)]
        return " AND ".join(parts) if parts else query.written(node)
    if isinstance(node, Or):
        met = max(node.children, key=evaluation.decide)  # the first of the best
        return clause(query, met, evaluation)
    return query.written(node)


def told(explanation: Explanation, item: ItemText) -> tuple[str, ...]:
    """The explanation as lines for a terminal or a page."""
    head = "found" if explanation.hit else "not found"
    lines = [f"{explanation.watch}: {head}" + (f" by {explanation.clause}" if explanation.clause else "")]
    if explanation.undecided:
        lines.append(f"  undecided: {explanation.undecided} ran out of time")
    for span in explanation.spans:
        text = getattr(item, span.field)
        before = text[max(0, span.start - _CONTEXT_LETTERS) : span.start]
        after = text[span.end : span.end + _CONTEXT_LETTERS]
        lines.append(f"  {span.term} in {span.field}: …{before}[{text[span.start : span.end]}]{after}…")
    for failure in explanation.failures:
        nearest = f"; {failure.nearest}" if failure.nearest else ""
        lines.append(f"  not met: {failure.clause}: {failure.reason}{nearest}")
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Failures:
    """Looks for what a missed query lacks."""

    query: Query
    evaluation: Evaluation

    def of(self, node: Node, fields: Sequence[TextField]) -> Iterator[Failure]:
        """What keeps ``node`` from being met, innermost parts first."""
        if isinstance(node, And):
            for child in node.children:
                if self.evaluation.decide(child, fields) == MISS:
                    yield from self.of(child, fields)
        elif isinstance(node, Or):
            yield self._none_of(node, fields)
        elif isinstance(node, Not):
            yield self._present(node, fields)
        elif isinstance(node, Scoped):
            yield from self._elsewhere(node)
        elif isinstance(node, Near):
            yield from self._far(node, fields)
        elif isinstance(node, AtLeast):
            places = self.evaluation.count(node, fields)
            yield self._failure(node, f"{node.least} places are needed, {places} found")
        elif isinstance(node, Filter):
            held = {"outlet": "outlet", "source": "source", "lang": "language", "kind": "kind"}[node.field]
            value = getattr(self.evaluation.text.item, held)
            yield self._failure(node, f"the item's {held} is {value or 'not known'}")
        elif isinstance(node, Regex):
            yield self._failure(node, "the pattern is not found")
        else:
            yield self._absent(node, fields)

    def _failure(self, node: Node, reason: str, nearest: str = "") -> Failure:
        return Failure(
            clause=self.query.written(node), start=node.start, end=node.end, reason=reason, nearest=nearest
        )  # fmt: skip

    def _none_of(self, node: Or, fields: Sequence[TextField]) -> Failure:
        inner = [failure for child in node.children for failure in self.of(child, fields)]
        nearest = next((failure.nearest for failure in inner if failure.nearest), "")
        return self._failure(node, "none of these is met", nearest)

    def _present(self, node: Not, fields: Sequence[TextField]) -> Failure:
        inner = node.child
        words = [f"“{self._text(span)}” in {span.field}" for span in self.evaluation.spans(inner, fields)[:3]]
        return self._failure(node, "what must not be there is there", ", ".join(words))

    def _elsewhere(self, node: Scoped) -> Iterator[Failure]:
        others = [name for name in self.evaluation.text.words if name != node.field]
        there = [name for name in others if self.evaluation.decide(node.child, (name,)) == HIT]
        if there:
            yield self._failure(node, f"not in {node.field}", f"it stands in {', '.join(there)}")
        else:
            for failure in self.of(node.child, (node.field,)):
                yield self._failure(node, f"{failure.clause}: {failure.reason}", failure.nearest)

    def _far(self, node: Near, fields: Sequence[TextField]) -> Iterator[Failure]:
        lacking = [side for side in (node.left, node.right) if not self._stands(side, fields)]
        if lacking:
            for side in lacking:
                yield from self.of(side, fields)
            return
        limit = f"within {node.reach} words" if node.unit == "words" else f"in one {node.unit}"
        yield self._failure(node, f"the two do not stand {limit}", self._distance(node, fields))

    def _stands(self, node: Node, fields: Sequence[TextField]) -> bool:
        return any(self.evaluation.places(node, name) for name in fields)

    def _distance(self, node: Near, fields: Sequence[TextField]) -> str:
        best: tuple[int, str] | None = None
        for name in fields:
            for a in self.evaluation.places(node.left, name):
                for b in self.evaluation.places(node.right, name):
                    behind = b.start >= a.end
                    apart = b.start - a.end + 1 if behind else a.start - b.end + 1
                    order = ", in the other order" if node.ordered and not behind else ""
                    if apart >= 1 and (best is None or apart < best[0]):
                        best = (apart, f"nearest: {apart} words apart in {name}{order}")
        return best[1] if best else "they stand in different fields"

    def _absent(self, node: Term, fields: Sequence[TextField]) -> Failure:
        if node.atom.concept:
            nearest = self._weak_only(node.atom, fields)
            return self._failure(node, "no form of this concept is there", nearest)
        form = node.atom.forms[0]
        if len(form) > 1:
            return self._failure(node, "the phrase is not there", self._phrase(form, fields))
        return self._failure(node, "the word is not there", self._nearly(form[0], fields))

    def _weak_only(self, atom: Atom, fields: Sequence[TextField]) -> str:
        for form in atom.weak_forms:
            word = self._found(form[0]._replace(mask=_ANY_WAY), fields)
            if word and atom.weak_rule == "preposition":
                return f"“{word}” has another common meaning and counts only with ב, ל or מ attached"
            if word and len(form) == 1:
                return f"“{word}” has another common meaning and counts only beside another concept"
        return ""

    def _phrase(self, form: Form, fields: Sequence[TextField]) -> str:
        there = [bool(self._found(slot, fields)) for slot in form]
        if all(there):
            return "its words are there, but not side by side"
        words = [slot.keys[0] for slot, found in zip(form, there, strict=True) if not found]
        return f"missing: {', '.join(words)}" if any(there) else ""

    def _nearly(self, slot: Slot, fields: Sequence[TextField]) -> str:
        if slot.kind == "capital":
            small = slot._replace(keys=(slot.keys[0].casefold(),), kind="word", mask=_ANY_WAY)
            word = self._listed(small.keys[0], fields)
            return f"“{word}” is there, but not in capitals" if word else ""
        word = self._found(slot._replace(mask=_ANY_WAY, suffixes=True), fields)
        if word and slot.mask == BARE:
            return f"“{word}” is there; = takes the bare word only"
        if word and not slot.suffixes and not self._found(slot._replace(mask=_ANY_WAY), fields):
            return f"“{word}” is there; a name takes no endings"
        if word:
            return f"“{word}” may hold it, but too little remains when the particle comes off"
        near = get_close_matches(slot.keys[0], list(self.evaluation.text.distinct), n=1, cutoff=0.75)
        return f"the nearest word is “{self._listed(near[0], fields) or near[0]}”" if near else ""

    def _found(self, slot: Slot, fields: Sequence[TextField]) -> str:
        """The first word of the text that the slot takes, as it is written there."""
        for name in fields:
            if name in self.evaluation.text.words:
                for position in self.evaluation.find_slot(slot, name):
                    return self._word(name, position)
        return ""

    def _listed(self, norm: str, fields: Sequence[TextField]) -> str:
        for name in fields:
            words = self.evaluation.text.words.get(name)
            if words is not None and norm in words.norms:
                return self._word(name, words.norms.index(norm))
        return ""

    def _word(self, name: TextField, position: int) -> str:
        words = self.evaluation.text.words[name]
        start, end = words.spans[position]
        return words.text[start:end]

    def _text(self, span: Span) -> str:
        return self.evaluation.text.words[span.field].text[span.start : span.end]
