"""A watch's own examples: headlines that must and must not fire it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from config.model.watches import Watch
from monitor.language.identify import identify
from monitor.watches.compile import WatchSet
from monitor.watches.engine import ItemText
from monitor.watches.explain import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedExample:
    """An example that does not hold; ``number`` counts from 0 within its list."""

    watch: str
    expected: Literal["hit", "miss"]
    number: int
    text: str
    explanation: Explanation


def failed_examples(watches: Iterable[Watch], watch_set: WatchSet) -> tuple[FailedExample, ...]:
    """Every example that does not hold. Watches that are not in the set (refused ones) are passed over."""
    known = set(watch_set.ids)
    return tuple(
        FailedExample(watch=watch.id, expected=expected, number=number, text=text, explanation=explanation)
        for watch in watches if watch.id in known
        for expected, texts in _lists(watch)
        for number, text in enumerate(texts)
        if (explanation := watch_set.explain(watch.id, _item(text, watch))).hit != (expected == "hit")
    )  # fmt: skip


def _lists(watch: Watch) -> tuple[tuple[Literal["hit", "miss"], tuple[str, ...]], ...]:
    return (("hit", watch.examples.hit), ("miss", watch.examples.miss))


def _item(text: str, watch: Watch) -> ItemText:
    """An example is a headline of an outlet the watch looks at."""
    outlet = watch.outlets[0] if watch.outlets else ""
    return ItemText(text, outlet=outlet, language=identify(text))
