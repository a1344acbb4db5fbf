"""Which texts of another outlet are one, and of whose text another is a part."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.tokens import Words, norms
from monitor.stories.runs import FEWEST, RUN, paragraphs, words_in
from monitor.stories.texts import Alike, TextIndex, Told

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TALKS = (
    "DOHA (AP) — Mediators handed both sides a draft late on Tuesday that would free captives in phases, three people "
    "familiar with the talks said, and gave them until the end of the week to answer.\n\n"
    "The draft leaves open who would run the crossing afterwards, a question on which earlier rounds broke down. "
    "Delegations met separately in two hotels near the corniche and are expected to meet again on Thursday morning.\n\n"
    "An official briefed on the matter said that the lists of names were almost complete."
)
FERRY = (
    "Harbour pilots refused to bring in the evening ferry on Monday because its radar had failed twice within a week, "
    "leaving some hundreds of passengers to spend the night in a sports hall above the port.\n\n"
    "The company said that a new set would be fitted by Friday, and that tickets would be refunded in full meanwhile."
)
HEBREW = (
    "המתווכות מסרו לשני הצדדים טיוטה מעודכנת בשעת לילה מאוחרת, ולפיה ישוחררו החטופים בכמה שלבים, כך אמרו שלושה גורמים "
    "המעורים בפרטי השיחות. הטיוטה משאירה פתוחה את השאלה מי ינהל את המעבר בהמשך, שאלה שבגללה נכשלו הסבבים הקודמים. "
    "המשלחות נפגשו בנפרד בשני בתי מלון סמוך לחוף וצפויות להיפגש שוב ביום חמישי בבוקר בנוכחות נציגי המתווכות."
)
FOOTER = (
    "All rights reserved. Subscribe to our newsletter to read more stories like this one every morning, follow us "
    "wherever you listen to the news, write to the desk when you know more than we do, and support work that is free "
    "for everybody to read, share and print, at home, at school and on the way there."
)


def told(item: str, outlet: str, *, hours: float = 0, title: str = "", language: str = "en") -> Told:
    return Told(
        item=item, outlet=outlet, language=language, numbers=frozenset(re.findall(r"\d+", title)),
        seen=NOW + timedelta(hours=hours),
    )  # fmt: skip


@pytest.fixture
def index() -> TextIndex:
    return TextIndex(window=timedelta(hours=48))


def take(index: TextIndex, of: Told, text: str, lead: str = "") -> tuple[Alike, ...]:
    return index.take(of, paragraphs(lead, text), exists=lambda item: True)


def same(index: TextIndex, of: Told, text: str) -> str | None:
    return next((each.of.item for each in take(index, of, text) if each.same), None)


def edited(text: str, *, every: int) -> str:
    return " ".join("other" if n % every == every - 1 else word for n, word in enumerate(text.split(" ")))


@pytest.mark.parametrize(
    "text",
    [
        TALKS, TALKS.upper(), TALKS.replace("\n\n", " "), edited(TALKS, every=13),
        TALKS.replace("late on Tuesday ", "").replace("DOHA (AP) — ", ""), TALKS.replace("\n\n", "\n\nRead more\n\n"),
        TALKS + "\n\nOur correspondent contributed.", TALKS.rpartition("\n\n")[0],
    ],
)  # fmt: skip
def test_nearly_the_same_text_at_another_outlet_is_a_copy(index, text) -> None:
    index.add(told("a", "ap"), paragraphs("", TALKS))
    assert same(index, told("b", "bbc"), text) == "a"


@pytest.mark.parametrize("text", [FERRY, edited(TALKS, every=3), TALKS[:200], "", edited(TALKS, every=2)])
def test_another_text_is_no_copy(index, text) -> None:
    index.add(told("a", "ap"), paragraphs("", TALKS))
    assert same(index, told("b", "bbc"), text) is None


def test_hebrew_with_and_without_vowel_points_is_one_text(index) -> None:
    index.add(told("a", "ynet", language="he"), paragraphs("", HEBREW))
    assert same(index, told("b", "haaretz-he", language="he"), HEBREW.replace("חטופים", "חֲטוּפִים")) == "a"


def test_a_text_inside_a_longer_article_is_a_part_of_it_and_not_its_copy(index) -> None:
    index.add(told("a", "ap"), paragraphs("", TALKS))
    (longer,) = take(index, told("b", "bbc"), f"{FERRY[:150]}\n\n{TALKS}")
    assert (longer.of.item, longer.same) == ("a", False)
    assert 0.5 <= longer.mine < 0.9
    index.add(
        told("long", "cnn", hours=1),
        paragraphs("", f"{FERRY}\n\n{HEBREW}\n\n{FERRY[::-1]}\n\n{edited(FERRY, every=4)}"),
    )
    (part,) = take(index, told("c", "sky", hours=2), FERRY)
    assert (part.of.item, part.same, part.mine) == ("long", False, 1.0)


def test_a_few_sentences_of_a_long_article_make_it_nobodys(index) -> None:
    index.add(told("a", "ap"), paragraphs("", TALKS))
    assert take(index, told("b", "bbc"), f"{FERRY}\n\n{FERRY[::-1]}\n\n{TALKS[:150]}") == ()


def test_a_footer_that_two_sites_have_in_common_makes_no_copy_and_is_soon_nobodys_reporting(index) -> None:
    leads = {
        "herald": "{} ward: the council will vote tonight on the budget of its schools and baths.",
        "courier": "In {} ward voters wait for what their town decides about teachers this evening.",
    }
    for number, ward in enumerate(["north", "south", "east", "west", "upper"]):
        for outlet, lead in leads.items():
            of = told(f"{outlet}{number}", outlet, hours=number)
            found = take(index, of, f"{lead.format(ward)}\n\n{FOOTER}")
            assert not any(each.same for each in found)
            if number >= 3:
                assert found == ()


def test_what_an_outlet_prints_under_everything_is_not_needed_to_know_a_copy(index) -> None:
    for number in range(4):
        index.add(told(f"x{number}", "ap"), paragraphs("", f"{FERRY[number * 9 :]}\n\n{FOOTER}"))
    index.add(told("a", "ap"), paragraphs("", f"{TALKS}\n\n{FOOTER}"))
    assert same(index, told("b", "bbc"), TALKS) == "a"


def test_a_long_quotation_that_two_reporters_have_is_no_part(index) -> None:
    quoted = f"“{TALKS.partition('— ')[2].replace(chr(10) * 2, ' ')}”"
    index.add(told("a", "ap"), paragraphs("", f"{FERRY} She said: {quoted}"))
    assert take(index, told("b", "bbc"), f"{HEBREW} He quoted: {quoted}") == ()


def test_headlines_with_other_numbers_are_other_news_though_the_texts_are_the_same_but_for_a_number(index) -> None:
    index.add(
        told("a", "ap", title="Ferry with 12 aboard"), paragraphs("", FERRY.replace("some hundreds", "12 groups"))
    )
    changed = FERRY.replace("some hundreds", "14 groups")
    assert same(index, told("b", "bbc", title="Ferry waits off port"), changed) is None
    assert same(index, told("d", "sky", title="Night ferry: 12 wait"), changed) == "a"


def test_a_headline_may_leave_a_number_out_where_no_number_of_the_texts_was_changed(index) -> None:
    index.add(told("a", "ap", title="Ferry with 12 aboard"), paragraphs("", FERRY))
    assert same(index, told("b", "bbc", title="Ferry waits off port"), FERRY) == "a"
    assert same(index, told("c", "cnn", title="Ferry with 14 aboard"), FERRY) == "b"


def test_only_other_outlets_and_the_same_language_count(index) -> None:
    index.add(told("a", "ap"), paragraphs("", TALKS))
    assert take(index, told("b", "ap"), TALKS) == ()
    assert take(index, told("c", "bbc", language="he"), TALKS) == ()


def test_the_original_is_what_was_seen_first_and_is_still_held(index) -> None:
    for item, outlet, hours in (("late", "bbc", 3), ("gone", "cnn", 1), ("first", "ap", 2)):
        index.add(told(item, outlet, hours=hours), paragraphs("", TALKS))
    found = index.take(told("x", "sky", hours=4), paragraphs("", TALKS), exists=lambda item: item != "gone")
    assert [each.of.item for each in found] == ["first", "late"]


def test_texts_older_than_48_hours_are_forgotten_with_everything_about_them(index) -> None:
    for number in range(5):
        index.add(told(f"{number}", f"o{number % 2}"), paragraphs("", f"{TALKS}\n\n{FOOTER}"))
    assert take(index, told("x", "bbc", hours=48), TALKS)
    assert take(index, told("y", "cnn", hours=96.1), TALKS) == ()
    assert len(index) == 1
    assert not index._printed["o0"]
    assert {place for held in index._places["en"].values() for place in held} == {6}


def test_a_text_that_everybody_prints_costs_no_more_than_a_text_that_few_do(index) -> None:
    for number in range(60):
        index.add(told(f"{number:02}", f"o{number}"), paragraphs("", TALKS))
    assert max(map(len, index._places["en"].values())) == 32
    assert same(index, told("x", "x"), TALKS) == "00"


def test_short_texts_and_short_paragraphs_are_not_read() -> None:
    assert paragraphs("", " ".join(["word"] * (FEWEST - 1))) == ()
    read = paragraphs("", "One two three\n\n" + " ".join(f"w{n}" for n in range(FEWEST)))
    assert [words_in(each) for each in read] == [FEWEST]
    assert len(read[0].runs) == FEWEST - RUN + 1


def test_a_lead_that_opens_the_body_is_read_once() -> None:
    lead = TALKS.partition("\n\n")[0]
    assert paragraphs(lead, TALKS) == paragraphs("", TALKS)
    assert len(paragraphs("Another lead of some words.", TALKS)) == len(paragraphs("", TALKS)) + 1


def test_the_runs_of_a_text_are_the_same_in_every_process() -> None:
    """So that what is found does not hang on the seed of hashes."""
    (read,) = paragraphs("", " ".join(f"word{n}" for n in range(FEWEST)))
    assert read.runs[0] == RUNS_OF_WORD_0_TO_3
    assert read.numbers == {f"word{n}" for n in range(FEWEST)}


RUNS_OF_WORD_0_TO_3 = -2097522565154413244


@given(text=st.text("abYZ09 .'\"-\n’שלוםץ־״المؤةى١é", max_size=60))
def test_words_are_cut_as_they_are_everywhere_else(text) -> None:
    assert norms(text) == Words(text).norms


WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=FEWEST, max_size=70)


@given(held=st.lists(WORDS, max_size=6), asked=WORDS)
def test_what_is_called_the_same_has_seven_in_ten_words_in_runs_of_the_other(held, asked) -> None:
    index = TextIndex(window=timedelta(hours=48))
    for number, text in enumerate(held):
        index.add(told(str(number), f"o{number}"), paragraphs("", " ".join(text)))
    for each in take(index, told("x", "x"), " ".join(asked)):
        other = held[int(each.of.item)]
        assert each.mine == share(asked, other) >= 0.5
        assert not each.same or min(share(asked, other), share(other, asked)) >= 0.7


def share(text: list[str], other: list[str]) -> float:
    """The rule as it is written down."""
    runs = {tuple(other[n : n + RUN]) for n in range(len(other) - RUN + 1)}
    inside = {m for n in range(len(text) - RUN + 1) if tuple(text[n : n + RUN]) in runs for m in range(n, n + RUN)}
    return len(inside) / len(text)


def test_of_a_thousand_copies_with_eight_in_a_hundred_words_changed_nearly_all_are_found(index) -> None:
    rng = random.Random(3)
    vocabulary = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
    texts = [rng.choices(vocabulary, k=60) for _ in range(1000)]
    for number, text in enumerate(texts):
        index.add(told(str(number), "ap"), paragraphs("", " ".join(text)))
    found = 0
    for number, text in enumerate(texts):
        for place in rng.sample(range(60), 5):
            text[place] = rng.choice(vocabulary)
        found += same(index, replace(told(f"c{number}", "bbc")), " ".join(text)) == str(number)
    assert found >= 990
