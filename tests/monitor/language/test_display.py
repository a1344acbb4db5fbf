"""Texts that are to stand inside another. What `balanced` does is tested with the entries and the alerts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.display import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\r\ntwo\n\n three\t", "one two three"),
        ("a\u2028b\u2029c\x85d\u00a0e\u3000f\x0bg\x0ch", "a b c d e f g h"),
        ("bell\x07 and\x00 rest\x7f\x9b31m", "bell and rest31m"),
        ("a \x00 b", "a b"),
        ("half a pair\ud83d", "half a pair"),
        ("\x1b[31mred", "[31mred"),
        ("צה״ל\u200f — \u2067עסקה\u2069", "צה״ל\u200f — \u2067עסקה\u2069"),
    ],
)
def test_f042_f043_f092_a_text_becomes_one_line_without_controls(text: str, line: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_a_line_stays_as_it_is_and_holds_no_break(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
