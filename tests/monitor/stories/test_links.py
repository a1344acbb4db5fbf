"""Which stories of different languages are shown as linked, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from config.load import load
from config.model.lexicon import Concept
from config.model.settings import AS_MEASURED
from monitor.language.normalise import normalise
from monitor.stories.gist import Gists, StoryItem
from monitor.stories.links import APART, KEPT, Links
from monitor.stories.traits import skeleton, traits

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CONCEPTS = load(None).concepts
_ids = count()

DRAFT = {
    "en": (
        "Mediators hand over a new draft: release of 10 hostages in first phase",
        "The proposal was presented in Doha.",
    ),
    "he": ("המתווכים הציגו טיוטה חדשה: שחרור עשרה חטופים בשלב הראשון", "ההצעה הוצגה בדוחא."),
    "ar": ("الوسطاء يقدمون مسودة جديدة: الإفراج عن عشرة رهائن في المرحلة الأولى", "المقترح قدم في الدوحة."),
}
AID = {
    "en": ("Aid trucks wait at the Rafah crossing", "Drivers said they had waited for two days."),
    "he": ("משאיות סיוע ממתינות במעבר רפיח", "הנהגים אמרו שהם ממתינים יומיים."),
    "ar": ("شاحنات المساعدات تنتظر عند معبر رفح", "السائقون قالوا إنهم ينتظرون منذ يومين."),
}


def item(text, language, *, hours=0.0, name=None) -> StoryItem:
    at = NOW + timedelta(hours=hours)
    title, lead = text if isinstance(text, tuple) else (text, "")
    return StoryItem(
        id=name or f"i{next(_ids)}", outlet="o", language=language, title=title, lead=lead, published=at, seen=at
    )  # fmt: skip


@pytest.fixture
def links() -> Links:
    return Links(Gists(CONCEPTS), CONCEPTS)


def lexicon(**more: Concept) -> dict[str, Concept]:
    return {**CONCEPTS, **more}


def linked(links: Links, story: str) -> list[str]:
    return [link.story for link in links.of(story)]


def test_the_tellings_of_one_event_in_three_languages_are_linked_both_ways_and_other_events_are_not(links) -> None:
    for language, text in DRAFT.items():
        links.add(item(text, language), f"draft {language}")
        links.add(item(AID[language], language), f"aid {language}")
    for language in DRAFT:
        others = {f"draft {other}" for other in DRAFT if other != language}
        assert set(linked(links, f"draft {language}")) == others


def test_a_link_says_what_both_tell_and_how_much_they_are_alike(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he"), "h")
    (link,) = links.of("e")
    assert 0.35 <= link.score <= 1.3
    assert {"@release", "@proposal", "10"} <= set(link.reason.removeprefix("both tell of ").split(", "))
    assert links.of("h")[0].reason == link.reason


def test_stories_of_one_language_are_never_linked(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["en"], "en"), "f")
    assert links.of("e") == ()


def test_what_every_story_of_the_beat_is_about_links_nothing_by_itself(links) -> None:
    links.add(item("Hostage deal: Hamas and Israel in Qatar", "en"), "e")
    links.add(item("עסקת חטופים: חמאס וישראל בקטאר", "he"), "h")
    assert links.of("e") == ()


def test_places_alone_link_nothing(links) -> None:
    links.add(item("Rain in Doha and Cairo", "en"), "e")
    links.add(item("גשם בדוחא ובקהיר", "he"), "h")
    assert links.of("e") == ()


def test_a_concept_that_is_in_every_fourth_story_is_no_evidence(links) -> None:
    for number in range(30):
        links.add(item("Mediation goes on in Cairo", "en"), f"m{number}")
    for number in range(9):
        links.add(item("Rain expected", "en"), f"r{number}")
    links.add(item("גישור בקהיר", "he"), "h")
    assert links.of("h") == ()


@pytest.mark.parametrize(("hours", "expected"), [(36.0, ["e"]), (36.1, [])])
def test_stories_further_apart_than_36_hours_are_not_linked(links, hours, expected) -> None:
    assert timedelta(hours=36) == APART
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he", hours=hours), "h")
    assert linked(links, "h") == expected


def score(links: Links, english: str, other: str, language: str) -> float:
    links.add(item(english, "en"), "e")
    links.add(item(other, language), "o")
    return links.of("e")[0].score


def test_a_number_in_common_adds_to_the_score_in_words_or_digits(links) -> None:
    plain = score(links, "Mediators propose release", "المقترح والوساطة والإفراج", "ar")
    more = score(
        Links(Gists(CONCEPTS), CONCEPTS), "Mediators propose release of seven", "المقترح والوساطة والإفراج عن 7", "ar"
    )
    assert more == pytest.approx(plain + 0.15)


def test_a_name_in_common_that_no_lexicon_has_adds_to_the_score(links) -> None:
    plain = score(links, "Mediators propose release", "מתווכים מציעים שחרור", "he")
    named = Links(Gists(CONCEPTS), CONCEPTS)
    assert score(named, "Mediators propose release to Lindström", "מתווכים מציעים שחרור, אמר לינדסטרום", "he") == (
        pytest.approx(plain + 0.15)
    )
    assert named.of("e")[0].reason.endswith("lindström")


def test_a_story_is_as_like_another_as_its_items_are_on_average(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he"), "h")
    before = links.of("e")[0].score
    links.add(item("המתווכים הציגו הצעה", "he", hours=1), "h")
    assert 0.35 <= links.of("e")[0].score < before
    for hour in range(2, 6):
        links.add(item(AID["he"], "he", hours=hour), "h")
    assert links.of("e") == links.of("h") == ()


def test_when_stories_are_merged_the_links_go_to_the_one_that_remains(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he"), "h")
    links.add(item(DRAFT["he"], "he", hours=1), "h2")
    assert linked(links, "e") == ["h", "h2"]
    links.merge("h2", "h")
    assert linked(links, "e") == ["h"]
    assert links.of("h2") == ()


def test_an_item_that_is_put_into_another_story_takes_its_links_along(links) -> None:
    moved = item(DRAFT["he"], "he")
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(moved, "h")
    links.add(moved, "other")
    assert linked(links, "e") == ["other"]
    assert len(links) == 2


def test_a_story_shows_its_ten_strongest_links(links) -> None:
    for number in range(12):
        links.add(item(DRAFT["ar"], "ar"), f"a{number:02}")
    links.add(item(DRAFT["en"], "en"), "e")
    assert linked(links, "e") == [f"a{number:02}" for number in range(10)]


def test_stories_are_forgotten_with_their_links(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he", hours=20), "h")
    links.add(item("Rain", "en", hours=KEPT / timedelta(hours=1) + 1), "r")
    assert links.of("h") == ()
    assert len(links) == 2


def test_a_text_of_no_language_of_ours_has_no_links(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["en"], "und"), "u")
    assert links.of("e") == links.of("u") == ()


# ------------------------------------------------------------------ what is compared


@pytest.mark.parametrize(
    "names",
    [
        "Witkoff ויטקוף ويتكوف", "Lindström לינדסטרום ليندستروم", "Kushner קושנר كوشنر",
        "Steinmeier שטיינמאייר شتاينماير", "Thornton תורנטון ثورنتون",
    ],
)  # fmt: skip
def test_a_name_has_the_same_consonants_in_three_scripts(names) -> None:
    assert len({skeleton(normalise(name)) for name in names.split()}) == 1


@pytest.mark.parametrize("name", ["Doha", "Leah", "רון", "علي"])
def test_a_name_of_fewer_than_three_consonants_says_nothing(name) -> None:
    assert skeleton(normalise(name)) == ""


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Seven freed in 2026", "en"), ("שבעה שוחררו ב־2026", "he"), ("الإفراج عن سبعة في 2026", "ar"),
        ("7, one by one", "en"),
    ],
)  # fmt: skip
def test_numbers_are_one_in_three_languages_and_years_and_one_are_none(title, language) -> None:
    each = item(title, language)
    assert traits(Gists({}).of(each)).numbers == {"7"}


def test_items_that_were_moved_take_their_links_along(links) -> None:
    links.add(item(DRAFT["en"], "en", name="a"), "e")
    links.add(item(AID["en"], "en", name="b"), "e")
    links.add(item(DRAFT["he"], "he"), "h")
    links.move({"a": "draft", "long gone": "draft"})
    assert (linked(links, "draft"), linked(links, "h"), linked(links, "e")) == (["h"], ["draft"], [])
    links.move({"a": "e"})
    links.move({"b": "other"})
    assert (linked(links, "h"), linked(links, "draft")) == (["e"], [])
    assert len(links) == 3


def test_how_alike_linked_stories_must_be_is_configured(links) -> None:
    links.add(item(DRAFT["en"], "en"), "e")
    links.add(item(DRAFT["he"], "he", name="h"), "h")
    (link,) = links.of("e")
    links.settings = AS_MEASURED.model_copy(update={"link": link.score + 0.01})
    links.add(item(DRAFT["he"], "he", name="h"), "h")
    assert links.of("e") == ()


def test_what_is_read_ahead_is_what_would_be_read_and_no_more_is_held_than_may_soon_be_asked_for() -> None:
    gists, told = Gists({}), item(("Ferry with 7 aboard sinks", "Pilots had refused to sail that evening."), "en")
    gists.read_ahead([(told.title, told.lead)])
    assert gists.of(told).words == Gists({}).read(told.title, told.lead).words
    gists.read_ahead((f"Ferry {n}", "") for n in range(1500))
    assert len(gists._ahead) == 1024


def test_by_another_lexicon_what_is_held_is_linked_as_if_it_had_been_in_force_before(links) -> None:
    kite = Concept(kind="name", group="event", en=("kite festival",), he=("פסטיבל העפיפונים",))
    told = [
        *((item(text, language), f"draft {language}") for language, text in DRAFT.items()),
        *((item(text, language), f"aid {language}") for language, text in AID.items()),
        (item("Kite festival opens with 40 teams", "en"), "kites en"),
        (item("פסטיבל העפיפונים נפתח עם 40 קבוצות", "he"), "kites he"),
    ]
    for each, story in told:
        links.add(each, story)
    assert linked(links, "kites en") == []
    links.read_by(Gists(lexicon(kite=kite)), lexicon(kite=kite))
    before = Links(Gists(lexicon(kite=kite)), lexicon(kite=kite))
    for each, story in told:
        before.add(each, story)
    assert linked(links, "kites en") == ["kites he"]
    assert set(linked(links, "draft he")) == {"draft en", "draft ar"}
    for _, story in told:
        assert links.of(story) == before.of(story)
    without = {
        name: each for name, each in CONCEPTS.items() if name not in ("draft", "proposal", "mediator", "hostage")
    }
    links.read_by(Gists(without), without)
    assert linked(links, "kites en") == []
