"""``wirewatch stories``: events, who told them first, who follows and who only repeats."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.model.whole import Config
from monitor.alerts.channels import wording_of
from monitor.alerts.markup import MARKDOWN
from monitor.alerts.text import isolated
from monitor.alerts.wording import Wording
from monitor.cli import corrections, show
from monitor.cli.items import SINCE
from monitor.cli.opened import known_story, with_store
from monitor.language.display import one_line
from monitor.model.stories import Correction, Story
from monitor.ports import Store
from monitor.shapes import cells, correction_row, moment_row, story_row, timeline_row
from monitor.stories.corrected import of_item
from monitor.stories.phrases import Phrases
from monitor.stories.reported import roots_of
from monitor.stories.roots import Root
from monitor.stories.timeline import Moment, Timeline, timeline

Written = tuple[Wording, ZoneInfo]
_Held = tuple[Story, Sequence[Story], Sequence[Correction]]


@click.group()
def stories() -> None:
    """Events: list, show, timeline; and what you know better: split, merge, apart, link, unlink, origin, copy."""


for _command in corrections.COMMANDS:
    stories.add_command(_command)


@stories.command(name="list")
@click.option("--language", type=click.Choice(["en", "he", "ar"]))
@click.option("--watch", help="Only stories with an item that this watch matched.")
@click.option("--since", type=SINCE, help='Told since then ("6h", "2d", "2026-11-24").')
@click.option("--outlets", default=2, show_default=True, type=click.IntRange(1), help="Told by at least so many.")
@show.limit_option
@show.json_option
@click.pass_obj
def list_(folder: Path | None, /, limit: int, as_json: bool, **filters: Any) -> None:
    """The last told first; origins are the independent voices among the outlets."""

    async def ask(config: Config, store: Store) -> tuple[Wording, Sequence[Story]]:
        return wording_of(config), await store.stories(limit=limit, **filters)

    wording, found = with_store(folder, ask)
    rows = [story_row(each, wording) for each in found]
    if as_json:
        show.lines(rows)
    else:
        columns = ["id", "last_seen", "language", "outlets", "origins", "also_in", "headline"]
        counted = [{**row, "also_in": len(row["links"])} for row in rows]
        show.table(counted, columns, empty="No story is told by so many outlets yet.")


@stories.command(name="show")
@click.argument("story")
@show.json_option
@click.pass_obj
def show_(folder: Path | None, story: str, as_json: bool) -> None:
    """One story: its items with whose reporting each is and why it stands here, and the same in other languages."""

    async def ask(config: Config, store: Store) -> tuple[Wording, ZoneInfo, _Held]:
        return wording_of(config), show.zone_of(config), await _story(store, story)

    wording, zone, (held, linked, corrected) = with_store(folder, ask)
    standing = [each for each in corrected if not each.undone and each.undoes is None]
    roots = roots_of(held.items)
    rows: list[dict[str, Any]] = [
        {
            "item": item.id,
            "first_seen": show.local(item.first_seen, zone),
            "outlet": wording.outlet(item.outlet),
            "goes_back_to": _goes_back(roots.get(item.id), wording),
            "headline": item.title,
            "score": round(item.story_score, 2),
            "why": item.copy_reason if item.copy_of else item.story_reason,
            "corrected": [of_item(each) for each in standing if item.id in each.items],
        }
        for item in held.items
    ]
    if as_json:
        told = [correction_row(each) for each in corrected]
        show.lines([{**story_row(held, wording), "members": rows, "corrections": told}])
        return
    click.secho(isolated(held.items[0].title), bold=True)
    counted = story_row(held, wording)
    click.echo(f"{held.id} · {counted['items']} items, {counted['outlets']} outlets, {counted['origins']} origins\n")
    columns = ["first_seen", "outlet", "goes_back_to", "item", "score", "why", "corrected", "headline"]
    told_of = [{**row, "corrected": "; ".join(row["corrected"])} for row in rows]
    show.table(told_of, [each for each in columns if each != "corrected" or standing], empty="")
    if linked:
        click.echo("\nIt seems also in:")
        reasons = {link.story: f"{link.reason} ({link.score:.2f})" for link in held.links}
        also = [
            {"story": each.id, "language": each.items[0].language, "because": reasons.get(each.id, ""),
             "headline": each.items[0].title} for each in linked
        ]  # fmt: skip
        show.table(also, ["story", "language", "because", "headline"], empty="")


@stories.command(name="timeline")
@click.argument("story")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "csv", "json"]), default="text", show_default=True
)
@click.pass_obj
def timeline_(folder: Path | None, story: str, form: str) -> None:
    """How a story went: who told it first, who followed, what was changed and denied, and where else it is told."""

    async def ask(config: Config, store: Store) -> tuple[Written, Timeline]:
        held, linked, corrected = await _story(store, story)
        revisions = {item.id: await store.revisions(item.id) for item in held.items}
        whereabouts = {item.id: await store.whereabouts(item.id) for item in held.items}
        phrases = Phrases.of(config.claims, config.concepts)
        told = timeline(held, revisions, linked, phrases, whereabouts, corrections=corrected)
        return (wording_of(config), show.zone_of(config)), told

    written, told = with_store(folder, ask)
    _FORMS[form](told, *written)


async def _story(store: Store, name: str) -> _Held:
    """With the stories linked to it and what reviewers corrected of it."""
    held = await known_story(store, name)
    linked = [await store.story(link.story) for link in held.links]
    corrected = await store.corrections(story=held.id, limit=1000)
    return held, [each for each in linked if each is not None], corrected


# ------------------------------------------------------------------ a timeline in four forms


def _text(told: Timeline, wording: Wording, zone: ZoneInfo) -> None:
    click.secho(isolated(one_line(told.headline)), bold=True)
    click.echo(f"{_summary(told, wording)}\n")
    for day, moments in _by_day(told, zone).items():
        click.secho(day, bold=True)
        for moment in moments:
            head = f"  {moment.at.astimezone(zone):%H:%M}  {wording.outlet(moment.outlet)} {_said(moment, wording)}"
            click.echo(f"{head}: {isolated(one_line(moment.headline))}")
            if moment.before:
                click.echo(f"         before: {isolated(one_line(moment.before))}")


def _markdown(told: Timeline, wording: Wording, zone: ZoneInfo) -> None:
    def safe(text: str) -> str:
        return isolated(MARKDOWN.escape(one_line(text)))

    click.echo(f"# {safe(told.headline)}\n\n{MARKDOWN.escape(_summary(told, wording))}\n")
    for day, moments in _by_day(told, zone).items():
        click.echo(f"## {day}\n")
        for moment in moments:
            head = f"- {moment.at.astimezone(zone):%H:%M} **{MARKDOWN.escape(wording.outlet(moment.outlet))}** "
            click.echo(f"{head}{MARKDOWN.escape(_said(moment, wording))}: {safe(moment.headline)}")
            if moment.before:
                click.echo(f"  before: {safe(moment.before)}")
            if moment.url:
                click.echo(f"  {MARKDOWN.link(moment.url)}")
        click.echo("")


def _csv(told: Timeline, _wording: Wording, _zone: ZoneInfo) -> None:
    rows = [moment_row(moment) for moment in told.moments]
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(map(cells, rows))


def _json(told: Timeline, _wording: Wording, _zone: ZoneInfo) -> None:
    show.lines([timeline_row(told)])


_FORMS: Mapping[str, Callable[[Timeline, Wording, ZoneInfo], None]] = {
    "text": _text, "markdown": _markdown, "csv": _csv, "json": _json,
}  # fmt: skip


def _summary(told: Timeline, wording: Wording) -> str:
    outlets = ", ".join(isolated(wording.outlet(each)) for each in told.outlets)
    voices = ", ".join(isolated(wording.source(each)) for each in told.origins)
    return f"{_counted(told.outlets, 'outlet')}: {outlets}. {_counted(told.origins, 'origin')}: {voices}."


def _counted(told: Sequence[object], what: str) -> str:
    return f"{len(told)} {what}{'' if len(told) == 1 else 's'}"


def _by_day(told: Timeline, zone: ZoneInfo) -> dict[str, list[Moment]]:
    days: dict[str, list[Moment]] = {}
    for moment in told.moments:
        days.setdefault(_day(moment.at, zone), []).append(moment)
    return days


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d} ({zone.key})"


def _said(moment: Moment, wording: Wording) -> str:
    marks = [word for word, so in (("denies", moment.denies), ("hedged", moment.hedges)) if so]
    match moment.what:
        case "first":
            words = "tells it first"
        case "copy":
            words = "has the same words"
        case "edited":
            words = f"changes {', '.join(moment.changed)}"
        case "elsewhere":
            words = f"({moment.language}) seems to tell the same"
        case "withdrawn":
            words = f"takes it down ({moment.why})"
        case "back":
            words = "has it again"
        case "lost":
            words = f"may have moved or removed it ({moment.why})"
        case "moved":
            words = "moves it to another address"
        case "corrected":
            words = f"({moment.why})"
        case "followed":
            words = "follows"
    back = _goes_back(moment.root, wording)
    if moment.what in ("first", "followed") and back:
        words += f" ({back})"
    return words + (f" [{', '.join(marks)}]" if marks else "")


def _goes_back(root: Root | None, wording: Wording) -> str:
    if root is None or root.how == "own":
        return "own reporting" if root is not None else ""
    how = {"credit": "credits", "cite": "cites", "statement": "tells a statement of", "copy": "the words of"}[root.how]
    return f"{how} {isolated(wording.source(root.id))}"
