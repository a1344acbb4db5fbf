"""How a headline or lead sounds: the words by which it hedges a claim or tells a denial. Pure.

Nothing is said of who is right: only how the text tells it, in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitor.alerts.text import cut
from monitor.language.display import one_line
from monitor.model.items import Item
from monitor.stories.phrases import Phrases, Stretch, denied, hedged

AFTER = 3
"""Words shown behind the phrase, at most: what it is said of."""
_LONGEST = 120
_WORD = re.compile(r"[^\S\n]+[^\s.,!?؟;؛،:–—]+(?:[.,:]\d+)*")
"""In the same part of a sentence."""


class Claim(NamedTuple):
    """The text's own words, the first of each; empty: none."""

    hedged: str
    denied: str


def claim(item: Item, phrases: Phrases) -> Claim:
    """What the item's headline and lead say of themselves; the headline comes first."""
    words = f"{item.title}\n{item.lead}"
    return Claim(
        hedged=_first(words, hedged(words, item.language, phrases)),
        denied=_first(words, denied(words, item.language, phrases)),
    )


def _first(text: str, stretches: Sequence[Stretch]) -> str:
    """The first phrase with what follows it."""
    if not stretches:
        return ""
    end = stretches[0].end
    for _ in range(AFTER):
        if (found := _WORD.match(text, end)) is None:
            break
        end = found.end()
    return cut(one_line(text[stretches[0].start : end]), _LONGEST)
