"""Stories as lists show them: the headline that told it first, who tells it, and how many voices those are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model.items import Item
from monitor.model.stories import Story
from monitor.model.texts import TextLanguage
from monitor.stories.reported import roots_of
from monitor.web.charts import Spark, sparkline
from monitor.web.site import Site

_STEPS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    story: str
    first: Item
    latest: Item
    items: int
    outlets: tuple[str, ...]
    origins: tuple[str, ...]
    """Ids of the independent voices, the first first."""
    linked: int
    spark: Spark
    """Items over its whole time."""


async def stories(
    site: Site, *, limit: int, since: datetime | None = None, language: TextLanguage | None = None,
    watch: str | None = None, outlets: int = 2,
) -> tuple[Overview, ...]:  # fmt: skip
    """Those that were told last first."""
    found = await site.store.stories(limit=limit, since=since, language=language, watch=watch, outlets=outlets)
    return tuple(overview(story) for story in found)


def overview(story: Story) -> Overview:
    roots = roots_of(story.items)
    return Overview(
        story=story.id,
        first=story.items[0],
        latest=story.items[-1],
        items=len(story.items),
        outlets=tuple(dict.fromkeys(item.outlet for item in story.items)),
        origins=tuple(dict.fromkeys(root.id for item in story.items if (root := roots.get(item.id)) is not None)),
        linked=len(story.links),
        spark=sparkline(_over_time([item.first_seen for item in story.items])),
    )


def _over_time(times: Sequence[datetime]) -> list[float]:
    begin, end = times[0], times[-1]
    step = (end - begin) / (_STEPS - 1)
    counted = [0.0] * _STEPS
    for at in times:
        counted[round((at - begin) / step) if step else 0] += 1
    return counted
