"""What happens to connections and bodies (faults 1 to 13): every failure is an answer with a reason."""

from __future__ import annotations

import gzip
import resource
import zlib

import brotli
import pytest
import zstandard

from monitor.model.sources import Outcome, Validators
from spiders import download
from tests.names import STALL, Names
from tests.newsserver import Answer, faults, rss
from tests.newsserver.certificates import Authority

BODY = rss([{"title": f"Title {number}", "link": f"http://example.org/{number}"} for number in range(20)])
HELD = {"validators": Validators(etag='"held"', body_hash="held")}


def one(wire, run, state, **settings):
    async def main():
        async with wire.running(settings=settings):
            return await wire.ask(state)

    return run(main())


def test_f001_a_name_that_does_not_resolve_fails_and_the_next_source_goes_on(wire, site, run, loop):
    site.feed("/rss", [("One", "/1")])
    lost, found = wire.source("http://gone.example:80/rss"), wire.source(site.url("/rss"))

    async def main():
        with Names({"gone.example": None}).installed():
            async with wire.running():
                await wire.visit(lost)
                await wire.visit(found)

    run(main())
    assert [answer.outcome for answer in wire.answers] == [Outcome.FAILED, Outcome.OK]
    assert wire.answers[0].reason == (
        "the host's name does not resolve; without the robots rules of http://gone.example:80 nothing is fetched"
    )


def test_f001_a_resolver_that_never_answers_ends_at_the_deadline(wire, run, loop):
    state = wire.source("http://silent.example:80/rss", of={"robots": "permitted: test"})

    async def main():
        with Names({"silent.example": STALL}).installed():
            async with wire.running(settings={"DOWNLOAD_TIMEOUT": 0.3}):
                return await wire.ask(state)

    assert run(main()).reason == "robots permitted: test; no whole answer within the deadline"


def test_f003_ipv4_is_used_when_the_ipv6_address_swallows_packets(wire, server, run, loop):
    site = server.site("127.0.0.3", name="two.example")
    site.feed("/rss", [("One", "/1")])
    state = wire.source(site.url("/rss"))

    async def main():
        with Names({"two.example": ["2600::dead:beef", "127.0.0.3"]}).installed():
            async with wire.running(settings={"DOWNLOAD_TIMEOUT": 2.0}):
                return await wire.ask(state)

    assert run(main()).outcome is Outcome.OK


@pytest.mark.parametrize("behaviour", [faults.drop, faults.reset, faults.garbage])
def test_f004_a_broken_connection_fails_and_is_not_knocked_at_again(wire, site, run, behaviour):
    site.on("/rss", behaviour)
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert answer.outcome is Outcome.FAILED
    assert answer.reason in (
        "the connection was closed before a whole answer", "what answered does not speak HTTP"
    )  # fmt: skip
    assert answer.validators == HELD["validators"]
    assert site.paths() == ["/robots.txt", "/rss"]


def test_f004_refused(wire, site, run):
    port = site.port
    wire.allow = (f"127.0.0.19:{port}",)
    answer = one(wire, run, wire.source(f"http://127.0.0.19:{port}/rss", of={"robots": "permitted: test"}))
    assert answer.outcome is Outcome.FAILED
    assert "connection refused" in answer.reason


@pytest.mark.parametrize(
    "behaviour", [faults.stall, faults.drip(BODY), faults.drip(BODY, head=faults.OK + b"Content-Length: 9999\r\n\r\n")]
)
def test_f005_f006_the_deadline_holds_for_the_whole_exchange_and_frees_the_slot(wire, site, run, behaviour):
    site.on("/slow", behaviour)
    site.feed("/rss", [("One", "/1")])
    slow, good = wire.source(site.url("/slow")), wire.source(site.url("/rss"))
    one(wire, run, slow, DOWNLOAD_TIMEOUT=0.4)
    assert (wire.answers[0].outcome, wire.answers[0].reason) == (Outcome.FAILED, "no whole answer within the deadline")

    async def both():
        async with wire.running(settings={"DOWNLOAD_TIMEOUT": 0.4}):
            await wire.visit(slow, good)

    run(both())
    assert [answer.outcome for answer in wire.answers[1:]] == [Outcome.FAILED, Outcome.OK]


@pytest.fixture
def authority(tmp_path, monkeypatch):
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.root))
    return made


@pytest.fixture
def fresh_tls(monkeypatch):
    """The process keeps one TLS context; this test wants one that trusts its own authority."""
    monkeypatch.setattr(download, "_VERIFIED", [])


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"days": -1}, "TLS: the certificate has expired"),
        ({"self_signed": True}, "TLS: the certificate is self-signed"),
        ({"wrong": True}, "TLS: the certificate is for another host"),
    ],
)
def test_f007_a_bad_certificate_fails_by_name(wire, server, run, loop, authority, fresh_tls, how, reason):
    how = dict(how)
    context = authority.context("other.example" if how.pop("wrong", False) else "tls.example", **how)
    site = server.site("127.0.0.4", tls=context, name="tls.example")
    site.feed("/rss", [("One", "/1")])
    strict = wire.source(site.url("/rss"), of={"robots": "permitted: test"})
    lenient = wire.source(site.url("/rss"), verify_tls=False)

    async def main():
        with Names({"tls.example": ["127.0.0.4"]}).installed():
            async with wire.running():
                await wire.visit(strict)
                await wire.visit(lenient)
                await wire.visit(strict)  # not over the connection that the exception opened

    run(main())
    assert [answer.outcome for answer in wire.answers] == [Outcome.FAILED, Outcome.OK, Outcome.FAILED]
    assert [wire.answers[0].reason, wire.answers[2].reason] == [f"robots permitted: test; {reason}"] * 2


def test_f007_a_good_certificate_is_good(wire, server, run, loop, authority, fresh_tls):
    site = server.site("127.0.0.4", tls=authority.context("tls.example"), name="tls.example")
    site.feed("/rss", [("One", "/1")])

    async def main():
        with Names({"tls.example": ["127.0.0.4"]}).installed():
            async with wire.running():
                return await wire.ask(wire.source(site.url("/rss")))

    assert run(main()).outcome is Outcome.OK


@pytest.mark.parametrize(
    "behaviour",
    [faults.short(BODY[:900], promised=len(BODY)), faults.bad_chunk(BODY[:900]), faults.no_last_chunk(BODY[:900])],
)
def test_f008_a_cut_body_gives_its_whole_entries_and_validators_stay(wire, site, run, behaviour):
    site.on("/rss", behaviour)
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert answer.outcome is Outcome.DEGRADED
    assert answer.entries
    assert len(answer.entries) < 20
    assert "cut short" in answer.reason
    assert answer.validators == HELD["validators"]


def test_f008_a_whole_document_without_its_last_chunk_is_still_marked(wire, site, run):
    site.on("/rss", faults.no_last_chunk(BODY))
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert (answer.outcome, len(answer.entries)) == (Outcome.DEGRADED, 20)
    assert answer.validators == HELD["validators"]


def test_f009_endless_chunks_stop_at_the_size(wire, site, run):
    site.on("/rss", faults.endless_chunks)
    answer = one(wire, run, wire.source(site.url("/rss"), max_bytes=1024 * 1024))
    assert answer.outcome is Outcome.FAILED
    assert answer.reason == "too large: more than 1,048,576 bytes, and the limit is 1,048,576 bytes"


@pytest.mark.parametrize("behaviour", [faults.huge_header, faults.many_headers])
def test_f010_headers_are_refused_above_64_kib(wire, site, run, behaviour):
    site.on("/rss", behaviour)
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, answer.reason) == (Outcome.FAILED, "headers larger than 65536 bytes")


def bombs():
    zeros = b"\0" * (64 * 1024 * 1024)
    yield "gzip", gzip.compress(zeros)
    yield "gzip", gzip.compress(gzip.compress(zeros))
    yield "deflate", zlib.compress(zeros)
    yield "br", brotli.compress(zeros, quality=1)
    yield "zstd", zstandard.compress(zeros)


def test_f011_a_compression_bomb_stops_at_the_limit(wire, site, run):
    packed = list(bombs())
    states = []
    for number, (coding, body) in enumerate(packed):
        site.answer(f"/{number}", headers={"Content-Encoding": coding}, body=body)
        states.append(wire.source(site.url(f"/{number}")))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def main():
        async with wire.running():
            await wire.visit(*states)

    run(main())
    assert [answer.outcome for answer in wire.answers] == [Outcome.FAILED] * len(packed)
    for (_, body), answer in zip(packed, wire.answers, strict=True):
        assert answer.reason.startswith("too large: ")
        assert answer.reason.endswith("and the limit is 16,777,216 bytes")
        assert f"{len(body):,}" in answer.reason or "unpack" in answer.reason
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_f012_too_large_names_both_sizes_and_the_limit_can_be_raised(wire, site, run):
    body = BODY + b" " * 3_000_000
    site.answer("/rss", headers={"Content-Type": "application/rss+xml"}, body=body)
    small = wire.source(site.url("/rss"), max_bytes=1_000_000)
    raised = wire.source(site.url("/rss"), max_bytes=4_000_000)

    async def main():
        async with wire.running():
            await wire.visit(small, raised)

    run(main())
    assert [answer.outcome for answer in wire.answers] == [Outcome.FAILED, Outcome.OK]
    assert wire.answers[0].reason == f"too large: {len(body):,} bytes, and the limit is 1,000,000 bytes"


@pytest.mark.parametrize(
    ("headers", "body", "outcome"),
    [
        ({"Content-Encoding": "gzip"}, BODY, Outcome.OK),
        ({}, gzip.compress(BODY), Outcome.OK),
        ({"Content-Encoding": "gzip"}, gzip.compress(gzip.compress(BODY)), Outcome.OK),
        ({"Content-Encoding": "br"}, BODY, Outcome.OK),
        ({"Content-Encoding": "gzip"}, gzip.compress(BODY)[:-40], Outcome.DEGRADED),
        ({"Content-Encoding": "br"}, gzip.compress(BODY), Outcome.OK),
        ({"Content-Encoding": "gzip"}, b"\x1f\x8b\x08 and nothing more", Outcome.FAILED),
        ({"Content-Encoding": "zstd"}, b"PK\x03\x04 something else", Outcome.FAILED),
        ({"Content-Encoding": "gzip, gzip, gzip, gzip"}, BODY, Outcome.FAILED),
    ],
)
def test_f013_a_coding_is_recognised_by_content(wire, site, run, headers, body, outcome):
    site.answer("/rss", headers={"Content-Type": "application/rss+xml", **headers}, body=body)
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert answer.outcome is outcome
    if outcome is Outcome.OK:
        assert len(answer.entries) == 20
    else:
        assert answer.validators == HELD["validators"]
        assert answer.reason


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_every_coding_we_ask_for_is_undone(wire, site, run, coding):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}[coding]
    site.answer("/rss", headers={"Content-Encoding": coding}, body=pack(BODY))
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, answer.size, len(answer.entries)) == (Outcome.OK, len(BODY), 20)
    assert coding in site.requests[-1].headers["accept-encoding"]


def test_f045_an_empty_body_is_a_failure_not_silence(wire, site, run):
    site.on("/rss", Answer(body=b""))
    answer = one(wire, run, wire.source(site.url("/rss"), state=HELD))
    assert (answer.outcome, answer.validators) == (Outcome.FAILED, HELD["validators"])
