"""What a query finds and does not find, through the whole engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model.items import Match
from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText

Find = Callable[..., Match | None]
Compile = Callable[..., WatchSet]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("חטופים", "עסקת החטופים"),
        ("חטופים", "לחטופים"),
        ("חטוף", "חטופיו"),
        ("חטופים", "הַחֲטוּפִים"),
        ("الدوحة", "بالدوحة"),
        ("الدوحة", "للدوحة"),
        ("دوحة", "الدوحه"),
        ("hostage", "Hostages"),
        ("hostage", "a hostage’s"),
        ("US", "the US said"),
        ("US", "the US's role"),
        ("MP", "MPs vote"),
        ("us", "told US"),
        ('צה"ל', "דובר בצה״ל"),
        ("הארץ", 'כך נכתב ב"הארץ"'),
        ('"עסקת חטופים"', "בעסקת החטופים"),
        ('"صفقة تبادل"', "بصفقة التبادل"),
        ('"وقف إطلاق النار"', "ووقف إطلاق النار"),
        ('"وقف إطلاق النار"', "بوقف إطلاق النار"),
        ("U.S.", "a U.S. envoy"),
        ("cease-fire", "the cease fire"),
        ("אל־ת'אני", "השייח אל-ת׳אני"),
        ("hostag*", "hostage"),
        ("חטופ*", "והחטופים"),
        ("=חטופים", "חטופים נוספים"),
        ("name:ישראל", "בישראל"),
        ("Erdoğan", "ERDOĞAN"),
        ("doha AND talks", "Talks in Doha"),
        ("doha talks", "Talks in Doha"),
        ("doha OR cairo", "in Cairo"),
        ("doha NOT football", "Doha talks"),
        ("doha -football", "Doha talks"),
        ("(doha OR cairo) talks", "Cairo talks"),
        ("NOT NOT doha AND talks", "Doha talks"),
        ("@doha", "המשלחת יצאה לדוחה"),
        ("@doha", "בדוחא"),
        ("@doha", "ومن الدوحة"),
        ("@hostage", "رهائن"),
        ("@hostage", "أسرى في غزة"),
        ("@remains", "גופות החללים בישראל"),
        ("1,000", "some 1,000 people"),
        ("10:30", "at 10:30 today"),
        ('="hostage deal"', "the hostage deal"),
        ("atleast2(deal)", "deal or no deal"),
    ],
)
def test_found(query: str, text: str, find: Find) -> None:
    match = find(query, text)
    assert match is not None
    assert match.spans or "NOT" in query


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("גל", "ברגל"),
        ("US", "tell us"),
        ("US", "bus"),
        ("IDF", "idf"),
        ("hostage", "hostageship"),
        ("חטופים", "חטוף"),
        ("=חטופים", "החטופים"),
        ("=hostage", "hostages"),
        ('="hostage deal"', "hostage deals"),
        ("name:ישראל", "ישראלי"),
        ("name:bank", "banks"),
        ('"עסקת חטופים"', "חטופים בעסקת"),
        ('"hostage deal"', "hostage release deal"),
        ("hostag*", "host"),
        ("doha AND talks", "Doha"),
        ("doha NOT football", "Doha football"),
        ("@doha", "נתניהו דוחה את ההצעה"),
        ("@doha", 'הרמטכ"ל שדוחה'),
        ("@doha", "قطر"),
        ("@hamas", "الحركة"),
        ("@remains", "טיסה לחלל"),
        ("deal", "ideal"),
        ("קטר", "מקטר"),
        ("atleast2(deal)", "a deal"),
        ("atleast2(@deal)", "a hostage deal"),
        ("@un", "in un paese"),
    ],
)
def test_not_found(query: str, text: str, find: Find) -> None:
    assert find(query, text) is None


def test_the_doha_trap_does_not_open_by_context(find: Find) -> None:
    assert find("@doha", "קטאר דוחה את הטענות בדבר החטופים") is None
    assert find("@doha", "קטאר: המשלחת בדוחה") is not None


def test_a_weak_form_needs_a_strong_form_of_another_concept(find: Find) -> None:
    assert find("@mossad", "מוסד חדש נפתח") is None
    assert find("@mossad", "ראש המוסד") is not None
    assert find("@mossad", ItemText("מוסד חדש נפתח", lead="בקטאר")) is not None
    assert find("@hamas", "الحركة") is None
    assert find("@hamas", "الحركة تنفي وقف إطلاق النار") is not None
    assert find("@mossad", "מוסד ומוסד") is None, "its own weak forms are no context"


def test_the_spans_are_the_words_of_the_original(find: Find) -> None:
    text = ItemText("שִׂיחוֹת בַּדּוֹחָא\u200f", lead="על ה\u00adחטופים, אמרו", body="Talks on hostages’ fate")
    match = find("@negotiation AND @doha AND (חטופים OR hostage)", text)
    assert match is not None
    words = [(span.field, getattr(text, span.field)[span.start : span.end], span.term) for span in match.spans]
    assert words == [
        ("title", "שִׂיחוֹת", "@negotiation"),
        ("title", "בַּדּוֹחָא", "@doha"),
        ("lead", "ה\u00adחטופים", "חטופים"),
        ("body", "Talks", "@negotiation"),
        ("body", "hostages", "hostage"),
    ]


def test_the_clause_names_the_alternative_that_was_met(find: Find) -> None:
    query = "(@hostage NEAR/12 (@deal OR @release)) AND (@doha OR @qatar) AND NOT title:(football OR opera)"
    match = find(query, "Hostage deal near, says Qatar")
    assert match is not None
    assert match.clause == "(@hostage NEAR/12 (@deal OR @release)) AND @qatar"


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("title:doha", True),
        ("lead:doha", False),
        ("lead:talks", True),
        ("body:envoy", True),
        ("author:cohen", True),
        ("cohen", False),
        ("url:world", True),
        ("world", False),
        ("title:(doha OR cairo)", True),
        ("title:(-talks doha)", True),
        ("title:(talks doha)", False),
        ("outlet:bbc", True),
        ("outlet:reuters", False),
        ("outlet:(reuters OR bbc) doha", True),
        ("source:world", True),
        ("source:elsewhere", False),
        ("lang:en doha", True),
        ("lang:he doha", False),
        ("kind:live doha", True),
        ("kind:opinion doha", False),
        ("-kind:live doha", False),
        ("title:/doh./", True),
        ("lead:/doh./", False),
        ("title:@doha", True),
        ('title:"doha today"', True),
        ("title:doh*", True),
    ],
)
def test_fields(query: str, hit: bool, find: Find) -> None:
    item = ItemText(
        "Doha today",
        lead="Talks resume",
        body="The envoy said",
        url="https://example.org/world/1",
        author="Dana Cohen",
        outlet="bbc",
        source="bbc/world",
        language="en",
        kind="live",
    )
    assert (find(query, item) is not None) is hit


def test_a_watch_looks_only_at_its_outlets(watching: Compile) -> None:
    watches = watching("doha", outlets=("bbc",))
    assert watches.match(ItemText("Doha", outlet="bbc"))
    assert not watches.match(ItemText("Doha", outlet="reuters"))
    assert not watches.match(ItemText("Doha"))


def test_a_phrase_does_not_cross_from_one_field_into_the_next(find: Find) -> None:
    assert find('"hostage deal"', ItemText("The hostage", lead="deal is done")) is None


def test_matches_come_in_the_order_of_the_watches(watching: Compile) -> None:
    found = watching("talks", "cairo", "doha", "/d.ha/ talks").match(ItemText("Doha talks"))
    assert [match.watch for match in found] == ["q0", "q2", "q3"]


def test_f105_a_set_of_watches_never_changes(watching: Compile) -> None:
    old = watching("doha")
    before = old.match(ItemText("Doha and Cairo"))
    new = watching("cairo", "doha")
    assert old.match(ItemText("Doha and Cairo")) == before
    assert [match.watch for match in new.match(ItemText("Doha and Cairo"))] == ["q0", "q1"]
    assert old.ids == ("q0",)


def test_f104_a_watch_that_fires_on_everything_leaves_the_others_what_they_find(watching: Compile) -> None:
    watches = watching("outlet:bbc", "doha")
    items = [
        ItemText(f"Item {number}" + (" from Doha" if number % 100 == 0 else ""), outlet="bbc")
        for number in range(1_000)
    ]
    found = [match.watch for item in items for match in watches.match(item)]
    assert found.count("q0") == 1_000
    assert found.count("q1") == 10


@pytest.mark.parametrize("text", ["", " ", "\u200f", "…", "א", "'", '"', "\u0301\u0301", "🏳️‍🌈" * 50, "a" * 100_000])
def test_any_text_can_be_matched_and_explained(text: str, watching: Compile) -> None:
    watches = watching("doha AND (talks NEAR/3 hostage)", "@hostage", "doh*")
    assert watches.match(ItemText(text)) == ()
    assert not watches.explain("q0", ItemText(text)).hit
