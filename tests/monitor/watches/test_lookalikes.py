"""Look-alike letters: found where a watch asks for it, and shown as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model.watches import Watch
from monitor.language.lookalikes import folded
from monitor.watches.compile import WatchSet, compile_watches
from monitor.watches.engine import ItemText

REAL = "Нamas accepts the proposal"  # the first letter is Cyrillic
FIELD = "Ηamas accepts the proposal"  # and here Greek


def watch_set(*, lookalikes: bool) -> WatchSet:
    plain = Watch(id="plain", title="t", when="hamas AND accepts")
    asked = Watch(id="asked", title="t", when="hamas AND accepts", lookalikes=lookalikes)
    compiled, bad = compile_watches([asked, plain], {}, outlets=())
    assert not bad
    return compiled


@pytest.mark.parametrize("title", [REAL, FIELD])
def test_f089_look_alike_letters_are_found_where_a_watch_asks_for_it_and_shown_as_they_are(title: str) -> None:
    watches = watch_set(lookalikes=True)
    (match,) = watches.match(ItemText(title, language="en"))
    assert match.watch == "asked"
    span = next(span for span in match.spans if span.start == 0)
    assert title[span.start : span.end] == title[:5], "the real letters"
    assert watches.explain("asked", ItemText(title)).hit
    assert not watches.explain("plain", ItemText(title)).hit


def test_a_watch_that_does_not_ask_finds_only_the_letters_it_names() -> None:
    assert watch_set(lookalikes=False).match(ItemText(REAL)) == ()


def test_plain_letters_are_found_by_both_in_the_order_given() -> None:
    found = watch_set(lookalikes=True).match(ItemText("Hamas accepts; Нamas denies"))
    assert [match.watch for match in found] == ["asked", "plain"]


def test_words_of_another_alphabet_stay_as_they_are() -> None:
    assert folded("Москва и Αθήνα, talks in Дoha") == "Москва и Αθήνα, talks in Дoha"


@given(st.text(alphabet="abХНаеоρνΑΒ Москва.,-אבג", max_size=60))
def test_f089_folding_keeps_every_offset(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)
