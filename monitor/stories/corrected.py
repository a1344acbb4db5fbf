"""What a correction says, in words, of stories and of an item. Pure."""

from __future__ import annotations

from monitor.model.stories import Correction


def said(correction: Correction) -> str:
    """The whole of it: ``merged s12 into s7``."""
    if correction.undoes is not None:
        return f"took back {correction.undoes}"
    item = correction.items[0] if correction.items else ""
    if correction.kind == "origin":
        return f"{item} {_goes_back(correction)}"
    if correction.kind == "copy":
        return f"{item} {_has_words(correction)}"
    return _of_stories(correction)


def _of_stories(correction: Correction) -> str:
    one, other = correction.story, correction.other
    if correction.kind == "split":
        count = len(correction.items)
        return f"split {count} item{'' if count == 1 else 's'} off {one}: {other}"
    if correction.kind == "merge":
        return f"merged {one} into {other}"
    if correction.kind == "apart":
        return f"keeps {one} and {other} apart"
    return f"{'linked' if correction.kind == 'link' else 'unlinked'} {one} and {other}"


def of_item(correction: Correction) -> str:
    """What it says of one of its items, and who says it: ``moved here by Dana``."""
    match correction.kind:
        case "origin":
            return f"{_goes_back(correction)}, says {correction.by}"
        case "copy":
            return f"{_has_words(correction)}, says {correction.by}"
        case _:
            return f"moved here by {correction.by}"


def _goes_back(correction: Correction) -> str:
    return f"goes back to {correction.value}" if correction.value else "is its outlet's own reporting"


def _has_words(correction: Correction) -> str:
    return f"has the words of {correction.value}" if correction.value else "is no copy"
