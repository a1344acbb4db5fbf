"""Which addresses name one article: a table in each outlet's style, and what holds for any address."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.entries import Entry
from monitor.stories.addresses import bare_host
from monitor.stories.identity import clean_url, keys

TABLE = tomllib.loads(Path(__file__).with_name("addresses.toml").read_text(encoding="utf-8"))
SAME = [(each["outlet"], each["urls"][0], other) for each in TABLE["same"] for other in each["urls"][1:]]
APART = [(each["outlet"], *pair) for each in TABLE["apart"] for pair in itertools.combinations(each["urls"], 2)]

SEGMENTS = st.text("abcXYZ019-_.חטופיםقطرé", min_size=1, max_size=12).filter(lambda text: text.strip("."))
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
NAMES = st.sampled_from(["id", "page", "q", "story", "utm_source", "at_medium", "fbclid", "ref", "update", "MID"])
QUERIES = st.lists(st.tuples(NAMES, st.text("abc019+%é&=", max_size=6)), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value.replace('%', '%25').replace('&', '%26')}" for name, value in pairs)
)
ADDRESSES = st.builds(
    lambda host, path, query, fragment: f"https://{host}{path}" + (f"?{query}" if query else "") + fragment,
    st.sampled_from(["news.example.org", "www.example.org", "m.example.org", "bbc.com", "www.bbc.co.uk"]),
    PATHS,
    QUERIES,
    st.sampled_from(["", "#top", "#a1"]),
)


def first_key(url: str, outlet) -> str:
    return keys(Entry(title="Talks resume", url=url), outlet)[0]


def test_the_table_holds_two_hundred_pairs_of_one_article_and_as_many_of_two() -> None:
    assert len(SAME) >= 200
    assert len(APART) >= 200


@pytest.mark.parametrize(("outlet", "one", "other"), SAME)
def test_two_addresses_of_one_article_have_the_same_key(outlet_named, outlet, one, other) -> None:
    assert first_key(one, outlet_named(outlet)) == first_key(other, outlet_named(outlet))


@pytest.mark.parametrize(("outlet", "one", "other"), APART)
def test_addresses_of_two_articles_share_no_key(outlet_named, outlet, one, other) -> None:
    told = [keys(Entry(title=str(n), url=url), outlet_named(outlet)) for n, url in enumerate((one, other))]
    assert not set(told[0]) & set(told[1])


@pytest.mark.parametrize(("outlet", "one", "other"), SAME)
def test_cleaning_an_address_changes_none_of_its_keys(outlet_named, outlet, one, other) -> None:
    rules = outlet_named(outlet)
    assert first_key(clean_url(other, rules), rules) == first_key(one, rules)


@given(url=ADDRESSES, outlet=st.sampled_from(["unknown", "bbc", "aljazeera-en", "ap", "haaretz-he"]))
def test_cleaning_twice_is_cleaning_once(outlet_named, url, outlet) -> None:
    once = clean_url(url, outlet_named(outlet))
    assert once
    assert clean_url(once, outlet_named(outlet)) == once


def encoded(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://" + "".join(
        letter if letter.isascii() else "".join(f"%{byte:02x}" for byte in letter.encode()) for letter in rest
    )


def with_parameter(url: str, parameter: str) -> str:
    page, hash_, fragment = url.partition("#")
    return page + ("&" if "?" in page else "?") + parameter + hash_ + fragment


VARIANTS = {
    "http": lambda url: url.replace("https://", "http://"),
    "upper-case host": lambda url: url.replace("example.org", "EXAMPLE.Org").replace("bbc.com", "BBC.com"),
    "www": lambda url: url if "//www." in url or "//m." in url else url.replace("://", "://www."),
    "port": lambda url: url.replace(".org/", ".org:443/").replace(".com/", ".com:443/"),
    "percent codes": encoded,
    "upper-case percent codes": lambda url: "%".join(
        part if n == 0 else part[:2].upper() + part[2:] for n, part in enumerate(encoded(url).split("%"))
    ),
    "tracking": lambda url: with_parameter(url, "utm_campaign=x&gclid=1"),
    "other fragment": lambda url: url.partition("#")[0] + "#else",
    "doubled slash": lambda url: url.replace(".org/", ".org//").replace(".com/", ".com//"),
    "white space around": lambda url: f"\n  {url}\t",
}


@pytest.mark.parametrize("variant", VARIANTS)
@given(url=ADDRESSES, outlet=st.sampled_from(["unknown", "bbc"]))
def test_f065_a_variant_of_any_address_keeps_its_keys(outlet_named, variant, url, outlet) -> None:
    rules = outlet_named(outlet)
    told = [Entry(title="Talks", url=each) for each in (url, VARIANTS[variant](url))]
    assert keys(told[0], rules) == keys(told[1], rules)


@pytest.mark.parametrize(
    ("host", "bare"),
    [
        ("WWW.Example.org.", "example.org"),
        ("www.m.example.org", "example.org"),
        ("amp.dev", "amp.dev"),
        ("m.co", "m.co"),
    ],
)
def test_a_door_is_taken_off_a_host_only_when_a_house_remains(host, bare) -> None:
    assert bare_host(host) == bare


@given(pairs=st.permutations([("a", "1"), ("b", "2"), ("a", "3"), ("utm_source", "x")]))
def test_the_order_of_parameters_does_not_matter(plain_outlet, pairs) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    assert first_key(f"https://news.example.org/a?{query}", plain_outlet) == "url:news.example.org/a?a=1&a=3&b=2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.bbc.co.uk/news/articles/c1o?at_medium=RSS&at_campaign=rss#0", "https://www.bbc.co.uk/news/articles/c1o"),
        ("HTTPS://WWW.BBC.com/News?Q=Ab", "https://www.bbc.com/News?Q=Ab"),
        ("https://www.bbc.com/a b?q=c d", "https://www.bbc.com/a%20b?q=c%20d"),
        ("https://www.bbc.com/חטופים", "https://www.bbc.com/חטופים"),
    ],
)  # fmt: skip
def test_a_shown_address_stays_the_publishers_own_but_for_tracking(outlet_named, url, shown) -> None:
    assert clean_url(url, outlet_named("bbc")) == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80\\@example.com/", "http://example.com\\@127.0.0.1/", "https://user@example.com/",
        "https://user:pass@example.com/", "https://@example.com/", "https://example.com\\a", "https:\\\\example.com/",
        "https://example.com/a\x00b", "https://exam\nple.com/", "https://example.com/\x7f", "https://example.com/\x85",
        "https://example.com/a\tb", "https://example.com/\ud800", "https://exa mple.com/", "https://example.com<b>/",
        "https://exam%70le.com/", "https:/example.com", "https://", "https:///path", "//example.com/x", "/relative",
        "1", "", "   ", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.com/x",
        "https://example.com:port/", "https://example.com:99999/", "https://example.com:0/", "https://[::1/",
        "https://" + "a" * 9000 + ".com/",
    ],
)  # fmt: skip
def test_f099_f074_an_address_that_programs_read_differently_is_no_address(plain_outlet, url) -> None:
    assert clean_url(url, plain_outlet) == ""
    assert keys(Entry(title="Talks resume", url=url), plain_outlet)[0].startswith("title:")


@given(url=st.text(max_size=60) | ADDRESSES.map(lambda url: url[:20] + "\\" + url[20:]))
def test_no_text_makes_the_rules_fail_or_lets_a_backslash_through(plain_outlet, url) -> None:
    cleaned = clean_url(url, plain_outlet)
    assert cleaned == "" or cleaned.startswith(("http://", "https://"))
    assert "\\" not in cleaned
    assert keys(Entry(title="Talks resume", url=url, canonical=url, guid=url), plain_outlet)


def test_an_outlets_file_wins_over_the_general_rules(plain_outlet) -> None:
    keeping = plain_outlet.model_copy(update={"keep_parameters": ("ref",)})
    one, other = "https://news.example.org/a-1?ref=7", "https://news.example.org/a-1?ref=8"
    assert first_key(one, plain_outlet) == first_key(other, plain_outlet)
    assert first_key(one, keeping) != first_key(other, keeping)
    assert clean_url(one, keeping) == one


def test_a_long_address_has_a_short_key(plain_outlet) -> None:
    key, other = (first_key(f"https://news.example.org/{'a' * 4000}{end}", plain_outlet) for end in "xy")
    assert len(key) < 600
    assert key != other
