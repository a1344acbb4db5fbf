"""The origins of an event, each with who reports it and who only repeats it: what a corroborated alert lists. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.alerts.text import isolated, web_link
from monitor.alerts.wording import Wording, stamp
from monitor.model.items import Item
from monitor.stories.reported import roots_of
from monitor.stories.roots import How, Root

_ITEMS = 20
"""Items listed of one origin, at most."""
_REPEATS: Mapping[How, str] = {"copy": " by copy", "credit": " by copy", "cite": " citing it", "statement": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One origin and the items that go back to it, in the order in which they were seen."""

    root: Root
    items: tuple[tuple[Item, How], ...]

    def name(self, wording: Wording) -> str:
        """``Reuters``; ``statement of the Qatari foreign ministry``."""
        name = isolated(wording.source(self.root.id))
        return f"statement of {name}" if self.root.kind == "body" else name

    def told(self, wording: Wording, shown: int) -> str:
        """With who repeats it: ``Reuters (also BBC, CNN by copy; Haaretz citing it)``. Of each way at most ``shown``
        outlets are named."""
        own = {item.outlet for item, how in self.items if how == "own"}
        ways: dict[str, dict[str, None]] = {}
        seen = set(own)
        for item, how in self.items:
            if item.outlet not in seen:
                seen.add(item.outlet)
                ways.setdefault(_REPEATS.get(how, ""), {})[item.outlet] = None
        if not ways:
            return self.name(wording)
        parts = "; ".join(f"{_named(list(outlets), wording, shown)}{way}" for way, outlets in ways.items())
        return f"{self.name(wording)} ({'also ' if own else ''}{parts})"

    def payload(self, wording: Wording) -> dict[str, Any]:
        return {
            "id": self.root.id,
            "name": wording.source(self.root.id),
            "kind": self.root.kind,
            "items": [
                {
                    "item": item.id, "outlet": item.outlet, "outlet_name": wording.outlet(item.outlet), "how": how,
                    "url": web_link(item.url) or None, "first_seen": stamp(item.first_seen),
                }
                for item, how in self.items[:_ITEMS]
            ],
        }  # fmt: skip


def groups(items: Iterable[Item]) -> tuple[Group, ...]:
    """By origin, in the order in which they were first seen; without what was taken down since."""
    held = {item.id: item for item in items}
    roots = roots_of(held.values())
    by_origin: dict[str, list[Item]] = {}
    for item in sorted(held.values(), key=lambda item: (item.first_seen, item.id)):
        if item.id in roots and item.withdrawn is None:
            by_origin.setdefault(roots[item.id].id, []).append(item)
    return tuple(
        Group(root=roots[found[0].id], items=tuple((item, roots[item.id].how) for item in found))
        for found in by_origin.values()
    )


def _named(outlets: Sequence[str], wording: Wording, shown: int) -> str:
    names = ", ".join(isolated(wording.outlet(each)) for each in outlets[:shown])
    return names + (f" and {len(outlets) - shown} more" if len(outlets) > shown else "")
