"""Conditional requests, hashes and 304 (faults 26 to 32), on a real wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.model.sources import Outcome, Validators
from tests.newsserver import Answer, rss


def feed(*titles: str) -> bytes:
    return rss([{"title": title, "link": f"http://example.org/{title}", "guid": title} for title in titles])


def test_a_feed_is_read_then_unchanged_then_read_again(wire, site, run):
    site.feed("/rss", [("One", "/1"), ("Two", "/2")])
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            first = await wire.ask(state)
            known = replace(state, validators=first.validators, last_plain=wire.clock.now())
            second = await wire.ask(known)
            site.feed("/rss", [("One", "/1"), ("Two", "/2"), ("Three", "/3")])
            return first, second, await wire.ask(known)

    first, second, third = run(main())
    assert (first.outcome, [entry.title for entry in first.entries]) == (Outcome.OK, ["One", "Two"])
    assert (second.outcome, second.status, second.conditional) == (Outcome.UNCHANGED, 304, True)
    assert second.validators == first.validators
    assert third.outcome is Outcome.OK
    assert third.entries[-1].title == "Three"
    assert site.paths() == ["/robots.txt", "/rss", "/rss", "/rss"]
    assert len(wire.reader.tasks) == 2


def known(wire, state, **validators):
    return replace(state, validators=Validators(**validators), last_plain=wire.clock.now())


def one(wire, run, state):
    """One answer of a crawler that lives for it alone."""

    async def main():
        async with wire.running():
            return await wire.ask(state)

    return run(main())


def test_f026_the_first_good_answer_after_failures_reads_everything(wire, site, run):
    site.answers("/rss", Answer(status=500), Answer(status=502), Answer(status=503), Answer(body=feed("a", "b")))
    state = wire.source(site.url("/rss"), state={"validators": Validators(etag='"old"')})

    async def main():
        async with wire.running():
            return [await wire.ask(state) for _ in range(4)]

    answers = run(main())
    assert [answer.outcome for answer in answers] == [Outcome.FAILED] * 3 + [Outcome.OK]
    assert [answer.reason for answer in answers[:2]] == ["HTTP 500 Internal Server Error", "HTTP 502 Bad Gateway"]
    assert all(answer.validators == state.validators for answer in answers[:3])
    assert len(answers[-1].entries) == 2


def test_f027_a_304_nobody_asked_for_is_asked_again_plainly_once(wire, site, run):
    site.answers("/rss", Answer(status=304), Answer(body=feed("a")))
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert (answer.outcome, answer.conditional, len(answer.entries)) == (Outcome.OK, False, 1)
    assert site.requests[-1].headers["cache-control"] == "no-cache"


def test_f027_a_304_that_comes_twice_to_a_plain_request_is_a_failure(wire, site, run):
    site.answer("/rss", status=304)
    answer = one(wire, run, wire.source(site.url("/rss")))
    assert answer.outcome is Outcome.FAILED
    assert "304" in answer.reason
    assert site.paths() == ["/robots.txt", "/rss", "/rss"]


def test_f027_a_304_brings_new_validators_and_its_body_is_ignored(wire, site, run):
    site.answer("/rss", status=304, headers={"ETag": '"new"', "Connection": "close"}, body=feed("not news"))
    answer = one(
        wire, run, known(wire, wire.source(site.url("/rss")), etag='"old"', last_modified="Mon", body_hash="h")
    )
    assert (answer.outcome, answer.entries) == (Outcome.UNCHANGED, ())
    assert answer.validators == Validators(etag='"new"', last_modified="Mon", body_hash="h")


def test_f028_the_same_bytes_under_another_etag_are_unchanged_and_not_read(wire, site, run):
    site.answers("/rss", *(Answer(body=feed("a"), headers={"ETag": f'"{number}"'}) for number in range(3)))
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            first = await wire.ask(state)
            return first, await wire.ask(known(wire, state, etag='"0"', body_hash=first.validators.body_hash))

    first, second = run(main())
    assert (first.outcome, second.outcome, second.status) == (Outcome.OK, Outcome.UNCHANGED, 200)
    assert second.validators == Validators(etag='"1"', body_hash=first.validators.body_hash)
    assert len(wire.reader.tasks) == 1


def test_f029_both_validators_are_sent_and_both_are_stored(wire, site, run):
    site.answer("/rss", headers={"ETag": '"2"', "Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"}, body=feed("a"))
    answer = one(wire, run, known(wire, wire.source(site.url("/rss")), etag='"1"', last_modified="yesterday"))
    asked = site.requests[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"1"', "yesterday")
    assert answer.validators.etag == '"2"'
    assert answer.validators.last_modified == "Tue, 24 Nov 2026 10:00:00 GMT"


def test_f030_once_a_day_a_source_is_asked_without_conditions(wire, site, run):
    site.answer("/rss", body=feed("a"), etag='"stuck"')
    fresh = known(wire, wire.source(site.url("/rss")), etag='"stuck"')
    stale = replace(fresh, last_plain=wire.clock.now() - timedelta(days=1))

    async def main():
        async with wire.running():
            return await wire.ask(fresh), await wire.ask(stale)

    within, after = run(main())
    assert (within.outcome, within.conditional) == (Outcome.UNCHANGED, True)
    assert (after.outcome, after.conditional) == (Outcome.OK, False)


def test_f031_etags_go_back_byte_for_byte(wire, site, run):
    tags = ['W/"a"', "a", '"caf\udcc3\udca9"', '"' + "x" * 500 + '"']
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            for tag in tags:
                site.answer("/rss", headers={"ETag": tag}, body=feed("a"))
                answer = await wire.ask(state)
                await wire.ask(replace(state, validators=answer.validators, last_plain=wire.clock.now()))

    run(main())
    sent = [seen.headers["if-none-match"] for seen in site.requests if "if-none-match" in seen.headers]
    assert [tag.encode("latin-1") for tag in sent] == [tag.encode("utf-8", "surrogateescape") for tag in tags]


def test_f032_alternating_copies_are_read_each_time(wire, site, run):
    old, new = Answer(body=feed("a"), headers={"ETag": '"old"'}), Answer(body=feed("b", "a"), headers={"ETag": '"new"'})
    site.answers("/rss", old, new, old)
    state = wire.source(site.url("/rss"))

    async def main():
        async with wire.running():
            held, seen = state, []
            for _ in range(3):
                seen.append(await wire.ask(held))
                held = replace(held, validators=seen[-1].validators, last_plain=wire.clock.now())
            return seen

    assert [len(answer.entries) for answer in run(main())] == [1, 2, 1]
