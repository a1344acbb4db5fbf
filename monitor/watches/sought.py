"""What a full-text index is asked for in a query's name: a superset of what the query finds.

What an index cannot say (NOT, patterns, distance, order) is left out, which finds more, never less; the engine then
decides about each candidate.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.language.index import fact, term
from monitor.model.sought import AllOf, AnyOf, Indexed, SearchField, Sought
from monitor.watches.query import And, AtLeast, Filter, Near, Node, Or, Query, Scoped, Term, TextField
from monitor.watches.terms import Form, Slot

EVERYTHING, NOTHING = AllOf(()), AnyOf(())
MOST_TERMS = 1_000
"""Of one query; each costs the index a look-up. Beyond it parts are left out."""
MOST_LEVELS = 6
"""Of ANDs and ORs in each other; what lies deeper is left out. The index's own parser ends at about 30."""

Fields = tuple[SearchField, ...]
_DEFAULT: Fields = ("title", "text")
_COLUMN: dict[TextField, SearchField] = {
    "title": "title", "lead": "text", "body": "text", "author": "author", "url": "url",
}  # fmt: skip


def sought(query: Query) -> Sought:
    """What every item holds that the query finds."""
    return _sought(query.root, _DEFAULT)


def _sought(node: Node, fields: Fields) -> Sought:  # noqa: PLR0911  # one return a kind of node
    if isinstance(node, Term):
        return _any(_form(form, fields) for form in node.atom.all_forms)
    if isinstance(node, And):
        return _all(_sought(child, fields) for child in node.children)
    if isinstance(node, Or):
        return _any(_sought(child, fields) for child in node.children)
    if isinstance(node, Near):
        return _all((_sought(node.left, fields), _sought(node.right, fields)))
    if isinstance(node, Scoped):
        return _sought(node.child, (_COLUMN[node.field],))
    if isinstance(node, AtLeast):
        return _sought(node.child, fields)
    if isinstance(node, Filter):
        return Indexed(term=fact(node.field, node.value), fields=("facts",))
    return EVERYTHING


def _form(form: Form, fields: Fields) -> Sought:
    return _all(_slot(slot, fields) for slot in form)


def _slot(slot: Slot, fields: Fields) -> Sought:
    begins = slot.kind == "prefix"
    terms = dict.fromkeys(term(key.casefold()) for key in slot.keys)
    return _any(Indexed(term=each, fields=fields, begins=begins) for each in terms)


def _all(parts: Iterable[Sought]) -> Sought:
    """All of the parts, flat, without repetitions, and without those that are too much for an index."""
    flat = _flat(parts, AllOf)
    if NOTHING in flat:
        return NOTHING
    kept: list[Sought] = []
    room = MOST_TERMS
    for part in sorted(flat, key=_terms):
        room -= _terms(part)
        if room >= 0 and _levels(part) < MOST_LEVELS:
            kept.append(part)
    return kept[0] if len(kept) == 1 else AllOf(tuple(kept))


def _any(parts: Iterable[Sought]) -> Sought:
    """As `_all`; but an alternative cannot be left out, so one that is too much makes it everything."""
    flat = _flat(parts, AnyOf)
    too_much = sum(map(_terms, flat)) > MOST_TERMS or any(_levels(part) >= MOST_LEVELS for part in flat)
    if too_much or EVERYTHING in flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def _flat(parts: Iterable[Sought], kind: type[AllOf | AnyOf]) -> list[Sought]:
    """A part of the same kind gives its own parts. `EVERYTHING` so vanishes among ANDs, `NOTHING` among ORs."""
    flat: dict[Sought, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.parts if isinstance(part, AllOf | AnyOf) and type(part) is kind else (part,)))
    return list(flat)


def _terms(part: Sought) -> int:
    return 1 if isinstance(part, Indexed) else sum(map(_terms, part.parts))


def _levels(part: Sought) -> int:
    return 0 if isinstance(part, Indexed) else 1 + max(map(_levels, part.parts), default=0)
