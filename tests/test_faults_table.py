"""docs/faults.md and the tests say the same: every fault has its row, every test its place."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAULTS = 150
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+) \|$", re.M)
_TEST = re.compile(r"^\s*(?:async )?def (test_f\d{3}\w*)", re.M)


def rows() -> dict[int, str]:
    text = (ROOT / "docs" / "faults.md").read_text("utf-8")
    return {int(number): proof for number, _name, proof in _ROW.findall(text)}


def named() -> dict[int, set[str]]:
    return {number: set(re.findall(r"`(test_\w+)`", proof)) for number, proof in rows().items()}


def written() -> set[str]:
    return {name for path in ROOT.glob("tests/**/test_*.py") for name in _TEST.findall(path.read_text("utf-8"))}


def faults_of(test: str) -> set[int]:
    """The numbers at the head of a test's name: ``test_f016_f018_…`` proves two."""
    head = re.match(r"test((?:_f\d{3})+)", test)
    assert head is not None
    return {int(number) for number in re.findall(r"\d{3}", head[1])}


def test_every_fault_has_a_row_with_a_proof_or_a_reason() -> None:
    found = rows()
    assert sorted(found) == list(range(1, FAULTS + 1))
    assert all(named()[number] or len(proof) > 10 for number, proof in found.items())


def test_every_test_that_is_named_exists() -> None:
    known = written()
    assert {name for names in named().values() for name in names} - known == set()


def test_every_test_of_a_fault_stands_in_its_row() -> None:
    table = named()
    missing = {f"{number}: {test}" for test in written() for number in faults_of(test) if test not in table[number]}
    assert missing == set()
