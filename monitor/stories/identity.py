"""Identity: which entries are one item. Any key that is known finds the item; all its keys are then known.

An entry's keys, strongest first. Each is unique within the outlet; no date and no position is ever in them (P4).

=========  =====================================================  ================================================
key        made of                                                used
=========  =====================================================  ================================================
``id:``    the outlet's own id in an address (its file's          always, where a rule fits; an address of the
           identity rules), and the post's on a live page         outlet in the guid serves where the link has none
``url:``   the address in compared form; the article page's       always, but for a site's home page (F68); the
           canonical link comes before the entry's link           page's own link must be the outlet's, and must
                                                                  not take a post for its whole page
``guid:``  with a link: guid and title; without: guid alone       without an ``id:``, if the guid is not just the
                                                                  link again
``title:`` title, and lead where there is no link: weak,          without a stable key; beside a random guid
           the same item only within 48 h                         without link; and where the source is marked
                                                                  ``title_is_identity``
=========  =====================================================  ================================================

Canonical link and link share one kind of key: what a page calls itself and what the next feed links to must meet.

Why the guid is not a key of its own beside a link. A guid that stays while the link changes is either the same
article at a new address (F59) or a guid used again for another one (F63): the title tells them apart. So the guid
counts together with the title; the link alone covers the headline that changes, and the random guid (F61).

====  ===========================================  ==============================================================
F     what the feed does                           what finds, or keeps apart
====  ===========================================  ==============================================================
59    new format or path scheme                    ``id:``, else the link, else guid + title
59    one article with a new address and guid      title, nearly the same lead and date, within 48 h, when the
                                                   old address is not listed beside it
61    another guid at every poll                   ``id:`` and ``url:``; without a link title + lead within 48 h
62    one guid for all                             guid + title differ; without links the shared guid is no key
63    guid again, with new link and title          guid + title differ, and so does the link
64    no guid; no link; neither                    link; guid; title + lead, weak
67    rotating parameters, changing ids            the general and the outlet's tables; ``title_is_identity``
68    one link for all                             a shared link is no key: guid alone, else title + lead
69    several sources                              the same link, or the same id
====  ===========================================  ==============================================================

A key that entries of one answer share under different titles is no key in that answer; neither is a link that
entries of one title share when both their guids and their leads tell them apart (flashes that link to one page).
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import regex

from config.model.outlets import Outlet, Source
from monitor.entries import TITLE_MISSING
from monitor.language.identify import identify
from monitor.model.entries import Candidate, Entry
from monitor.model.texts import TextLanguage
from monitor.stories.addresses import Compared, Rules, rules

_WORD = regex.compile(r"[\p{L}\p{N}\p{M}]+")
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Cc}\u034f\ufe00-\ufe0f&&[^\s]]", flags=regex.VERSION1)
# "1", "item-12", "row 3": a place in the feed. A guid that begins with a date is one that will come again.
_POSITION = regex.compile(r"(?i)(?:(?:item|entry|post|row|node|no|id)?[\W_]*\d{1,4})?")
_DATE = regex.compile(
    r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+)?(?:Z|[+-][\d:]+)?|(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4}.*"
)
_RANDOM = regex.compile(r"(?i)(?:urn:uuid:)?[{]?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}[}]?|[0-9a-f]{20,64}")
_RANKS = ("id", "url", "guid", "title")
_LONGEST_KEY = 512
_FEWEST_LEAD, _NEARLY = 8, 0.9


def clean_url(url: str, outlet: Outlet) -> str:
    """The address for showing and fetching: tracking removed, the outlet's fragment rule applied; empty when it may
    not be followed (not http or https, a user part, a backslash, a control character)."""
    return rules(outlet).clean(url)


def keys(entry: Entry, outlet: Outlet) -> tuple[str, ...]:
    """The entry's keys, strongest first; never none. See the module's table."""
    return _keys(entry, rules(outlet))


def candidates(entries: Sequence[Entry], outlet: Outlet, source: Source | None) -> tuple[Candidate, ...]:
    """The entries of one answer, ready for filing: entries that share a key are one, no two share an id, and their
    order does not matter."""
    keyed = [
        _Keyed(entry=entry, keys=own) for entry, own in zip(entries, _unshared(entries, outlet, source), strict=True)
    ]
    return tuple(_candidate(group, outlet, source) for group in _groups(keyed))


def item_id(outlet: str, key: str) -> str:
    """An item's id, made from its outlet and the strongest key it was first seen with."""
    return _digest(outlet, key)


def revision_id(item: str, text_hash: str) -> str:
    """A revision's id, made from its item and its text."""
    return _digest(item, text_hash)


def text_hash(title: str, lead: str) -> str:
    """The hash of an item's text: 16 digits for the title, 16 more for the lead if there is one.

    Invisible letters and the width of white space do not count. The body is not in it: it has a state of its own.
    """
    visible_lead = _visible(lead)
    return _digest(_visible(title)) + (_digest(visible_lead) if visible_lead else "")


def with_body(text_hash: str, body: str) -> str:
    """The hash of a text whose page told another body later."""
    return f"{text_hash.partition('-')[0]}-{_digest(_visible(body))}"


def nearly(one: str, other: str) -> bool:
    """Two leads tell the same in nearly the same words: nine in ten, and all the numbers; of eight words at least."""
    counts = Counter(words(one).split()), Counter(words(other).split())
    longest = max(counts[0].total(), counts[1].total())
    numbers = [{word for word in count if any(map(str.isdigit, word))} for count in counts]
    common = (counts[0] & counts[1]).total()
    return common >= _FEWEST_LEAD and numbers[0] == numbers[1] and common >= _NEARLY * longest


def is_post(url: str, outlet: Outlet) -> bool:
    """The address names one post of a live page, by the outlet's rules."""
    address = rules(outlet).compared(url)
    return address is not None and bool(address.post)


def changed(held: str, told: str) -> bool:
    """Whether a text differs from the one that is held (both as `text_hash`). A source that tells no lead, as news
    sitemaps do, takes none away."""
    return not held.startswith(told)


# ------------------------------------------------------------------ one entry


def _keys(entry: Entry, rule: Rules, *, linked: bool = True) -> tuple[str, ...]:
    """``linked=False``: as if the entry had no link."""
    link = rule.compared(entry.url or "")
    addresses = _addresses(entry, link, rule) if linked else []
    ids = [named for address in addresses if (named := rule.id_of(address))]
    guid = (entry.guid or "").strip()
    guid_address = link if guid == entry.url else rule.compared(guid) if guid else None
    if not ids and guid_address is not None and rule.own(guid_address.host) and (named := rule.id_of(guid_address)):
        ids = [named]
    urls = [_short(str(address)) for address in addresses]
    found = [f"id:{_short(name)}" for name in ids] + [f"url:{url}" for url in urls]
    name = str(guid_address) if guid_address is not None else guid
    if name and not ids and name not in urls:
        if urls:
            found.append(f"guid:{_digest(name, words(entry.title))}")
        elif not (
            _POSITION.fullmatch(name) or _DATE.fullmatch(name) or (guid_address is not None and guid_address.home)
        ):
            found.append(f"guid:{_digest(name)}")
            if _RANDOM.fullmatch(name):
                found.append(_title_key(entry.title, entry.lead))
    return tuple(dict.fromkeys(found)) or (_title_key(entry.title, entry.lead),)


def _addresses(entry: Entry, link: Compared | None, rule: Rules) -> list[Compared]:
    """What the entry's page calls itself, where that is to be believed, then the link."""
    page = rule.compared(entry.canonical) if entry.canonical else None
    if page is not None and link is not None:
        takes_post_for_page = link.post != page.post
        takes_article_for_section = rule.id_of(link) is not None and rule.id_of(page) is None
        if takes_post_for_page or takes_article_for_section:
            page = None
    if page is not None and not rule.own(page.host):
        page = None  # republished: the page names where it came from, not itself
    return [address for address in (page, link) if address is not None and not address.home]


def words(text: str) -> str:
    """A text as identity compares it: its words, whatever stands between them and in whatever case."""
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
    return " ".join(_WORD.findall(folded)) or folded.strip()


def _title_key(title: str, lead: str = "") -> str:
    return f"title:{_digest(words(title), words(lead)) if lead else _digest(words(title))}"


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # no letter of these is invisible, none is written in two ways
        return " ".join(text.split())
    return " ".join(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).split())


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_KEY else _digest(name)


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).hexdigest()


# ------------------------------------------------------------------ the entries of one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keyed:
    entry: Entry
    keys: tuple[str, ...]


def _unshared(entries: Sequence[Entry], outlet: Outlet, source: Source | None) -> list[tuple[str, ...]]:
    """Each entry's keys without those that name several entries of this answer (F62, F68)."""
    rule = rules(outlet)
    keyed = [list(_keys(entry, rule)) for entry in entries]
    if source is None or source.kind != "listing":  # a page links to one article by its picture, title and "more"
        shared = _shared(entries, keyed, rule)
        for entry, own in zip(entries, keyed, strict=True):
            if shared.intersection(own):
                own[:] = _without(shared, own, entry, rule)
        shared = _shared(entries, keyed, rule)
        for entry, own in zip(entries, keyed, strict=True):
            own[:] = [key for key in own if key not in shared] or [_title_key(entry.title, entry.lead)]
    if source is not None and source.title_is_identity:
        return [
            tuple(dict.fromkeys((*own, _title_key(entry.title)))) for entry, own in zip(entries, keyed, strict=True)
        ]
    crowded = _crowded(keyed)
    return [tuple(key for key in own if key not in crowded) for own in keyed]


def _without(shared: set[str], own: Sequence[str], entry: Entry, rule: Rules) -> list[str]:
    """The entry's own keys; when neither id nor link is its own, those of an entry without link besides: what it was
    known by while it stood alone under its link stays its own."""
    kept = [key for key in own if key not in shared]
    if any(key.startswith(("id:", "url:")) for key in kept):
        return kept
    return list(dict.fromkeys((*kept, *_keys(entry, rule, linked=False))))


def _shared(entries: Sequence[Entry], keyed: Sequence[Sequence[str]], rule: Rules) -> set[str]:
    """Keys that entries with different titles have in common, and links whose entries differ in guid and lead; but for
    an article that is listed under two headlines."""
    holders: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry, own in zip(entries, keyed, strict=True):
        if TITLE_MISSING not in entry.marks:
            for key in own:
                holders[key].append(entry)
    return {key for key, held in holders.items() if len(held) > 1 and _are_several(key, held, rule)}


def _are_several(key: str, held: Sequence[Entry], rule: Rules) -> bool:
    if key.startswith("title:"):
        return False
    titles = {words(entry.title) for entry in held}
    if len(titles) == 2 and (key.startswith("id:") or (key.startswith("url:") and _one_guid(held, rule))):
        return False  # what the outlet's own rule, or the feed, calls one article
    if len(titles) > 1:
        return True
    guids, leads = ({entry.guid for entry in held}, {words(entry.lead) for entry in held})
    return key.startswith("url:") and len(guids - {None, ""}) == len(leads - {""}) == len(held)


def _one_guid(held: Sequence[Entry], rule: Rules) -> bool:
    """All have the same guid, or the link for one (fragments do not count)."""
    guids = {entry.guid or "" for entry in held}
    names = {str(address) if (address := rule.compared(guid)) is not None else guid for guid in guids}
    return len(names) == 1 and names.isdisjoint({""}) and not any(map(_POSITION.fullmatch, names))


def _crowded(keyed: Sequence[Sequence[str]]) -> set[str]:
    """Weak keys beside different stable ones: the answer itself says that these are several items."""
    stable: defaultdict[str, set[str]] = defaultdict(set)
    for own in keyed:
        for key in own:
            if key.startswith("title:") and key != own[0]:
                stable[key].add(own[0])
    return {key for key, firsts in stable.items() if len(firsts) > 1}


def _groups(keyed: Sequence[_Keyed]) -> list[list[_Keyed]]:
    """Entries that share a key, in the order in which the answer first names them."""
    group_of: dict[str, list[_Keyed]] = {}
    groups: list[list[_Keyed]] = []
    for each in keyed:
        met = [group_of[key] for key in each.keys if key in group_of]
        group = met[0] if met else []
        if not met:
            groups.append(group)
        for other in met[1:]:
            if other is not group:
                group += other
                groups[:] = [kept for kept in groups if kept is not other]
                group_of.update((key, group) for member in other for key in member.keys)
                met = [group if kept is other else kept for kept in met]
        group.append(each)
        group_of.update((key, group) for key in each.keys)
    return groups


def _candidate(group: Sequence[_Keyed], outlet: Outlet, source: Source | None) -> Candidate:
    """One candidate of the entries that are one item: the fullest, with what the others' leads say besides."""
    ranked = sorted(group, key=_fullness)
    entry = ranked[0].entry
    for other in ranked[1:]:
        if words(other.entry.title) != words(entry.title) and TITLE_MISSING not in other.entry.marks:
            entry = replace(entry, lead=f"{entry.lead}\n\n{other.entry.title}".strip())
        if _visible(other.entry.lead) not in _visible(entry.lead):
            entry = replace(entry, lead=f"{entry.lead}\n\n{other.entry.lead}")
    own = sorted(dict.fromkeys(key for each in ranked for key in each.keys), key=_rank)
    told_by_aggregator = source is not None and source.kind == "aggregator"
    return Candidate(
        id=item_id(outlet.id, own[0]),
        entry=entry,
        keys=tuple(own),
        # An aggregator's snippet depends on what it was asked: another one is no edit.
        text_hash=text_hash(entry.title, "" if told_by_aggregator else entry.lead),
        language=_language(entry, outlet, source),
        weak_key=own[0].startswith("title:"),
    )


def _fullness(each: _Keyed) -> tuple[object, ...]:
    entry = each.entry
    return (
        TITLE_MISSING in entry.marks, -len(entry.body), -len(entry.lead), -len(entry.title),
        each.keys, entry.title, entry.lead, entry.url or "", entry.canonical or "", entry.guid or "",
    )  # fmt: skip


def _rank(key: str) -> int:
    return _RANKS.index(key.partition(":")[0])


def _language(entry: Entry, outlet: Outlet, source: Source | None) -> TextLanguage:
    """The title's; the lead's only where the title has no letters (English titles stand in Hebrew feeds)."""
    declared = entry.language or (source.language if source is not None else None) or outlet.language
    found = identify(entry.title, declared)
    return found if found != "und" or not entry.lead else identify(entry.lead, declared)
