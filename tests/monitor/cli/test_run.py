"""``wirewatch run``: what keeps it from starting is said in a sentence."""

from __future__ import annotations

import pytest

from config.load import load
from monitor.cli.service import _signer
from monitor.errors import StoreUnusable
from tests.monitor.cli.desk import Desk


def test_the_key_of_the_links_is_made_beside_the_store_and_kept(desk: Desk) -> None:
    config = load(desk.folder)
    first, again = _signer(config), _signer(config)
    assert first.sign("a1") == again.sign("a1")
    assert (desk.folder / "wirewatch.db.key").stat().st_mode & 0o077 == 0


def test_something_else_in_place_of_the_key_is_named(desk: Desk) -> None:
    (desk.folder / "wirewatch.db.key").write_text("notes")
    with pytest.raises(StoreUnusable, match=r"wirewatch\.db\.key, cannot be used: .* remove it"):
        _signer(load(desk.folder))
