"""The shipped lexicon and the conditions every lexicon must keep."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.model.lexicon import Concept
from monitor.language.concepts import LANGUAGES, forms, lints, problems
from monitor.language.normalise import normalise

FILE = Path(__file__).parents[3] / "config" / "defaults" / "concepts.toml"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Concept]:
    return {k: Concept.model_validate(v) for k, v in tomllib.loads(FILE.read_text("utf-8"))["concepts"].items()}


def test_the_shipped_lexicon_has_no_problem_and_lacks_no_language(shipped: dict[str, Concept]) -> None:
    assert problems(shipped) == ()
    assert lints(shipped) == ()
    assert all(forms(concept, language) for concept in shipped.values() for language in LANGUAGES)


def test_every_shipped_form_survives_normalising(shipped: dict[str, Concept]) -> None:
    for concept in shipped.values():
        for language in LANGUAGES:
            assert all(len(normalise(form)) >= 2 for form in forms(concept, language))


def test_a_weak_form_has_its_reason_beside_it() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    weak = [number for number, line in enumerate(lines) if line.startswith("weak = ")]
    reasons = [
        number for number in weak if "#" in lines[number] or any("#" in line for line in lines[number - 6 : number])
    ]
    assert len(weak) > 5
    assert len(reasons) >= len(weak) - 3


def concept(group: str = "place", **texts: object) -> Concept:
    return Concept.model_validate({"kind": "name", "group": group, **texts})


def test_a_form_under_two_strong_concepts_of_a_group_is_a_problem() -> None:
    found = problems({"a": concept(en=["Doha"]), "b": concept(en=["doha"])})
    assert len(found) == 1
    assert "@a" in found[0]
    assert "@b" in found[0]


def test_a_form_under_two_groups_or_weak_in_one_is_none() -> None:
    assert problems({"a": concept(en=["Doha"]), "b": concept("org", en=["Doha"])}) == ()
    assert problems({"a": concept(en=["Doha"]), "b": concept(weak={"en": ["Doha"]})}) == ()


@pytest.mark.parametrize("form", ["…", "a", "א", "ـ"])
def test_a_form_too_short_to_mean_anything_is_a_problem(form: str) -> None:
    assert len(problems({"a": concept(en=[form])})) == 1


def test_a_missing_language_is_a_lint() -> None:
    assert lints({"a": concept(en=["Doha"], he=["דוחא"])}) == ("@a has no ar form",)
