"""What a word, a phrase or a concept of a query looks for: forms made of slots, one slot a token.

A slot holds the keywords that a token of the text may be a form of (`monitor.language.forms.readings`), and
which ways of reading count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from config.model import Concept
from monitor.language.forms import BARE, LOOSE, PREPOSITION, STRICT, SUFFIXED, without_article
from monitor.language.tokens import Words

Weak = Literal["", "context", "preposition"]
How = Literal["word", "name", "exact"]


class Slot(NamedTuple):
    """One token of a form.

    ``kind``: *word* compares with the readings of a token, *capital* with its capitals, *prefix* with the
    beginning of a reading.
    """

    keys: tuple[str, ...]
    mask: int = BARE | STRICT
    suffixes: bool = False
    kind: Literal["word", "capital", "prefix"] = "word"

    def takes(self, how: int) -> bool:
        """Whether a reading made this way counts here."""
        return bool(how & self.mask) and (self.suffixes or not how & SUFFIXED)


class Form(NamedTuple):
    """Consecutive tokens; ``weak`` forms have another common meaning and count by their rule only."""

    slots: tuple[Slot, ...]
    weak: Weak = ""


class Atom(NamedTuple):
    """A word, phrase or concept: found where any of its forms stands."""

    label: str
    forms: tuple[Form, ...]
    concept: str = ""


class Terms:
    """Makes atoms and keeps each once, so that watches share what they have in common."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self.concepts = concepts
        self._slots: dict[Slot, Slot] = {}
        self._atoms: dict[tuple[str, How, bool], Atom] = {}
        self._concept_atoms: dict[str, Atom] = {}

    def atom(self, text: str, how: How = "word", *, prefix: bool = False) -> Atom | None:
        """What a word or phrase as typed looks for; ``None`` when it holds no letter or digit."""
        known = self._atoms.get((text, how, prefix))
        if known is None:
            slots = self._made(text, how, prefix=prefix)
            if not slots:
                return None
            known = self._atoms[text, how, prefix] = Atom(text, (Form(slots),))
        return known

    def concept(self, name: str) -> Atom:
        """What ``@name`` looks for; the name must be known."""
        known = self._concept_atoms.get(name)
        if known is None:
            known = self._concept_atoms[name] = Atom("@" + name, tuple(self._forms_of(name)), name)
        return known

    def _forms_of(self, name: str) -> Iterator[Form]:
        concept = self.concepts[name]
        how: How = concept.kind
        for text in dict.fromkeys((*concept.en, *concept.he, *concept.ar)):
            if slots := self._made(text, how):
                yield Form(slots)
        for text in dict.fromkeys(form for forms in concept.weak.values() for form in forms):
            slots = self._made(text, how)
            if slots and concept.weak_rule == "preposition":
                slots = (self._kept(slots[0]._replace(mask=PREPOSITION, suffixes=False)), *slots[1:])
            if slots:
                yield Form(slots, concept.weak_rule)

    def _made(self, text: str, how: How, *, prefix: bool = False) -> tuple[Slot, ...]:
        words = Words(text)
        phrase = len(words) > 1
        mask = BARE if how == "exact" else BARE | STRICT | (LOOSE if phrase else 0)
        slots = []
        for index, norm in enumerate(words.norms):
            if prefix and index == len(words) - 1:
                slot = Slot((norm,), mask, suffixes=False, kind="prefix")
            elif words.capitals.get(index, "").casefold() == norm:
                slot = Slot((words.capitals[index],), BARE, kind="capital")
            else:
                bare = without_article(norm) if how != "exact" else None
                slot = Slot((norm, bare) if bare else (norm,), mask, suffixes=how == "word")
            slots.append(self._kept(slot))
        return tuple(slots)

    def _kept(self, slot: Slot) -> Slot:
        return self._slots.setdefault(slot, slot)
