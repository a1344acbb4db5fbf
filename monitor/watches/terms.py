"""What a word, a phrase or a concept of a query looks for: forms made of slots, one slot a token.

A slot holds the keywords that a token of the text may be a form of (`monitor.language.forms.readings`), and
which ways of reading count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from config.model.lexicon import Concept
from monitor.language.forms import BARE, LOOSE, PREPOSITION, STRICT, SUFFIXED, without_article
from monitor.language.tokens import Words

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


Form = tuple[Slot, ...]
"""Consecutive tokens."""


class Atom(NamedTuple):
    """A word, phrase or concept: found where any of its forms stands.

    ``weak_forms`` have another common meaning: by the rule *context* they count when the item holds another
    concept, by the rule *preposition* their first slot demands one.
    """

    label: str
    forms: tuple[Form, ...]
    concept: str = ""
    weak_forms: tuple[Form, ...] = ()
    weak_rule: Literal["context", "preposition"] = "context"

    @property
    def strong_forms(self) -> tuple[Form, ...]:
        """Those that count in every item."""
        return self.forms if self.weak_rule == "context" else self.forms + self.weak_forms

    @property
    def all_forms(self) -> tuple[Form, ...]:
        return self.forms + self.weak_forms if self.weak_forms else self.forms


class Terms:
    """Makes atoms and keeps each once, so that watches share what they have in common."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self.concepts = concepts
        self._slots: dict[Slot, Slot] = {}
        self._atoms: dict[tuple[How, bool], dict[str, Atom]] = {}
        self._concept_atoms: dict[str, Atom] = {}

    def atom(self, text: str, how: How = "word", *, prefix: bool = False) -> Atom | None:
        """What a word or phrase as typed looks for; ``None`` when it holds no letter or digit."""
        atoms = self._atoms.setdefault((how, prefix), {})
        known = atoms.get(text)
        if known is None:
            slots = self._made(text, how, prefix=prefix)
            if not slots:
                return None
            known = atoms[text] = Atom(text, (slots,))
        return known

    def concept(self, name: str) -> Atom:
        """What ``@name`` looks for; the name must be known."""
        known = self._concept_atoms.get(name)
        if known is None:
            concept = self.concepts[name]
            weak = dict.fromkeys(form for forms in concept.weak.values() for form in forms)
            known = self._concept_atoms[name] = Atom(
                "@" + name,
                tuple(self._forms_of(dict.fromkeys((*concept.en, *concept.he, *concept.ar)), concept.kind)),
                name,
                tuple(self._with_preposition(form) if concept.weak_rule == "preposition" else form
                      for form in self._forms_of(weak, concept.kind)),
                concept.weak_rule,
            )  # fmt: skip
        return known

    def _forms_of(self, texts: Iterable[str], how: How) -> Iterator[Form]:
        return filter(None, (self._made(text, how) for text in texts))

    def _with_preposition(self, form: Form) -> Form:
        return (self._kept(form[0]._replace(mask=PREPOSITION, suffixes=False)), *form[1:])

    def _made(self, text: str, how: How, *, prefix: bool = False) -> tuple[Slot, ...]:
        words = Words(text)
        capitals = words.capitals
        phrase = len(words) > 1
        mask = BARE if how == "exact" else BARE | STRICT | (LOOSE if phrase else 0)
        slots = []
        for index, norm in enumerate(words.norms):
            if prefix and index == len(words) - 1:
                slot = Slot((norm,), mask, suffixes=False, kind="prefix")
            elif capitals and capitals.get(index, "").casefold() == norm:
                slot = Slot((capitals[index],), BARE, kind="capital")
            else:
                bare = without_article(norm) if how != "exact" else None
                slot = Slot((norm, bare) if bare else (norm,), mask, suffixes=how == "word")
            slots.append(self._kept(slot))
        return tuple(slots)

    def _kept(self, slot: Slot) -> Slot:
        return self._slots.setdefault(slot, slot)
