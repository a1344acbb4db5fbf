"""Channels as the configuration opens them: files, standard output, Apprise services, mail."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import io
import json
import logging
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from config.errors import ConfigError
from config.model.settings import Channel, FileReference, Settings
from config.model.watches import Watch
from config.model.whole import Config
from monitor.alerts.channels import open_channels
from monitor.alerts.local import FileChannel, StdoutChannel
from monitor.alerts.services import AppriseChannel
from monitor.alerts.webhook import webhook_id
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item
from monitor.model.messages import Delivery
from tests.hook import DRIP, Hook, Say, redirect
from tests.monitor.alerts.conftest import SetClock
from tests.monitor.alerts.parcels import gathered, single

MakeAlert = Callable[..., Alert]
Post = Callable[..., Coroutine[Any, Any, Delivery]]


def config(*channels: Channel, folder: Path | None = None, **secrets: str) -> Config:
    return Config(
        settings=Settings(channel=channels),
        outlets={},
        watches={"deal": Watch(id="deal", title="A deal is near", when="deal")},
        concepts={},
        secrets={name.replace("__", "."): SecretStr(value) for name, value in secrets.items()},
        folder=str(folder) if folder else None,
    )


@pytest.fixture
def post(item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock) -> Post:
    async def post_(url: str, *, title: str = item.title, deadline: float = 20.0, state: str = "new") -> Delivery:
        channel = AppriseChannel("newsroom", url, wording=wording, clock=clock, deadline=deadline)
        return await channel.send(single(make_alert(item, channel="newsroom", state=state), replace(item, title=title)))

    return post_


# ------------------------------------------------------------------ opening


def test_every_kind_of_channel_is_opened_by_its_address(tmp_path: Path) -> None:
    told = config(
        Channel(id="page", url="page"),
        Channel(id="out", url="stdout"),
        Channel(id="log", url="file:alerts.jsonl"),
        Channel(id="hook", url="webhook:https://desk.example/hook", secret="env:S"),
        Channel(id="chat", url="env:CHAT"),
        Channel(id="hidden", url=FileReference(file="x")),
        Channel(id="mail", url="env:MAIL"),
        folder=tmp_path,
        channel__hook__secret="whsec_AAAA",
        channel__chat__url="json://desk.example/x",
        channel__hidden__url="webhook:https://desk.example/y\n",
        channel__mail__url="smtp://mail.example?from=a@x.org&to=b@x.org",
    )
    opened = open_channels(told)
    assert {name: type(channel).__name__ for name, channel in opened.items()} == {
        "page": "PageChannel", "out": "StdoutChannel", "log": "FileChannel", "hook": "WebhookChannel",
        "chat": "AppriseChannel", "hidden": "WebhookChannel", "mail": "SmtpChannel",
    }  # fmt: skip
    assert all(channel.id == name for name, channel in opened.items())


def test_all_channels_that_cannot_be_used_are_named_at_once_and_no_address_is_told() -> None:
    told = config(
        Channel(id="a", url="env:A"),
        Channel(id="b", url="env:B"),
        Channel(id="c", url="webhook:https://desk.example/hook", secret="env:S"),
        Channel(id="d", url="env:D"),
        channel__a__url="nonsense://canary-token/x",
        channel__c__secret="canary",
        channel__d__url="smtp://canary:canary@mail.example?from=canary",
    )
    with pytest.raises(ConfigError) as caught:
        open_channels(told)
    assert [problem.key for problem in caught.value.problems] == [
        "channel.a.url",
        "channel.b.url",
        "channel.c.url",
        "channel.d.url",
    ]
    assert "canary" not in str(caught.value)


# ------------------------------------------------------------------ page, standard output, file


def test_the_page_always_has_it(item: Item, make_alert: MakeAlert) -> None:
    page = open_channels(config(Channel(id="page", url="page")))["page"]
    assert asyncio.run(page.send(single(make_alert(item), item))).verdict == "sent"


def test_standard_output_gets_one_block_an_alert(
    item: Item, make_alert: MakeAlert, wording: Wording, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = StdoutChannel("out", wording=wording)
    asyncio.run(channel.send(single(make_alert(item), item)))
    shown = capsys.readouterr().out
    assert shown.startswith("CRITICAL · A deal is near\n")
    assert shown.endswith("|new\n\n")


def test_a_closed_pipe_means_later(item: Item, make_alert: MakeAlert, wording: Wording) -> None:
    stream = io.StringIO()
    stream.close()
    channel = StdoutChannel("out", wording=wording, stream=stream)
    assert asyncio.run(channel.send(single(make_alert(item), item))).verdict == "later"


def test_a_file_gets_one_json_line_an_alert_also_when_many_come_at_once(
    tmp_path: Path, item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock
) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b'{"half a li')  # as a full disk leaves it
    channel = FileChannel("log", path, wording=wording, clock=clock)

    async def scenario() -> None:
        items = [replace(item, id=f"{n:016x}", title="שורה\nאחת") for n in range(20)]
        await asyncio.gather(*(channel.send(single(make_alert(each), each)) for each in items))

    asyncio.run(scenario())
    half, *lines = path.read_text().splitlines()
    assert half == '{"half a li'
    assert {json.loads(line)["item"] for line in lines} == {f"{n:016x}" for n in range(20)}
    assert json.loads(lines[0])["headline"] == "שורה אחת"


def test_a_file_that_cannot_be_written_means_later(
    tmp_path: Path, item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock
) -> None:
    channel = FileChannel("log", tmp_path / "no" / "where.jsonl", wording=wording, clock=clock)
    delivery = asyncio.run(channel.send(single(make_alert(item), item)))
    assert delivery.verdict == "later"
    assert delivery.detail == f"where.jsonl: {os.strerror(2)}"


# ------------------------------------------------------------------ Apprise


def via(post: Post, *answers: int | Say, query: str = "", **more: Any) -> tuple[Delivery, Hook]:
    async def scenario() -> tuple[Delivery, Hook]:
        async with Hook() as hook:
            hook.answers = list(answers)
            return await post(f"json://127.0.0.1:{hook.port}/canary-path?cto=2&rto=5{query}", **more), hook

    return asyncio.run(scenario())


def test_an_apprise_service_gets_the_message_with_the_alerts_key(post: Post, item: Item) -> None:
    delivery, hook = via(post, 200)
    assert delivery.verdict == "sent"
    (got,) = hook.received
    assert got.key == "deal|newsroom|00ff00ff00ff00ff|new"
    assert item.title in got.json["title"]
    assert got.json["message"].startswith("CRITICAL · A deal is near\n")


@pytest.mark.parametrize(
    ("answers", "verdict", "asked"),
    [([500], "later", 1), ([429], "later", 1), ([401], "refused", 1), ([404], "refused", 1), ([410], "refused", 1),
     ([400, 200], "sent", 2), ([413, 413], "refused", 2)],
)  # fmt: skip
def test_f123_f125_an_apprise_services_status_has_its_meaning(
    post: Post, answers: list[int | Say], verdict: str, asked: int
) -> None:
    delivery, hook = via(post, *answers)
    assert (delivery.verdict, len(hook.received)) == (verdict, asked)


def test_apprise_itself_never_retries(post: Post) -> None:
    _, hook = via(post, 500, query="&retry=3&wait=0.1")
    assert len(hook.received) == 1


@pytest.mark.parametrize("query", ["", "&redirect=yes"])
def test_f127_apprise_follows_no_redirect_whatever_the_address_says(post: Post, query: str) -> None:
    async def scenario() -> tuple[Delivery, Hook]:
        async with Hook() as canary, Hook() as hook:
            hook.answers = [redirect(canary.url)]
            return await post(f"json://127.0.0.1:{hook.port}/x?cto=2&rto=5{query}"), canary

    delivery, canary = asyncio.run(scenario())
    assert (delivery.verdict, canary.received) == ("later", [])


def test_f128_of_two_channels_one_fails_and_the_good_one_is_not_asked_again(
    item: Item, make_alert: MakeAlert, clock: SetClock
) -> None:
    """A channel is one service: what became of it says nothing of another one."""

    async def scenario() -> tuple[list[str], Hook, Hook]:
        async with Hook() as good, Hook() as bad:
            bad.answers = [500, 200]
            told = config(
                Channel(id="good", url="env:G"),
                Channel(id="bad", url="env:B"),
                channel__good__url=f"json://127.0.0.1:{good.port}/x",
                channel__bad__url=f"json://127.0.0.1:{bad.port}/x",
            )
            opened = open_channels(told, clock=clock)
            verdicts: list[str] = []
            for name in ("good", "bad", "bad"):
                parcel = single(make_alert(item, channel=name), item)
                verdicts.append((await opened[name].send(parcel)).verdict)
            return verdicts, good, bad

    verdicts, good, bad = asyncio.run(scenario())
    assert verdicts == ["sent", "later", "sent"]
    assert (len(good.received), len(bad.received)) == (1, 2)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Say(429), 60),
        (Say(429, {"Retry-After": "7"}), 60),  # Apprise does not pass it on
        (Say(429, {}, b'{"retry_after": 7.5}'), 7.5),
        (Say(429, {}, b'{"ok": false, "parameters": {"retry_after": 300}}'), 300),
        (Say(429, {}, b'{"retry_after": "soon"}'), 60),
        (Say(503, {}, b'{"retry_after": 7.5}'), 7.5),
        (Say(503), None),
        (Say(500, {}, b'{"retry_after": 7.5}'), None),
    ],
)
def test_f124_a_services_wish_to_wait_is_kept_and_asking_too_often_costs_a_minute(
    post: Post, answer: Say, wait: float | None
) -> None:
    delivery, _ = via(post, answer)
    assert delivery.verdict == "later"
    assert delivery.retry_after == (None if wait is None else timedelta(seconds=wait))


def test_several_alerts_leave_in_one_message_with_a_key_of_its_own(
    item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock
) -> None:
    items = [replace(item, id=f"{n:016x}", title=f"Story {n}") for n in range(3)]
    parcel = gathered(*(Telling(alert=make_alert(each), item=each) for each in items), kind="quiet hours")

    async def scenario() -> Hook:
        async with Hook() as hook:
            channel = AppriseChannel("c", f"json://127.0.0.1:{hook.port}/x", wording=wording, clock=clock)
            assert (await channel.send(parcel)).verdict == "sent"
            return hook

    (got,) = asyncio.run(scenario()).received
    assert got.key == parcel.message.key
    assert got.json["title"] == "[critical] 3 alerts: \u2068A deal is near\u2069 (3)"
    assert got.json["message"].startswith("CRITICAL · 3 alerts\nHeld back during quiet hours")
    assert all(f"Story {n}" in got.json["message"] for n in range(3))


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("json://desk.example/x", 136),
        ("mailto://mail.example?from=a@x.org&to=b@x.org", 136),
        (f"discord://{'1' * 18}/{'a' * 60}", 8),
        (f"tgram://{'1' * 9}:{'a' * 35}/1", 17),
        (f"mmost://desk.example/{'a' * 26}", 16),
        ("ntfy://desk.example/alerts", 31),  # a title counts there
        ("d7sms://token@972501234567", 1),
    ],
)
def test_a_service_names_as_many_alerts_as_its_messages_have_room_for(
    wording: Wording, clock: SetClock, address: str, names: int
) -> None:
    assert AppriseChannel("c", address, wording=wording, clock=clock).names == names


@pytest.mark.parametrize("query", ["", "&overflow=split", "&overflow=truncate"])
def test_f130_a_message_is_cut_by_us_and_split_by_nobody(
    item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock, query: str
) -> None:
    long = replace(item, title="Doha " * 9000)

    async def scenario() -> Hook:
        async with Hook() as hook:
            url = f"ntfy://127.0.0.1:{hook.port}/alerts?cto=2&rto=5{query}"
            channel = AppriseChannel("c", url, wording=wording, clock=clock)
            assert (await channel.send(single(make_alert(long), long))).verdict == "sent"
            return hook

    (got,) = asyncio.run(scenario()).received
    assert "https://bbc.example/a1" in got.json["message"]
    assert len(got.json["message"]) + len(got.json["title"]) <= 7800


def test_f127_every_plugin_that_asks_over_http_obeys_the_same_switch() -> None:
    found = find_spec("apprise")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "plugins"
    sources = [path.read_text() for path in folder.rglob("*.py")]
    calls = sum(
        source.count(f"requests.{verb}(") for source in sources for verb in ("get", "post", "put", "delete", "request")
    )
    obeying = sum(source.count("allow_redirects=self.redirects") for source in sources)
    assert calls > 100
    assert obeying >= calls


def test_f129_an_endless_slow_answer_ends_at_the_deadline_and_threads_left_behind_are_bounded(
    item: Item, make_alert: MakeAlert, wording: Wording, clock: SetClock
) -> None:
    async def scenario() -> list[str]:
        async with Hook() as hook:
            hook.then = DRIP
            url = f"json://127.0.0.1:{hook.port}/x?cto=2&rto=5"
            channel = AppriseChannel("newsroom", url, wording=wording, clock=clock, deadline=0.2)
            told = [(await channel.send(single(make_alert(item), item))).detail for _ in range(6)]
            assert len(hook.received) == 4
            return told

    told = asyncio.run(scenario())
    assert told == ["no answer within 0.2 s"] * 4 + ["earlier messages have not ended"] * 2


def test_f135_nothing_of_an_address_is_logged_shown_or_told(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    delivery, _ = via(post, 500, query="&+X-Token=canary-header")
    told = [repr(delivery)]
    for bad in ("slack://canary/x", "canaryschema://x", "json://", "tgram://canary"):
        with contextlib.suppress(ValueError):
            AppriseChannel("c", bad, wording=Wording(zone="UTC", outlets={}, watches={}), clock=SetClock())
    assert "canary" not in "\n".join([*told, caplog.text])


def test_a_service_that_renders_markdown_gets_it_escaped_and_without_mentions(post: Post) -> None:
    async def scenario() -> dict[str, Any]:
        async with Hook() as hook:
            await post(f"mmost://127.0.0.1:{hook.port}/{'a' * 26}", title="@everyone *Doha* [a](http://b)")
            sent: dict[str, Any] = hook.received[0].json
            return sent

    sent = asyncio.run(scenario())
    assert "@everyone" not in sent["text"]
    assert "\\*Doha\\* \\[a\\](http://b)" in sent["text"]


# ------------------------------------------------------------------ mail


class Mailbox:
    """Takes mail; refuses a recipient or greylists when told to."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.grey = 0
        self.refuse = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address == self.refuse:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        if self.grey:
            self.grey -= 1
            return "451 greylisted, try again"
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def mailto(port: int, *to: str) -> str:
    return f"mailto://127.0.0.1:{port}?from=wire@example.org&to={','.join(to or ('desk@example.org',))}&mode=insecure"


@pytest.mark.parametrize("title", ["Deal in Doha", "עסקה בדוחא", "اتفاق في الدوحة"])
def test_mail_arrives_in_each_language_as_text_and_html(post: Post, mailbox: tuple[Mailbox, int], title: str) -> None:
    box, port = mailbox
    assert asyncio.run(post(mailto(port), title=title)).verdict == "sent"
    (mail,) = box.mails
    assert mail["subject"] == f"[critical] A deal is near: \u2068{title}\u2069"
    assert mail["x-wirewatch-key"] == "deal|newsroom|00ff00ff00ff00ff|new"
    page = mail.get_body(("html",))
    plain = mail.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert f'<bdi dir="auto" lang="en">{title}</bdi>' in page.get_content()
    assert title in plain.get_content()


def test_f092_a_headline_adds_no_header_to_a_mail(post: Post, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    asyncio.run(post(mailto(port), title="Doha\r\nBcc: all@example.org\r\n\r\n<script>x</script>"))
    (mail,) = box.mails
    assert mail["bcc"] is None
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()


def test_f131_a_greylisted_mail_comes_again_with_the_same_message_id(post: Post, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    box.grey = 1
    assert asyncio.run(post(mailto(port))).verdict == "later"
    assert asyncio.run(post(mailto(port))).verdict == "sent"
    asyncio.run(post(mailto(port), state="completed"))
    ids = [mail["message-id"] for mail in box.mails]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith(f"<{webhook_id('deal|newsroom|00ff00ff00ff00ff|new')}@")


def test_f131_a_refused_recipient_keeps_the_mail_from_nobody_else(post: Post, mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    box.refuse = "gone@example.org"
    delivery = asyncio.run(post(mailto(port, "gone@example.org", "desk@example.org")))
    assert delivery.verdict == "later"
    assert [mail["to"] for mail in box.mails] == ["desk@example.org"]


def test_f131_a_mail_server_that_is_down_means_later(post: Post) -> None:
    assert asyncio.run(post(mailto(1))).verdict == "later"
