"""Article pages on the wire: conditional requests, and what is no article although it answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model.sources import Outcome, PageDue, Validators

PAGE = "<html><head><title>{title}</title></head><body><article><h1>A head</h1><p>{text}</p></article></body></html>"
TEXT = "The ministers met on Monday evening and spoke for three hours about the next steps they could take together."
HTML = {"Content-Type": "text/html"}


def page(site, path="/world/envoys-meet-again", **more):
    return PageDue(item="item1", outlet="one", url=site.url(path), host=site.host, **more)


@pytest.fixture
def asked(wire, site, run):
    """Ask for pages of an outlet at home on the site, one after the other; the answers."""
    wire.source(site.url("/rss"), of={"home": site.url("/"), "pages": "matched"})

    def ask(*due):
        async def main():
            async with wire.running():
                return [await wire.ask(each) for each in due]

        return run(main())

    return ask


def test_f029_a_page_that_did_not_change_costs_a_304(site, asked, wire):
    site.answer("/world/envoys-meet-again", body=PAGE.format(title="Head", text=TEXT), etag='"1"', headers=HTML)
    (first,) = asked(page(site))
    again = page(site, read=wire.clock.now(), validators=first.validators)
    (same,) = asked(again)
    assert (first.outcome, first.conditional, len(first.entries)) == (Outcome.OK, False, 1)
    assert (same.outcome, same.status, same.conditional, same.entries) == (Outcome.UNCHANGED, 304, True, ())
    assert same.validators == first.validators
    assert site.requests[-1].headers["if-none-match"] == '"1"'


def test_f030_once_a_day_a_page_is_asked_plainly(site, asked, wire):
    site.answer("/world/envoys-meet-again", body=PAGE.format(title="Head", text=TEXT), etag='"1"', headers=HTML)
    (first,) = asked(page(site))
    (plain,) = asked(page(site, read=wire.clock.now() - timedelta(days=1), validators=first.validators))
    assert (plain.status, plain.conditional, plain.outcome) == (200, False, Outcome.UNCHANGED)  # by its hash


def test_a_page_that_changed_is_read_and_its_validators_move(site, asked, wire):
    site.answer("/world/envoys-meet-again", body=PAGE.format(title="Head", text=TEXT), etag='"2"', headers=HTML)
    held = Validators(etag='"1"', body_hash="x")
    (other,) = asked(page(site, read=wire.clock.now(), validators=held))
    assert (other.outcome, len(other.entries), other.validators.etag) == (Outcome.OK, 1, '"2"')


@pytest.mark.parametrize("status", [301, 302])
@pytest.mark.parametrize("to", ["/", "/world"])
def test_an_article_that_leads_to_a_front_page_has_no_text(site, asked, to, status):
    site.answer("/world/envoys-meet-again", status=status, headers={"Location": site.url(to)})
    site.answer(to, body=PAGE.format(title="All the news", text=TEXT), headers=HTML)
    (answer,) = asked(page(site, validators=Validators(etag='"1"')))
    assert (answer.outcome, answer.status, answer.entries) == (Outcome.GONE, 200, ())
    assert answer.reason == f"the article's address leads to {site.url(to)}"
    assert answer.validators == Validators(etag='"1"')


def test_f018_an_article_that_moved_for_good_is_read_at_its_new_address(site, asked):
    new = "/politics/envoys-meet-again-in-doha"
    site.answer("/world/envoys-meet-again", status=301, headers={"Location": site.url(new)})
    site.answer(new, body=PAGE.format(title="Head", text=TEXT), headers=HTML)
    (answer,) = asked(page(site))
    assert (answer.outcome, answer.moved_to, answer.entries[0].url) == (Outcome.OK, site.url(new), site.url(new))


@pytest.mark.parametrize(
    "title", ["Page not found | One", "404 Not Found", "Error 404 - One", "הדף לא נמצא - אחד",
              "One: The page you requested could not be found", "الصفحة غير موجودة | واحد"],
)  # fmt: skip
def test_a_page_that_says_that_it_is_not_there_is_no_article_whatever_its_status(site, asked, title):
    body = PAGE.format(title=title, text=TEXT).encode()
    site.answer("/world/envoys-meet-again", body=body, headers={"Content-Type": "text/html; charset=utf-8"})
    (answer,) = asked(page(site))
    assert (answer.outcome, answer.status, answer.entries) == (Outcome.GONE, 200, ())
    assert "says that it is not there" in answer.reason


@pytest.mark.parametrize(
    "title", ["Envoys meet | One", "Hostages not found in tunnel, army says", "404 days in captivity"]
)
def test_an_article_about_what_is_not_found_is_one(site, asked, title):
    site.answer("/world/envoys-meet-again", body=PAGE.format(title=title, text=TEXT), headers=HTML)
    (answer,) = asked(page(site))
    assert (answer.outcome, len(answer.entries)) == (Outcome.OK, 1)


@pytest.mark.parametrize(("status", "outcome"), [(404, Outcome.FAILED), (410, Outcome.GONE)])
def test_a_page_that_is_gone_says_so_by_its_status(site, asked, status, outcome):
    site.answer("/world/envoys-meet-again", status=status, body=PAGE.format(title="Page not found", text=TEXT))
    (answer,) = asked(replace(page(site), validators=Validators(etag='"1"')))
    assert (answer.outcome, answer.status) == (outcome, status)
