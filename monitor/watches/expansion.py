"""How the words and concepts of a query are understood: the forms that count, to show to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from config.model.lexicon import Concept
from monitor.language.forms import BARE, is_arabic, is_hebrew, surface_forms
from monitor.watches.query import Query, Regex, Term, walk
from monitor.watches.terms import Atom, Slot

_FINALS = str.maketrans("כמנפצ", "ךםןףץ")
_PARTICLES = {
    "he": "with the attached particles ו ה ב כ ל מ ש",
    "ar": "with the attached particles و ف ب ك ل س ال",
    "en": "with possessive 's",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """One term of a query and what it finds.

    ``forms`` are without attached particles, which come off the text by ``note``; ``weak`` forms count by their rule.
    """

    term: str
    kind: Literal["word", "name", "exact", "phrase", "prefix", "capitals", "concept", "pattern"]
    forms: tuple[str, ...]
    weak: tuple[str, ...] = ()
    note: str = ""


def expand(query: Query, concepts: Mapping[str, Concept]) -> tuple[Expansion, ...]:
    """Every word, phrase, concept and pattern of a query, once, in order."""
    found: dict[str, Expansion] = {}
    for node in walk(query.root):
        if isinstance(node, Term):
            made = _concept(node.atom, concepts) if node.atom.concept else _word(node.atom, query.written(node))
            found.setdefault(query.written(node), made)
        elif isinstance(node, Regex):
            written = query.written(node)
            note = "compared with the normalised text, letters of both cases"
            found.setdefault(written, Expansion(term=written, kind="pattern", forms=(node.pattern.pattern,), note=note))
    return tuple(found.values())


def _concept(atom: Atom, concepts: Mapping[str, Concept]) -> Expansion:
    concept = concepts[atom.concept]
    weak = tuple(form for forms in concept.weak.values() for form in forms)
    rule = {
        "context": "weak forms count beside another concept",
        "preposition": "weak forms count with ב, ל or מ attached",
    }[concept.weak_rule]
    endings = "with endings and attached particles" if concept.kind == "word" else "with attached particles, no endings"
    return Expansion(
        term=atom.label, kind="concept", forms=(*concept.en, *concept.he, *concept.ar), weak=weak,
        note=f"{endings}; {rule}" if weak else endings,
    )  # fmt: skip


def _word(atom: Atom, written: str) -> Expansion:
    slots = atom.forms[0]
    if len(slots) > 1:
        shown = tuple(" | ".join(slot_forms(slot)) for slot in slots)
        return Expansion(term=written, kind="phrase", forms=shown, note="these words side by side, each in its forms")
    slot = slots[0]
    forms = slot_forms(slot)
    if slot.kind == "capital":
        return Expansion(term=written, kind="capitals", forms=forms, note="in capitals only")
    if slot.kind == "prefix":
        return Expansion(term=written, kind="prefix", forms=(forms[0] + "…",), note=_note(slot.keys[0]))
    if slot.mask == BARE:
        return Expansion(term=written, kind="exact", forms=forms, note="this token only")
    return Expansion(term=written, kind="word" if slot.suffixes else "name", forms=forms, note=_note(slot.keys[0]))


def slot_forms(slot: Slot) -> tuple[str, ...]:
    """The forms a slot takes, as people write them."""
    forms = (form for key in slot.keys for form in surface_forms(key, name=not slot.suffixes))
    return tuple(dict.fromkeys(map(displayed, forms)))


def displayed(form: str) -> str:
    """A normalised form with its final letter as Hebrew writes it."""
    return form[:-1] + form[-1].translate(_FINALS) if is_hebrew(form) and len(form) > 1 else form


def _note(word: str) -> str:
    return _PARTICLES["he" if is_hebrew(word) else "ar" if is_arabic(word) else "en"]
