"""What an edit changed below the headline: short stretches of what was taken out and put in, with a little around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.alerts.text import cut, edge
from monitor.model.alerts import Edit, Piece
from monitor.model.items import Item, Revision
from monitor.stories.diff import compare
from monitor.stories.prose import prose

AROUND = 40
"""Letters shown on each side of what changed."""
LONGEST = 240
"""Letters of one piece that was taken out or put in."""
STRETCHES = 6


def edits(before: Revision, after: Item | Revision) -> tuple[Edit, ...]:
    """The first stretches of the lead and the text that differ, in the order of reading."""
    lead = [Edit(field="lead", pieces=each) for each in _compared(before.lead, after.lead)]
    # What stands around an article changes at every reading of its page.
    body = [Edit(field="body", pieces=each) for each in _compared(prose(before.body), prose(after.body))]
    return (*lead, *body)[:STRETCHES]


def _compared(old: str, new: str) -> Iterator[tuple[Piece, ...]]:
    """Nothing where one is missing: what a source leaves out it does not take back."""
    if old and new:
        yield from _stretches(compare(old, new).pieces)


def _stretches(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, ...]]:
    """Changes that stand close share one."""
    stretch: list[Piece] = []
    for place, piece in enumerate(pieces):
        if piece.kind != "kept":
            stretch.append(Piece(piece.kind, cut(piece.text, LONGEST)))
            continue
        last = place == len(pieces) - 1
        if stretch and not last and len(piece.text) <= 2 * AROUND:
            stretch.append(piece)
            continue
        if stretch:
            yield (*stretch, Piece("kept", _beginning(piece.text)))
        stretch = [] if last else [Piece("kept", _end(piece.text))]
    if any(piece.kind != "kept" for piece in stretch):
        yield tuple(stretch)


def _beginning(text: str) -> str:
    at = edge(text, min(AROUND, len(text)))
    return text[:at] + ("…" if at < len(text) else "")


def _end(text: str) -> str:
    at = edge(text, max(0, len(text) - AROUND))
    return ("…" if at > 0 else "") + text[at:]
