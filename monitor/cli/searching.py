"""``wirewatch items search``: the archive by a query, and a query kept as a watch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from config.load import load
from config.model.whole import Config
from config.wording import near
from monitor import shapes
from monitor.alerts.text import isolated
from monitor.cli import show
from monitor.cli.opened import with_store
from monitor.clock import SystemClock
from monitor.errors import QueryError, UnknownName
from monitor.language.display import one_line
from monitor.model.items import Item, Span, Wanted
from monitor.ports import Store
from monitor.watches.compile import compile_watches
from monitor.watches.draft import draft
from monitor.watches.search import Found, Hit, Question, ask
from monitor.watches.search import search as searched

_MOST, _SECONDS = 1_000_000, 60.0
"""A person can wait, and stop it."""
_CONTEXT = 40
_OPEN, _SHUT = "\ue000", "\ue001"


def search(
    folder: Path | None, text: str, *, limit: int, as_json: bool, as_watch: bool, title: str, filters: dict[str, Any]
) -> None:
    """Print what a query finds, or the watch that it would be. ``filters`` are those of `Wanted`."""
    config = load(folder)
    question = _question(text, config)
    for lint in question.lints:
        click.echo(f"remark: {lint.message}{f' ({lint.suggestion})' if lint.suggestion else ''}", err=True)
    if as_watch:
        _print_draft(text, title, config, filters)
        return

    async def look(_config: Config, store: Store) -> Found:
        return await searched(
            store, question, Wanted(**filters), clock=SystemClock(), limit=limit, most=_MOST, seconds=_SECONDS
        )

    found = with_store(folder, look)
    if as_json:
        show.lines(map(_row, found.hits))
    else:
        _print(found.hits)
    _tell_end(found, config)


def _question(text: str, config: Config) -> Question:
    watches, _ = compile_watches((), config.concepts, outlets=config.outlets)
    try:
        return ask(text, watches, config.outlets)
    except QueryError as error:
        click.echo(f"{_place(text, error)}\n{error}", err=True)
        raise SystemExit(2) from None


def _place(text: str, error: QueryError) -> str:
    """The line of the query that is wrong, with a mark under the place; a terminal may turn Hebrew and Arabic around,
    so there the words themselves are named."""
    begin = text.rfind("\n", 0, error.start) + 1
    line = text[begin:].partition("\n")[0].expandtabs(1)
    if show.turns(line):
        return f"    {isolated(line)}\n    at {isolated(text[error.start : error.end] or 'its end')}"
    marks = "^" * max(1, min(error.end - begin, len(line)) - (error.start - begin))
    return f"    {line}\n    {' ' * (error.start - begin)}{marks}"


# ------------------------------------------------------------------ what was found


def _row(hit: Hit) -> dict[str, Any]:
    spans = [{"field": s.field, "start": s.start, "end": s.end, "term": s.term} for s in hit.match.spans]
    found = {"clause": hit.match.clause, "matched": spans, "undecided": hit.match.undecided}
    return {**shapes.item_row(hit.item), **found}


def _print(hits: Iterable[Hit]) -> None:
    """A headline with the words that are found; where none of them is in it, what stands around the first."""
    empty = True
    for hit in hits:
        empty = False
        item, spans = hit.item, hit.match.spans
        click.secho(f"{item.id}  {item.first_seen:%Y-%m-%d %H:%M}  {item.outlet}  {item.language}", dim=True)
        titles = [span for span in spans if span.field == "title"]
        click.echo(f"  {_marked(item.title, titles)}")
        if spans and not titles:
            click.echo(f"  {spans[0].field}: {_around(item, spans)}")
    if empty:
        click.echo("No item matches.")


def _around(item: Item, spans: Iterable[Span]) -> str:
    first, *_ = spans
    text = getattr(item, first.field) or ""
    start, end = max(0, first.start - _CONTEXT), first.end + _CONTEXT
    near_it = [
        Span(field=span.field, start=span.start - start, end=span.end - start, term=span.term)
        for span in spans if span.field == first.field and span.end <= end
    ]  # fmt: skip
    dots = ("…" if start else "", "…" if end < len(text) else "")
    return f"{dots[0]}{_marked(text[start:end], near_it)}{dots[1]}"


def _marked(text: str, spans: Iterable[Span]) -> str:
    """One line that is safe on a terminal, its words in colour or, where there is none, in brackets."""
    text = text.replace(_OPEN, "\ufffd").replace(_SHUT, "\ufffd")
    pieces, reached = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        if span.start >= reached:
            pieces += [text[reached : span.start], _OPEN, text[span.start : span.end], _SHUT]
            reached = span.end
    whole = isolated(one_line("".join((*pieces, text[reached:]))))
    coloured = sys.stdout.isatty() and click.get_current_context().find_root().color is not False
    on, _, off = click.style("|", fg="yellow", bold=True).partition("|") if coloured else ("[", "", "]")
    return whole.replace(_OPEN, on).replace(_SHUT, off)


def _tell_end(found: Found, config: Config) -> None:
    if found.complete or found.back_to is None:
        return
    at = show.local(found.back_to.first_seen, show.zone_of(config))
    if found.given_up:
        told = f"Looked at the newest {found.looked_at:,} items that may match, back to {at}, and at none before."
    else:
        told = f"There are more before {at}: --limit shows them."
    click.echo(told, err=True)


# ------------------------------------------------------------------ as a watch


def _print_draft(query: str, title: str, config: Config, filters: dict[str, Any]) -> None:
    outlet, language = filters.pop("outlet"), filters.pop("language")
    if given := [f"--{name}" for name, value in filters.items() if value is not None]:
        raise click.UsageError(f"a watch is not limited by {', '.join(given)}: leave it out with --as-watch")
    if outlet is not None and outlet not in config.outlets:
        raise UnknownName(
            f"No outlet is called {outlet}; {near(outlet, config.outlets) or 'see `wirewatch outlets list`'}"
        )
    made = draft(query, title, config, outlet=outlet, language=language)
    click.echo(made.text, nl=False)
    if made.shipped:
        first = (
            "The watches in force are those that ship: `wirewatch init DIR` writes copies of them to edit. Then put "
        )
    else:
        first = "Put "
    where = Path(config.folder or "DIR") / made.file
    click.echo(f"\n{first}it into {where}, or at the end of another file there, and run `wirewatch check`.", err=True)
