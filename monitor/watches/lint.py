"""What is allowed in a watch and probably not meant: shown by ``wirewatch check`` and on reload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from config.model.lexicon import Concept
from monitor.language.concepts import LANGUAGES, forms
from monitor.language.forms import STRICT, is_arabic, is_hebrew, readings
from monitor.language.normalise import normalise
from monitor.watches.compile import COMMON_WORDS
from monitor.watches.query import And, AtLeast, Near, Node, Or, Query, Regex, Scoped, Term, walk

SHARE = 0.05
"""A watch that fires on more than this share of the archive is mentioned."""
_LANGUAGE = {"en": "English", "he": "Hebrew", "ar": "Arabic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """One remark; ``start`` and ``end`` are offsets into ``when``, both 0 for the watch as a whole."""

    message: str
    start: int = 0
    end: int = 0
    suggestion: str = ""


def lint(query: Query, concepts: Mapping[str, Concept]) -> tuple[Lint, ...]:
    """Remarks on one query, in the order of the text; for many queries make one `Linter`."""
    return Linter(concepts).lint(query)


class Linter:
    """Remarks on queries under one lexicon."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._concepts = concepts

    def lint(self, query: Query) -> tuple[Lint, ...]:
        """Remarks on one query, in the order of the text."""
        found: list[Lint] = []
        for node in walk(query.root):
            if isinstance(node, Term):
                found += self._of_concept(query, node) if node.atom.concept else self._of_word(query, node)
            elif isinstance(node, Near) and node.unit == "words" and node.reach > 10:
                message = f"NEAR over 10 ({node.reach}) finds words that have little to do with each other"
                found.append(_at(node, message, "NEAR/s stays within the sentence"))
        if not _can_be_looked_up(query.root):
            message = "no word of this must be there: it is tried on every item"
            has_pattern = any(isinstance(node, Regex) for node in walk(query.root))
            found.append(_at(query.root, message, "add a word or concept, joined with AND" if has_pattern else ""))
        found += _only_common(query)
        return tuple(sorted(dict.fromkeys(found), key=lambda remark: (remark.start, remark.end)))

    def _of_concept(self, query: Query, node: Term) -> Iterator[Lint]:
        concept = self._concepts[node.atom.concept]
        missing = [_LANGUAGE[language] for language in LANGUAGES if not forms(concept, language)]
        if missing:
            yield _at(node, f"{query.written(node)} has no {' and no '.join(missing)} form: it finds nothing there")

    def _of_word(self, query: Query, node: Term) -> Iterator[Lint]:
        written, form = query.written(node), node.atom.forms[0]
        slot = form[0]
        if len(form) > 1:
            return
        if slot.kind == "prefix" and len(slot.keys[0]) < 3:
            yield _at(node, f"{written} begins too many words: fewer than three letters before the *")
        if written in ("or", "and", "not", "near"):
            yield _at(
                node, f"{written} is looked for as a word; operators are written in capitals", f"{written.upper()}?"
            )
        if slot.kind == "capital" and slot.keys[0].casefold() in self._listed:
            yield _at(node, f"{written} is found in capitals only", f"write {written.capitalize()} to find both")
        if slot.kind == "word" and slot.mask & STRICT and (bare := self._without_particle(slot.keys[0])):
            yield _at(node, f"{written} looks like {bare} with a particle attached; {bare} finds all its forms",
                      f"write {bare}, or ={written} if only this is meant")  # fmt: skip

    def _without_particle(self, norm: str) -> str:
        """The keyword without its particle, where the lexicon vouches for what remains: as a guess it would too
        often be wrong (הסכם is not ה and סכם)."""
        if norm in self._listed or not (is_hebrew(norm) or is_arabic(norm)):
            return ""
        keys, ways = readings(norm)
        vouched = (key for key, how in zip(keys, ways, strict=True) if how == STRICT and key in self._listed)
        return next((self._listed[key] for key in vouched), "")

    @cached_property
    def _listed(self) -> dict[str, str]:
        """Normalised single-word forms of the lexicon, acronyms left out → as written."""
        words = (
            form for concept in self._concepts.values() for language in LANGUAGES for form in forms(concept, language)
            if " " not in form and not form.isupper()
        )  # fmt: skip
        return {normalise(form): form for form in words}


def archive_lint(matched: int, total: int, *, share: float = SHARE) -> tuple[Lint, ...]:
    """Remarks on what a watch did over the archive: ``matched`` of ``total`` items."""
    if total and not matched:
        return (Lint(message=f"matched none of the {total} items of the archive", suggestion="is a word misspelt?"),)
    if total and matched > share * total:
        percent = round(100 * matched / total)
        message = f"fires on {percent} % of the archive ({matched} of {total} items)"
        return (Lint(message=message, suggestion="require one word more"),)
    return ()


def _at(node: Node, message: str, suggestion: str = "") -> Lint:
    return Lint(message=message, start=node.start, end=node.end, suggestion=suggestion)


def _can_be_looked_up(node: Node) -> bool:
    if isinstance(node, Term | Near):
        return True
    if isinstance(node, Or):
        return all(map(_can_be_looked_up, node.children))
    if isinstance(node, And):
        return any(map(_can_be_looked_up, node.children))
    return isinstance(node, Scoped | AtLeast) and _can_be_looked_up(node.child)


def _only_common(query: Query) -> Iterator[Lint]:
    """Clauses whose every word is one of the commonest: an OR's alternative, or the whole."""
    clauses = query.root.children if isinstance(query.root, Or) else (query.root,)
    for clause in clauses:
        terms = [node for node in walk(clause) if isinstance(node, Term)]
        if terms and all(_is_common(node) for node in terms):
            yield _at(clause, f"{query.written(clause)} is made of very common words only: it fires all the time")


def _is_common(node: Term) -> bool:
    return not node.atom.concept and all(
        slot.kind == "word" and slot.keys[0] in COMMON_WORDS for slot in node.atom.forms[0]
    )  # fmt: skip
