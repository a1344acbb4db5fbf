"""Seven months of real feed items: identity agrees with a truth found without our rules.

The truth is the link without ``utm_*``, ``at_*``, ``traffic_source``, fragment, scheme, ``www.`` and final slash.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from config.model.outlets import Outlet, Source
from monitor.model.entries import Entry
from monitor.stories.identity import keys

CORPORA = os.environ.get("WIREWATCH_CORPORA")
pytestmark = pytest.mark.skipif(CORPORA is None, reason="WIREWATCH_CORPORA names no folder with the archives")

# Archive → the outlet that ships, or the home page of one that does not.
ARCHIVES = {
    "abcnews": "https://abcnews.go.com/",
    "aljazeera": "aljazeera-en",
    "bbc": "bbc",
    "guardian_world": "guardian",
    "nbc_world": "nbc",
    "sky_world": "https://news.sky.com/",
    "washpost_world": "https://www.washingtonpost.com/",
}
# Where our rules know more: one article whose slug or section was edited, told by the number at its end.
KNOWN_BETTER = {"nbc_world": {"id:rcna70051", "id:rcna71307", "id:rcna74270", "id:rcna77550", "id:rcna79070"}}


def truth(link: str) -> str:
    page, _, query = re.sub(r"^https?://(?:www\.)?|#.*$", "", link).partition("?")
    kept = [each for each in query.split("&") if each and not each.startswith(("utm_", "at_", "traffic_source"))]
    return page.rstrip("/") + ("?" + "&".join(kept) if kept else "")


def outlet_of(told: str, outlet_named) -> Outlet:
    if not told.startswith("https:"):
        return outlet_named(told)
    source = Source(id="feed", kind="feed", url=told)
    return Outlet(
        id="plain", name="Plain", home=told, language="en", time_zone="UTC", access="feed", why="A test.",
        source=(source,),
    )  # fmt: skip


@pytest.mark.parametrize("archive", ARCHIVES)
def test_identity_agrees_with_the_truth_over_a_whole_archive(outlet_named, archive) -> None:
    outlet = outlet_of(ARCHIVES[archive], outlet_named)
    truths, found = defaultdict(set), defaultdict(set)
    path = Path(str(CORPORA)) / "feeds" / f"archive-2023-{archive}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            link = json.loads(line)["link"]
            key = keys(Entry(title="", url=link), outlet)[0]
            truths[key].add(truth(link))
            found[truth(link)].add(key)
    merged = {key: links for key, links in truths.items() if len(links) > 1}
    assert set(merged) == KNOWN_BETTER.get(archive, set()), merged
    assert [link for link, several in found.items() if len(several) > 1] == []
    assert len(truths) == len(found) - sum(len(links) - 1 for links in merged.values())
