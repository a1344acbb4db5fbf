"""What is wrong or doubtful in a lexicon of concepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast, get_args

from config.model.fields import Language
from config.model.lexicon import Concept
from monitor.language.normalise import normalise
from monitor.language.tokens import Words

LANGUAGES: tuple[Language, ...] = get_args(Language)


def problems(concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """What makes a lexicon unusable: a form without letters, one under two letters, one under two strong
    concepts of the same group."""
    return (*_unreadable(concepts), *_ambiguous(concepts))


def lints(concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """What is worth a look: a language that is missing."""
    return tuple(
        f"@{name} has no {', '.join(missing)} form" for name, concept in concepts.items()
        if (missing := [language for language in LANGUAGES if not forms(concept, language)])
    )  # fmt: skip


def forms(concept: Concept, language: Language) -> tuple[str, ...]:
    """A concept's forms in one language, the strong ones first."""
    return (*cast("tuple[str, ...]", getattr(concept, language)), *concept.weak.get(language, ()))


def _unreadable(concepts: Mapping[str, Concept]) -> Iterator[str]:
    for name, concept in concepts.items():
        for language in LANGUAGES:
            for form in forms(concept, language):
                if not Words(form).norms:
                    yield f"@{name}: “{form}” holds no letter or digit"
                elif len(normalise(form).strip()) < 2:
                    yield f"@{name}: “{form}” is a single letter, which would be found everywhere"


def _ambiguous(concepts: Mapping[str, Concept]) -> Iterator[str]:
    owners: dict[tuple[str, tuple[str, ...], bool], str] = {}
    for name, concept in concepts.items():
        for form in dict.fromkeys((*concept.en, *concept.he, *concept.ar)):
            words = Words(form)
            key = (concept.group, tuple(words.norms), bool(words.capitals))
            owner = owners.setdefault(key, name)
            if owner != name:
                yield f"“{form}” is a strong form of both @{owner} and @{name} (group {concept.group})"
