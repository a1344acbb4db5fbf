"""What the day should have come to, beside what came of it: pure, from the script, the store's rows and the inbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.demo.day import Day, Expected, Fault, Piece
from monitor.health import OUTLET as SERVICE
from monitor.model.alerts import Alert
from monitor.model.items import Item
from monitor.model.sources import Outcome, SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One news alert that arrived, and what it was about."""

    key: str
    what: Expected | None
    """``None``: about nothing in the script."""
    watch: str
    item: Item | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One fault of the script, how often it was met, and what the service said about it."""

    fault: Fault
    met: int
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """The day's result. ``whole`` is the verdict."""

    day: Day
    published: tuple[Piece, ...]
    """What a feed has sent, but for what an outlet's file says is not kept."""
    unpublished: int
    """Planned, but never sent: the day was cut short, or nobody asked."""
    lost: tuple[Piece, ...]
    """Published, wanted, and not among the items."""
    doubled: tuple[Piece, ...]
    """Held as more than one item."""
    strangers: tuple[Item, ...]
    """Items that no piece of the script explains."""
    copies: tuple[int, int]
    """Recognised, planned. So are the next three."""
    edits: tuple[int, int]
    addresses: tuple[int, int]
    recurring: tuple[int, int]
    told: tuple[Told, ...]
    expected: frozenset[Expected]
    repeats: int
    """Messages that arrived more than once, by their key."""
    not_sent: Mapping[str, int]
    """Alerts that were held back in the inbox's channel, by reason."""
    dead: int
    troubles: tuple[Trouble, ...]
    closed: tuple[SourceState, ...]

    @property
    def missing(self) -> tuple[Expected, ...]:
        arrived = {told.what for told in self.told}
        return tuple(sorted(self.expected - arrived, key=lambda e: (e.watch, e.piece, e.edit)))

    @property
    def unexpected(self) -> tuple[Told, ...]:
        return tuple(told for told in self.told if told.what not in self.expected)

    @property
    def doubled_alerts(self) -> int:
        """Alerts about something that another alert had told, and messages that arrived again."""
        known = [told.what for told in self.told if told.what is not None]
        return len(known) - len(set(known)) + self.repeats

    @property
    def found(self) -> int:
        return len(self.published) - len(self.lost)

    @property
    def whole(self) -> bool:
        """Everything was found once and told once, trouble too, and nothing else was."""
        wrong = (self.lost, self.doubled, self.strangers, self.missing, self.unexpected, self.doubled_alerts, self.dead)
        kept = all(got == planned for got, planned in (self.copies, self.edits, self.addresses, self.recurring))
        said = all(trouble.said or not trouble.fault.told for trouble in self.troubles)
        return kept and said and not self.unpublished and not any(wrong)


def reckon(
    *,
    day: Day,
    served: Mapping[str, Counter[str]],
    shown: Mapping[str, Collection[str]],
    arrivals: Mapping[str, int],
    items: Sequence[Item],
    alerts: Sequence[Alert],
    sources: Iterable[SourceState],
    channel: str = "inbox",
) -> Reckoning:
    """``served`` and ``shown`` are the site's, ``arrivals`` the inbox's (key → messages, in the order of arrival);
    ``items``, ``alerts`` and ``sources`` are all the store holds. ``channel`` is the inbox's."""
    news = [item for item in items if item.outlet != SERVICE]
    pieces = {item.id: day.find(item.outlet, item.url) for item in news}
    held: dict[str, list[Item]] = {}
    for item in news:
        if piece := pieces[item.id]:
            held.setdefault(piece.key, []).append(item)
    planned = [piece for piece in day.pieces if not piece.dropped]
    published = tuple(piece for piece in planned if piece.key in shown)
    mine = [alert for alert in alerts if alert.channel == channel]
    return Reckoning(
        day=day,
        published=published,
        unpublished=len(planned) - len(published),
        lost=tuple(piece for piece in published if piece.key not in held),
        doubled=tuple(piece for piece in published if len(held.get(piece.key, ())) > 1),
        strangers=tuple(item for item in news if (piece := pieces[item.id]) is None or piece.dropped),
        copies=_copies(day, held),
        edits=_edits(published, held),
        addresses=_counted([piece for piece in published if piece.again], held),
        recurring=_counted(_recurring(published), held),
        told=_told(day, arrivals, {item.id: item for item in news}, pieces),
        expected=day.expected(shown),
        repeats=sum(arrivals.values()) - len(arrivals),
        not_sent=Counter(_reason(alert) for alert in mine if alert.condition == "suppressed"),
        dead=sum(alert.condition == "dead" for alert in mine),
        troubles=_troubles(day, served, items),
        closed=tuple(source for source in sources if source.outcome is Outcome.CLOSED),
    )


def _copies(day: Day, held: Mapping[str, list[Item]]) -> tuple[int, int]:
    """Groups that hold one original: which of them is called the copy depends on who was asked first."""
    planned = [piece for piece in day.pieces if piece.copy_of]
    groups: Counter[str] = Counter()
    for piece in day.pieces:
        groups[day.root(piece)] += sum(item.copy_of is not None for item in held.get(piece.key, ()))
    return sum(groups.values()), len(planned)


def _edits(published: Iterable[Piece], held: Mapping[str, list[Item]]) -> tuple[int, int]:
    changed = [piece for piece in published if piece.changes]
    taken = [
        piece
        for piece in changed
        if any(item.title == piece.changes[-1].title and item.revisions > 1 for item in held.get(piece.key, ()))
    ]
    return len(taken), len(changed)


def _recurring(published: Iterable[Piece]) -> list[Piece]:
    pieces = list(published)
    titles = Counter((piece.outlet, piece.title) for piece in pieces)
    return [piece for piece in pieces if titles[piece.outlet, piece.title] > 1]


def _counted(pieces: Sequence[Piece], held: Mapping[str, list[Item]]) -> tuple[int, int]:
    return sum(len(held.get(piece.key, ())) == 1 for piece in pieces), len(pieces)


def _told(
    day: Day, arrivals: Iterable[str], items: Mapping[str, Item], pieces: Mapping[str, Piece | None]
) -> tuple[Told, ...]:
    edits: Counter[tuple[str, str]] = Counter()
    told: list[Told] = []
    for key in arrivals:
        watch, _channel, item, state = key.split("|")
        if item not in items:  # a notice of the service itself
            continue
        piece, edit = pieces[item], 0
        if state.startswith("edited"):
            edits[watch, item] += 1
            edit = edits[watch, item]
        what = None
        if piece is not None:
            what = Expected(watch=watch, piece=piece.key if edit else day.root(piece), edit=edit)
        told.append(Told(key=key, what=what, watch=watch, item=items[item]))
    return tuple(told)


def _reason(alert: Alert) -> str:
    """Reasons that name another alert are one reason."""
    return "told with another alert" if alert.reason.startswith("told with") else alert.reason


def _troubles(day: Day, served: Mapping[str, Counter[str]], items: Sequence[Item]) -> tuple[Trouble, ...]:
    notices = sorted((item for item in items if item.outlet == SERVICE), key=lambda item: item.first_seen)
    return tuple(
        Trouble(
            fault=fault,
            met=served[fault.outlet][fault.kind],
            said=tuple(
                f"{item.first_seen:%H:%M} {item.title}"
                for item in notices
                if item.title.startswith(f"{fault.outlet}/") and item.first_seen >= fault.start
            ),
        )
        for fault in day.faults
    )
