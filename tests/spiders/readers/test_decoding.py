"""Bytes to text: faults 33 to 44."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model.sources import Outcome
from spiders.readers import Reading
from spiders.readers.decoding import decode

HEBREW = "המשלחות נפגשו בדוחה ליום שלישי של שיחות"
ARABIC = "الوفود تلتقي في الدوحة لليوم الثالث من المحادثات"
LOGICAL = "שלום אנשים רבים באים לירושלים ונוסעים משם"
ENGLISH = "Café talks – “businesslike”, officials say"


def feed(title: str, *, count: int = 20, declared: str = "UTF-8") -> str:
    items = "".join(f"<item><title>{title} {n}</title><link>https://a.example/{n}</link></item>" for n in range(count))
    return f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel>{items}</channel></rss>'


def titles(reading: Reading) -> list[str]:
    return [entry.title for entry in reading.entries]


@pytest.mark.parametrize(
    ("fault", "title", "charset"),
    [("f033", HEBREW, "windows-1255"), ("f034", ARABIC, "windows-1256"), ("f034", ARABIC, "iso-8859-6")],
)
def test_f033_f034_legacy_bytes_declared_utf8_are_read_by_their_script(
    read_body: Callable[..., Reading], fault: str, title: str, charset: str
) -> None:
    reading = read_body(feed(title).encode(charset), content_type="text/xml; charset=utf-8")
    assert titles(reading)[7] == f"{title} 7", fault
    assert reading.outcome is Outcome.DEGRADED
    assert reading.marks == (f"charset guessed: {charset}",)


@pytest.mark.parametrize("content_type", ["", "text/xml; charset=windows-1255", "text/xml; charset=utf-8"])
@pytest.mark.parametrize("declared", ["windows-1255", "UTF-8"])
def test_f035_utf8_wins_whenever_it_decodes(
    read_body: Callable[..., Reading], content_type: str, declared: str
) -> None:
    reading = read_body(feed(HEBREW, declared=declared), content_type=content_type, charset="windows-1255")
    assert titles(reading)[0] == f"{HEBREW} 0"
    assert reading.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("title", "charset", "content_type", "declared"),
    [
        (HEBREW, "iso-8859-8", "text/xml; charset=iso-8859-8-i", "utf-8"),
        (HEBREW, "windows-1255", "text/xml; charset=us-ascii", "utf-8"),
        (HEBREW, "windows-1255", "text/xml; charset=no-such-charset", "windows-1255"),
        (HEBREW, "windows-1255", "text/xml; charset=iso-8859-1", "iso-8859-1"),
        (ENGLISH, "windows-1252", "text/xml; charset=iso-8859-1", "utf-8"),
        ("Привет из Дохи", "koi8-r", "text/xml", "koi8-r"),
        (ARABIC, "windows-1256", "text/xml; charset=hex", "rot13"),
    ],
)
def test_f036_declarations_that_differ_or_name_nothing_never_raise(
    read_body: Callable[..., Reading], title: str, charset: str, content_type: str, declared: str
) -> None:
    body = feed(title, declared=declared).encode(charset)
    assert titles(read_body(body, content_type=content_type))[3] == f"{title} 3"


def test_the_outlets_charset_is_asked_before_the_declared_one() -> None:
    body = "Дохе".encode("windows-1251")
    assert decode(body, charset="windows-1251", content_type="text/plain; charset=koi8-r").text == "Дохе"


def test_f037_one_bad_byte_keeps_the_feed_utf8(read_body: Callable[..., Reading]) -> None:
    body = feed(HEBREW).encode().replace(b" 5</title>", b" 5\xff</title>")
    reading = read_body(body)
    assert titles(reading)[5] == f"{HEBREW} 5\ufffd"
    assert [title for title in titles(reading) if HEBREW in title] == titles(reading)
    assert reading.marks == ("invalid bytes in UTF-8",)


@pytest.mark.parametrize("title", [HEBREW, ARABIC, "Plain words"])
def test_f038_a_cut_inside_a_letter_keeps_the_complete_entries(read_body: Callable[..., Reading], title: str) -> None:
    whole = feed(f"{title} é").encode()
    body = whole[: whole.rindex("é".encode()) + 1]
    reading = read_body(body)
    assert titles(reading) == [f"{title} é {n}" for n in range(19)]
    assert reading.outcome is Outcome.DEGRADED
    assert "cut: the end is missing" in reading.marks


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + feed(HEBREW).encode(),
        b"\r\n\r\n\xef\xbb\xbf" + feed(HEBREW).encode(),
        feed(HEBREW, declared="utf-8").encode("utf-16"),
        feed(HEBREW, declared="utf-8").encode("utf-16-be"),
    ],
)
def test_f039_byte_order_marks_and_utf16_declared_utf8_are_read(read_body: Callable[..., Reading], body: bytes) -> None:
    assert titles(read_body(body))[0] == f"{HEBREW} 0"


@pytest.mark.parametrize("title", [HEBREW, ARABIC, "The minister’s “final” offer – again…"])
@pytest.mark.parametrize("wrong", ["windows-1252", "latin-1"])
def test_f040_utf8_encoded_twice_is_repaired(read_body: Callable[..., Reading], title: str, wrong: str) -> None:
    twice = "".join(bytes([byte]).decode(wrong, "ignore") or chr(byte) for byte in feed(title).encode())
    reading = read_body(twice.encode())
    assert titles(reading)[0] == f"{title} 0"
    assert reading.marks == ("repaired: encoded twice",)


@pytest.mark.parametrize("text", [ENGLISH, "« CAFÉ » naïve façade", HEBREW, ARABIC, "£5 à la carte"])
def test_honest_text_is_never_repaired(text: str) -> None:
    decoded = decode(text.encode())
    assert (decoded.text, decoded.marks) == (text, ())


def test_f044_hebrew_in_visual_order_is_marked(read_body: Callable[..., Reading]) -> None:
    reversed_words = " ".join(word[::-1] for word in LOGICAL.split())
    assert "Hebrew in visual order: its words are reversed" in read_body(feed(reversed_words)).marks
    assert decode(LOGICAL.encode()).marks == ()
