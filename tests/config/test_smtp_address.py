"""The address of a mail channel: what it says, and errors that repeat nothing of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.smtp import mail_server

REST = "?from=wire@example.org&to=desk@example.org"


def test_an_address_says_where_by_whom_and_for_whom() -> None:
    server = mail_server("smtp://wi%20re:p%3A%40%2F%3F%23@Mail.Example:2525?from=a@x.org&to=b+desk@y.org,c@z.org")
    assert (server.host, server.port, server.tls) == ("mail.example", 2525, "starttls")
    assert (server.user, server.password) == ("wi re", "p:@/?#")
    assert (server.sender, server.recipients) == ("a@x.org", ("b+desk@y.org", "c@z.org"))


@pytest.mark.parametrize(
    ("address", "port", "tls"),
    [
        ("smtp://mail.example", 587, "starttls"),
        ("smtps://mail.example/", 465, "implicit"),
        ("SMTP://[2001:db8::1]:25", 25, "starttls"),
        ("smtp://localhost", 587, "none"),
        ("smtp://127.9.9.9:25", 25, "none"),
        ("smtp://[::1]:25", 25, "none"),
    ],
)
def test_ports_and_tls_have_defaults_and_loopback_needs_none(address: str, port: int, tls: str) -> None:
    server = mail_server(address + REST)
    assert (server.port, server.tls) == (port, tls)


def test_tls_can_be_left_out_and_demanded() -> None:
    assert mail_server(f"smtp://mail.example{REST}&tls=none").tls == "none"
    assert mail_server(f"smtp://localhost{REST}&tls=starttls").tls == "starttls"


def test_recipients_are_each_named_once_and_commas_may_be_encoded() -> None:
    server = mail_server("smtp://mail.example?from=a%40x.org&to=B@y.org%2Cb@y.org,c@y.org")
    assert server.recipients == ("b@y.org", "c@y.org")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"smtp://{REST}", "write smtp://USER"),
        (f"smtp:canary{REST}", "write smtp://USER"),
        (f"mailto://canary.example{REST}", "neither smtp"),
        (f"smtp://u:canary/word@mail.example{REST}", "write smtp://USER"),
        (f"smtp://u:canary?word@mail.example{REST}", "write smtp://USER"),
        (f"smtp://u:canary#word@mail.example{REST}", "write smtp://USER"),
        (f"smtp://u:p@mail.example:canary{REST}", "write smtp://USER"),
        (f"smtp://mail.example:0{REST}", "write smtp://USER"),
        (f"smtp://mail.example/canary{REST}", "write smtp://USER"),
        (f"smtp://[canary{REST}", "write smtp://USER"),
        (f"smtp://canary@mail.example{REST}", "needs a password"),
        (f"smtp://:canary@mail.example{REST}", "needs a password"),
        (f"smtp://u:canary%0d%0a@mail.example{REST}", "control character"),
        ("smtp://canary.example?to=a@x.org", "from= names"),
        ("smtp://canary.example?from=a@x.org,b@x.org&to=a@x.org", "from= names"),
        ("smtp://canary.example?from=a@x.org", "to= names"),
        ("smtp://canary.example?from=a@x.org&to=", "to= names"),
        ("smtp://mail.example?from=a@x.org&to=canary", "plain addresses"),
        ("smtp://mail.example?from=a@x.org&to=canary@x.org,", "plain addresses"),
        ("smtp://mail.example?from=a@x.org&to=canary@x.org%0d%0aRSET", "plain addresses"),
        ("smtp://mail.example?from=a@x.org&to=<canary@x.org>", "plain addresses"),
        ("smtp://mail.example?from=a@x.org&to=canary%20size@x.org", "plain addresses"),
        ("smtp://mail.example?from=a@x.org&to=דסק@x.org", "plain addresses"),
        ("smtp://mail.example?from=a..canary@x.org&to=a@x.org", "plain addresses"),
        (f"smtp://mail.example?from={'a' * 65}@x.org&to=a@x.org", "plain addresses"),
        (f"smtp://mail.example{REST}&canary=1", "behind the"),
        (f"smtp://mail.example{REST}&to=canary@x.org", "each once"),
        (f"smtp://mail.example{REST}&tls=canary", "tls is"),
        (f"smtps://mail.example{REST}&tls=none", "tls is"),
    ],
)
def test_an_unclear_address_is_refused_without_being_told(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        mail_server(address)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_it_says_is_not_shown() -> None:
    shown = repr(mail_server("smtp://canary:canary@canary.example?from=canary@x.org&to=canary@y.org"))
    assert shown == "MailServer(tls='starttls')"


@given(st.text(max_size=40))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    for address in (text, f"smtp://{text}", f"smtp://mail.example?from={text}&to={text}"):
        with pytest.raises(ValueError, match=r"smtp|from=|to=|tls|behind|password|control"):
            mail_server(address)
