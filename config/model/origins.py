"""The word lists by which a text says whose reporting it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import (
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from config.model.fields import ConceptId, Form, Id, Language, Told


class OriginName(Told):
    """``[agencies.ID]``, ``[outlets.ID]``, ``[bodies.ID]``: what a source is called in three languages.

    A form is found with everything attached in front. One written with a capital is found only with one, one written in
    capitals only in capitals.
    """

    en: tuple[Form, ...] = ()
    """Its names in Latin letters, found in texts of every language."""
    he: tuple[Form, ...] = ()
    """Its names in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Its names in Arabic."""
    weak: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Names with another common meaning: they count in quotation marks, in a credit, or beside a word of `beside`."""
    beside: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Words of which one must stand directly before or behind a weak name."""
    unless: Mapping[Language, tuple[Form, ...]] = Field(default_factory=dict)
    """Longer names that hold one of its names and are something else."""
    signs: tuple[Form, ...] = ()
    """Phrases that end its copy without its name; ``…`` stands for up to forty words."""
    outlets: tuple[Id, ...] = ()
    """Outlets of the configuration that are this source, besides one of the same id."""

    @model_validator(mode="after")
    def _some_name(self) -> Self:
        if not (self.en or self.he or self.ar or any(self.weak.values())):
            raise ValueError("a source needs a name in at least one language: en, he or ar")
        return self


Relation = Literal["credit", "cite", "statement"]
"""``credit``: the text is the source's copy; ``cite``: it repeats what the source reported; ``statement``: it tells
what an official body said."""


class OriginPattern(Told):
    """``[patterns.NAME]``: how texts name whose reporting they are.

    ``@`` is the source's name with the words of ``[words.describing]`` around it; letters before it (``ל@``) must be
    attached to it. ``a|b`` is either word, ``…`` stands for up to five words, and at the end ``.`` is the end of a
    sentence and ``:`` a colon.
    """

    relation: Relation
    """``credit`` (of agencies and outlets), ``cite`` (of agencies and outlets) or ``statement`` (of bodies)."""
    en: tuple[Form, ...] = ()
    """Patterns in English."""
    he: tuple[Form, ...] = ()
    """Patterns in Hebrew."""
    ar: tuple[Form, ...] = ()
    """Patterns in Arabic."""

    @field_validator("en", "he", "ar")
    @classmethod
    def _readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if pattern.count("@") != 1:
                raise ValueError("a pattern holds the source's name once, as @")
            if not re.search(r"\w @|@ \w|\w@", pattern):
                raise ValueError("a pattern needs a word directly before or behind @, or letters attached to it")
            if re.search(r"@\S", pattern):
                raise ValueError("nothing may be attached behind @")
        return patterns


WordsName = Literal["describing", "officials", "governing", "photo", "source", "via"]
"""``describing``: may stand between pattern and name; ``officials``: behind a body's name, not the body speaks;
``governing``: before a body's name, somebody else is the subject; ``photo``: the credit of a picture; ``source``:
before a colon, a credit; ``via``: behind a publisher's name, of whoever passes it on."""


class OriginWords(Told):
    """``[words.NAME]``: words by which names and patterns are read."""

    en: tuple[Form, ...] = ()
    """In English."""
    he: tuple[Form, ...] = ()
    """In Hebrew."""
    ar: tuple[Form, ...] = ()
    """In Arabic."""


class OriginTables(Told):
    """How texts name whose reporting they are: the sources' names, and the patterns around them."""

    agencies: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[agencies.ID]``; what they write is published by others as it is."""
    outlets: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[outlets.ID]``; others repeat what they reported."""
    bodies: Mapping[Id, OriginName] = Field(default_factory=dict)
    """One table each: ``[bodies.ID]``; what they state is the origin ``statement:ID``."""
    patterns: Mapping[ConceptId, OriginPattern] = Field(default_factory=dict)
    """One table each: ``[patterns.NAME]``."""
    words: Mapping[WordsName, OriginWords] = Field(default_factory=dict)
    """By which names and patterns are read: ``[words.describing]``, and so on."""


class OriginFile(OriginTables):
    """The whole of ``origins.toml``."""

    version: Literal[1]
    """Of the file's format."""
    extend: StrictBool = False
    """Add to the tables that ship, replacing those of the same name; without it the file stands alone."""
