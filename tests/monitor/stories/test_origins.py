"""Whose reporting an article is, in three languages: hand-written articles, and what must hold for any text."""

from __future__ import annotations

import gzip
import json
import os
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.load import load, shipped
from config.model.origins import OriginFile, OriginTables
from monitor.language.normalise import fold
from monitor.stories.origins import OPENING, Origins, OriginText, Sources, origins

HERE = Path(__file__).parent
TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "origins.toml").read_text("utf-8"))
HELD_OUT: dict[str, list[dict[str, Any]]] = tomllib.loads((HERE / "origins-held-out.toml").read_text("utf-8"))
PAGE = Path(__file__).parents[3] / "docs/origins.md"
CORPORA = os.environ.get("WIREWATCH_CORPORA")


@pytest.fixture(scope="session")
def sources() -> Sources:
    return Sources.of(load(None, environ={}).origins)


def text(**fields: Any) -> OriginText:
    known = ("title", "lead", "body", "author", "publisher")
    return OriginText(
        outlet=fields.get("outlet", "plain"),
        credits=tuple(fields.get("credits", ())),
        **{"title": "", **{name: fields[name] for name in known if name in fields}},
    )


def told(found: Origins) -> set[str]:
    return {f"{origin.relation} {origin.id}" for origin in found.found}


def wrong(rows: list[dict[str, Any]], sources: Sources) -> list[str]:
    return [
        f"{row}: {sorted(found)}" for row in rows if (found := told(origins(text(**row), sources))) != set(row["whose"])
    ]  # fmt: skip


# ------------------------------------------------------------------ the tables


@pytest.mark.parametrize("language", TABLE)
def test_whose_reporting_an_article_is_is_read_as_a_reader_would(language: str, sources: Sources) -> None:
    assert wrong(TABLE[language], sources) == []


@pytest.mark.parametrize("language", HELD_OUT)
def test_articles_that_the_rules_were_not_written_for_are_mostly_read_right(language: str, sources: Sources) -> None:
    mistakes = wrong(HELD_OUT[language], sources)
    assert len(mistakes) <= 0.2 * len(HELD_OUT[language]), "\n".join(mistakes)


@pytest.mark.parametrize("rows", [TABLE, HELD_OUT], ids=["table", "held out"])
def test_the_credit_of_a_picture_is_never_taken_for_a_source(
    rows: dict[str, list[dict[str, Any]]], sources: Sources
) -> None:
    photos = [row for language in rows.values() for row in language if row.get("kind") == "photo"]
    assert wrong(photos, sources) == []


def test_the_table_has_enough_of_every_kind_in_every_language() -> None:
    for rows in TABLE.values():
        assert len(rows) >= 40
        for kind in ("photo", "trap"):
            assert sum(row.get("kind") == kind for row in rows) >= 8
        assert {whose.split()[0] for row in rows for whose in row["whose"]} == {"credit", "cite", "statement"}


# ------------------------------------------------------------------ evidence


def test_evidence_is_a_place_in_the_text_as_it_was_written(sources: Sources) -> None:
    lead = "بيان سابق.\nوقال مسؤول مصريّ لـ«الشرق الأوسط» إنّ الردّ سيصل الليلة."
    [found] = origins(text(lead=lead), sources).found
    assert found.evidence
    assert lead[found.evidence.start : found.evidence.end] == "وقال مسؤول مصريّ لـ«الشرق الأوسط"
    assert (found.evidence.field, found.evidence.pattern) == ("lead", "told")


def test_evidence_names_the_pattern_that_found_it(sources: Sources) -> None:
    patterns = {
        "dateline": text(body="GAZA, Oct 13 (Xinhua) -- Trucks came."),
        "closing": text(body="Trucks came.\n\n- AFP"),
        "source": text(body="Trucks came.\n\nSource: Reuters"),
        "copyright": text(body="Trucks came.\n\n© 2019 Associated Press. All rights reserved."),
        "signed": text(body="Trucks came.\n\n(Reporting by Ann Example; Editing by Tom Example)"),
        "byline": text(author="AFP"),
        "headline": text(title="Axios: Trucks came"),
        "according": text(lead="Trucks came, according to Axios."),
        "spokesperson": text(lead="An IDF spokesman said trucks came."),
    }
    for pattern, told_by in patterns.items():
        [found] = origins(told_by, sources).found
        assert found.evidence
        assert found.evidence.pattern == pattern


def test_which_credit_field_named_the_source_is_told(sources: Sources) -> None:
    [found] = origins(text(credits=["Example Daily", "Reuters"]), sources).found
    assert found.evidence
    assert (found.evidence.field, found.evidence.part, found.evidence.start) == ("credit", 1, 0)


def test_each_source_and_relation_is_told_once_and_credits_come_first(sources: Sources) -> None:
    found = origins(
        text(
            lead="The IDF said trucks came, Axios reported. Axios reported more.",
            body="Trucks came, Axios reported.\n\nAFP contributed to this report.",
        ),
        sources,
    )
    assert [(origin.relation, origin.id) for origin in found.found] == [
        ("credit", "afp"),
        ("statement", "statement:idf"),
        ("cite", "axios"),
    ]
    assert found.whose.id == "afp"


@pytest.mark.parametrize(
    ("body", "whose"),
    [
        ("Gaza - Reuters - Trucks came.", set()),  # an English dateline is in capitals
        ("GAZA - Reuters - Trucks came.", {"credit reuters"}),
        ("غزة - رويترز\n\nوصلت الشاحنات.", {"credit reuters"}),
        ("غزة/ الأناضول\n\nوصلت الشاحنات.", {"credit anadolu"}),
        ("القدس/ فلان بن فلان الفلاني/ الأناضول\n\nوصلت الشاحنات.", {"credit anadolu"}),
        ("وصلت الشاحنات صباح اليوم الباكر - رويترز - ثم عادت.\n\nنعم.", set()),
        ("المصدر: فلان/ الأناضول\n\nوصلت الشاحنات.", set()),
        ("فلان / الأناضول\n\nوصلت الشاحنات.", set()),
        ("فلان/الأناضول\n\nوصلت الشاحنات.", set()),
        ("صورة: فلان/ الأناضول\n\nوصلت الشاحنات.", set()),
        ("صورة (أ ف ب) - شاحنات\n\nوصلت الشاحنات.", set()),
        ("Headline\n\nA caption\n\nGAZA (AP) — Trucks came.", {"credit ap"}),
        ("One.\n\nTwo.\n\nThree.\n\nGAZA (AP) — Trucks came.\n\nFive.", set()),
        ("Trucks came. (AFP)\n\nTwo.\n\nThree.\n\nFour.", set()),
        ("Trucks came.\n\n(AFP)\n\nThe crossing is open.", set()),
        ("Trucks came.\n\nReuters", {"credit reuters"}),
        ("Trucks came.\n\nReuters\n\nThe crossing is open.", set()),
        ("Trucks came.\n\n© AFP", {"credit afp"}),
        ("Trucks came.\n\n© AFP\n\nThe crossing is open.", set()),
        ("Trucks came.\n\nSource: Axios", {"cite axios"}),
    ],
)
def test_an_agencys_name_at_an_edge_of_a_text_is_its_credit(body: str, whose: set[str], sources: Sources) -> None:
    assert told(origins(text(body=body), sources)) == whose


@pytest.mark.parametrize(
    ("title", "whose"),
    [
        ("Trucks come: AP", {"cite ap"}),
        ("Trucks come - Axios", {"cite axios"}),
        ("Axios - trucks come", set()),
        ("AP: trucks come", set()),  # initials at the beginning may be anybody's
        ("Trucks come: Photo AFP", set()),
        ("קרה הלילה: כאן", set()),
        ("הגשר נפתח, צילום: רויטרס", set()),
        ("IDF: trucks come", {"statement statement:idf"}),
    ],
)
def test_a_headline_begins_or_ends_with_its_source(title: str, whose: set[str], sources: Sources) -> None:
    assert told(origins(text(title=title), sources)) == whose


@pytest.mark.parametrize(
    ("author", "whose"),
    [
        ("By Reuters", {"credit reuters"}),
        ("Reuters Staff", {"credit reuters"}),
        ("Reuters/AFP", {"credit reuters", "credit afp"}),
        ("Ann Example / AFP", {"credit afp"}),
        ("Ann Example/AFP", set()),  # a picture's
        ("ANN EXAMPLE Associated Press", {"credit ap"}),
        ("Ann Example, with Reuters", {"credit reuters"}),
        ("Reuters Example", set()),
        ("IDF Spokesperson", set()),
        ("دنيا المثال والأناضول", {"credit anadolu"}),
    ],
)
def test_a_byline_names_an_agency_as_a_part_of_its_own(author: str, whose: set[str], sources: Sources) -> None:
    assert told(origins(text(author=author), sources)) == whose


# ------------------------------------------------------------------ whose


@pytest.mark.parametrize(
    ("outlet", "own"),
    [
        ("reuters", "reuters"),
        ("haaretz-he", "haaretz"),
        ("haaretz-en", "haaretz"),
        ("idf", "statement:idf"),
        ("egypt", "statement:egypt-sis"),
        ("the-daily", "the-daily"),
    ],
)
def test_an_outlets_own_reporting_is_its_source(outlet: str, own: str, sources: Sources) -> None:
    found = origins(text(outlet=outlet, title="Trucks come"), sources)
    assert found.whose == found.own
    assert (found.own.id, found.own.relation, found.own.evidence) == (own, "own", None)


def test_two_editions_of_an_outlet_do_not_cite_each_other(sources: Sources) -> None:
    lead = "Talks go on, ynet reported."
    assert origins(text(outlet="ynetnews", lead=lead), sources).found == ()
    assert told(origins(text(outlet="bbc", lead=lead), sources)) == {"cite ynet"}


@pytest.mark.parametrize(
    ("publisher", "own"),
    [
        ("Reuters", "reuters"),
        ("AP News", "ap"),
        ("The Times of Israel on MSN", "times-of-israel"),
        ("הארץ", "haaretz"),
        ("Example Gazette", "example-gazette"),
        ("Example Gazette on MSN", "example-gazette"),
        ("haaretz-en", "haaretz"),
        ("  ", "plain"),
        ("!", "unknown"),
    ],
)
def test_an_aggregators_article_is_its_publishers(publisher: str, own: str, sources: Sources) -> None:
    found = origins(text(publisher=publisher, lead=f"Trucks came, {publisher} reported."), sources)
    assert found.own.id == own
    assert not any(origin.id == own for origin in found.found)


def test_what_is_named_far_down_is_told_and_not_followed(sources: Sources) -> None:
    long = "The families had come from the north. " * 40
    assert len(long) > OPENING
    found = origins(text(body=f"{long}\n\nIt was first reported by Axios."), sources)
    assert [(origin.id, origin.aside) for origin in found.found] == [("axios", True)]
    assert found.whose == found.own
    near = origins(text(body=f"It was first reported by Axios.\n\n{long}"), sources)
    assert (near.whose.id, near.whose.aside) == ("axios", False)


def test_a_credit_counts_wherever_it_stands(sources: Sources) -> None:
    long = "The families had come from the north. " * 40
    assert origins(text(body=f"{long}\n\nAFP contributed to this report."), sources).whose.id == "afp"


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("lead", "whose"),
    [
        ("Talks go on, CNN reported.", {"cite cnn"}),
        ("Talks go on, according to a guardian.", set()),
        ("Talks go on, the Guardian reported.", {"cite guardian"}),
        ("Talks go on, the Guardian Council reported.", set()),
        ("The ambassador to the United Nations said talks go on.", set()),
        ("Rear Adm. Example of the IDF said talks go on.", set()),
        ("IDF Spokesperson Rear Adm. Example Name said talks go on.", {"statement statement:idf"}),
        ("A White House-brokered pause held, said residents.", set()),
        ("A photo (AFP) reported by nobody.", set()),
        ("Talks go on, the Axios chief said, and the CNN report is old.", {"cite cnn"}),
        ("Aid came, according to idf.", set()),
        ("Aid came, according to the New, York Times reported.", set()),
        ("Hamas official said talks go on.", set()),
        ("Talks go on, according to Hamas officials.", set()),
        ("Talks go on, according to White House-backed envoys.", set()),
        ("Talks go on, according to a politico.", set()),
        ("הוא העביר דיווח לרויטרס.", set()),
        ("המתווכות נמסרו מרויטרס לפי רויטרס.", {"cite reuters"}),
        ("הוא נסע לפי רצונו ונמסר מרויטרס.", set()),
        ("Officials told reporters. Axios did not ask.", set()),
        ("גורם בכיר שתק. לרויטרס אין תגובה.", set()),
        ("גורם בכיר במשרד אמר לרויטרס כי השיחות נמשכות.", {"cite reuters"}),
        ("لم تعلن قطر شيئا.", set()),
        ("قال مصدر للعربية إن الرد وصل.", {"cite al-arabiya"}),
        ("نفى المتحدث باسم الجيش الإسرائيلي ذلك.", {"statement statement:idf"}),
        ('בצה"ל אמרו שהאירוע נבדק.', {"statement statement:idf"}),
        ("משרד החוץ הרוסי מסר כי השיחות נמשכות.", set()),
    ],
)
def test_a_name_counts_as_it_is_written_and_by_what_stands_beside_it(
    lead: str, whose: set[str], sources: Sources
) -> None:
    assert told(origins(text(lead=lead), sources)) == whose


def test_names_and_patterns_of_ones_own_are_found() -> None:
    tables = OriginTables.model_validate(
        {
            "outlets": {"hill": {"en": ["Hill Post"], "he": ["היל פוסט"]}},
            "bodies": {"port": {"en": ["Port Authority"]}},
            "patterns": {
                "whispered": {"relation": "cite", "en": ["whispered … to @"], "he": ["לחש … ל@"]},
                "posted": {"relation": "statement", "en": ["@ posted … :", "posts @ ."]},
            },
        }
    )
    sources = Sources.of(tables)
    assert told(origins(text(lead="He whispered a word to Hill Post."), sources)) == {"cite hill"}
    assert told(origins(text(lead="הוא לחש מילה להיל פוסט."), sources)) == {"cite hill"}
    assert told(origins(text(lead="Port Authority posted on Sunday: closed."), sources)) == {"statement statement:port"}
    assert told(origins(text(lead="Closed, posts Port Authority."), sources)) == {"statement statement:port"}
    assert told(origins(text(lead="Closed, posts Port Authority and leaves."), sources)) == set()


def test_without_tables_everything_is_the_outlets_own() -> None:
    found = origins(text(body="JERUSALEM (AP) — Talks went on.", author="AP"), Sources.of(OriginTables()))
    assert found == Origins(own=found.own)


def test_of_two_tables_with_one_name_the_later_has_it() -> None:
    tables = OriginTables.model_validate({"outlets": {"old": {"en": ["Post"]}, "new": {"en": ["Post"]}}})
    assert Sources.of(tables).names.of_outlet("new").id == "new"
    line = text(title="Post: closed")
    assert told(origins(line, Sources.of(tables))) == {"cite new"}


# ------------------------------------------------------------------ what ships


def test_every_outlet_that_ships_and_reports_has_a_name_to_be_cited_by(sources: Sources) -> None:
    named = set(sources.names.sources)
    think_tanks = {"inss", "washington-institute"}
    assert {path.stem for path in (shipped() / "outlets").glob("*.toml")} - named <= think_tanks


def test_no_id_stands_for_two_sources() -> None:
    tables = load(None, environ={}).origins
    ids = [*tables.agencies, *tables.outlets, *tables.bodies]
    assert len(ids) == len(set(ids))


def test_no_name_that_ships_is_in_two_tables() -> None:
    tables = load(None, environ={}).origins
    owners: dict[str, set[str]] = {}
    for name, each in {**tables.agencies, **tables.outlets, **tables.bodies}.items():
        for form in (*each.en, *each.he, *each.ar, *(form for forms in each.weak.values() for form in forms)):
            owners.setdefault(fold(form), set()).add(name)
    assert {form: names for form, names in owners.items() if len(names) > 1} == {}


def test_the_page_tells_every_relation_and_pattern() -> None:
    page = PAGE.read_text("utf-8")
    patterns = {*load(None, environ={}).origins.patterns, "dateline", "closing", "source", "copyright", "signed"}
    patterns |= {"byline", "headline", "publisher"}
    assert [name for name in sorted(patterns) if f"`{name}`" not in page] == []
    for relation in ("credit", "cite", "statement", "own"):
        assert f"**{relation}**" in page


def test_what_the_page_says_to_write_is_taken_and_found() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    sources = Sources.of(OriginFile.model_validate(tomllib.loads("".join(blocks))))
    assert told(origins(text(lead="לפי מקור, \"אל-ג'רידה\" הודלף לאל-ג'רידה."), sources)) == {"cite al-jarida"}
    assert told(origins(text(lead="Written in a dispatch yesterday by Al-Jarida."), sources)) == {"cite al-jarida"}
    assert told(origins(text(lead="سربت مصادر لصحيفة الجريدة الرد."), sources)) == set()  # صحيفة describes nothing here
    assert told(origins(text(lead="سربت مصادر ل«الجريدة» الرد."), sources)) == {"cite al-jarida"}
    assert sources.names.of_outlet("al-jarida-en").id == "al-jarida"


# ------------------------------------------------------------------ any text

SPOKEN = """
    Reuters AP (AFP) the IDF said told according to Axios reported - — : / Photo © 2025 ( ) [ ] " ' ’s . , İ ş ﬁ ² ﷽
    רויטרס לרויטרס לפי דובר צה"ל מסר כאן ב"הארץ" צילום
    لـ«الشرق الأوسط» رويترز قال وكالة الجزيرة للجزيرة بيان حماس
    """
WORDS = st.sampled_from([*SPOKEN.split(), "\n", "\n\n", "\u200f", "\u064e"])
TEXTS = st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60)


@given(title=TEXTS, lead=TEXTS, body=TEXTS, author=TEXTS, publisher=TEXTS)
@example(title="", lead="", body="Reuters\u2028said", author="", publisher="")
@example(title="İ Reuters: İ", lead="", body="", author="", publisher="")
def test_any_text_is_read_and_evidence_stands_in_it(
    title: str, lead: str, body: str, author: str, publisher: str, sources: Sources
) -> None:
    whole = text(title=title, lead=lead, body=body, author=author, publisher=publisher)
    found = origins(whole, sources)
    assert found.own.relation == "own"
    assert len({(origin.id, origin.relation) for origin in found.found}) == len(found.found)
    for origin in found.found:
        assert origin.evidence
        assert origin.id != found.own.id
        assert 0 <= origin.evidence.start < origin.evidence.end <= len(getattr(whole, origin.evidence.field))
        assert (origin.relation == "statement") == (origin.kind == "body")


@given(lead=TEXTS)
def test_the_same_text_in_another_spelling_is_the_same_reporting(lead: str, sources: Sources) -> None:
    dashed = lead.replace("—", "–").replace('"', "”").replace("«", "“").replace("»", "”")
    assert told(origins(text(lead=lead), sources)) == told(origins(text(lead=dashed), sources))


# ------------------------------------------------------------------ real texts


@pytest.mark.skipif(CORPORA is None, reason="WIREWATCH_CORPORA names no folder with the treebanks")
def test_the_datelines_of_an_arabic_agency_are_found(sources: Sources) -> None:
    """Of the Arabic treebank's articles, those that begin with AFP's initials in brackets are its copy."""
    path = Path(str(CORPORA)) / "language/ar-ud-dev.v1-history.conllu.gz"
    articles: dict[str, list[str]] = {}
    for sentence in gzip.decompress(path.read_bytes()).decode("utf-8").strip().split("\n\n"):
        told_in = re.search(r"orig_file_sentence (\S+?)#", sentence)
        assert told_in
        rows = [row.split("\t") for row in sentence.split("\n") if not row.startswith("#")]
        words = " ".join(row[1] for row in rows if row[0].isdigit())
        articles.setdefault(told_in[1], []).append(unicodedata.normalize("NFC", words))
    for name, lines in articles.items():
        found = origins(text(body="\n\n".join(lines)), sources)
        begins = re.search(r"\( \S* ?ف ب \)", fold("\n".join(lines[:3]))) is not None
        assert ("credit afp" in told(found)) == begins, name


@pytest.mark.skipif(CORPORA is None, reason="WIREWATCH_CORPORA names no folder with the articles")
def test_agency_copy_among_real_articles_is_found_and_nothing_else_is(sources: Sources) -> None:
    """A dateline of the Associated Press or Reuters at the very beginning says whose an article is."""
    path = Path(str(CORPORA)) / "articles/ground-truth.json"
    for article in json.loads(path.read_text("utf-8")).values():
        body = article["articleBody"]
        written = re.match(r"[A-Z][^a-z(]*(?:[A-Z][a-z]+\. |[A-Z][a-z]+ )?\((AP|Reuters)\) ?[-—]|\((Reuters)\) —", body)
        expected = {f"credit {(written[1] or written[2]).casefold()}"} if written else set()
        found = {each for each in told(origins(text(body=body), sources)) if each.startswith("credit")}
        assert found == expected, article["url"]
