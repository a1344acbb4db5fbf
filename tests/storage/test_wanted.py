"""Whatever is asked for together is what all parts of it leave, in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from monitor.model.items import Item, Wanted
from monitor.model.reviews import Review
from monitor.model.texts import TextLanguage
from monitor.ports import Store
from tests.storage.desk import NOW, candidate, decide, filing

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
OUTLETS = ("bbc", "ap")
LANGUAGES: tuple[TextLanguage, ...] = ("en", "he", "ar")
ASKED: dict[str, tuple[Any, ...]] = {
    "outlet": (None, *OUTLETS),
    "language": (None, *LANGUAGES),
    "watch": (None, "*", "doha", "cairo", "nobody"),
    "review": (None, "unreviewed", "relevant", "noise", "later", "starred"),
    "since": (None, NOW + 20 * MINUTE),
    "before": (None, NOW + 50 * MINUTE),
}


async def collected(store: Store) -> dict[str, tuple[Item, Review, set[str]]]:
    """Sixty articles, each with what was said of it and what matched it; several were seen at one moment."""
    random = Random(5)
    for number in range(60):
        title = f"{random.choice(('Doha', 'Cairo', 'Doha and Cairo', 'Football'))} {number}"
        outlet, language = random.choice(OUTLETS), random.choice(LANGUAGES)
        each = replace(candidate(title, keys=(f"url:{number}",), outlet=outlet), language=language)
        at = NOW + number // 2 * 2 * MINUTE
        await store.file(filing([each], source_id=f"{outlet}/main", at=at), decide)
        if random.random() < 0.6:
            verdict = random.choice(("relevant", "noise", "later", ""))
            await store.remark([each.id], by="Noa", kind="verdict", value=verdict, now=at)
        if random.random() < 0.3:
            await store.remark([each.id], by="Noa", kind="star", value="yes", now=at)
    items = await store.items(limit=99)
    reviews, matches = await store.reviews([i.id for i in items]), await store.matches([i.id for i in items])
    return {
        item.id: (
            item,
            reviews.get(item.id, Review(item=item.id)),
            {each.match.watch for each in matches.get(item.id, ())},
        )
        for item in items
    }


def fits(wanted: Wanted, item: Item, review: Review, watches: set[str]) -> bool:
    return all((
        wanted.outlet in (None, item.outlet),
        wanted.language in (None, item.language),
        wanted.watch is None or wanted.watch in watches | ({"*"} if watches else set()),
        wanted.review in (None, review.verdict or "unreviewed") or (wanted.review == "starred" and review.starred),
        wanted.since is None or item.first_seen >= wanted.since,
        wanted.before is None or item.first_seen < wanted.before,
    ))  # fmt: skip


async def test_all_that_is_asked_for_together_holds_and_nothing_is_left_out(store: Store) -> None:
    held = await collected(store)
    assert len(held) == 60
    for values in product(*ASKED.values()):
        wanted = Wanted(**dict(zip(ASKED, values, strict=True)))
        expected = [name for name, all_of_it in held.items() if fits(wanted, *all_of_it)]
        assert [item.id for item in await store.items(wanted, limit=99)] == expected, wanted
        assert [item.id for item in await store.items(wanted, limit=3)] == expected[:3], wanted
        oldest = await store.items(wanted, limit=3, oldest_first=True)
        assert [item.id for item in oldest] == expected[::-1][:3], wanted
        assert await store.how_many(wanted, at_most=5) == min(len(expected), 5), wanted


async def test_any_watch_means_the_news_and_not_the_services_own_notices(store: Store) -> None:
    news, notice = (
        replace(candidate("From Doha", keys=(f"url:{outlet}",), outlet=outlet), language="en")
        for outlet in ("bbc", "wirewatch")
    )
    await store.file(filing([news], source_id="bbc/main"), decide)
    await store.file(filing([notice], source_id="wirewatch/notices"), decide)
    assert [item.id for item in await store.items(Wanted(watch="*"))] == [news.id]
    assert [item.id for item in await store.items(Wanted(watch="*", outlet="wirewatch"))] == [notice.id]
    assert len(await store.items(Wanted(watch="doha"))) == 2
