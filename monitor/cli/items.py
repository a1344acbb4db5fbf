"""``wirewatch items``: what was collected."""

from __future__ import annotations

import csv
import getpass
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import click

from config.model.fields import duration
from config.model.whole import Config
from monitor import shapes
from monitor.alerts.text import isolated
from monitor.cli import show
from monitor.cli.archive import walked
from monitor.cli.opened import with_store
from monitor.cli.searching import search
from monitor.clock import SystemClock
from monitor.errors import UnknownName
from monitor.language.display import one_line
from monitor.model.alerts import Alert
from monitor.model.items import Item, Revision, Wanted, Whereabouts
from monitor.model.reviews import RemarkKind, Review, Reviewed, Verdict
from monitor.ports import Store


class _Since(click.ParamType[datetime]):
    """``6h``, ``30d`` (back from now) or an ISO date."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return SystemClock().now() - duration(value)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value).astimezone()
        except ValueError:
            self.fail('write how far back ("6h", "30d") or a date ("2026-11-24")', param, ctx)


SINCE = _Since()

_FILTERS = (
    click.option("--outlet", help="Only this outlet."),
    click.option("--language", type=click.Choice(["en", "he", "ar", "und"])),
    click.option("--watch", help='Only what this watch matched; "*": what any did.'),
    click.option("--story", help="Only the items of this story."),
    click.option(
        "--review", type=click.Choice(get_args(Reviewed)), help="By what reviewers said; unreviewed: no verdict counts."
    ),
    click.option("--since", type=SINCE, help='How far back ("6h", "30d") or from which date.'),
)


def _filtered(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group()
def items() -> None:
    """Collected articles: list, show, search, review, export."""


@items.command(name="list")
@_filtered
@show.limit_option
@show.json_option
@click.pass_obj
def list_(folder: Path | None, /, limit: int, as_json: bool, **filters: Any) -> None:
    """Newest first."""

    async def ask(_config: Config, store: Store) -> Sequence[Item]:
        return await store.items(Wanted(**filters), limit=limit)

    _print(with_store(folder, ask), as_json, "Nothing collected yet: start the service with `wirewatch run`.")


@items.command(name="search")
@click.argument("query", nargs=-1, required=True)
@_filtered
@click.option("--as-watch", is_flag=True, help="Print it as a watch to paste into a file, instead of searching.")
@click.option("--title", default="", help="Of that watch; without it the query is its title.")
@show.limit_option
@show.json_option
@click.pass_obj
def search_(
    folder: Path | None,
    /,
    query: tuple[str, ...],
    limit: int,
    title: str,
    *,
    as_json: bool,
    as_watch: bool,
    **asked: Any,
) -> None:
    """What a watch with this QUERY finds in the archive, in English, Hebrew and Arabic, newest first.

    \b
    wirewatch items search doha hostage             both words, in any of their forms
    wirewatch items search '@hostage NEAR/5 doha'   all that watches know (docs/query-reference.md)
    wirewatch items search 'doha -football' --since 7d --language en
    wirewatch items search 'doha -football' --as-watch --title "Doha"
    """
    search(folder, " ".join(query), limit=limit, as_json=as_json, as_watch=as_watch, title=title, filters=asked)


@items.command(name="show")
@click.argument("item")
@show.json_option
@click.pass_obj
def show_(folder: Path | None, item: str, as_json: bool) -> None:
    """One item: its text, its revisions, and what came of it."""

    async def ask(
        _config: Config, store: Store
    ) -> tuple[Item, Sequence[Revision], Sequence[Whereabouts], Sequence[Alert], Mapping[str, Review]]:
        found = await _known(store, item)
        alerts = await store.alerts(item=found.id, limit=1000)
        texts, addresses = await store.revisions(item), await store.whereabouts(item)
        return found, texts, addresses, alerts, await store.reviews([found.id])

    found, revisions, whereabouts, alerts, reviews = with_store(folder, ask)
    review = reviews.get(found.id)
    if as_json:
        texts = [{"revision": each.id, "seen": each.seen, "title": each.title, "lead": each.lead} for each in revisions]
        show.lines(
            [
                {
                    **shapes.item_row(found),
                    **shapes.review_row(review),
                    "body": found.body,
                    "texts": texts,
                    "whereabouts": [{"at": each.at, "what": each.what, "words": each.words} for each in whereabouts],
                    "alerts": [shapes.alert_row(a) for a in alerts],
                }
            ]
        )
        return
    click.secho(found.title, bold=True)
    assumed = " (assumed: the wire gave no credible date)" if found.published_assumed else ""
    click.echo(f"{found.outlet} · {found.published:%Y-%m-%d %H:%M} UTC{assumed} · {found.language} · {found.id}")
    click.echo(f"{found.url or 'no address'}\nfirst seen {found.first_seen:%Y-%m-%d %H:%M:%S} UTC by {found.source}")
    if found.copy_of:
        click.echo(f"copy of {found.copy_of}: {found.copy_reason}")
    for each in whereabouts:
        click.echo(f"{each.at:%Y-%m-%d %H:%M} UTC {each.what}: {one_line(each.words)}")
    if found.marks:
        click.echo("marks: " + "; ".join(found.marks))
    if review is not None:
        _print_review(review)
    click.echo(f"\n{found.body or found.lead}\n")
    if len(revisions) > 1:
        show.table([{"seen": each.seen, "title": each.title} for each in revisions], ["seen", "title"], empty="")
    rows = [shapes.alert_row(alert) for alert in alerts]
    show.table(rows, ["id", "watch", "channel", "event", "state", "reason"], empty="No watch matched it.")


@items.command()
@_filtered
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.pass_obj
def export(folder: Path | None, /, form: str, **filters: Any) -> None:
    """Everything collected, with what reviewers said of it, oldest first, to standard output as JSON Lines or CSV."""

    async def ask(_config: Config, store: Store) -> None:
        writer: csv.DictWriter[str] | None = None
        async for portion in walked(store, "exporting", Wanted(**filters)):
            reviews = await store.reviews([item.id for item in portion])
            rows = [{**shapes.item_row(item), **shapes.review_row(reviews.get(item.id))} for item in portion]
            if form == "jsonl":
                show.lines(rows)
                continue
            if writer is None:
                writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]))
                writer.writeheader()
            writer.writerows(map(shapes.cells, rows))

    with_store(folder, ask)


@items.command()
@click.argument("names", nargs=-1, required=True, metavar="ITEM...")
@click.option("--verdict", type=click.Choice([*get_args(Verdict), "none"]), help='"none" takes the verdict back.')
@click.option("--star/--no-star", default=None)
@click.option("--note", help="A note; those that are there stay.")
@click.option("--by", help="The reviewer's name; without it that of your login.")
@click.pass_obj
def review(folder: Path | None, /, names: tuple[str, ...], by: str | None, **acts: Any) -> None:
    """Say what you think of items. All that is said is kept; of verdicts and stars the last one counts."""
    said, reviewer = _said(**acts), (by or _login()).strip()
    if not reviewer:
        raise click.BadParameter("whose remark is it?", param_hint="--by")

    async def ask(_config: Config, store: Store) -> int:
        found = {(await _known(store, name)).id: None for name in names}
        for kind, value in said:
            await store.remark(list(found), by=reviewer, kind=kind, value=value, now=SystemClock().now())
        return len(found)

    count = with_store(folder, ask)
    click.echo(f"{count} item{'' if count == 1 else 's'} reviewed by {reviewer}")


def _said(verdict: str | None, star: bool | None, note: str | None) -> list[tuple[RemarkKind, str]]:
    said: list[tuple[RemarkKind, str]] = []
    if verdict is not None:
        said.append(("verdict", "" if verdict == "none" else verdict))
    if star is not None:
        said.append(("star", "yes" if star else ""))
    if note is not None:
        if not note.strip():
            raise click.BadParameter("a note needs a text", param_hint="--note")
        said.append(("note", note))
    if not said:
        raise click.UsageError("say what: --verdict, --star, --no-star or --note")
    return said


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise click.UsageError("your login has no name: say who reviews with --by") from error


async def _known(store: Store, item: str) -> Item:
    found = await store.item(item)
    if found is None:
        raise UnknownName(f"No item is called {item}: ids stand in `wirewatch items list`.")
    return found


def _print_review(review: Review) -> None:
    said = [f"{review.verdict} ({review.by})"] if review.verdict else []
    said += ["starred"] if review.starred else []
    if said:
        click.echo("review: " + ", ".join(said))
    for note in review.notes:
        click.echo(f"note by {note.by}, {note.at:%Y-%m-%d %H:%M} UTC: {isolated(one_line(note.value))}")


def _print(found: Sequence[Item], as_json: bool, empty: str) -> None:
    rows = [shapes.item_row(item) for item in found]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["id", "first_seen", "outlet", "language", "title"], empty=empty)
