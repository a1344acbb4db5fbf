"""Signed links to acknowledge an alert, and the file their key stands in."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from config.model.settings import Channel, Settings, StoreSettings, Web
from config.model.whole import Config
from monitor.alerts import links
from monitor.alerts.channels import open_channels, wording_of
from monitor.alerts.links import Signer

SIGNER = Signer(b"k" * 32)


def config(folder: Path, *, store: str = "sqlite:///wirewatch.db", public_url: str = "") -> Config:
    settings = Settings(
        store=StoreSettings(url=store), web=Web(public_url=public_url), channel=(Channel(id="out", url="stdout"),)
    )
    return Config(settings=settings, outlets={}, watches={}, concepts={}, folder=str(folder))


@given(st.text(), st.text())
def test_a_signature_is_good_for_its_alert_and_no_other(alert: str, other: str) -> None:
    signature = SIGNER.sign(alert)
    assert re.fullmatch(r"[a-z2-7]{26}", signature)
    assert SIGNER.good(alert, signature)
    assert SIGNER.good(other, signature) == (alert == other)
    assert not SIGNER.good(alert, other)
    assert not SIGNER.good(alert, signature[:-1])
    assert not Signer(b"l" * 32).good(alert, signature)


def test_a_signer_shows_its_key_nowhere() -> None:
    assert "kkk" not in f"{SIGNER!r} {SIGNER}"


def test_a_link_is_made_of_the_pages_address_the_alert_and_its_signature() -> None:
    link = links.acknowledge_link("https://desk.example/wire/", "a1/b", SIGNER)
    assert link == f"https://desk.example/wire/acknowledge/a1%2Fb/{SIGNER.sign('a1/b')}"


def test_the_key_stands_beside_the_store(tmp_path: Path) -> None:
    assert links.key_file(config(tmp_path)) == tmp_path / "wirewatch.db.key"
    assert links.key_file(config(tmp_path, store="sqlite:////var/desk.db")) == Path("/var/desk.db.key")
    assert links.key_file(config(tmp_path, store="postgresql://host/db")) == tmp_path / "wirewatch.key"


def test_a_key_is_made_once_for_its_owner_only_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "w.key"
    signature = links.signer_of(path).sign("a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert links.signer_of(path).good("a", signature)
    assert [each.name for each in tmp_path.iterdir()] == ["w.key"]
    assert not links.signer_of(tmp_path / "other.key").good("a", signature)


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    path, barrier = tmp_path / "w.key", threading.Barrier(8)
    signed: list[str] = []

    def start() -> None:
        barrier.wait()
        signed.append(links.signer_of(path).sign("a"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 8
    assert len(set(signed)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["w.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_what_is_no_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.key"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.key is not a key"):
        links.signer_of(path)
    assert path.read_bytes() == content


def test_messages_offer_a_link_only_where_the_page_can_be_reached(tmp_path: Path) -> None:
    assert wording_of(config(tmp_path)).acknowledge is None
    assert list(tmp_path.iterdir()) == []
    linked = config(tmp_path, public_url="https://desk.example")
    acknowledge = wording_of(linked).acknowledge
    assert acknowledge is not None
    assert acknowledge("a1") == links.acknowledge_link(
        "https://desk.example", "a1", links.signer_of(links.key_file(linked))
    )


def test_a_key_that_cannot_be_made_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"wirewatch\.db\.key: No such file or directory") as caught:
        open_channels(config(tmp_path / "nowhere", public_url="https://desk.example"))
    assert [problem.key for problem in caught.value.problems] == ["web.public_url"]
