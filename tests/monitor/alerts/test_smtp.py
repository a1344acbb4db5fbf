"""Mail by our own sender, against a real mail server on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.lane import Lane
from monitor.alerts.smtp import SmtpChannel
from monitor.alerts.webhook import webhook_id
from monitor.alerts.wording import Wording
from monitor.model.alerts import Alert, Telling
from monitor.model.items import Item
from monitor.model.messages import Delivery, Parcel
from tests.mailserver import CUT, DRIP, OK, SILENCE, MailServer
from tests.monitor.alerts.conftest import NOW, SetClock
from tests.monitor.alerts.parcels import gathered, single, words
from tests.newsserver.certificates import Authority

MakeAlert = Callable[..., Alert]
Scenario = Callable[[MailServer], Awaitable[None]]
ANNA, BEN, CARL = "anna@example.org", "ben@example.org", "carl@else.example"
KEY = "deal|hook|00ff00ff00ff00ff|new"


@pytest.fixture
def parcel(item: Item, make_alert: MakeAlert) -> Parcel:
    return single(make_alert(item), item)


@pytest.fixture
def channel(wording: Wording, clock: SetClock) -> Callable[..., SmtpChannel]:
    def make(url: str, *, deadline: float = 20.0) -> SmtpChannel:
        return SmtpChannel("mail", url, wording=wording, clock=clock, deadline=deadline)

    return make


def handed_in(
    channel: Callable[..., SmtpChannel], parcel: Parcel, *to: str, server: MailServer | None = None,
    answers: dict[str, list[str]] | None = None, deadline: float = 20.0, **url: str,
) -> tuple[Delivery, MailServer]:  # fmt: skip
    async def scenario() -> tuple[Delivery, MailServer]:
        async with server or MailServer() as started:
            started.answers |= answers or {}
            return await channel(started.url(*(to or (ANNA,)), **url), deadline=deadline).send(parcel), started

    return asyncio.run(scenario())


# ------------------------------------------------------------------ what a mail is like


@pytest.mark.parametrize("title", ["Deal in Doha", "עסקה בדוחא: 20 חטופים", "اتفاق في الدوحة", 'צה"ל ' * 40])
def test_mail_arrives_in_each_language_as_text_and_html(
    item: Item, make_alert: MakeAlert, channel: Callable[..., SmtpChannel], title: str
) -> None:
    delivery, server = handed_in(channel, single(make_alert(item), replace(item, title=title)))
    assert delivery == Delivery(verdict="sent")
    (mail,) = server.mails
    assert mail.message["subject"].startswith(f"[critical] A deal is near: \u2068{title[:80].strip()}")
    plain, page = mail.message.get_body(("plain",)), mail.message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert mail.message.get_content_type() == "multipart/alternative"
    assert title.strip() in plain.get_content()
    assert f'<bdi dir="auto" lang="en">{title.strip().replace(chr(34), "&quot;")}</bdi>' in page.get_content()
    assert mail.raw.isascii()
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


def test_its_headers_name_the_key_the_time_and_that_a_machine_wrote_it(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    _, server = handed_in(channel, parcel, ANNA, BEN)
    (mail,) = server.mails
    message = mail.message
    assert message["x-wirewatch-key"] == KEY
    assert message["message-id"] == f"<{webhook_id(KEY)}@example.org>"
    assert message["auto-submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["date"]) == NOW
    assert message["from"] == "wirewatch <wire@example.org>"
    assert message["to"] == f"{ANNA}, {BEN}"
    assert (mail.sender, mail.recipients) == ("wire@example.org", (ANNA, BEN))


def test_a_long_key_stands_in_its_header_as_it_is(
    item: Item, make_alert: MakeAlert, channel: Callable[..., SmtpChannel]
) -> None:
    key = f"{'watch-' * 10}|{'channel-' * 7}|{item.id}|edited:0123456789abcdef"
    _, server = handed_in(channel, single(make_alert(item, key=key), item))
    assert f"X-Wirewatch-Key: {key}\r\n".encode() in server.mails[0].raw


def test_messages_of_one_item_stand_in_one_thread_and_others_do_not(
    item: Item, make_alert: MakeAlert, channel: Callable[..., SmtpChannel]
) -> None:
    other = replace(item, id="1100110011001100")
    following = [make_alert(each, state="edited:r2", gather=f"cooldown:deal:{item.id}") for each in (item, other)]
    parcels = [
        single(make_alert(item), item),
        single(make_alert(item, state="completed"), item),
        gathered(*(Telling(alert=alert, item=each) for alert, each in zip(following, (item, other), strict=True)),
                 kind="cooldown"),
        single(make_alert(other), other),
        gathered(*(Telling(alert=make_alert(each), item=each) for each in (item, other)), kind="digest"),
    ]  # fmt: skip

    async def scenario() -> MailServer:
        async with MailServer() as server:
            for each in parcels:
                await channel(server.url(ANNA)).send(each)
            return server

    mails = [mail.message for mail in asyncio.run(scenario()).mails]
    threads = [mail["references"] for mail in mails]
    assert threads[0] == threads[1] == threads[2] == f"<item.{item.id}@example.org>"
    assert threads[3] == f"<item.{other.id}@example.org>"
    assert threads[4] is None
    assert [mail["in-reply-to"] for mail in mails] == threads
    assert len({mail["message-id"] for mail in mails}) == 5


def test_f092_a_headline_adds_no_header_to_a_mail(
    item: Item, make_alert: MakeAlert, channel: Callable[..., SmtpChannel]
) -> None:
    hostile = replace(item, title="Doha\r\nBcc: all@example.org\r\n\r\n<script>x</script>\r\n.\r\nQUIT")
    _, server = handed_in(channel, single(make_alert(hostile), hostile))
    (mail,) = server.mails
    page = mail.message.get_body(("html",))
    assert page is not None
    assert mail.message["bcc"] is None
    assert "<script" not in page.get_content()
    assert mail.recipients == (ANNA,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(("=?utf-8?q?=41?=", "=?", "?=", "דוחה", "a" * 70, "\u202e", '"', "<x@y>")) | st.text()))
def test_f092_a_subject_is_read_as_it_was_written_whatever_it_looks_like(parts: list[str]) -> None:
    item = Item(
        id="1", outlet="bbc", source="bbc/top", url=None, title="".join(parts) or "x", lead="", language="en",
        kind="article", author="", published=NOW, published_assumed=False, first_seen=NOW, revision="r",
    )  # fmt: skip
    alert = Alert(
        id="a", key="k", watch="w", channel="mail", item="1", revision="r", state="new", severity="low",
        condition="pending", created=NOW, due=NOW,
    )  # fmt: skip
    wording = Wording(zone="UTC", outlets={}, watches={})
    parcel = single(alert, item)

    async def scenario() -> MailServer:
        async with MailServer() as server:
            channel = SmtpChannel("mail", server.url(ANNA), wording=wording, clock=SetClock())
            assert (await channel.send(parcel)).verdict == "sent"
            return server

    (mail,) = asyncio.run(scenario()).mails
    shown = mail.message["subject"]
    assert shown.replace("\u2060", "") == words(parcel, wording).title.replace("\u2060", "")


# ------------------------------------------------------------------ each recipient


def test_f131_a_greylisted_mail_comes_again_with_the_same_message_id(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    async def scenario() -> tuple[list[Delivery], MailServer]:
        async with MailServer() as server:
            server.answers["RCPT"] = ["451 greylisted"]
            server.answers["."] = [CUT, OK]
            return [await channel(server.url(ANNA)).send(parcel) for _ in range(3)], server

    deliveries, server = asyncio.run(scenario())
    assert [each.verdict for each in deliveries] == ["later", "later", "sent"]
    assert deliveries[0].detail == "recipient 1 (a…@e…): status 451"
    assert len({mail.message["message-id"] for mail in server.mails}) == 1
    assert len(server.mails) == 2  # taken and cut, then again


def test_f131_who_has_it_is_told_and_is_not_mailed_again(channel: Callable[..., SmtpChannel], parcel: Parcel) -> None:
    first, server = handed_in(channel, parcel, ANNA, BEN, CARL, answers={f"RCPT TO:<{BEN}>": ["452 too many"]})
    assert first.verdict == "later"
    assert first.detail == "recipient 2 (b…@e…): status 452"
    assert len(first.taken) == 2
    assert not any(address in repr(first) for address in (ANNA, BEN, CARL))
    assert server.mails[0].recipients == (ANNA, CARL)
    again = replace(parcel, message=replace(parcel.message, taken=first.taken))
    second, server = handed_in(channel, again, ANNA, BEN, CARL)
    assert second == Delivery(verdict="sent")
    assert [mail.recipients for mail in server.mails] == [(BEN,)]


def test_f131_what_one_recipient_has_is_kept_while_another_waits_longer(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    waits = {f"RCPT TO:<{BEN}>": ["451 later"]}
    first, _ = handed_in(channel, parcel, ANNA, BEN, answers=waits)
    again = replace(parcel, message=replace(parcel.message, taken=first.taken))
    second, server = handed_in(channel, again, ANNA, BEN, answers={f"RCPT TO:<{BEN}>": ["451 later"]})
    assert (second.verdict, second.taken, server.mails) == ("later", first.taken, [])
    third, _ = handed_in(channel, again, ANNA, BEN, answers={"": ["421 not now"]})
    assert (third.verdict, third.taken) == ("later", ())  # the store keeps what it knows; the server is not well


def test_f131_a_recipient_who_is_refused_keeps_the_mail_from_nobody_else_and_is_named(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    delivery, server = handed_in(
        channel, parcel, ANNA, BEN, answers={f"RCPT TO:<{BEN}>": ["550 ben@example.org: who?"]}
    )
    assert delivery == Delivery(verdict="sent", detail="not to all: recipient 2 (b…@e…): status 550")
    assert server.mails[0].recipients == (ANNA,)


def test_f131_a_mail_that_nobody_may_have_is_refused(channel: Callable[..., SmtpChannel], parcel: Parcel) -> None:
    answers = {f"RCPT TO:<{each}>": ["550 no"] for each in (ANNA, BEN)}
    delivery, server = handed_in(channel, parcel, ANNA, BEN, answers=answers)
    assert delivery.verdict == "refused"
    assert delivery.detail == "recipient 1 (a…@e…): status 550; recipient 2 (b…@e…): status 550"
    assert server.mails == []


def test_f131_when_one_is_refused_and_one_must_wait_the_mail_is_tried_again(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    answers = {f"RCPT TO:<{ANNA}>": ["550 no"], f"RCPT TO:<{BEN}>": ["450 busy"]}
    delivery, _ = handed_in(channel, parcel, ANNA, BEN, answers=answers)
    assert (delivery.verdict, delivery.taken) == ("later", ())


def test_f131_a_recipient_who_must_wait_does_not_make_the_channel_down(parcel: Parcel) -> None:
    lane, one = Lane(), parcel.message
    some = Delivery(verdict="later", taken=("anna",))
    for message in (one, replace(one, id="m2"), replace(one, id="m3")):
        assert not lane.answered(message, some, 0.0, 0.0)
    assert not lane.down
    for message in (one, replace(one, id="m2")):
        lane.answered(message, Delivery(verdict="later"), 0.0, 0.0)
    assert lane.answered(one, some, 0.0, 0.0)  # it was down and answers: what waits for it is due
    assert lane.room(0.0, at_once=2) == 2


@pytest.mark.parametrize(
    ("answers", "verdict", "detail"),
    [
        ({"": ["554 go away"]}, "later", "status 554"),
        ({"": ["421 too busy"]}, "later", "status 421"),
        ({"MAIL": ["451 try later"]}, "later", "sender not taken: status 451"),
        ({"MAIL": ["553 who are you"]}, "refused", "sender not taken: status 553"),
        ({".": ["451 greylisted"]}, "later", "recipient 1 (a…@e…): status 451"),
        ({".": ["554 looks like spam"]}, "refused", "recipient 1 (a…@e…): status 554"),
        ({"DATA": ["421 closing"]}, "later", "recipient 1 (a…@e…): status 421"),
        ({"RCPT": ["421 closing"]}, "later", "recipient 1 (a…@e…): status 421"),
        ({"RCPT": [CUT]}, "later", "not reached (SMTPServerDisconnected)"),
        ({".": [CUT]}, "later", "not reached (SMTPServerDisconnected)"),
        ({"RCPT": ["552 mailbox full, or too many of you"]}, "later", "recipient 1 (a…@e…): status 452"),
    ],
)  # fmt: skip
def test_f131_every_answer_has_its_meaning(
    channel: Callable[..., SmtpChannel], parcel: Parcel, answers: dict[str, list[str]], verdict: str, detail: str
) -> None:
    delivery, _ = handed_in(channel, parcel, answers=answers)
    assert (delivery.verdict, delivery.detail) == (verdict, detail)


def test_f131_a_server_that_is_down_means_later(channel: Callable[..., SmtpChannel], parcel: Parcel) -> None:
    delivery = asyncio.run(channel(f"smtp://127.0.0.1:1?from={ANNA}&to={BEN}").send(parcel))
    assert (delivery.verdict, delivery.detail) == ("later", "not reached (SMTPConnectError)")


@pytest.mark.parametrize("place", ["EHLO", "RCPT", "DATA", ".", "QUIT"])
@pytest.mark.parametrize("how", [DRIP, SILENCE])
def test_f129_a_server_that_never_ends_its_answer_is_left_at_the_deadline(
    channel: Callable[..., SmtpChannel], parcel: Parcel, place: str, how: str
) -> None:
    delivery, server = handed_in(channel, parcel, answers={place: [how]}, deadline=0.3)
    if place == "QUIT":
        assert delivery.verdict == "sent"
    else:
        assert (delivery.verdict, delivery.detail) == ("later", "no answer within 0.3 s")
    assert len(server.mails) == (place in (".", "QUIT"))


# ------------------------------------------------------------------ length


def wide(make_alert: MakeAlert, item: Item) -> Parcel:
    items = [replace(item, id=f"{n:016x}", title=f"Story {n}: " + "talks in Doha " * 20) for n in range(30)]
    return gathered(*(Telling(alert=make_alert(each, words=("Doha",)), item=each) for each in items))


@pytest.mark.parametrize("place", [".", "MAIL"])
def test_f130_a_mail_that_is_too_long_is_sent_once_more_in_short(
    channel: Callable[..., SmtpChannel], make_alert: MakeAlert, item: Item, place: str
) -> None:
    parcel = wide(make_alert, item)
    delivery, server = handed_in(channel, parcel, ANNA, BEN, answers={place: ["552 too long"]})
    assert delivery == Delivery(verdict="sent")
    (short,) = server.mails
    _, server = handed_in(channel, parcel, ANNA)
    (whole,) = server.mails
    assert len(short.raw) < len(whole.raw) * 0.9
    assert short.message["message-id"] == whole.message["message-id"]
    assert short.recipients == (ANNA, BEN)
    plain = short.message.get_body(("plain",))
    assert plain is not None
    assert all(f"Story {n}:" in plain.get_content() for n in range(30))


def test_f130_one_that_stays_too_long_is_refused(channel: Callable[..., SmtpChannel], parcel: Parcel) -> None:
    delivery, server = handed_in(channel, parcel, answers={".": ["552 too long", "552 too long"]})
    assert (delivery.verdict, server.mails) == ("refused", [])


def test_a_server_that_tells_its_limit_is_told_the_mails_length(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    _, server = handed_in(channel, parcel, server=MailServer(size=10_000_000))
    (told,) = (line for line in server.lines if line.startswith("MAIL"))
    assert told == f"MAIL FROM:<wire@example.org> SIZE={len(server.mails[0].raw)}"


# ------------------------------------------------------------------ TLS and login


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.root))
    return made


@pytest.mark.parametrize("implicit", [False, True])
def test_login_happens_over_tls_with_a_good_certificate(
    channel: Callable[..., SmtpChannel], parcel: Parcel, authority: Authority, implicit: bool
) -> None:
    server = MailServer(tls=authority.context("127.0.0.1"), implicit=implicit, login=("wi re", "p:@/?#ä"))
    user = "wi%20re:p%3A%40%2F%3F%23%C3%A4@"
    more = "" if implicit else "&tls=starttls"
    delivery, server = handed_in(channel, parcel, server=server, user=user, more=more)
    assert (delivery.verdict, len(server.mails)) == ("sent", 1)
    before = [line.split(" ")[0] for line in server.lines]
    assert before[: before.index("AUTH")] == (["EHLO"] if implicit else ["EHLO", "STARTTLS", "EHLO"])


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("bad", [{"days": -1}, {"self_signed": True}, {"host": "other.example"}])
def test_f007_a_bad_certificate_gets_neither_password_nor_mail(
    channel: Callable[..., SmtpChannel], parcel: Parcel, authority: Authority, implicit: bool, bad: dict[str, object]
) -> None:
    context = authority.context(**{"host": "127.0.0.1", **bad})  # type: ignore[arg-type]
    server = MailServer(tls=context, implicit=implicit, login=("u", "p"))
    more = "" if implicit else "&tls=starttls"
    delivery, server = handed_in(channel, parcel, server=server, user="u:p@", more=more)
    assert delivery.verdict == "later"
    assert delivery.detail == "no safe connection: TLS failed, or the certificate is not good"
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.lines)


def test_without_the_starttls_that_is_demanded_nothing_is_sent(
    channel: Callable[..., SmtpChannel], parcel: Parcel
) -> None:
    delivery, server = handed_in(channel, parcel, user="u:p@", more="&tls=starttls")
    assert (delivery.verdict, delivery.detail) == ("later", "the server offers no STARTTLS")
    assert server.lines == ["EHLO example.org"]


@pytest.mark.parametrize(("answer", "verdict"), [("535 wrong", "refused"), ("454 not now", "later")])
def test_a_login_that_is_not_taken_for_ever_is_a_dead_letter(
    channel: Callable[..., SmtpChannel], parcel: Parcel, answer: str, verdict: str
) -> None:
    server = MailServer(login=("u", "p"))
    delivery, _ = handed_in(channel, parcel, server=server, user="u:p@", answers={"AUTH": [answer]})
    assert (delivery.verdict, delivery.detail) == (verdict, f"login not taken: status {answer[:3]}")


def test_f135_no_address_or_password_in_logs_repr_or_details(
    channel: Callable[..., SmtpChannel], parcel: Parcel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    faults: Sequence[dict[str, list[str]]] = (
        {}, {"": ["554 canary-host"]}, {"AUTH": ["535 canary-user"]}, {"MAIL": ["550 canary-from@example.org"]},
        {"RCPT": ["550 canary-to@example.org no"]}, {"RCPT": ["450 canary-to@example.org no"]}, {".": ["554 canary"]},
        {"RCPT": [CUT]}, {".": [SILENCE]}, {"EHLO": ["garbage canary"]},
    )  # fmt: skip

    async def scenario() -> list[str]:
        told = []
        for answers in faults:
            async with MailServer(login=("canary-user", "canary-word")) as server:
                server.answers |= answers
                url = server.url("canary-to@example.org", user="canary-user:canary-word@")
                made = channel(url.replace("wire@", "canary-from@"), deadline=0.3)
                told.append(f"{made!r} {await made.send(parcel)!r}")
        unreachable = channel("smtp://canary-user:canary-word@127.0.0.1:1?from=canary@x.org&to=canary@y.org")
        return [*told, repr(await unreachable.send(parcel))]

    told = asyncio.run(scenario(), debug=True)
    verdicts = [next(word for word in ("sent", "later", "refused") if f"'{word}'" in each) for each in told]
    assert set(verdicts) == {"sent", "later", "refused"}
    assert "canary" not in "\n".join([*told, caplog.text])
