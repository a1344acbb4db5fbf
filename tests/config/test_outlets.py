"""The outlets that ship: each file is valid, says why, keeps within its publisher's limits, and is documented."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from config.load import shipped
from config.model.outlets import IdentityRule, Outlet

FILES = {path.stem: path for path in sorted((shipped() / "outlets").glob("*.toml"))}
CORE = {"reuters", "ap", "bbc", "aljazeera-en", "aljazeera-ar", "haaretz-en", "haaretz-he", "ynet", "ynetnews"}
DOCS = Path(__file__).parents[2] / "docs" / "outlets.md"

each_outlet = pytest.mark.parametrize("name", FILES)


def outlet(name: str) -> Outlet:
    return Outlet.model_validate(tomllib.loads(FILES[name].read_text(encoding="utf-8")))


def test_the_nine_editions_of_the_first_beat_ship() -> None:
    assert set(FILES) >= CORE


@each_outlet
def test_an_outlets_file_is_valid_and_named_for_it(name) -> None:
    assert outlet(name).id == name


@each_outlet
def test_an_outlet_says_why_it_is_watched_so(name) -> None:
    why = outlet(name).why
    assert 40 <= len(why) <= 500
    assert why.endswith(".")
    assert "\n" not in why


@each_outlet
def test_an_outlet_is_documented(name) -> None:
    assert re.search(rf"^\| `{re.escape(name)}` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_documentation_names_no_outlet_that_does_not_ship() -> None:
    told = re.findall(r"^\| `([a-z0-9-]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(told) == set(FILES)


@each_outlet
def test_no_page_is_read_of_an_outlet_that_is_watched_by_headline_or_through_an_aggregator(name) -> None:
    told = outlet(name)
    if told.access in {"headline", "aggregator"}:
        assert told.pages == "none"
        assert told.keep != "body"


@each_outlet
def test_an_outlet_that_is_watched_through_an_aggregator_is_never_asked_itself(name) -> None:
    told = outlet(name)
    if told.access == "aggregator":
        assert {source.kind for source in told.source} == {"aggregator"}
        assert not [source.url for source in told.source if urlsplit(source.url).hostname != "www.bing.com"]


@each_outlet
def test_every_source_is_asked_within_its_outlets_bounds(name) -> None:
    told = outlet(name)
    for source in told.source:
        assert told.cadence.min <= (source.every or told.cadence.every) <= told.cadence.max


@each_outlet
def test_aggregators_are_asked_in_ten_minutes_at_most_once_and_about_one_publisher(name) -> None:
    told = outlet(name)
    for source in told.source:
        assert "news.google.com" not in source.url
        if source.kind == "aggregator":
            assert (source.every or told.cadence.every) >= timedelta(minutes=10)
            (query,) = parse_qs(urlsplit(source.url).query)["q"]
            (site,) = re.findall(r"site:(\S+)", query)
            assert (urlsplit(told.home).hostname or "").endswith(site)
            assert not re.search(r"hostage|deal|ceasefire|@", query, re.IGNORECASE)


@each_outlet
def test_sources_are_fetched_over_tls_with_certificates_checked(name) -> None:
    assert all(source.url.startswith("https://") and source.verify_tls for source in outlet(name).source)


def test_what_a_publisher_closes_is_obeyed_everywhere() -> None:
    assert {outlet(name).robots for name in FILES} == {"obey"}


def test_no_two_outlets_poll_the_same_address() -> None:
    urls = [source.url for name in FILES for source in outlet(name).source]
    assert len(set(urls)) == len(urls)


def test_ynet_flashes_are_asked_every_five_minutes() -> None:
    (flashes,) = [source for source in outlet("ynet").source if source.id == "flashes"]
    assert flashes.every == timedelta(minutes=5)


def test_an_identity_rule_must_say_what_names_the_article() -> None:
    with pytest.raises(ValidationError, match="needs a group"):
        IdentityRule(pattern=r"/article/\d+")


@each_outlet
def test_an_outlet_that_keeps_the_clock_of_israel_keeps_its_holidays(name) -> None:
    told = outlet(name)
    assert (told.time_zone == "Asia/Jerusalem") == (told.holidays == "IL")


@pytest.mark.parametrize("code", ["XX", "il", "ISR", "", 972])
def test_holidays_are_those_of_a_country_by_its_two_letters(code) -> None:
    written = tomllib.loads(FILES["knesset"].read_text(encoding="utf-8"))
    assert Outlet.model_validate({**written, "holidays": "QA"}).holidays == "QA"
    with pytest.raises(ValidationError, match="two capital letters"):
        Outlet.model_validate({**written, "holidays": code})
