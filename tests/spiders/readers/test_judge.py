"""What answered us: faults 14 to 16, 45, 50."""

from __future__ import annotations

import pytest

from monitor.model.sources import Outcome
from spiders.readers.judge import Verdict, judge

FEED = b'<?xml version="1.0"?><!-- just a moment --><rss version="2.0"><channel><title>captcha</title></channel></rss>'
LONG = "The delegations met for a third day of talks, officials said. " * 40


def judged(
    body: bytes | str, *, status: int = 200, kind: str = "feed", final: str = "", **headers: str
) -> Verdict | None:
    raw = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = "https://news.example/rss"
    return judge(url=url, final_url=final or url, status=status, headers=named, body=raw, kind=kind)


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("<html><head><title>Just a moment...</title></head><body>Checking</body></html>", {}),
        ("<html><body>Sorry</body></html>", {"CF_Mitigated": "challenge"}),
        ('<html><script src="https://geo.captcha-delivery.com/captcha/"></script></html>', {}),
        (
            '<html><iframe src="/_Incapsula_Resource?x=1">Incapsula incident ID: 1</iframe></html>',
            {},
        ),
        ("<html><body><p>Please verify you are human by completing the action below.</p></body></html>", {}),
    ],
)
def test_f015_a_challenge_is_named_whatever_the_status(body: str, headers: dict[str, str], status: int) -> None:
    for kind in ("feed", "article", "listing"):
        verdict = judged(body, status=status, kind=kind, **headers)
        assert verdict is not None
        assert verdict.outcome is Outcome.BLOCKED
        assert verdict.reason.startswith("challenge")


def test_f016_another_host_that_asks_for_consent_is_blocked() -> None:
    body = f"<html><body><h1>Before you continue</h1><p>We use cookies. {LONG}</p></body></html>"
    for final in ("https://consent.example.org/m?continue=x", "https://walls.example/gdpr"):
        verdict = judged(body, final=final, kind="article")
        assert verdict is not None
        assert verdict.reason.startswith("consent wall at ")
    assert judged(body, final="https://www.news.example/rss", kind="article") is None


def test_f014_a_web_page_is_blocked_where_a_feed_should_be_and_read_where_a_page_should() -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="/f.xml">'
    page = f"<!DOCTYPE html><html><head>{link}</head><body>{LONG}</body></html>"
    verdict = judged(page)
    assert verdict is not None
    assert verdict.outcome is Outcome.BLOCKED
    assert "https://news.example/f.xml" in verdict.reason
    assert len(verdict.excerpt) <= 200
    assert judged(page, kind="article") is None
    assert judged(page, kind="listing") is None


def test_an_article_about_challenges_is_no_challenge() -> None:
    script = '<script src="/_Incapsula_Resource?a"></script>'
    page = f"<html><head>{script}</head><body><p>A captcha asks: not a robot? {LONG}</p></body></html>"
    assert judged(page, kind="article") is None


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_f045_an_empty_body_is_failed_only_when_it_claims_success(body: bytes) -> None:
    verdict = judged(body)
    assert verdict == Verdict(outcome=Outcome.FAILED, reason="empty body")
    assert judged(body, status=304) is None


def test_f050_json_errors_are_failed_and_json_feeds_read() -> None:
    verdict = judged('{"error": "try later"}')
    assert verdict is not None
    assert (verdict.outcome, verdict.excerpt) == (Outcome.FAILED, '{"error": "try later"}')
    assert judged('{"version": "https://jsonfeed.org/version/1.1", "items": []}') is None
    assert judged('{"articles": [{"url": "x", "seendate": "20261122T100000Z"}]}', kind="aggregator") is None


@pytest.mark.parametrize(
    "body",
    [
        FEED,
        b"\xef\xbb\xbf" + FEED,
        FEED.decode().encode("utf-16"),
        b"Warning: x\n" + FEED,
        b"\x1f\x8bpacked",
        b"no markup",
    ],
)
def test_what_may_be_a_feed_goes_to_its_reader(body: bytes) -> None:
    assert judged(body) is None
