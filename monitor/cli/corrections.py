"""``wirewatch stories split|merge|apart|link|unlink|origin|copy|corrections|undo``: what a reviewer knows better."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.model.whole import Config
from monitor.cli import show
from monitor.cli.opened import known_story, with_store
from monitor.clock import SystemClock
from monitor.language.display import one_line
from monitor.model.stories import Correction
from monitor.ports import Store
from monitor.shapes import correction_row
from monitor.stories.corrected import said
from monitor.stories.origins import Sources
from monitor.stories.reported import by_word

OWN = "own"
Correct = Callable[[Config, Store, datetime], Awaitable[Correction]]


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):  # an account without a name, as in some containers
        raise click.UsageError("say who you are: --by NAME") from None


def _named(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not (name := one_line(name).strip()):
        raise click.BadParameter("say who you are")
    return name


by_option = click.option(
    "--by", default=_login, show_default="your login name", callback=_named, help="Who says so; kept with it."
)  # fmt: skip


def _done(folder: Path | None, correct: Correct) -> None:
    async def ask(config: Config, store: Store) -> Correction:
        return await correct(config, store, SystemClock().now())

    done = with_store(folder, ask)
    back = "" if done.undoes is not None else f" `wirewatch stories undo {done.number}` takes it back."
    click.echo(f"{said(done)}.{back}")


@click.command()
@click.argument("story")
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@by_option
@click.pass_obj
def split(folder: Path | None, story: str, items: tuple[str, ...], by: str) -> None:
    """Make ITEMs a story of their own: they tell another event than the rest of STORY.

    The two are never merged again by themselves, and what comes later joins the one it is more like. The ids stand in
    `wirewatch stories show STORY`.
    """

    async def correct(_config: Config, store: Store, now: datetime) -> Correction:
        return await store.split((await known_story(store, story)).id, items, by=by, now=now)

    _done(folder, correct)


@click.command()
@click.argument("story")
@click.argument("into")
@by_option
@click.pass_obj
def merge(folder: Path | None, story: str, into: str, by: str) -> None:
    """Make STORY a part of INTO: they tell one event, in one language.

    Both ids find it from then on, and what comes later joins it. Stories of two languages are linked, not merged.
    Nothing is told again.
    """

    async def correct(_config: Config, store: Store, now: datetime) -> Correction:
        one, other = await known_story(store, story), await known_story(store, into)
        return await store.merge_stories(one.id, other.id, by=by, now=now)

    _done(folder, correct)


@click.command()
@click.argument("one")
@click.argument("other")
@by_option
@click.pass_obj
def apart(folder: Path | None, one: str, other: str, by: str) -> None:
    """Keep two stories of one language apart, however alike they become."""
    _done(folder, _on_two(one, other, lambda store, *pair, **who: store.keep_apart(*pair, **who), by))


@click.command()
@click.argument("one")
@click.argument("other")
@by_option
@click.pass_obj
def link(folder: Path | None, one: str, other: str, by: str) -> None:
    """Link two stories of different languages: they tell one event."""
    _done(folder, _on_two(one, other, lambda store, *pair, **who: store.link_stories(*pair, **who), by))


@click.command()
@click.argument("one")
@click.argument("other")
@by_option
@click.pass_obj
def unlink(folder: Path | None, one: str, other: str, by: str) -> None:
    """Unlink two stories of different languages, for good: they do not tell one event."""
    _done(folder, _on_two(one, other, lambda store, *pair, **who: store.unlink_stories(*pair, **who), by))


def _on_two(one: str, other: str, rule: Callable[..., Awaitable[Correction]], by: str) -> Correct:
    async def correct(_config: Config, store: Store, now: datetime) -> Correction:
        first, second = await known_story(store, one), await known_story(store, other)
        return await rule(store, first.id, second.id, by=by, now=now)

    return correct


@click.command()
@click.argument("item")
@click.argument("origin")
@by_option
@click.pass_obj
def origin(folder: Path | None, item: str, origin: str, by: str) -> None:
    """Say whose reporting ITEM is: an id of origins.toml or of an outlet (axios, reuters, statement:idf), or "own".

    It counts for the item's later texts, for its copies, and for how many origins its story has. When an outlet's
    articles are misread again and again, teach wirewatch the name or the pattern: docs/origins.md, "Add a name".
    """

    async def correct(config: Config, store: Store, now: datetime) -> Correction:
        word = None if origin == OWN else by_word(origin, Sources.of(config.origins), config.outlets)
        return await store.correct_origin(item, word, by=by, now=now)

    _done(folder, correct)


@click.command()
@click.argument("item")
@click.argument("of", required=False)
@click.option("--none", is_flag=True, help="ITEM is nobody's copy.")
@by_option
@click.pass_obj
def copy(folder: Path | None, item: str, of: str | None, none: bool, by: str) -> None:
    """Say that ITEM has the words of another item, OF, or (--none) that it is no copy.

    A copy stands in the story of its original and is never another voice. One that is no copy stays where it is;
    `split` gives it a story of its own.
    """
    if (of is None) != none:
        raise click.UsageError("give the item that it has the words of, or --none")

    async def correct(_config: Config, store: Store, now: datetime) -> Correction:
        return await store.correct_copy(item, of, by=by, now=now)

    _done(folder, correct)


@click.command()
@click.option("--story", help="Only those about this story, or an item that stands in it.")
@show.limit_option
@show.json_option
@click.pass_obj
def corrections(folder: Path | None, story: str | None, limit: int, as_json: bool) -> None:
    """What reviewers corrected, the newest first; `wirewatch stories undo NUMBER` takes one back."""

    async def ask(config: Config, store: Store) -> tuple[ZoneInfo, Sequence[Correction]]:
        name = None if story is None else (await known_story(store, story)).id
        return show.zone_of(config), await store.corrections(story=name, limit=limit)

    zone, found = with_store(folder, ask)
    if as_json:
        show.lines([correction_row(each) for each in found])
        return
    rows: list[dict[str, Any]] = [
        {"number": each.number, "at": show.local(each.at, zone), "by": each.by,
         "state": "taken back" if each.undone else "", "what": said(each)} for each in found
    ]  # fmt: skip
    show.table(rows, ["number", "at", "by", "state", "what"], empty="Nothing was corrected.")


@click.command()
@click.argument("number", type=click.IntRange(1))
@by_option
@click.pass_obj
def undo(folder: Path | None, number: int, by: str) -> None:
    """Take correction NUMBER back. What was corrected after it, and builds on it, is taken back first."""

    async def correct(_config: Config, store: Store, now: datetime) -> Correction:
        return await store.undo_correction(number, by=by, now=now)

    _done(folder, correct)


COMMANDS = (split, merge, apart, link, unlink, origin, copy, corrections, undo)
