"""What an edit is, in three languages: hand-written pairs, and what must hold for any two texts."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.model.fields import ChangeClass, Language
from monitor.model.alerts import Piece
from monitor.stories.changes import FIELDS, Changes, Text, changes
from monitor.stories.diff import compare
from monitor.stories.phrases import Phrases

HERE = Path(__file__).parent
TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "changes.toml").read_text("utf-8"))
HELD_OUT: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "changes-held-out.toml").read_text("utf-8"))
PAGE = Path(__file__).parents[3] / "docs/edits.md"


def text(language: str, row: dict[str, Any], which: str) -> Text:
    return Text(
        **{"title": "", "language": language, "kind": row.get("kind", "article"), row.get("field", "title"): row[which]}
    )


def edited(language: str, row: dict[str, Any], phrases: Phrases) -> Changes:
    return changes(text(language, row, "before"), text(language, row, "after"), phrases)


def wrong(table: dict[str, list[dict[str, Any]]], language: str, phrases: Phrases) -> list[str]:
    return [
        f"{row['before']!r} -> {row['after']!r}: {sorted(found)}, not {sorted(row['classes'])}"
        for row in table[language]
        if (found := edited(language, row, phrases).classes) != set(row["classes"])
    ]


# ------------------------------------------------------------------ the tables


@pytest.mark.parametrize("language", TABLE)
def test_edits_are_classed_as_a_reader_would(language: str, phrases: Phrases) -> None:
    mistakes = wrong(TABLE, language, phrases)
    assert len(mistakes) <= 0.05 * len(TABLE[language]), "\n".join(mistakes)


@pytest.mark.parametrize("language", HELD_OUT)
def test_edits_that_the_rules_were_not_written_for_are_mostly_classed_right(language: str, phrases: Phrases) -> None:
    mistakes = wrong(HELD_OUT, language, phrases)
    assert len(mistakes) <= 0.2 * len(HELD_OUT[language]), "\n".join(mistakes)


def test_the_table_has_every_class_in_every_language() -> None:
    for language in get_args(Language):
        assert len(TABLE[language]) >= 50
        assert {change for row in TABLE[language] for change in row["classes"]} == set(get_args(ChangeClass))


@pytest.mark.parametrize("language", TABLE)
def test_marks_and_posts_never_carry_another_class(language: str, phrases: Phrases) -> None:
    for row in (*TABLE[language], *HELD_OUT[language]):
        if row["classes"] in (["whitespace"], ["liveblog"]):
            assert edited(language, row, phrases).classes == set(row["classes"]), row


@pytest.mark.parametrize("language", TABLE)
def test_an_edit_shows_its_words(language: str, phrases: Phrases) -> None:
    for row in TABLE[language]:
        for each in edited(language, row, phrases).evidence:
            assert each.field == row.get("field", "title")
            assert each.change == "whitespace" or each.before or each.after, row


def test_the_page_explains_every_class_and_its_examples_hold(phrases: Phrases) -> None:
    page = PAGE.read_text("utf-8")
    told = re.findall(r"^## `(\w+)`$", page, re.MULTILINE)
    assert sorted(told) == sorted(get_args(ChangeClass))
    rows = re.findall(r"^\| (en|he|ar) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    parts = dict(zip(told, re.split(r"^## `\w+`$", page, flags=re.MULTILINE)[1:], strict=True))
    assert len(rows) == 3 * len(told)
    for change, part in parts.items():
        for language, before, after in re.findall(r"^\| (en|he|ar) \| (.+) \| (.+) \|$", part, re.MULTILINE):
            row = {"before": before, "after": after, "kind": "article"}
            if change == "liveblog":
                row |= {"kind": "live", "field": "body"}
            assert edited(language, row, phrases).classes == {change}, (change, before, after)


# ------------------------------------------------------------------ single rules


def title(before: str, after: str, phrases: Phrases) -> Changes:
    return changes(Text(title=before, language="en"), Text(title=after, language="en"), phrases)


def body(before: str, after: str, phrases: Phrases, **more: Any) -> Changes:
    return changes(
        Text(title="", body=before, language="en", **more), Text(title="", body=after, language="en", **more), phrases
    )


def test_the_words_that_changed_are_told_with_their_class(phrases: Phrases) -> None:
    found = title("Qatar says deal agreed for Sunday", "Egypt denies deal agreed for Monday", phrases)
    assert {(each.change, each.before, each.after) for each in found.evidence} == {
        ("name", "Qatar", "Egypt"), ("denial", "", "denies"), ("date", "Sunday", "Monday"),
    }  # fmt: skip


def test_classes_of_all_fields_are_told_together(phrases: Phrases) -> None:
    before = Text(title="Seven hostages freed", lead="They went home.", body="It was Sunday.", language="en")
    after = Text(title="Eight hostages freed", lead="They may go home.", body="It was Monday.", language="en")
    found = changes(before, after, phrases)
    assert {(each.change, each.field) for each in found.evidence} == {
        ("number", "title"),
        ("hedge", "lead"),
        ("date", "body"),
    }


def test_a_first_text_takes_nothing_back_and_neither_does_a_missing_one(phrases: Phrases) -> None:
    article = "On Sunday 12 people were hurt, Qatar said. “We regret it.”"
    assert body("", article, phrases).classes == {"wording"}
    assert body(article, "", phrases).classes == {"wording"}
    assert body("", "The office denied it.", phrases).classes == {"denial"}


def test_what_a_sentence_that_is_taken_out_told_alone_is_gone(phrases: Phrases) -> None:
    found = body("Talks go on. On Sunday, 12 people were hurt near Haifa.", "Talks go on.", phrases)
    assert found.classes == {"date", "number", "name"}
    kept = body(
        "On Sunday, 12 were hurt. Talks go on. On Sunday, 12 were hurt.",
        "On Sunday, 12 were hurt. Talks go on.",
        phrases,
    )
    assert kept.classes == {"wording"}


def test_a_live_item_that_drops_its_oldest_posts_is_only_a_live_item(phrases: Phrases) -> None:
    before = "12:20 Session opens.\n\n12:10 Doors open.\n\n12:00 Ferrari arrives with 3 advisers."
    after = "12:30 Session ends.\n\n12:20 Session opens.\n\n12:10 Doors open."
    assert body(before, after, phrases, kind="live").classes == {"liveblog"}
    assert body(before, after, phrases).classes == {"date", "number", "name", "wording"}


def test_a_text_in_another_language_neither_hedges_nor_denies(phrases: Phrases) -> None:
    found = changes(Text(title="Le groupe accepte"), Text(title="Le groupe may denied accepte"), phrases)
    assert found.classes == {"wording"}


def test_a_long_text_is_compared_in_bounded_time_and_whole(phrases: Phrases) -> None:
    """Words that repeat without end are what a diff takes longest for."""
    before, after = "a b " * 20_000, "b a b " * 15_000
    found = body(before, after, phrases)
    assert applied(found.body) == (before, after)
    many = "".join(f"Sentence {index} of a long text.\n" for index in range(3_000))
    found = body(many, many.replace("Sentence", "Line"), phrases)
    assert applied(found.body) == (many, many.replace("Sentence", "Line"))
    assert found.classes == {"wording"}


# ------------------------------------------------------------------ any text

LETTERS = "aAb сא בג'\"”“«»ي ة هأ٣7 5.,:;-–־…%₪\n\t\u200f\u05b0\u064b\u0640\ud800ﷺ㏂½²İß"
WORDS = st.sampled_from([
    "The", "Qatar", "Witkoff", "talks", "7", "seven", "1,500", "24", "November", "may", "close", "to", "deal", "denies",
    "“we", "agree”", "said", "שבעה", "ו-24", "קרוב", "הסכם", "מכחיש", 'צה"ל', "בקטאר", "سبعة", "ينفي", "«اتفاق»", "قد",
    "يوقع", ".", ",", "\n\n", "%", "10:30", "reportedly",
])  # fmt: skip
TEXTS = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=60), st.lists(WORDS, max_size=30).map(" ".join), st.text(max_size=30)
)
LANGUAGES = st.sampled_from(["en", "he", "ar", "und"])
KINDS = st.sampled_from(["article", "live"])


def applied(pieces: tuple[Piece, ...]) -> tuple[str, str]:
    before = "".join(piece.text for piece in pieces if piece.kind != "added")
    return before, "".join(piece.text for piece in pieces if piece.kind != "removed")


@settings(deadline=None)
@given(data=st.data())
def test_the_pieces_give_back_both_texts(data: st.DataObject) -> None:
    before, after, whole = data.draw(TEXTS), data.draw(TEXTS), data.draw(st.booleans())
    pieces = compare(before, after, whole=whole).pieces
    assert applied(pieces) == (before, after)
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


@settings(deadline=None)
@given(data=st.data())
def test_any_two_texts_are_compared_and_an_edit_has_a_class(data: st.DataObject, phrases: Phrases) -> None:
    language: Any = data.draw(LANGUAGES)
    kind: Any = data.draw(KINDS)
    before, after = (
        Text(title=data.draw(TEXTS), lead=data.draw(TEXTS), body=data.draw(TEXTS), language=language, kind=kind)
        for _ in range(2)
    )
    found = changes(before, after, phrases)
    for field in FIELDS:
        assert applied(getattr(found, field)) == (getattr(before, field), getattr(after, field))
    assert bool(found.classes) == (before != after)
    if len(found.classes) > 1:
        assert "whitespace" not in found.classes


@settings(deadline=None)
@given(written=TEXTS, language=LANGUAGES)
def test_a_text_is_no_edit_of_itself(written: str, language: Any, phrases: Phrases) -> None:
    same = Text(title=written, lead=written, body=written, language=language)
    assert not changes(same, same, phrases).classes


SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", " \t", "\u00a0", " \u200f"])


@settings(deadline=None)
@given(
    words=st.lists(WORDS, min_size=1, max_size=25),
    spaces=st.lists(SPACES, min_size=50, max_size=50),
    language=LANGUAGES,
)
def test_other_spaces_between_the_same_words_are_only_that(
    words: list[str], spaces: list[str], language: Any, phrases: Phrases
) -> None:
    before = "".join(f"{word}{space}" for word, space in zip(words, spaces, strict=False))
    after = "".join(f"{word}{space}" for word, space in zip(words, spaces[25:], strict=False))
    for field in ("title", "body"):
        old, new = (Text(**{"title": "", field: each, "language": language}) for each in (before, after))
        assert changes(old, new, phrases).classes <= {"whitespace"}


@settings(deadline=None)
@given(
    held=st.lists(WORDS, min_size=1, max_size=25).map(" ".join),
    post=st.lists(WORDS, min_size=1, max_size=12).map(" ".join),
    first=st.booleans(),
    language=LANGUAGES,
)
def test_a_post_put_before_or_behind_a_live_text_is_only_that(
    held: str, post: str, first: bool, language: Any, phrases: Phrases
) -> None:
    after = f"{post}\n\n{held}" if first else f"{held}\n\n{post}"
    old, new = (Text(title="", body=each, language=language, kind="live") for each in (held, after))
    assert changes(old, new, phrases).classes <= {"liveblog", "whitespace"}
