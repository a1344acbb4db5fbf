"""What an alert says of its story: the origins that report it, the one source that hedges, the short form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from config.load import load
from monitor.alerts.claims import claim
from monitor.alerts.wording import WHOLE, Form, Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item, Reported
from monitor.model.stories import Story, StoryLink
from monitor.model.texts import TextLanguage
from monitor.stories.phrases import Phrases
from tests.monitor.alerts.conftest import NOW
from tests.monitor.alerts.parcels import Words, gathered, words

Make = Callable[..., Alert]
NAMES = {
    "reuters": "Reuters", "bbc": "BBC News", "cnn": "CNN", "kan": "כאן חדשות", "jazeera": "Al Jazeera", "nbc": "NBC",
}  # fmt: skip


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    config = load(None)
    return Phrases.of(config.claims, config.concepts)


@pytest.fixture
def named(phrases: Phrases) -> Wording:
    return Wording(
        zone="Asia/Jerusalem", outlets=NAMES, watches={"deal": "A deal is near"}, phrases=phrases,
        sources={"axios": "Axios", "statement:qatar-mfa": "Qatari foreign ministry"},
        within={"deal": timedelta(minutes=90)},
    )  # fmt: skip


def told_by(item: Item, outlet: str, minute: int, *found: Reported, kind: str = "outlet", **more: Any) -> Item:
    own = Reported(id=outlet, kind=kind, relation="own")
    seen = NOW + timedelta(minutes=minute)
    fields = {"first_seen": seen, "published": seen, "origins": (own, *found), "url": f"https://{outlet}.example/a"}
    return replace(item, id=f"i{minute}", outlet=outlet, **{"story": "s1", **fields, **more})


def cites(name: str, **more: Any) -> Reported:
    return Reported(id=name, **{"kind": "outlet", "relation": "cite", **more})


@pytest.fixture
def english(item: Item) -> Story:
    stated = cites("statement:qatar-mfa", kind="body", relation="statement")
    items = (
        told_by(item, "reuters", 0, kind="agency"),
        told_by(item, "bbc", 1, copy_of="i0"),
        told_by(item, "cnn", 2, copy_of="i0"),
        told_by(item, "nbc", 3, cites("axios")),
        told_by(item, "jazeera", 4, stated),
    )
    return Story(id="s1", items=items, links=(StoryLink(story="s2", score=0.5, reason="shares 50"),))


@pytest.fixture
def hebrew(item: Item) -> Story:
    title = "המתווכות בדוחא מסרו טיוטה"
    return Story(
        id="s2", items=(told_by(item, "kan", 5, cites("axios"), language="he", title=title, story="s2"),)
    )  # fmt: skip


def corroborated(make: Make, *stories: Story, **more: Any) -> Words:
    item, wording = stories[0].items[0], more.pop("wording")
    told = Telling(
        alert=make(item, state="corroborated"), item=item, story=stories[0], linked=stories[1:], event=stories
    )  # fmt: skip
    return words(gathered(told, kind="alert"), wording, **more)


def plain(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


# ------------------------------------------------------------------ the origins


def test_the_origins_are_listed_with_who_repeats_each_in_every_form(
    make_alert: Make, english: Story, hebrew: Story, named: Wording
) -> None:
    told = corroborated(make_alert, english, hebrew, wording=named)
    line = (
        "Reported by 3 origins: Reuters (also BBC News, CNN by copy), Axios (NBC, כאן חדשות citing it), "
        "statement of Qatari foreign ministry (Al Jazeera)"
    )
    for text in told.texts:
        assert line in plain(text)
        assert "Also told by" not in text
        assert "Reported by several origins" in text
    assert "It seems also in" in told.body


def test_the_origins_stand_in_the_json_form(make_alert: Make, english: Story, hebrew: Story, named: Wording) -> None:
    found = corroborated(make_alert, english, hebrew, wording=named).payload["corroboration"]
    assert found["within_seconds"] == 5400
    assert [(each["id"], each["name"], each["kind"]) for each in found["origins"]] == [
        ("reuters", "Reuters", "agency"), ("axios", "Axios", "outlet"),
        ("statement:qatar-mfa", "Qatari foreign ministry", "body"),
    ]  # fmt: skip
    assert [(each["outlet"], each["how"]) for each in found["origins"][1]["items"]] == [
        ("nbc", "cite"), ("kan", "cite"),
    ]  # fmt: skip
    assert found["origins"][0]["items"][0] == {
        "item": "i0", "outlet": "reuters", "outlet_name": "Reuters", "how": "own",
        "url": "https://reuters.example/a", "first_seen": "2026-11-24T12:00:00Z",
    }  # fmt: skip


def test_what_was_taken_down_since_is_listed_no_more(make_alert: Make, english: Story, named: Wording) -> None:
    gone = replace(english, items=(*english.items[:3], replace(english.items[3], withdrawn=NOW), english.items[4]))
    found = corroborated(make_alert, gone, wording=named).payload["corroboration"]
    assert [each["id"] for each in found["origins"]] == ["reuters", "statement:qatar-mfa"]


def test_other_alerts_list_no_origins(make_alert: Make, english: Story, named: Wording) -> None:
    item = english.items[0]
    told = words(gathered(Telling(alert=make_alert(item), item=item, story=english), kind="alert"), named)
    assert told.payload["corroboration"] is None
    assert "Reported by" not in told.body
    assert "Also told by" in told.body


def test_a_short_message_names_the_origins_alone(
    make_alert: Make, english: Story, hebrew: Story, named: Wording
) -> None:
    told = corroborated(make_alert, english, hebrew, wording=named, form=Form(title=100, body=380))
    assert "Reported by 3 origins: Reuters, Axios, statement of Qatari foreign ministry" in plain(told.body)
    assert len(told.body) <= 380


def test_f091_a_name_from_outside_rings_nobody_and_is_no_markup(
    make_alert: Make, english: Story, named: Wording
) -> None:
    hostile = replace(named, sources={"axios": "@everyone <b>*x*</b>", **{}}, outlets={**NAMES, "cnn": "<i>@here"})
    told = corroborated(make_alert, english, wording=hostile, form=replace(WHOLE, chat=True))
    for text in told.texts:
        assert "@everyone" not in text
        assert "@here" not in text
    assert "<b>" not in told.html
    assert "<i>" not in told.html


def test_many_origins_are_counted_and_the_first_are_named(make_alert: Make, item: Item, named: Wording) -> None:
    items = tuple(told_by(item, f"outlet{n}", n) for n in range(30))
    told = corroborated(make_alert, Story(id="s1", items=items), wording=named)
    assert "Reported by 30 origins: outlet0, " in plain(told.body)
    assert "outlet7 and 22 more" in plain(told.body)


# ------------------------------------------------------------------ hedges and denials


def alone(make: Make, item: Item, wording: Wording, *others: Item, linked: tuple[Story, ...] = ()) -> Words:
    story = Story(id="s1", items=(item, *others))
    return words(
        gathered(Telling(alert=make(item), item=item, story=story, linked=linked), kind="alert"), wording
    )  # fmt: skip


def test_one_source_that_hedges_is_told_in_its_own_words_in_every_form(
    make_alert: Make, item: Item, named: Wording
) -> None:
    title = "Sides are close to agreeing on a deal, officials say"
    told = alone(make_alert, told_by(item, "nbc", 0, cites("axios"), title=title), named)
    for text in told.texts:
        assert "One source, hedged: “close to agreeing on a deal” (Axios)" in plain(text)
    assert told.payload["claim"] == {"one_source": True, "hedged": "close to agreeing on a deal", "denied": None}


def test_a_second_source_in_any_language_ends_it(make_alert: Make, item: Item, hebrew: Story, named: Wording) -> None:
    title = "Sides are close to agreeing on a deal"
    first, copy = told_by(item, "nbc", 0, title=title), told_by(item, "bbc", 1, title=title, copy_of="i0")
    assert "One source" in alone(make_alert, first, named, copy).body, "a copy is no second source"
    other = told_by(item, "cnn", 2, title="A deal is done")
    for told in (alone(make_alert, first, named, other), alone(make_alert, first, named, linked=(hebrew,))):
        assert "One source" not in told.body
        assert told.payload["claim"]["one_source"] is False
        assert told.payload["claim"]["hedged"]


def test_a_denial_is_told_however_many_tell_it(make_alert: Make, item: Item, named: Wording) -> None:
    denial = told_by(item, "nbc", 0, title="Officials deny reports of a deal", lead="There is none.")
    told = alone(make_alert, denial, named, told_by(item, "cnn", 2, title="A deal is done"))
    for text in told.texts:
        assert "Denied: “deny reports of a” (NBC)" in plain(text)
    assert told.payload["claim"]["denied"] == "deny reports of a"


@pytest.mark.parametrize(
    ("language", "title", "hedged", "denied"),
    [
        ("en", "Deal reached in Doha", "", ""),
        ("en", "There is no truth to the report. Talks go on", "", "no truth to the report"),
        ("he", "לשכת ראש הממשלה מכחישה: אין עסקה", "", "מכחישה"),
        ("he", "ייתכן שהעסקה תיחתם השבוע בדוחא", "ייתכן שהעסקה תיחתם השבוע", ""),
        ("ar", "الخارجية تنفي التوصل إلى اتفاق في الدوحة", "", "تنفي التوصل إلى اتفاق"),
        ("ar", "ربما يعلن الاتفاق غدا", "ربما يعلن الاتفاق غدا", ""),
        ("und", "ربما يعلن الاتفاق غدا", "", ""),
    ],
)
def test_the_words_of_a_hedge_or_denial_end_with_their_part_of_the_sentence(
    item: Item, phrases: Phrases, language: TextLanguage, title: str, hedged: str, denied: str
) -> None:
    assert claim(replace(item, title=title, language=language), phrases) == (hedged, denied)


def test_nothing_is_said_of_how_a_notice_sounds(make_alert: Make, item: Item, named: Wording) -> None:
    told = words(
        gathered(Telling(alert=make_alert(item), item=replace(item, title="It may be late")), kind="alert"), named
    )
    assert told.payload["claim"] is None
    assert "One source" not in told.body


# ------------------------------------------------------------------ messages of several


def test_a_digest_says_in_short_of_each_alert_whose_it_is_and_who_else_tells_it(
    make_alert: Make, item: Item, english: Story, hebrew: Story, named: Wording
) -> None:
    copy, own = english.items[1], told_by(item, "nbc", 9, title="Sides are close to agreeing")
    told = words(
        gathered(
            Telling(alert=make_alert(copy), item=copy, story=english),
            Telling(alert=make_alert(own), item=own, story=Story(id="s9", items=(own,))),
            Telling(
                alert=make_alert(english.items[0], state="corroborated"), item=english.items[0], story=english,
                event=(english, hebrew),
            ),
        ),
        named,
    )  # fmt: skip
    for text in told.texts:
        assert "Goes back to Reuters; also told by 4 outlets" in plain(text)
        assert "One source, hedged: “close to agreeing” (NBC)" in plain(text)
        assert "Reported by 3 origins: Reuters, Axios, statement of Qatari foreign ministry" in plain(text)


@pytest.mark.parametrize("count", [10, 11])
def test_of_many_alerts_the_json_form_counts_who_else_tells_the_story_and_names_nobody(
    make_alert: Make, english: Story, named: Wording, count: int
) -> None:
    told = [
        Telling(alert=make_alert(english.items[0], channel=f"c{n}"), item=english.items[0], story=english)
        for n in range(count)
    ]
    found = words(gathered(*told), named)
    for each in found.payload["alerts"]:
        assert (each["story"]["outlets"], each["story"]["origins"]) == (5, 3)
        assert bool(each["story"]["others"]) is (count == 10)
    assert plain(found.body).count("Also told by 4 outlets") == count
