"""``wirewatch watches`` and ``wirewatch concepts``: what your keywords mean, found, and would have found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.load import load
from config.model.fields import written
from config.model.watches import Watch
from config.model.whole import Config
from monitor import health
from monitor.cli import show
from monitor.cli.archive import walked
from monitor.cli.items import SINCE
from monitor.cli.mute import mute
from monitor.cli.opened import known_watch, with_store
from monitor.clock import SystemClock
from monitor.edition import Edition, open_edition, remarks
from monitor.errors import UnknownName
from monitor.language.concepts import LANGUAGES, forms
from monitor.language.identify import identify
from monitor.model.items import Item, Wanted
from monitor.ports import Store
from monitor.shapes import watch_row
from monitor.watches.backtest import Difference, PastItem, Report, WatchReport, backtest, compare, item_text
from monitor.watches.engine import ItemText
from monitor.watches.examples import failed_examples
from monitor.watches.explain import told
from monitor.watches.lint import archive_lint

_SHOWN = 10
ENOUGH = 1000
"""Items that say something about how often a watch fires."""

TEXT = click.option("--text", help='A headline to try; "-" reads one a line from standard input.')


@click.group()
def watches() -> None:
    """Your keyword alerts: list, test, explain, mute."""


watches.add_command(mute)


@watches.command(name="list")
@show.json_option
@click.pass_obj
def list_(folder: Path | None, as_json: bool) -> None:
    """The watches in force and what each has told so far."""

    async def ask(config: Config, store: Store) -> tuple[ZoneInfo, list[dict[str, Any]]]:
        muted = await store.muted(SystemClock().now())
        rows = [await _row(watch, store, muted.get(watch.id)) for watch in config.watches.values()]
        return show.zone_of(config), rows

    zone, rows = with_store(folder, ask)
    if as_json:
        show.lines(rows)
    else:
        waits = ["waits_for"] if any(row["corroborated"] for row in rows) else []
        columns = ["id", "severity", *waits, "alerts", "last", "muted_until", "title"]
        table = [
            {
                **row, "muted_until": row["muted_until"] and show.local(row["muted_until"], zone),
                "waits_for": row["corroborated"] and "{origins} origins in {within}".format(**row["corroborated"]),
            }
            for row in rows
        ]  # fmt: skip
        show.table(table, columns, empty="No watch yet: write one in watches/ (docs/watches.md).")


async def _row(watch: Watch, store: Store, muted: datetime | None) -> dict[str, Any]:
    alerts = await store.alerts(watch=watch.id, limit=100_000)
    return {
        **watch_row(watch, muted),
        "alerts": sum(alert.condition != "suppressed" for alert in alerts),
        "last": max((alert.created for alert in alerts), default=None),
    }


# ------------------------------------------------------------------ test


@watches.command()
@click.argument("watch", nargs=-1)
@click.option("--since", type=SINCE, default="30d", help='How far back in the archive ("30d", "2026-11-01").')
@click.option(
    "--file", "draft", type=click.Path(path_type=Path, dir_okay=False), help="Watches of a draft file instead."
)
@click.option(
    "--diff", "old", type=click.Path(path_type=Path, dir_okay=False), help="Compare with those of another file."
)
@TEXT
@click.option("--lines", type=click.File("r", encoding="utf-8"), help="JSON lines with title, lead, outlet…, or - .")
@show.json_option
@click.pass_obj
def test(  # noqa: PLR0917  (options)
    folder: Path | None, /, watch: tuple[str, ...], since: datetime, draft: Path | None, old: Path | None,
    text: str | None, lines: Iterable[str] | None, as_json: bool,
) -> None:  # fmt: skip
    """What the watches would have found in the archive, or in a text: with the engine of the live service.

    \b
    wirewatch watches test                          all watches over the last 30 days
    wirewatch watches test hostage-deal --since 7d
    wirewatch watches test --file draft.toml        watches you have not put in force yet
    wirewatch watches test --file new.toml --diff old.toml
    echo "Talks resume in Doha" | wirewatch watches test --text -
    """
    now = SystemClock().now()
    current = _edition(folder, draft)
    if text is not None:
        past = [_pasted(each, now) for each in _texts(text)]
    elif lines is not None:
        past = [_from_json(each, now) for each in lines if each.strip()]
    else:
        past = with_store(folder, lambda config, store: _archived(store, since))
    zone = ZoneInfo(current.config.settings.service.time_zone)
    report = _only(backtest(current.watches, past, zone=zone), current, watch)
    if old is not None:
        before = _only(backtest(_edition(folder, old).watches, past, zone=zone), current, watch)
        _print_difference(compare(before, report), as_json)
        return
    if as_json:
        show.lines(_json_rows(report))
        return
    over = f" over {report.days} days" if text is None and lines is None else ""
    click.echo(f"{_counted(report.tested, 'item')}{over}.\n")
    for each in report.watches.values():
        _print_report(each, report, current.by_id[each.watch])


def _edition(folder: Path | None, draft: Path | None) -> Edition:
    return open_edition(folder, watches=draft)


def _only(report: Report, current: Edition, wanted: Sequence[str]) -> Report:
    for name in wanted:
        known_watch(current.config, name)
    names = wanted or tuple(current.config.watches)
    return Report(
        tested=report.tested, days=report.days, watches={n: report.watches[n] for n in names if n in report.watches}
    )


def _texts(text: str) -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()] if text == "-" else [text]


def _pasted(text: str, now: datetime) -> PastItem:
    return PastItem(id="text", at=now, text=ItemText(text, language=identify(text)))


def _from_json(line: str, now: datetime) -> PastItem:
    try:
        told: Mapping[str, Any] = json.loads(line)
        fields = {name: str(told.get(name) or "") for name in ("lead", "body", "url", "author", "outlet", "source")}
        title = str(told["title"])
    except (ValueError, KeyError, AttributeError) as error:
        raise click.ClickException(f"--lines: a line is not a JSON object with a title: {error}: {line[:80]}") from None
    fields["lead"] = fields["lead"] or str(told.get("summary") or "")
    seen = told.get("first_seen")
    at = datetime.fromisoformat(seen) if seen else now
    language = identify(f"{title} {fields['lead']}", told.get("language"))
    text = ItemText(
        title, fields["lead"], fields["body"], url=fields["url"], author=fields["author"], outlet=fields["outlet"],
        source=fields["source"], language=language,
    )  # fmt: skip
    return PastItem(id=str(told.get("id") or "line"), at=at, text=text)


async def _archived(store: Store, since: datetime) -> list[PastItem]:
    """The news of the archive; the service's own notices are no news."""
    return [
        PastItem(id=item.id, at=item.first_seen, text=item_text(item))
        async for portion in walked(store, "reading the archive", Wanted(since=since))
        for item in portion
        if item.outlet != health.OUTLET
    ]


def _print_report(each: WatchReport, report: Report, watch: Watch) -> None:
    a_day = len(each.fires) / report.days if report.days else 0.0
    click.secho(f"{each.watch}  {_counted(len(each.fires), 'hit')}, {a_day:.1f} a day", bold=True)
    if (rule := watch.corroborated) is not None:
        click.echo(
            f"  told once {rule.origins} origins report a story within {written(rule.within)}: "
            "that is not replayed here"
        )
    for name, counts in (("outlets", each.per_outlet), ("languages", each.per_language), ("shared with", each.overlap)):
        if shown := ", ".join(f"{key or 'none'} {count}" for key, count in list(counts.items())[:8]):
            click.echo(f"  {name}: {shown}")
    for fire in each.fires[-_SHOWN:]:
        click.echo(f"  {fire.at:%m-%d %H:%M}  {show.FSI}{fire.title}{show.PDI}  by {fire.match.clause}")
    if len(each.fires) > _SHOWN:
        click.echo(f"  … and {len(each.fires) - _SHOWN} before; --json lists all")
    if each.undecided:
        click.echo(f"  {each.undecided} undecided: a pattern ran out of time")
    if report.tested >= ENOUGH:
        for remark in archive_lint(len(each.fires), report.tested):
            click.echo(f"  remark: {remark.message}")
    click.echo()


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _json_rows(report: Report) -> Iterator[dict[str, Any]]:
    for each in report.watches.values():
        for fire in each.fires:
            spans = [{"field": s.field, "start": s.start, "end": s.end, "term": s.term} for s in fire.match.spans]
            yield {
                "watch": each.watch, "item": fire.item, "at": fire.at, "title": fire.title, "outlet": fire.outlet,
                "language": fire.language, "clause": fire.match.clause, "matched": spans,
                "undecided": fire.match.undecided,
            }  # fmt: skip


def _print_difference(difference: Difference, as_json: bool) -> None:
    rows = [
        {"change": change, "watch": name, "item": fire.item, "title": fire.title, "at": fire.at}
        for change, group in (("more", difference.more), ("fewer", difference.fewer))
        for name, fires in group.items()
        for fire in fires
    ]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["change", "watch", "at", "title"], empty="The same alerts.")


# ------------------------------------------------------------------ explain


@watches.command()
@click.argument("watch")
@TEXT
@click.option("--item", help="An item of the archive.")
@click.option("--outlet", default="", help="Of a pasted text; otherwise the first that the watch looks at.")
@click.pass_obj
def explain(folder: Path | None, /, watch: str, text: str | None, item: str | None, outlet: str) -> None:
    """Why WATCH is found in a text or an item, or which part of it fails and what comes nearest."""
    if (text is None) == (item is None):
        raise click.UsageError("give either --text or --item")
    current = _edition(folder, None)
    looks_at = known_watch(current.config, watch).outlets
    if item is not None:
        found = with_store(folder, lambda config, store: _one(store, item))
        texts = [item_text(found)]
    else:
        where = outlet or (looks_at[0] if looks_at else next(iter(current.config.outlets), ""))
        texts = [ItemText(each, outlet=where, language=identify(each)) for each in _texts(text or "")]
    hits = 0
    for each in texts:
        explanation = current.watches.explain(watch, each)
        hits += explanation.hit
        click.echo("\n".join(told(explanation, each)))
    if not hits:
        raise SystemExit(1)


async def _one(store: Store, item: str) -> Item:
    found = await store.item(item)
    if found is None:
        raise UnknownName(f"No item is called {item}: ids stand in `wirewatch items list`.")
    return found


# ------------------------------------------------------------------ check


async def past_remarks(current: Edition, store: Store) -> tuple[str, ...]:
    """Watches that matched nothing in the archive, or too much of it; an archive under 1,000 items says nothing."""
    total = (await store.count())["items"]
    if total < ENOUGH:
        return ()
    said = []
    for name in current.config.watches:
        matched = await store.how_many(Wanted(watch=name), at_most=total)
        said += [f"watch {name}: {remark.message}" for remark in archive_lint(matched, total)]
    return tuple(said)


def check_watches(current: Edition, past: Sequence[str], *, words: bool, quiet: bool) -> bool:
    """Run every watch's examples and print remarks; True when an example failed."""
    say: Callable[[str], None] = (lambda line: None) if quiet else click.echo
    for line in (*remarks(current), *past):
        say(f"remark: {line}")
    for name in current.config.watches:
        if words:
            say(f"\n{name}")
            for each in current.watches.expansion(name):
                weak = f"; only in company: {', '.join(each.weak)}" if each.weak else ""
                note = f"  ({each.note})" if each.note else ""
                say(f"  {each.term} [{each.kind}]: {', '.join(each.forms)}{weak}{note}")
    failed = failed_examples(current.config.watches.values(), current.watches)
    for example in failed:
        wanted = "must be found" if example.expected == "hit" else "must not be found"
        place = current.config.places.get(f"watch.{example.watch}.examples.{example.expected}[{example.number}]")
        click.echo(
            f"{f'{place}: ' if place else ''}watch {example.watch}: this example {wanted}: {example.text}", err=True
        )
        for line in told(example.explanation, ItemText(example.text))[1:]:
            click.echo(line, err=True)
    total = sum(len(w.examples.hit) + len(w.examples.miss) for w in current.config.watches.values())
    say(f"\n{total - len(failed)} of {total} examples hold.")
    return bool(failed)


# ------------------------------------------------------------------ concepts


@click.group()
def concepts() -> None:
    """The shipped word lists: list, show."""


@concepts.command(name="list")
@show.json_option
@click.pass_obj
def list_concepts(folder: Path | None, as_json: bool) -> None:
    """Every concept a watch can name as @CONCEPT."""
    rows = [
        {
            "concept": f"@{name}",
            "group": each.group,
            "kind": each.kind,
            **{lang: len(forms(each, lang)) for lang in LANGUAGES},
        }
        for name, each in load(folder).concepts.items()
    ]
    if as_json:
        show.lines(rows)
    else:
        show.table(rows, ["concept", "group", "kind", *LANGUAGES], empty="No concept.")


@concepts.command(name="show")
@click.argument("concept")
@show.json_option
@click.pass_obj
def show_concept(folder: Path | None, concept: str, as_json: bool) -> None:
    """One concept's forms in three languages."""
    known = load(folder).concepts
    found = known.get(concept.removeprefix("@"))
    if found is None:
        raise UnknownName(f"No concept is called {concept}; see `wirewatch concepts list`.")
    if as_json:
        show.lines([{"concept": concept.removeprefix("@"), **found.model_dump(mode="json")}])
        return
    click.echo(f"@{concept.removeprefix('@')}  {found.kind}, {found.group}")
    for language in LANGUAGES:
        weak = found.weak.get(language, ())
        company = f"; only in company ({found.weak_rule}): {', '.join(weak)}" if weak else ""
        click.echo(f"  {language}  {show.FSI}{', '.join(getattr(found, language)) or '–'}{show.PDI}{company}")
