"""Stories: the list, and the page of one with its timeline, its voices and the same in other languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from monitor.alerts.channels import wording_of
from monitor.alerts.wording import Wording
from monitor.model.items import Item
from monitor.model.stories import Story
from monitor.model.texts import TextLanguage
from monitor.stories.reported import roots_of
from monitor.stories.roots import Root
from monitor.stories.timeline import timeline
from monitor.web import asked, overview
from monitor.web.site import Site

ROWS = 25
_FULL = 300
"""Items of a story whose texts are compared for the timeline; those of a longer one are shown without edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One independent origin, and the items that go back to it in the order in which they came."""

    name: str
    kind: str
    items: tuple[Item, ...]


def add(app: FastAPI, site: Site) -> None:
    @app.get("/stories", response_class=HTMLResponse)
    async def list_(request: Request) -> HTMLResponse:
        seen = await site.status()
        try:
            told = asked.read(request.query_params, now=seen.now, zone=site.zone)
            outlets = min(max(int(request.query_params.get("outlets", "2")), 1), 100)
        except ValueError as error:
            return site.missing(request, str(error), code=400)
        language = next((each for each in get_args(TextLanguage) if each == told.wanted.language), None)
        found = await overview.stories(
            site, limit=ROWS, since=told.wanted.since, language=language, watch=told.wanted.watch, outlets=outlets
        )
        return site.page(
            request, "stories.html", now=seen.now, asked=told, stories=found, outlets=outlets,
            names=wording_of(site.config),
        )  # fmt: skip

    @app.get("/stories/{story}", response_class=HTMLResponse)
    async def one(story: str, request: Request) -> HTMLResponse:
        held = await site.store.story(story)
        if held is None:
            return site.missing(
                request, f"No story is called {story}. What is older than the retention rule is removed."
            )
        linked = [other for link in held.links if (other := await site.store.story(link.story)) is not None]
        revisions = {item.id: await site.store.revisions(item.id) for item in held.items[-_FULL:] if item.revisions > 1}
        whereabouts = {item.id: await site.store.whereabouts(item.id) for item in held.items[-_FULL:]}
        corrected = await site.store.corrections(story=held.id)
        names = wording_of(site.config)
        return site.page(
            request,
            "story.html",
            now=(await site.status()).now,
            story=held,
            overview=overview.overview(held),
            told=timeline(held, revisions, linked, site.edition().phrases, whereabouts, corrections=corrected),
            voices=_voices(held, names),
            linked=[overview.overview(each) for each in linked],
            reasons={link.story: link for link in held.links},
            names=names,
            corrections=corrected,
        )


def _voices(story: Story, names: Wording) -> Sequence[Voice]:
    roots = roots_of(story.items)
    groups: dict[str, list[tuple[Item, Root]]] = {}
    for item in story.items:
        if (root := roots.get(item.id)) is not None:
            groups.setdefault(root.id, []).append((item, root))
    return [
        Voice(name=names.source(origin), kind=members[0][1].kind, items=tuple(item for item, _root in members))
        for origin, members in groups.items()
    ]
