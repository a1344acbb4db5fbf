"""F135: every kind of channel holds secrets, and fails in every way; then everything that was written is searched."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.hook import CUT, Hook, Received, Say, redirect
from tests.mailserver import CUT as MAIL_CUT
from tests.mailserver import MailServer
from tests.newsserver import NewsServer
from tests.rig.running import Room, running, until

CANARY = "zaunkoenig"
"""A word that stands in every secret here, and nowhere else."""
SIGNING = base64.b64encode(f"{CANARY} signs {CANARY} webhooks".encode()).decode()

FAULTS: dict[str, int | Say] = {
    "fine": 200,
    "broken": Say(500, {}, f"{CANARY} is broken".encode()),
    "unfit": Say(400, {}, f"{CANARY} is unfit".encode()),
    "closed": 401,
    "busy": Say(429, {}, b'{"retry_after": 600}'),
    "moved": redirect(f"http://127.0.0.1:1/{CANARY}-elsewhere"),
    "cut": CUT,
}
"""What becomes of a message, by the end of the path it goes to; ``away``: nobody listens."""
MAIL_FAULTS: dict[str, dict[str, list[str]]] = {
    "fine": {},
    "login": {"AUTH": [f"535 {CANARY}-user: wrong password {CANARY}-word"] * 99},
    "sender": {"MAIL": [f"550 {CANARY}-from@example.org may not"] * 99},
    "recipient": {"RCPT": [f"550 {CANARY}-to@example.org is unknown"] * 99},
    "later": {"RCPT": [f"451 {CANARY}-to@example.org is greylisted"] * 99},
    "spam": {".": [f"554 mail of {CANARY}-from@example.org looks bad"] * 99},
    "cut": {".": [MAIL_CUT] * 99},
    "garbage": {"EHLO": [f"{CANARY} speaks no SMTP"] * 99},
}


class Mailbox(MailServer):
    """A mail server in the thread of a receiver."""

    def __init__(self, name: str) -> None:
        super().__init__(login=(f"{CANARY}-user", f"{CANARY}-word"))
        self.answers |= {command: list(told) for command, told in MAIL_FAULTS[name].items()}


class Post:
    """A hook and a mail server for each fault, in a thread of their own."""

    def __init__(self) -> None:
        self.hook = Hook()
        self.hook.judge = _judged
        self.mail = {name: Mailbox(name) for name in MAIL_FAULTS}
        self._stack = contextlib.AsyncExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="post", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._opened(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _opened(self) -> None:
        await self._stack.enter_async_context(self.hook)
        for server in self.mail.values():
            await self._stack.enter_async_context(server)


def _judged(received: Received) -> int | Say:
    """By the fault that is named in the address's path, which some services put into the body."""
    where = received.path + received.body.decode(errors="replace")
    return next((answer for name, answer in FAULTS.items() if f"{CANARY}-{name}" in where), 200)


def addresses(post: Post) -> dict[str, str]:
    """Channel id → an address with a secret in each of its parts."""
    there, away = f"127.0.0.1:{post.hook.port}", "127.0.0.1:1"
    made: dict[str, str] = {}
    for fault in (*FAULTS, "away"):
        host, path = (away if fault == "away" else there), f"{CANARY}-{fault}"
        made |= {
            f"webhook-{fault}": f"webhook:http://{host}/{path}?token={CANARY}-query",
            f"json-{fault}": f"json://{CANARY}-user:{CANARY}-word@{host}/{path}?+X-Token={CANARY}-header&-q={CANARY}-query",
            f"form-{fault}": f"form://{CANARY}-user:{CANARY}-word@{host}/{path}?+X-Token={CANARY}-header",
            f"xml-{fault}": f"xml://{host}/{path}?+X-Token={CANARY}-header",
            f"ntfy-{fault}": f"ntfy://{CANARY}-user:{CANARY}-word@{host}/{path}",
            f"gotify-{fault}": f"gotify://{host}/{path}/{CANARY}-token",
        }
    for fault, server in post.mail.items():
        login = f"{CANARY}-user:{CANARY}-word@"
        ends = f"from={CANARY}-from@example.org&to={CANARY}-to@example.org,{CANARY}-too@example.org"
        made[f"smtp-{fault}"] = f"smtp://{login}127.0.0.1:{server.port}?{ends}"
        made[f"mailto-{fault}"] = f"mailto://{login}127.0.0.1:{server.port}?{ends}&mode=insecure"
    made["smtp-safe"] = f"smtp://{CANARY}-user:{CANARY}-word@127.0.0.1:{post.mail['fine'].port}?{ends}&tls=starttls"
    made["smtps-safe"] = made["smtp-fine"].replace("smtp://", "smtps://")
    return made


@dataclass(slots=True)
class ProcessList:
    """What anybody on this machine could read of every process while the block ran."""

    found: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process list", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join(10)

    _end: threading.Event = field(init=False)
    _thread: threading.Thread = field(init=False)

    def _watch(self) -> None:
        while not self._end.wait(0.2):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    said = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if leaks(said):
                        self.found.append(said)


def leaks(text: str) -> list[str]:
    """Every secret in the text, as it is or as protocols write it, with what stands around it."""
    words = (CANARY, CANARY.upper(), SIGNING, *(_in_base64(CANARY)))
    return [text[max(0, at - 60) : at + 60] for word in words for at in _places(text, word)]


def _places(text: str, word: str) -> Iterator[int]:
    return (found.start() for found in re.finditer(re.escape(word), text))


def _in_base64(word: str) -> Iterator[str]:
    """As it shows inside a longer text in base64, at each of three offsets."""
    for offset in range(3):
        whole = base64.b64encode(b"x" * offset + word.encode()).decode().rstrip("=")
        yield whole[(0, 2, 3)[offset] : -2]


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as post:
        yield post


@pytest.fixture
def server() -> Iterator[NewsServer]:
    with NewsServer() as running:
        yield running


@pytest.fixture
def room(server: NewsServer, post: Post, tmp_path: Path) -> Room:
    """Addresses in the environment, but for one in a file of its own, outside the folder that is searched."""
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    (hidden / "address").write_text(addresses(post)["webhook-broken"])
    (hidden / "address").chmod(0o600)
    made = Room(tmp_path / "desk", server)
    made.service = 'heartbeat_url = "env:HEARTBEAT"\n'
    for name in addresses(post):
        signed = '\nsecret = "env:SIGNING"' if name.startswith("webhook") else ""
        made.channels[name] = f'"env:{variable(name)}"{signed}'
    made.channels["webhook-file"] = f'{{ file = "{hidden}/address" }}\nsecret = "env:SIGNING"'
    site = server.site("127.0.0.2")
    entries = [
        {"title": f"Talks in Doha, {n}", "link": site.url(f"/{n}"), "guid": site.url(f"/{n}"),
         "pubDate": format_datetime(datetime.now(UTC) - timedelta(minutes=1))} for n in range(2)
    ]  # fmt: skip
    site.feed("/feed", entries)
    made.outlet("herald", site.url("/feed"))
    return made


def variable(channel: str) -> str:
    return f"ADDRESS_{channel.upper().replace('-', '_')}"


def environment(post: Post) -> dict[str, str]:
    told = {variable(name): address for name, address in addresses(post).items()}
    heartbeat = f"http://127.0.0.1:{post.hook.port}/{CANARY}-broken/heartbeat"
    return {**told, "SIGNING": f"whsec_{SIGNING}", "HEARTBEAT": heartbeat}


def pages(start: str, limit: int = 80) -> dict[str, str]:
    """Every page that links lead to from the first, and what programs ask for."""
    queue = [start, *(urljoin(start, each) for each in ("/health", "/metrics", "/openapi.json", "/docs"))]
    seen: dict[str, str] = {}
    while queue and len(seen) < limit:
        address = queue.pop(0)
        if address in seen or urlsplit(address).netloc != urlsplit(start).netloc:
            continue
        seen[address] = text = _asked(address)
        queue += [urljoin(address, unescape(found)).partition("#")[0] for found in re.findall(r'href="([^"]+)"', text)]
    return seen


def _asked(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return f"{answer.headers}{answer.read(10**6).decode(errors='replace')}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.headers}{error.read().decode(errors='replace')}"


def commands(room: Room, secrets: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What the command line says beside the service."""
    (told,) = room.rows("SELECT id FROM alerts WHERE channel = 'smtp-recipient' AND item IN"
                        " (SELECT id FROM items WHERE outlet = 'herald') ORDER BY number LIMIT 1")  # fmt: skip
    for line in (
        "check", "channels list", "channels list --json", "alerts list --limit 500 --json", f"alerts show {told['id']}",
        "outlets status --json", "items export", "health --json", "watches list", "schema",
        f"backup {room.path / 'backup.db'}", "channels test smtp-login", "channels test json-cut",
        "channels test webhook-away", "channels test mailto-sender", "channels test no-such-channel",
    ):  # fmt: skip
        done = room.run(*line.split(" "), **secrets)
        assert "Traceback" not in done.stderr, (line, done.stderr)
        yield line, done.stdout + done.stderr


def attempted(room: Room) -> bool:
    """Every channel's two alerts were tried, or wait because the channel is down or wants to be left alone."""
    (found,) = room.rows(
        "SELECT count(*) AS channels, sum(tried > 0) AS tried FROM (SELECT channel,"
        " sum(condition <> 'pending' OR attempts > 0) AS tried FROM messages WHERE channel <> 'wirewatch-canary'"
        " GROUP BY channel)"
    )
    return bool(found["channels"] == len(room.channels) and found["tried"] == found["channels"])


def test_f135_no_secret_of_any_channel_stands_in_anything_that_was_written_shown_or_told(
    room: Room, post: Post, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = environment(post)
    written: dict[str, str] = {}
    with ProcessList() as processes, running(room, "--log-level", "DEBUG", **secrets):
        until(lambda: room.store.exists() and attempted(room), "every channel was tried", 90)
        address = re.search(r"The page: (http://\S+)", room.output.read_text())
        assert address is not None
        written |= dict(commands(room, secrets))
        written |= pages(address[1])
        break_the_configuration(room)
        written |= pages(address[1])
    verdicts = {row["condition"] for row in room.rows("SELECT DISTINCT condition FROM alerts")}
    assert {"delivered", "dead", "pending"} <= verdicts
    asked = {got.path.partition("?")[0] for got in post.hook.received}
    assert {fault for fault in FAULTS if f"/{CANARY}-{fault}" in asked} == set(FAULTS)
    assert any(mail.mails for mail in post.mail.values())
    assert len(written) > 20
    for path in room.path.rglob("*"):
        if path.is_file():
            written[str(path)] = path.read_bytes().decode(errors="replace")
    assert {"output.log", "backup.db", "wirewatch.db"} <= {Path(name).name for name in written}
    written["what the tests' own process showed"] = "".join(capfd.readouterr())
    written["the process list"] = "\n".join(processes.found)
    found = {name: leaks(text) for name, text in written.items()}
    assert {name: told for name, told in found.items() if told} == {}


def break_the_configuration(room: Room) -> None:
    """Addresses that are no good, in the file where they may not stand and behind references."""
    hidden, good = room.path.parent / "hidden" / "bad", (room.path / "wirewatch.toml").read_text()
    hidden.write_text(f"smtp://u:{CANARY}/x@mail.example?from={CANARY}")
    for number, bad in enumerate((
        f'url = "slack://{CANARY}/{CANARY}"', f'url = "smtp://{CANARY}:{CANARY}@mail.example"',
        f'url = "webhook:https://{CANARY}:{CANARY}@desk.example/x"', f'url = "stdout"\nsecret = "{CANARY}"',
        f'url = {{ path = "{CANARY}" }}', f'url = {{ file = "{hidden}" }}',
    )):  # fmt: skip
        room.save("wirewatch.toml", f'{good}[[channel]]\nid = "bad-{number}"\n{bad}\n')
        told = f"SELECT 1 FROM revisions WHERE lead LIKE '%channel.bad-{number}.%'"
        until(functools.partial(room.rows, told), f"it was refused and told: {bad}")
    room.save("wirewatch.toml", good)


def test_what_this_test_looks_for_is_found() -> None:
    encoded = base64.b64encode(f"\0{CANARY}-user\0{CANARY}-word".encode()).decode()
    for text in (
        f"x{CANARY}x",
        f"/{quote(CANARY)}",
        encoded,
        f"whsec_{SIGNING}",
        base64.b64encode(CANARY.encode()).decode(),
    ):
        assert leaks(text), text
    assert leaks("nothing of it") == []
