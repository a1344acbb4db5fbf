"""The end of the demo in words: what was published, found and told, what went wrong, and what to do next."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from monitor.demo.day import Expected
from monitor.demo.reckoning import Reckoning, Told, Trouble

NEXT = (
    ("wirewatch init news", "write your own watches, outlets and channels: a folder of files"),
    ("wirewatch --config news check", "what is in force, and every mistake at once"),
    ("wirewatch --config news run", "watch the real outlets; the page is at http://127.0.0.1:8737"),
)
_FAULTS = {
    "dead": "dropped every connection",
    "challenge": "sent a page for browsers in place of news",
    "error": "answered with an error",
}
_FSI, _PDI = "\u2068", "\u2069"
_BOLD, _GOOD, _BAD, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[0m"
_LANGUAGES = ("en", "he", "ar")
_LISTED = 10


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Colour goes to a terminal, unless NO_COLOR is set to anything but nothing (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR")


def isolate(text: str) -> str:
    """A text whose direction is its own and does not turn the line around it."""
    return f"{_FSI}{text}{_PDI}"


def summarise(result: Reckoning, *, colour: bool = False, next_steps: Sequence[tuple[str, str]] = NEXT) -> str:
    """The summary as lines for a terminal."""
    paint = _Paint(colour)
    blocks = (
        _found(result, paint),
        _alerts(result, paint),
        _sources(result, paint),
        _next(next_steps, paint),
    )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def head(self, text: str) -> str:
        return self._in(_BOLD, text)

    def verdict(self, text: str, *, good: bool) -> str:
        return self._in(_GOOD if good else _BAD, text)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_PLAIN}" if self._colour else text


def _found(result: Reckoning, paint: _Paint) -> Iterator[str]:
    yield paint.head(result.day.title)
    good = not (result.lost or result.doubled or result.strangers)
    yield "  " + paint.verdict(
        f"{len(result.published)} articles published by {len(result.day.editions)} outlets: {result.found} found, "
        f"{_none(len(result.lost))} lost, {_none(len(result.doubled))} doubled",
        good=good,
    )
    for (got, planned), what in (
        (result.copies, "copies of another outlet's headline recognised, told once with the original"),
        (result.edits, "articles with a new headline kept as one article with its history"),
        (result.addresses, "articles listed under two addresses kept as one"),
        (result.recurring, "articles under one recurring headline kept apart"),
    ):
        yield "  " + paint.verdict(f"{got} of {planned} {what}", good=got == planned)
    if result.unpublished:
        yield f"  {result.unpublished} articles of the script were never asked for (was the day cut short?)"
    yield from (f"    lost: {piece.key} {isolate(piece.title)}" for piece in result.lost[:_LISTED])
    yield from (f"    doubled: {piece.key} {isolate(piece.title)}" for piece in result.doubled[:_LISTED])
    yield from (f"    not in the script: {item.outlet} {isolate(item.title)}" for item in result.strangers[:_LISTED])


def _alerts(result: Reckoning, paint: _Paint) -> Iterator[str]:
    yield paint.head("Alerts")
    arrived = {told.what for told in result.told} & result.expected
    good = not (result.missing or result.unexpected or result.doubled_alerts or result.dead)
    yield "  " + paint.verdict(
        f"{len(arrived)} of {len(result.expected)} expected alerts delivered: {_none(len(result.missing))} missing, "
        f"{_none(result.doubled_alerts)} doubled, {_none(len(result.unexpected))} unexpected",
        good=good,
    )
    yield from _by_watch(result)
    if result.not_sent:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(result.not_sent.items()))
        yield f"  found and not sent, with the reason: {reasons}"
    if result.dead:
        yield "  " + paint.verdict(f"{result.dead} could not be delivered", good=False)
    yield from (f"    missing: {_named(result, missing)}" for missing in result.missing[:_LISTED])
    yield from (f"    unexpected: {_unexpected(told)}" for told in result.unexpected[:_LISTED])


def _by_watch(result: Reckoning) -> Iterator[str]:
    """One row a watch; its title comes last, since a title may be written from the right."""
    yield "    " + "".join(f"{name:>4}" for name in _LANGUAGES) + "  expected  watch"
    expected = Counter(each.watch for each in result.expected)
    languages = Counter((told.watch, str(told.item.language)) for told in result.told if told.item is not None)
    for watch, title in _titles(result).items():
        counts = "".join(f"{languages[watch, name]:>4}" for name in _LANGUAGES)
        yield f"    {counts}  {expected[watch]:>8}  {isolate(title)}"


def _titles(result: Reckoning) -> dict[str, str]:
    told = tomllib.loads(result.day.watches.read_text(encoding="utf-8"))
    return {watch["id"]: watch["title"] for watch in told["watch"]}


def _named(result: Reckoning, expected: Expected) -> str:
    piece = next(piece for piece in result.day.pieces if piece.key == expected.piece)
    edit = " (edited)" if expected.edit else ""
    return f"{expected.watch} on {piece.key}{edit} {isolate(piece.title)}"


def _unexpected(told: Told) -> str:
    return f"{told.watch} on {isolate(told.item.title) if told.item else told.key}"


def _sources(result: Reckoning, paint: _Paint) -> Iterator[str]:
    yield paint.head("Sources with trouble (times are UTC)")
    for trouble in result.troubles:
        yield from _trouble(trouble, paint)
    for source in result.closed:
        yield f"  {source.id}: closed by robots.txt, shown and never asked: {source.reason}"


def _trouble(trouble: Trouble, paint: _Paint) -> Iterator[str]:
    fault = trouble.fault
    times = "once" if trouble.met == 1 else f"{trouble.met} times"
    yield f"  {fault.outlet} {_FAULTS[fault.kind]} from {fault.start:%H:%M} to {fault.end:%H:%M} (met {times})"
    yield from (f"    told at {said}" for said in trouble.said)
    if trouble.met and not trouble.said:
        yield "    " + (
            paint.verdict("nobody was told", good=False)
            if fault.told
            else "over before it was worth telling: shown with the source only"
        )


def _next(steps: Sequence[tuple[str, str]], paint: _Paint) -> Iterator[str]:
    yield paint.head("What to do next")
    width = max(len(command) for command, _why in steps)
    yield from (f"  {command:<{width}}  {why}" for command, why in steps)


def _none(count: int) -> str:
    return str(count) if count else "none"
