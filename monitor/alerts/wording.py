"""What every message is worded with: names, times, links, and what a channel can take.

One alert is worded in ``single.py``, several in ``gathered.py``, in the markup of ``markup.py``. Texts from outside are
text in all of them (P10): one line, escaped for the format, in their own direction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.model.fields import Severity
from monitor.alerts.text import visible, web_link
from monitor.language.display import one_line
from monitor.model.alerts import Alert
from monitor.model.items import Item
from monitor.stories.phrases import Phrases

NAMES = 200
"""How many alerts one message names where nothing else limits it: more would not be read."""

_TO_ACKNOWLEDGE: frozenset[Severity] = frozenset({"high", "critical"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a kind of channel can take: lengths in UTF-16 units; ``chat``: mentions would ring people."""

    title: int = 250
    body: int = 32_768
    chat: bool = False


WHOLE = Form()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The names, the zone and the links that messages are written with."""

    zone: str
    outlets: Mapping[str, str]
    """Outlet id → its name."""
    watches: Mapping[str, str]
    """Watch id → its title."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Origin id → its name, for those that are no outlet here."""
    within: Mapping[str, timedelta] = field(default_factory=dict)
    """Watch id → within what time origins must report a story, for watches that wait for them."""
    phrases: Phrases | None = None
    """How claims are hedged and denied; ``None``: nothing is said of it."""
    page: str = ""
    """The review page's address as others reach it; empty: messages hold no link to it."""
    acknowledge: Callable[[str], str] | None = None
    """Alert id → the signed link that acknowledges it; ``None``: nobody would reach it."""

    def page_link(self, item: Item) -> str:
        """The item on the review page; empty when its address is not known."""
        return web_link(f"{self.page.rstrip('/')}/items/{item.id}") if self.page else ""

    def acknowledge_link(self, alert: Alert) -> str:
        """Where a person says that they have seen to it; empty for an alert that nobody need acknowledge."""
        if self.acknowledge is None or alert.severity not in _TO_ACKNOWLEDGE:
            return ""
        return web_link(self.acknowledge(alert.id))

    def outlet(self, outlet: str) -> str:
        return one_line(self.outlets.get(outlet, outlet))

    def source(self, origin: str) -> str:
        return one_line(self.outlets.get(origin) or self.sources.get(origin, origin))

    def watch(self, watch: str) -> str:
        return one_line(self.watches.get(watch, watch))

    def time(self, at: datetime) -> str:
        """Local, to the minute. A date the zone cannot express (year 1, year 9999) stays in UTC (F77)."""
        try:
            return f"{at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"
        except OverflowError:
            return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def headline(item: Item) -> str:
    """In one line; where there is nothing to see, the lead or the address stands in (F93)."""
    for text in (item.title, item.lead, item.url or ""):
        if visible(line := one_line(text)):
            return line
    return "(no headline)"


def state(told: str) -> str:
    """An alert's state in words."""
    if told.startswith("edited:"):
        return "Changed"
    told = told.partition(":")[0]
    words = {
        "new": "New", "completed": "Found in the full text", "corroborated": "Reported by several origins",
        "withdrawn": "Taken down",
        "escalated": "Not acknowledged in time",
    }  # fmt: skip
    return words.get(told, one_line(told))


def stamp(at: datetime) -> str:
    """As JSON writes it: UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
