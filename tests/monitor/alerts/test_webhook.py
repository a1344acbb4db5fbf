"""Our own webhook sender against a real receiver on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from monitor.alerts.webhook import WebhookChannel, judged, signature, signing_key
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item
from monitor.model.messages import Delivery, Parcel
from tests.hook import CUT, DRIP, NEVER, Hook, Say, redirect
from tests.monitor.alerts.conftest import NOW, SetClock
from tests.monitor.alerts.parcels import gathered, single

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()

Send = Callable[..., Awaitable[Delivery]]


@pytest.fixture
def send(item: Item, make_alert: Callable[..., Alert], wording: Wording, clock: SetClock) -> Send:
    async def send_(
        hook: Hook, *, secret: str | None = None, deadline: float = 20.0, title: str = item.title
    ) -> Delivery:
        channel = WebhookChannel("hook", hook.url, secret=secret, wording=wording, clock=clock, deadline=deadline)
        try:
            return await channel.send(single(make_alert(item), replace(item, title=title)))
        finally:
            await channel.close()

    return send_


def verdict(send: Send, *answers: int | Say, **more: object) -> tuple[Delivery, Hook]:
    async def scenario() -> tuple[Delivery, Hook]:
        async with Hook() as hook:
            hook.answers = list(answers)
            return await send(hook, **more), hook

    return asyncio.run(scenario())


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """A receiver's check, written from the specification alone."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    expected = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    given = [part.split(",", 1) for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(value, expected) for version, value in given)


def test_a_message_arrives_signed_with_its_key_and_a_documented_body(send: Send, item: Item) -> None:
    delivery, hook = verdict(send, 204, secret=SECRET)
    assert delivery.verdict == "sent"
    (got,) = hook.received
    assert got.method == "POST"
    assert got.headers["content-type"] == "application/json"
    assert got.key == "deal|hook|00ff00ff00ff00ff|new"
    assert got.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert verified(SECRET, dict(got.headers), got.body)
    assert not verified(SECRET, dict(got.headers), got.body + b" ")
    assert list(got.json) == [
        "id", "key", "kind", "message", "watch", "watch_title", "severity", "state", "headline", "headline_before",
        "changed", "edits", "withdrawn", "language", "direction", "outlet", "outlet_name", "url", "page", "acknowledge",
        "published", "published_assumed", "first_seen", "matched", "clause", "undecided", "copies", "origin", "story",
        "claim", "corroboration", "item", "sent",
    ]  # fmt: skip
    assert got.json["headline"] == item.title
    assert got.json["first_seen"] == "2026-11-24T11:58:00Z"


@pytest.fixture
def several(item: Item, make_alert: Callable[..., Alert]) -> Parcel:
    items = [replace(item, id=f"{n:016x}", title=f"Story {n} " + "long " * 100) for n in range(40)]
    return gathered(*(Telling(alert=make_alert(each, words=("long",)), item=each) for each in items), kind="flood")


def test_several_alerts_arrive_as_one_body_under_one_key(several: Parcel, wording: Wording, clock: SetClock) -> None:
    async def scenario() -> Hook:
        async with Hook() as hook:
            hook.answers = [413, 200]
            channel = WebhookChannel("hook", hook.url, secret=SECRET, wording=wording, clock=clock)
            assert (await channel.send(several)).verdict == "sent"
            await channel.close()
            return hook

    whole, short = asyncio.run(scenario()).received
    assert whole.key == short.key == several.message.key
    assert whole.headers["webhook-id"] == short.headers["webhook-id"]
    assert verified(SECRET, dict(short.headers), short.body)
    assert (whole.json["kind"], whole.json["count"]) == ("flood", 40)
    assert [each["item"] for each in short.json["alerts"]] == [f"{n:016x}" for n in range(40)]
    assert len(short.body) < len(whole.body) * 0.8


def test_the_specifications_own_example_is_signed_as_it_says() -> None:
    key = signing_key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    body = b'{"type":"example.event"}'
    assert key == base64.b64decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    expected = hmac.new(key, b"msg_1.1614265330." + body, hashlib.sha256).digest()
    assert signature(key, "msg_1", "1614265330", body) == f"v1,{base64.b64encode(expected).decode()}"


def test_a_secret_of_another_kind_is_refused_without_being_told() -> None:
    for bad in ("canary-secret", "whsec_", "whsec_%%%canary", "x-whsec_AAAA"):
        with pytest.raises(ValueError, match="whsec_") as caught:
            signing_key(bad)
        assert "canary" not in str(caught.value)


def test_without_a_secret_nothing_is_signed(send: Send) -> None:
    _, hook = verdict(send, 200)
    assert "webhook-signature" not in hook.received[0].headers


@pytest.mark.parametrize("answer", [500, 502, 504, 408, 418, CUT])
def test_f123_a_server_in_trouble_means_later(send: Send, answer: int | Say) -> None:
    delivery, hook = verdict(send, answer)
    assert (delivery.verdict, len(hook.received)) == ("later", 1)


def test_f123_refused_connections_mean_later(send: Send) -> None:
    async def scenario() -> Delivery:
        async with Hook() as hook:
            pass
        return await send(hook)

    assert asyncio.run(scenario()).verdict == "later"


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Say(429, {"Retry-After": "120"}), 120),
        (Say(503, {"Retry-After": "7"}), 7),
        (Say(429, {"Retry-After": format_datetime(NOW + timedelta(seconds=90))}), 90),
        (
            Say(
                429,
                {
                    "Date": format_datetime(NOW + timedelta(days=1)),
                    "Retry-After": format_datetime(NOW + timedelta(days=1, seconds=30)),
                },
            ),
            30,
        ),
        (Say(429, {}, b'{"retry_after": 1.5}'), 1.5),
        (Say(429, {}, b'{"ok": false, "parameters": {"retry_after": 9}}'), 9),
        (Say(429, {"Retry-After": "999999999"}), 86400),
        (Say(429, {"Retry-After": "-5"}), None),
        (Say(429, {"Retry-After": "soon"}), None),
        (Say(429, {"Retry-After": format_datetime(NOW - timedelta(days=1))}), None),
        (Say(429, {}, b'{"retry_after": true}'), None),
        (Say(429, {}, b"[" * 5000), None),
        (Say(429, {}, b'{"retry_after": NaN}'), None),
    ],
)
def test_f124_a_receivers_wish_to_wait_is_understood(send: Send, answer: Say, wait: float | None) -> None:
    delivery, _ = verdict(send, answer)
    assert delivery.verdict == "later"
    assert delivery.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_f125_an_address_that_will_never_take_it_is_not_asked_twice(send: Send, status: int) -> None:
    delivery, hook = verdict(send, status)
    assert (delivery.verdict, len(hook.received)) == ("refused", 1)


@pytest.mark.parametrize("status", [400, 413])
def test_f125_f091_an_unfit_message_is_tried_once_more_in_short_and_then_refused(send: Send, status: int) -> None:
    delivery, hook = verdict(send, status, 200, title="long " * 300)
    assert delivery.verdict == "sent"
    whole, short = hook.received
    assert len(short.body) < len(whole.body) - 500
    assert whole.headers["webhook-id"] == short.headers["webhook-id"]
    delivery, hook = verdict(send, status, status)
    assert (delivery.verdict, len(hook.received)) == ("refused", 2)


@pytest.mark.parametrize("answer", [NEVER, DRIP, Say(429, drip=0.05)])
def test_f126_f129_no_answer_in_time_means_later_whatever_drips(send: Send, answer: Say) -> None:
    delivery, hook = verdict(send, answer, deadline=0.5)
    assert delivery.verdict == ("sent" if answer is DRIP else "later")
    assert len(hook.received) == 1


def test_f129_a_status_line_that_never_ends_means_later(send: Send) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(b"HTTP/1.1 200 O")
        while not writer.is_closing():
            writer.write(b"K")
            await asyncio.sleep(0.05)

    async def scenario() -> Delivery:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        hook = Hook(port=server.sockets[0].getsockname()[1])
        try:
            return await send(hook, deadline=0.4)
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()
            await asyncio.sleep(0.1)

    writers: list[asyncio.StreamWriter] = []
    assert asyncio.run(scenario()).verdict == "later"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_f127_a_redirect_is_a_failure_and_never_followed(send: Send, status: int) -> None:
    async def scenario() -> tuple[Delivery, Hook]:
        async with Hook() as canary, Hook() as hook:
            hook.answers = [redirect(canary.url, status)]
            return await send(hook, secret=SECRET), canary

    delivery, canary = asyncio.run(scenario())
    assert (delivery.verdict, canary.received) == ("later", [])


def test_every_attempt_carries_the_same_id(send: Send) -> None:
    async def scenario() -> Hook:
        async with Hook() as hook:
            hook.answers = [500, 200]
            await send(hook)
            await send(hook)
            return hook

    hook = asyncio.run(scenario())
    assert len({got.headers["webhook-id"] for got in hook.received}) == 1
    assert hook.repeats == {"deal|hook|00ff00ff00ff00ff|new": 1}


def test_f135_no_secret_in_logs_repr_or_details(
    item: Item, make_alert: Callable[..., Alert], wording: Wording, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "whsec_" + base64.b64encode(b"canary-secret-canary").decode()

    async def scenario() -> list[str]:
        async with Hook() as hook:
            hook.answers = [500, redirect("http://127.0.0.1:1/"), CUT]
            addresses = [hook.url + "/canary-path"] * 3 + ["http://127.0.0.1:1/canary-path", "http://:x/canary-path"]
            told = []
            for address in addresses:
                channel = WebhookChannel("hook", address, secret=secret, wording=wording, clock=clock)
                told.append(f"{channel!r} {await channel.send(single(make_alert(item), item))!r}")
                await channel.close()
            return told

    told = asyncio.run(scenario(), debug=True)
    everything = "\n".join([*told, caplog.text])
    for canary in ("canary", secret, secret.removeprefix("whsec_")):
        assert canary not in everything


def test_the_body_is_utf8_json_without_escapes(send: Send) -> None:
    _, hook = verdict(send, 200, title="دوحة חטופים")
    assert "دوحة חטופים".encode() in hook.received[0].body
    assert json.loads(hook.received[0].body)["headline"] == "دوحة חטופים"


@pytest.mark.parametrize(
    ("status", "verdict_"), [(200, "sent"), (299, "sent"), (304, "later"), (499, "later"), (599, "later")]
)
def test_every_other_status_has_its_meaning(status: int, verdict_: str) -> None:
    assert judged(status, {}, b"", NOW).verdict == verdict_
