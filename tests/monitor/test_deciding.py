"""Which texts of an entry are kept, by its outlet's rule."""

from __future__ import annotations

import pytest

from config.load import load
from monitor.deciding import as_kept
from monitor.model.entries import Candidate, Entry

OUTLET = load(None).outlets["bbc"]
MARKUP = "<p>A <b>lead</b>.</p>"


@pytest.mark.parametrize(
    ("keep", "body", "kept"),
    [
        ("headline", "", ("", "", "")),
        ("headline", "A body.", ("", "", "")),
        ("lead", "", ("A lead.", "", MARKUP)),  # the markup is the lead's own
        ("lead", "A body.", ("A lead.", "", "")),
        ("body", "", ("A lead.", "", MARKUP)),
        ("body", "A body.", ("A lead.", "A body.", MARKUP)),
    ],
)
def test_what_is_kept_of_a_text_and_of_its_markup(keep: str, body: str, kept: tuple[str, str, str]) -> None:
    entry = Entry(title="T", lead="A lead.", body=body, html=MARKUP)
    candidate = Candidate(id="1", entry=entry, keys=("url:a",), text_hash="h", language="en")
    left = as_kept(candidate, OUTLET.model_copy(update={"keep": keep})).entry
    assert (left.lead, left.body, left.html) == kept
