"""Which items are one story inside a language, and that neither order, restart nor standing headlines change it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import load
from config.model.settings import AS_MEASURED
from monitor.language.normalise import normalise
from monitor.stories.clusters import Clusters, in_order, story_id
from monitor.stories.gist import Gists, StoryItem, stem

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CONCEPTS = load(None).concepts
IDLE, HARD = AS_MEASURED.idle, AS_MEASURED.hard
_ids = count()

FERRY = (
    "Ferry with 40 passengers runs aground off Limassol",
    "A passenger ferry ran aground near Limassol harbour in strong winds; the coastguard says nobody was hurt.",
)
FERRY_AGAIN = (
    "Passengers evacuated after ferry grounding near Limassol",
    "The coastguard took passengers off the ferry that ran aground in strong winds.",
)
STRIKE = (
    "Rail workers in Haifa announce two-day strike over pay",
    "The union of rail workers says trains will stand still after talks over pay broke down.",
)
STRIKE_AGAIN = (
    "Trains to stand still as Haifa rail union confirms strike",
    "Rail workers walk out over pay after talks broke down.",
)
EVENTS = {
    "en": ((FERRY, FERRY_AGAIN), (STRIKE, STRIKE_AGAIN)),
    "he": (
        (
            ("שריפה גדולה פרצה ביער סמוך לכרמיאל", "צוותי כיבוי פועלים בשריפה שפרצה ביער, תושבים פונו מבתיהם."),
            ("תושבים פונו בגלל השריפה ביער ליד כרמיאל", "עשרה צוותי כיבוי ומטוסים פועלים לכיבוי השריפה."),
        ),
        (
            ("המשלחת הישראלית יצאה לדוחא לשיחות על העסקה", "צוות המשא ומתן ייפגש עם המתווכים בקטאר."),
            ("צוות המשא ומתן בדרך לקטאר: ייפגש עם המתווכים", "המשלחת צפויה לנחות בדוחא ולפתוח בשיחות על העסקה."),
        ),
    ),
    "ar": (
        (
            ("حريق كبير في مصنع للورق شمال بيروت", "فرق الإطفاء تعمل على إخماد حريق اندلع في مصنع للورق."),
            ("إخماد حريق مصنع الورق قرب بيروت", "فرق الإطفاء أخمدت الحريق الذي اندلع في المصنع ولا إصابات."),
        ),
        (
            ("وصول الوفد الإسرائيلي إلى الدوحة لاستئناف المفاوضات", "الوسطاء يلتقون الوفد لبحث صفقة تبادل الأسرى."),
            ("الوسطاء في الدوحة يبحثون صفقة التبادل مع الوفود", "استئناف المفاوضات بعد وصول الوفد إلى قطر."),
        ),
    ),
}


def item(text, *, language="en", outlet="ap", hours=0.0, name=None, copy_of=None) -> StoryItem:
    at = NOW + timedelta(hours=hours)
    title, lead = text if isinstance(text, tuple) else (text, "")
    return StoryItem(
        id=name or f"i{next(_ids)}", outlet=outlet, language=language, title=title, lead=lead, published=at, seen=at,
        copy_of=copy_of,
    )  # fmt: skip


@pytest.fixture
def clusters() -> Clusters:
    return Clusters(Gists(CONCEPTS))


@pytest.mark.parametrize("language", EVENTS)
def test_two_events_of_one_language_are_two_stories_and_their_tellings_meet(clusters, language) -> None:
    placed = [
        [clusters.place(item(text, language=language, outlet=f"o{number}")) for number, text in enumerate(tellings)]
        for tellings in EVENTS[language]
    ]
    first, second = ({each.story for each in told} for told in placed)
    assert len(first) == len(second) == 1
    assert first != second
    assert all(told[0].reason == "the first to tell it" for told in placed)


def test_an_item_that_joins_says_how_much_and_by_which_words(clusters) -> None:
    first = clusters.place(item(FERRY, name="a"))
    placed = clusters.place(item(FERRY_AGAIN, outlet="bbc"))
    assert placed.story == first.story == story_id("a")
    assert 0.25 <= placed.score < 1
    assert placed.reason.startswith("shares ")
    assert {"ferry", "limassol"} <= set(placed.reason.removeprefix("shares ").split(", "))


def test_a_reason_is_written_as_people_write(clusters) -> None:
    for outlet in ("a", "b"):
        reason = clusters.place(item("תושבים פונים לצפון", language="he", outlet=outlet)).reason
    assert reason == "shares פונים, לצפון, תושבים"


def test_one_word_in_common_is_not_enough_however_rare_it_is(clusters) -> None:
    clusters.place(item("Limassol ferry aground"))
    assert clusters.place(item("Limassol museum reopens")).reason == "the first to tell it"


def test_a_headline_of_two_words_is_like_nothing(clusters) -> None:
    first = clusters.place(item("Limassol ferry"))
    assert clusters.place(item("Limassol ferry", outlet="bbc")).story != first.story


def test_languages_do_not_meet(clusters) -> None:
    first = clusters.place(item("Witkoff Kushner Doha Hamas", language="en"))
    assert clusters.place(item("Witkoff Kushner Doha Hamas", language="he")).story != first.story


def test_a_story_that_nobody_told_for_the_idle_window_is_over(clusters) -> None:
    first = clusters.place(item(FERRY))
    within = clusters.place(item(FERRY, outlet="bbc", hours=IDLE / timedelta(hours=1)))
    beyond = clusters.place(item(FERRY, outlet="nbc", hours=25))
    assert within.story == first.story != beyond.story


def test_a_story_ends_after_the_hard_window_though_it_is_told_every_hour(clusters) -> None:
    stories = [clusters.place(item(FERRY, outlet=f"o{hour}", hours=hour)).story for hour in range(0, 96, 6)]
    assert len(set(stories)) == 2
    assert stories.index(stories[-1]) == HARD // timedelta(hours=6) + 1


def test_an_item_that_surfaces_late_joins_the_story_of_its_own_time(clusters) -> None:
    first = clusters.place(item(FERRY, hours=6))
    late = replace(item(FERRY_AGAIN), seen=NOW + timedelta(hours=7))
    old = replace(item(FERRY_AGAIN, hours=-40), seen=NOW + timedelta(hours=7))
    assert clusters.place(late).story == first.story
    assert clusters.place(old).story != first.story


def test_everything_is_forgotten_in_the_end(clusters) -> None:
    for number in range(20):
        clusters.place(item(FERRY if number % 2 else STRIKE, hours=number))
    clusters.place(item("Something else entirely happens elsewhere", hours=200, name="last"))
    assert len(clusters) == 1
    assert clusters.story_of("last") is not None


# ------------------------------------------------------------------ copies, revisions, restarts


def test_a_copy_is_in_its_originals_story_whatever_its_words(clusters) -> None:
    first = clusters.place(item(FERRY, name="a"))
    placed = clusters.place(item(STRIKE, copy_of="a"))
    assert (placed.story, placed.score, placed.reason) == (first.story, 1.0, "a copy of a")


def test_a_copy_of_an_item_that_is_not_held_is_placed_by_its_words(clusters) -> None:
    first = clusters.place(item(FERRY))
    assert clusters.place(item(FERRY_AGAIN, copy_of="long gone")).story == first.story


def test_an_item_that_is_edited_stays_where_it_is(clusters) -> None:
    clusters.place(item(FERRY, name="a"))
    strike = clusters.place(item(STRIKE))
    placed = clusters.place(item(STRIKE_AGAIN, name="a"))
    assert placed.story == story_id("a") != strike.story
    assert placed.reason == "placed before"


def test_after_a_restart_later_items_find_the_same_stories(clusters) -> None:
    past = [item(FERRY), item(STRIKE, hours=1), item(FERRY_AGAIN, outlet="bbc", hours=2)]
    told = [clusters.place(each).story for each in past]
    again = Clusters(Gists(CONCEPTS))
    for each, story in zip(past, told, strict=True):
        again.add(each, story)
    later = item(STRIKE_AGAIN, outlet="nbc", hours=3)
    assert again.place(later) == clusters.place(later)
    assert [again.story_of(each.id) for each in past] == told


# ------------------------------------------------------------------ order

POLL = [
    replace(item(text, outlet=f"o{number}", name=f"p{number}"), published=NOW + timedelta(minutes=number // 3))
    for number, text in enumerate(
        (FERRY, STRIKE, FERRY_AGAIN, STRIKE_AGAIN, FERRY, "Museum reopens in Nicosia", STRIKE)
    )
]


def stories_of(items) -> dict[str, str]:
    clusters = Clusters(Gists(CONCEPTS))
    clusters.place(item("Strong winds expected near Limassol harbour", name="before", hours=-1))
    return {each.id: clusters.place(each).story for each in in_order(items)}


@settings(max_examples=30, deadline=None)
@given(st.permutations(POLL))
def test_the_order_within_an_answer_decides_nothing(shuffled) -> None:
    assert stories_of(shuffled) == stories_of(POLL)
    assert len(set(stories_of(POLL).values())) == 3


def test_of_two_stories_that_are_as_like_the_newest_is_joined(clusters) -> None:
    clusters.add(item(FERRY, name="a"), "old")
    clusters.add(item(FERRY, name="b"), "new")
    clusters.keep_apart([("old", "new")])
    assert clusters.place(item(FERRY, outlet="bbc")).story == "new"


# ------------------------------------------------------------------ merges and corrections


def test_stories_that_an_item_belongs_to_strongly_are_merged_into_the_earlier(clusters) -> None:
    clusters.add(item(FERRY, name="a"), "old")
    clusters.add(item(FERRY, name="b", hours=1), "new")
    placed = clusters.place(item(FERRY, outlet="bbc", hours=2))
    assert (placed.story, placed.merges) == ("old", ("new",))
    assert clusters.story_of("b") == "old"
    clusters.add(item(FERRY_AGAIN, name="c", hours=2), "new")
    assert clusters.story_of("c") == "old"


def test_a_merge_never_makes_a_story_longer_than_the_hard_window(clusters) -> None:
    for hour in range(0, 72, 8):
        clusters.add(item(FERRY, hours=hour), "old")
    clusters.add(item(FERRY, hours=73), "new")
    assert clusters.place(item(FERRY, outlet="bbc", hours=73.5)).merges == ()


def test_items_that_were_split_off_stay_apart_from_their_story_with_what_follows_them(clusters) -> None:
    text = "Ferry runs aground off Limassol in strong winds"
    clusters.place(item(text, name="a"))
    clusters.place(item(text + ", second ferry off Paphos damaged", name="b", outlet="bbc"))
    clusters.move({"b": "new"})
    clusters.keep_apart([(story_id("a"), "new")])
    assert (clusters.story_of("a"), clusters.story_of("b")) == (story_id("a"), "new")
    later = clusters.place(item(text + ", second ferry off Paphos damaged", outlet="nbc"))
    assert (later.story, later.merges) == ("new", ())
    assert clusters.place(item(text, outlet="sky")).story == story_id("a")


def test_stories_are_kept_apart_until_the_pair_is_not_named_any_more(clusters) -> None:
    clusters.keep_apart([("new", "old"), ("old", "other")])
    clusters.add(item(FERRY), "old")
    clusters.add(item(FERRY), "new")
    assert clusters.place(item(FERRY, outlet="bbc")).merges == ()
    clusters.keep_apart([("old", "other")])
    assert clusters.place(item(FERRY, outlet="nbc")).merges == ("new",)


def test_what_is_kept_apart_from_a_story_is_kept_apart_from_the_one_that_this_becomes_part_of(clusters) -> None:
    clusters.add(item(FERRY), "old")
    clusters.add(item(FERRY), "new")
    clusters.keep_apart([("new", "other")])
    assert clusters.place(item(FERRY, outlet="bbc")).merges == ("new",)
    clusters.add(item(FERRY), "other")
    assert clusters.place(item(FERRY, outlet="nbc")).merges == ()


def test_the_first_item_can_be_moved_and_the_story_keeps_its_id(clusters) -> None:
    clusters.place(item(FERRY, name="a"))
    clusters.place(item(FERRY_AGAIN, name="b"))
    clusters.move({"a": "new"})
    assert (clusters.story_of("a"), clusters.story_of("b")) == ("new", story_id("a"))


def test_a_story_whose_items_were_all_moved_takes_later_items_to_the_other_one(clusters) -> None:
    ferry = clusters.place(item(FERRY)).story
    clusters.place(item(STRIKE, name="s"))
    clusters.move({"s": ferry})
    assert clusters.story_of("s") == ferry
    assert len(clusters) == 1
    assert clusters.place(item(STRIKE_AGAIN, outlet="bbc", name="t")).story == ferry
    clusters.move({"s": story_id("s"), "t": story_id("s")})
    assert clusters.place(item(STRIKE_AGAIN, outlet="nbc")).story == story_id("s")


def test_moving_is_the_same_however_often_it_is_told_and_knows_no_strangers(clusters) -> None:
    clusters.place(item(FERRY, name="a"))
    clusters.place(item(FERRY_AGAIN, name="b"))
    for _ in range(2):
        clusters.move({"b": "new", "long gone": "new"})
        assert (clusters.story_of("a"), clusters.story_of("b")) == (story_id("a"), "new")
    assert clusters.story_of("long gone") is None


def test_an_item_that_changed_its_language_is_found_in_the_story_it_was_moved_to(clusters) -> None:
    english = clusters.place(item(FERRY)).story
    clusters.place(item(EVENTS["he"][0][0], language="he", name="h"))
    clusters.move({"h": english})
    assert clusters.story_of("h") == english
    assert clusters.place(item(FERRY_AGAIN, outlet="bbc")).story == english
    assert clusters.place(item(EVENTS["he"][0][0], language="he")).reason == "the first to tell it"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["x", "y", "sa"]), max_size=6), max_size=8))
def test_whatever_is_moved_stands_in_one_story_and_later_items_still_find_theirs(moves) -> None:
    clusters = Clusters(Gists(CONCEPTS))
    for name, text in zip("abcdef", (FERRY, STRIKE, FERRY_AGAIN, STRIKE_AGAIN, FERRY, STRIKE), strict=True):
        clusters.place(item(text, name=name, outlet=name))
    for told in moves:
        clusters.move(told)
        assert {name: clusters.story_of(name) for name in told} == told
    assert all(clusters.story_of(name) for name in "abcdef")
    later = clusters.place(item(FERRY, outlet="later"))
    assert later.story in {clusters.story_of(name) for name in "abcdef"}


def test_how_alike_an_item_must_be_is_configured_and_may_change_while_it_runs(clusters) -> None:
    first = clusters.place(item(FERRY))
    clusters.settings = AS_MEASURED.model_copy(update={"join": 0.99, "merge": 0.99})
    assert clusters.place(item(FERRY_AGAIN, outlet="bbc")).story != first.story
    clusters.settings = AS_MEASURED.model_copy(update={"idle": timedelta(hours=1)})
    assert clusters.place(item(FERRY, outlet="nbc", hours=2)).reason == "the first to tell it"


def test_an_item_that_is_put_into_another_story_leaves_the_one_it_was_in(clusters) -> None:
    moved = item(STRIKE, name="s")
    ferry = clusters.place(item(FERRY)).story
    clusters.place(moved)
    clusters.add(moved, ferry)
    assert clusters.story_of("s") == ferry
    assert len(clusters) == 1
    assert clusters.place(item(STRIKE_AGAIN, outlet="bbc")).story == ferry


# ------------------------------------------------------------------ standing headlines


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Harbour and market notebook, day {}"), ("en", "Morning briefing: harbour and market notebook"),
        ("he", "יומן הנמל והשוק מספר {}"), ("ar", "دفتر الميناء والسوق رقم {}"), ("en", "Live updates"),
        ("en", "What we know so far"),
    ],
)  # fmt: skip
def test_a_headline_that_comes_back_daily_draws_no_days_together(clusters, language, title) -> None:
    stories = []
    for day in range(4):
        for hour in (0, 8, 16):  # something keeps the story from being idle in between
            text = title.format(600 + day)
            stories.append((day, clusters.place(item(text, language=language, hours=24 * day + hour)).story))
    later = [story for day, story in stories if day >= 2]
    assert len(set(later)) == len(later)


def test_a_kicker_that_stands_over_everything_glues_no_events(clusters) -> None:
    kicker = "Eastern Mediterranean harbour monitor"
    for day in range(3):
        clusters.place(item(f"{kicker}: calm sea {day}", hours=24 * day))
    ferry = clusters.place(item(f"{kicker}: {FERRY[0]}", hours=72))
    strike = clusters.place(item(f"{kicker}: {STRIKE[0]}", hours=72.5))
    again = clusters.place(item(f"{kicker}: {FERRY_AGAIN[0]}", hours=73))
    assert ferry.story == again.story != strike.story


def test_the_same_wire_headline_at_another_outlet_is_no_standing_one(clusters) -> None:
    clusters.place(item(FERRY[0]))
    later = clusters.place(item(FERRY[0], outlet="bbc", hours=20))
    assert clusters.place(item(FERRY[0], outlet="nbc", hours=21)).story == later.story


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    "forms",
    [
        "negotiate negotiates negotiated negotiating negotiation negotiations negotiator negotiators",
        "ferry ferries", "passenger passengers", "שריפה השריפה בשריפה שריפות", "צוות צוותי צוותים הצוות",
        "مصنع المصنع بالمصنع", "مفاوضات المفاوضات للمفاوضات",
    ],
)  # fmt: skip
def test_forms_of_one_word_are_one_term(forms) -> None:
    assert len({stem(form) for form in normalise(forms).split()}) == 1


@pytest.mark.parametrize("word", ["the", "said", "ובין", "של", "وفي", "قال", "x"])
def test_words_that_say_nothing_are_no_terms(word) -> None:
    assert stem(normalise(word)) == ""


def test_only_the_beginning_of_a_lead_is_read() -> None:
    lead = " ".join(["ferry"] * 40 + ["harbour"])
    assert set(Gists({}).read("", lead).lead) == {stem("ferry")}


def test_a_concept_is_one_term_in_every_language_and_form() -> None:
    gists = Gists(CONCEPTS)
    for title in ("Hostages in Doha", "החטופים בדוחא", "الرهائن في الدوحة"):
        assert gists.read(title, "").title == ("@hostage", "@doha")
