"""Counts over stretches of time, for charts: each is a few steps on an index, never a walk over items."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from monitor import canary
from monitor.model.items import Hits
from monitor.model.reviews import Tally
from monitor.model.texts import TextLanguage
from storage import rows
from storage.rows import when
from storage.sqlite.hits import ANY

_DAY = timedelta(days=1)

# Outlets and watches are found by leaps: each step seeks the next one.
_STRETCHES = """
stretches (begins, ends) AS MATERIALIZED (
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:stretches)
)
"""
_ITEMS = f"""
WITH RECURSIVE {_STRETCHES},
outlets (outlet) AS (
  SELECT min(outlet) FROM items
  UNION ALL
  SELECT (SELECT min(outlet) FROM items WHERE outlet > outlets.outlet) FROM outlets WHERE outlet IS NOT NULL
),
present AS MATERIALIZED (
  SELECT outlet, value AS language FROM outlets CROSS JOIN json_each(:languages)
  WHERE outlet <> :canaries AND EXISTS (
    SELECT 1 FROM items INDEXED BY items_tallied
    WHERE outlet = outlets.outlet AND language = value AND first_seen >= :since AND first_seen < :before
  )
),
counted AS MATERIALIZED (
  SELECT begins, ends, present.outlet, present.language, (
    SELECT count(*) FROM items INDEXED BY items_tallied
    WHERE outlet = present.outlet AND language = present.language AND first_seen >= begins AND first_seen < ends
  ) AS items
  FROM present CROSS JOIN stretches
)
SELECT begins, outlet, language, items, (
  SELECT count(*) FROM hits INDEXED BY hits_tallied
  WHERE watch = :watch AND outlet = counted.outlet AND language = counted.language
    AND first_seen >= begins AND first_seen < ends
) AS matched
FROM counted WHERE items > 0 ORDER BY begins, outlet, language
"""  # noqa: S608
_MATCHED = f"""
WITH {_STRETCHES}
SELECT begins, outlet, language, count(*) AS items, count(*) AS matched FROM stretches CROSS JOIN hits
WHERE watch = :watch AND first_seen >= begins AND first_seen < ends AND outlet <> :canaries
GROUP BY begins, outlet, language
"""  # noqa: S608
_HITS = f"""
WITH RECURSIVE {_STRETCHES},
watches (watch) AS (
  SELECT min(watch) FROM hits
  UNION ALL
  SELECT (SELECT min(watch) FROM hits WHERE watch > watches.watch) FROM watches WHERE watch IS NOT NULL
),
counted AS MATERIALIZED (
  SELECT watches.watch, begins,
    (SELECT count(*) FROM hits WHERE watch = watches.watch AND first_seen >= begins AND first_seen < ends) AS items,
    (SELECT count(*) FROM hits WHERE watch = watches.watch AND first_seen >= begins AND first_seen < ends
     AND verdict = 'relevant') AS relevant,
    (SELECT count(*) FROM hits WHERE watch = watches.watch AND first_seen >= begins AND first_seen < ends
     AND verdict = 'noise') AS noise
  FROM watches CROSS JOIN stretches WHERE watches.watch NOT IN (:any, :canaries)
)
SELECT * FROM counted WHERE items > 0 ORDER BY begins, watch
"""  # noqa: S608


def tallies(
    db: sqlite3.Connection, *, since: datetime, before: datetime, step: timedelta, watch: str | None
) -> tuple[Tally, ...]:
    asked = {
        "stretches": _json(list(stretches(since, before, step))),
        "since": when(since),
        "before": when(before),
        "languages": json.dumps(get_args(TextLanguage)),
        "canaries": canary.NAME,
        "watch": ANY if watch is None else watch,
    }
    return tuple(
        Tally(
            at=rows.moment(row["begins"]),
            outlet=row["outlet"],
            language=row["language"],
            items=row["items"],
            matched=row["matched"],
        )
        for row in db.execute(_ITEMS if watch is None else _MATCHED, asked)
    )


def hits(db: sqlite3.Connection, *, since: datetime, zone: ZoneInfo) -> tuple[Hits, ...]:
    newest = rows.moment(db.execute("SELECT max(first_seen) FROM hits WHERE watch = ?", (ANY,)).fetchone()[0])
    if newest is None or newest < since:
        return ()
    midnight = datetime.combine(since.astimezone(zone).date() + _DAY, time(), zone)
    days = [(since, midnight), *stretches(midnight, newest + _DAY, _DAY)]
    found = db.execute(_HITS, {"stretches": _json(days), "any": ANY, "canaries": canary.NAME})
    return tuple(
        Hits(
            watch=row["watch"],
            day=f"{rows.moment(row['begins']).astimezone(zone):%Y-%m-%d}",
            items=row["items"],
            relevant=row["relevant"],
            noise=row["noise"],
        )
        for row in found
    )


def stretches(since: datetime, before: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """``step`` after ``step``, the last one cut at ``before``; whole days go by the calendar of ``since``'s zone, so a
    day in which the clock changes has 23 or 25 hours. ``ValueError`` for a step that leads nowhere."""
    if step <= timedelta():
        raise ValueError(f"a stretch of {step}")
    start = since if step % _DAY == timedelta() else since.astimezone(UTC)
    begins, number = since.astimezone(UTC), 1
    while begins < before:
        ends = (start + number * step).astimezone(UTC)  # by the wall clock of its zone
        yield begins, min(ends, before)
        begins, number = ends, number + 1


def _json(stretches: Sequence[tuple[datetime, datetime]]) -> str:
    return json.dumps([[when(begins), when(ends)] for begins, ends in stretches])
