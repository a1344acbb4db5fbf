"""``concepts/NAME.toml`` and the word lists of hedges and denials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import (
    Field,
    StrictBool,
    model_validator,
)

from config.model.fields import ConceptId, Form, Language, Told


class Concept(Told):
    """``[concepts.NAME]``: one idea and its surface forms in three languages."""

    kind: Literal["name", "word"]
    """``name``: a proper noun; ``word``: a common noun, whose number and possessive forms are tried too."""
    group: str
    """The kind of thing it is, for lists: place, person, org, people, process, event, terms, politics, aid."""
    en: tuple[Form, ...] = ()
    """Its forms in English."""
    he: tuple[Form, ...] = ()
    """Its forms in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Its forms in Arabic."""
    weak: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Forms with another common meaning, counted by ``weak_rule``."""
    weak_rule: Literal["context", "preposition"] = "context"
    """When a weak form counts: beside a strong form of another concept, or only with an attached preposition."""

    @model_validator(mode="after")
    def _some_form(self) -> Self:
        if not (self.en or self.he or self.ar or any(self.weak.values())):
            raise ValueError("a concept needs a form in at least one language: en, he or ar")
        return self


class ConceptFile(Told):
    """The whole of ``concepts.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the concepts that ship, replacing those of the same name; without it the file stands alone."""
    concepts: Mapping[ConceptId, Concept]
    """One table each: ``[concepts.NAME]``; a watch names it as ``@NAME``."""


class ClaimWords(Told):
    """``[hedges.NAME]``, ``[denials.NAME]``: words that say the same of a claim, in three languages.

    A phrase is found in its forms; ``a|b`` is either word, ``…`` stands for up to three words, ``*`` ends a word of
    which only the beginning is given (never the first), ``=`` before a phrase lets its words have no endings.
    """

    en: tuple[Form, ...] = ()
    """Phrases in English."""
    he: tuple[Form, ...] = ()
    """Phrases in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Phrases in Arabic."""
    unless: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Longer phrases in which they mean something else: what these cover does not count."""
    before_number: StrictBool = False
    """They count only where a number follows ("about 20")."""

    @model_validator(mode="after")
    def _some_phrase(self) -> Self:
        if not (self.en or self.he or self.ar):
            raise ValueError("it needs a phrase in at least one language: en, he or ar")
        return self


class Claims(Told):
    """How texts hedge and deny: by these an edit is recognised that makes a claim weaker, stronger, or denied."""

    hedges: Mapping[ConceptId, ClaimWords] = Field(default_factory=dict)
    """One table each: ``[hedges.NAME]``."""
    denials: Mapping[ConceptId, ClaimWords] = Field(default_factory=dict)
    """One table each: ``[denials.NAME]``."""


class ClaimFile(Claims):
    """The whole of ``claims.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the tables that ship, replacing those of the same name; without it the file stands alone."""
