"""The promises P1-P12 of the fault list, each as one function over a store, what receivers got, and what is true.

``broken(store, record, truth)`` gives the violations as sentences; none is what is promised. The store is looked at
through a read-only connection (`tests.rig.account.reading`), beside a service or between two of its lives.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b

from storage.rows import moment, when
from tests.rig.record import Sent, Truth

Violations = Iterator[str]
Promise = Callable[[sqlite3.Connection, Sequence[Sent], Truth], Violations]

GIVEN_UP = timedelta(hours=72)
LOOK = timedelta(minutes=10)
"""Within so long whatever looks after the outbox has looked."""
MOST_REVISIONS, MOST_EXCERPT, MOST_NAMES, MOST_TITLE = 24, 200, 200, 20_000
OWN_BACK_OFF = timedelta(hours=1)
DAILY = timedelta(hours=24)
LATEST = 1.1
"""Jitter lengthens an interval by a tenth at most."""

_GOOD = ("ok", "unchanged", "degraded")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ALIVE_MARKUP = re.compile(r"(?i)<\s*(?:script|iframe|object|embed|img|svg|form|style)|\son\w+\s*=|javascript:")


def broken(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> tuple[str, ...]:
    """Every violation of every promise, with the promise's name in front."""
    return tuple(f"{name}: {said}" for name, check in PROMISES.items() for said in check(store, record, truth))


# ------------------------------------------------------------------ P1 nothing lost

_WITHOUT_ROW = """
SELECT matches.item, matches.watch, spoken.value AS channel FROM matches
JOIN json_each(:speaks) AS speaking ON speaking.key = matches.watch JOIN json_each(speaking.value) AS spoken
WHERE NOT EXISTS (
  SELECT 1 FROM alerts WHERE alerts.item = matches.item AND alerts.watch = matches.watch
  AND channel = spoken.value AND alerts.revision = matches.revision
) AND NOT EXISTS (  -- a first body is no second alert
  SELECT 1 FROM alerts JOIN revisions ON revisions.id = matches.revision
  WHERE alerts.item = matches.item AND alerts.watch = matches.watch AND channel = spoken.value AND revisions.body <> ''
)
"""
_STUCK = """
SELECT alerts.id, messages.condition FROM alerts JOIN messages ON messages.number = alerts.message
WHERE alerts.condition = 'pending' AND messages.condition <> 'pending'
"""
_UNTOLD = """
SELECT held.id, held.reason, told.condition FROM alerts AS held
LEFT JOIN alerts AS told ON told.id = substr(held.reason, 11)
WHERE held.condition = 'suppressed' AND held.reason LIKE 'told with %'
  AND coalesce(told.condition, 'missing') NOT IN ('pending', 'delivered')
"""


# Told, or closed with its reason, soon after its time was over.
_WAITS_FOR_EVER = """
SELECT id, reason, due FROM alerts WHERE condition = 'pending' AND gather GLOB 'corroborated:*' AND due < ?
"""


def p1_nothing_is_lost(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Every match has its rows, each row is in one condition with its reason, and what is delivered has arrived."""
    for row in store.execute(_WITHOUT_ROW, {"speaks": json.dumps(truth.speaks)}):
        yield f"{row['watch']} matched {row['item']} and has no row for {row['channel']}"
    keys = {key for (key,) in store.execute("SELECT key FROM alerts")}
    for key in sorted(truth.due - keys):
        yield f"{key} is due and has no row"
    for row in store.execute(
        "SELECT id, condition FROM alerts WHERE condition IN ('dead', 'suppressed') AND reason = ''"
    ):
        yield f"alert {row['id']} is {row['condition']} without a reason"
    for row in store.execute(_STUCK):
        yield f"alert {row['id']} is pending in a message that is {row['condition']}: it never leaves"
    for row in store.execute(_UNTOLD):
        yield f"alert {row['id']} is {row['reason']}, which is {row['condition'] or 'missing'}: nobody is told"
    for row in store.execute(_WAITS_FOR_EVER, (when(truth.now - LOOK),)):
        yield f"alert {row['id']} {row['reason']} since {row['due']}, when its time was over"
    arrived = {key for sent in record if sent.taken for key in sent.members}
    for row in store.execute("SELECT key, channel FROM alerts WHERE condition = 'delivered'"):
        if row["channel"] in truth.recorded and row["key"] not in arrived:
            yield f"{row['key']} is recorded as delivered and never arrived"


# ------------------------------------------------------------------ P2 at least once, with one key

_OTHER_KEY = """
SELECT id, key FROM alerts WHERE key <> watch || '|' || channel || '|' || item || '|' || state
  AND NOT EXISTS (SELECT 1 FROM merged_items WHERE merged_items.item = alerts.item)
"""
_MESSAGE_OF_ONE = """
SELECT messages.key, alerts.key AS its FROM messages JOIN alerts ON alerts.message = messages.number
WHERE messages.members = 1 AND messages.key <> alerts.key
"""


def p2_at_least_once_with_one_key(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """A key is its row's for ever; a repeat carries it, follows a lost answer or a kill, and never a record of
    *delivered*."""
    for row in store.execute(_OTHER_KEY):
        yield f"alert {row['id']} has the key {row['key']}, which is not its own"
    for row in store.execute(_MESSAGE_OF_ONE):
        yield f"the message {row['key']} carries {row['its']} alone under another key"
    yield from _changed_messages(record)
    yield from _repeats(record, truth)
    if not truth.steady:
        return
    delivered = dict(store.execute("SELECT key, delivered FROM alerts WHERE condition = 'delivered'").fetchall())
    for sent in record:
        for key in sent.members:
            if key in delivered and when(sent.at) > delivered[key]:
                yield f"{key} left at {when(sent.at)}, after it was recorded as delivered at {delivered[key]}"


def _changed_messages(record: Sequence[Sent]) -> Violations:
    """What a message holds is fixed, and an alert is in one message at a time."""
    members: dict[str, tuple[str, ...]] = {}
    carriers: defaultdict[str, set[str]] = defaultdict(set)
    for sent in record:
        own = tuple(sorted(sent.members))
        if members.setdefault(sent.key, own) != own:
            yield f"the message {sent.key} held {len(members[sent.key])} alerts and then {len(own)} others"
        for key in own:
            carriers[key].add(sent.key)
    for key, messages in carriers.items():
        if len(messages) > 1:
            yield f"{key} left in {len(messages)} messages: {', '.join(sorted(messages))}"


def _repeats(record: Sequence[Sent], truth: Truth) -> Violations:
    """Each arrival after the first needs its excuse: the one before was not answered, or not recorded before a kill."""
    before: dict[str, Sent] = {}
    for sent in record:
        for key in sent.members:
            last = before.get(key)
            if last is not None and last.answered and key not in truth.in_flight.get(last.life, ()):
                yield f"{key} came again in life {sent.life}, though its receiver took it in life {last.life}"
            before[key] = sent


# ------------------------------------------------------------------ P3 together or not at all

_ORPHANS = (
    ("SELECT id FROM alerts WHERE item NOT IN (SELECT id FROM items)", "alert {id} has no item"),
    (
        "SELECT alerts.id FROM alerts WHERE NOT EXISTS (SELECT 1 FROM matches WHERE matches.item = alerts.item"
        " AND matches.watch = alerts.watch AND matches.revision = alerts.revision)",
        "alert {id} has no match",
    ),
    ("SELECT item AS id FROM matches WHERE item NOT IN (SELECT id FROM items)", "a match of {id} has no item"),
    ("SELECT id FROM items WHERE current NOT IN (SELECT number FROM revisions)", "item {id} has no text"),
    ("SELECT item AS id FROM item_keys WHERE item NOT IN (SELECT id FROM items)", "a key leads to {id}, which is not"),
    ("SELECT id FROM items WHERE id NOT IN (SELECT item FROM item_keys)", "item {id} has no key"),
    ("SELECT id FROM items WHERE number NOT IN (SELECT rowid FROM search)", "item {id} cannot be searched for"),
)


def p3_together_or_not_at_all(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Item, matches and rows are there together; validators have moved only past entries that are filed."""
    for query, said in _ORPHANS:
        yield from (said.format(id=row["id"]) for row in store.execute(query))
    held = _items(store)
    for source, etag in store.execute("SELECT id, etag FROM sources WHERE etag IS NOT NULL"):
        for item in sorted(truth.listed.get((source, etag), frozenset()) - held):
            yield f"{source} keeps the ETag {etag} of an answer whose {item} is not filed"


def _items(store: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in store.execute("SELECT id FROM items UNION ALL SELECT id FROM merged_items"))


# ------------------------------------------------------------------ P4 identity decides


def p4_identity_decides(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Whatever was listed is filed, whatever its date; and each article is one item."""
    for item in sorted(truth.seen - _items(store)):
        yield f"{item} stood in an answer that is recorded as read, and is not filed"
    if truth.articles is None:
        return
    for item, outlet, title in store.execute("SELECT id, outlet, title FROM items"):
        if item not in truth.articles and outlet not in ("wirewatch", "wirewatch-canary"):
            yield f"{item} of {outlet} ({title[:60]}) is no article that was published: filed twice, or made up"


# ------------------------------------------------------------------ P5 everything has a limit

_OVER = (
    (f"SELECT item AS id, count(*) AS many FROM revisions GROUP BY item HAVING many > {MOST_REVISIONS}",
     "item {id} keeps {many} texts"),
    (f"SELECT id, length(excerpt) AS many FROM sources WHERE many > {MOST_EXCERPT}", "{id} keeps {many} letters"),
    (f"SELECT item AS id, length(title) AS many FROM revisions WHERE many > {MOST_TITLE}",
     "a headline of {id} has {many} letters"),
    (f"SELECT key AS id, count(*) AS many FROM (SELECT messages.key FROM messages JOIN alerts"
     f" ON alerts.message = messages.number) GROUP BY key HAVING many > {MOST_NAMES}", "{id} gathers {many} alerts"),
)  # fmt: skip


def p5_everything_has_a_limit(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Texts, revisions, messages and the time that an alert is tried."""
    for query, said in _OVER:
        yield from (said.format(**row) for row in map(dict, store.execute(query)))
    old = when(truth.now - GIVEN_UP - LOOK)
    for row in store.execute("SELECT id, due FROM alerts WHERE condition = 'pending' AND due < ?", (old,)):
        yield f"alert {row['id']} has been tried since {row['due']}"


# ------------------------------------------------------------------ P6 one bad thing stays one


def p6_one_bad_thing_stays_one(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """No source that answers is later than one of its intervals; nothing that may leave waits at a channel that takes
    everything."""
    for row in store.execute("SELECT id, outcome, late FROM sources WHERE in_force AND late > 0"):
        interval = truth.sources.get(row["id"])
        if interval is not None and row["outcome"] in _GOOD and row["late"] > interval.total_seconds():
            yield f"{row['id']} was asked {row['late']:.0f} s late, its interval is {interval.total_seconds():.0f} s"
    waiting = (
        "SELECT id, channel, due FROM alerts WHERE condition = 'pending' AND due < ?"
        " AND gather NOT GLOB 'corroborated:*'"
    )
    for row in store.execute(waiting, (when(truth.now - truth.prompt),)):
        if row["channel"] in truth.sound:
            yield f"alert {row['id']} waits since {row['due']} for {row['channel']}, which takes everything"


# ------------------------------------------------------------------ P7 silence is reported


def p7_silence_is_reported(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """A source in trouble has an open episode, and every open episode its notice.

    A kill between an answer and its notice leaves the notice to the next answer, so only what was answered in this
    life is looked at."""
    told = {key for (key,) in store.execute("SELECT key FROM item_keys WHERE outlet = 'wirewatch'")}
    for row in store.execute("SELECT id, outcome, failures, last_polled, alarm, reason FROM sources WHERE in_force"):
        episodes = (row["alarm"] or "").split()
        bad = row["outcome"] in ("blocked", "gone", "closed") or (row["outcome"] == "failed" and row["failures"] >= 3)
        asked = truth.born is not None and row["last_polled"] is not None and moment(row["last_polled"]) > truth.born
        if bad and asked and not episodes:
            yield f"{row['id']} is {row['outcome']} ({row['reason']}) and nobody was told"
        for episode in episodes:
            if _guid(episode) not in told:
                yield f"{row['id']} is in the episode {episode}, of which there is no notice"


def _guid(notice: str) -> str:
    """The key of an item that has a guid and no link."""
    return f"guid:{blake2b(notice.encode(), digest_size=8).hexdigest()}"


# ------------------------------------------------------------------ P8 never switched off


def p8_no_source_is_switched_off(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Every configured source is asked again, and soon enough for what it is."""
    if not truth.sources:
        return
    rows = store.execute("SELECT id, outcome, next_due FROM sources WHERE in_force").fetchall()
    for missing in sorted(truth.sources.keys() - {row["id"] for row in rows}):
        yield f"{missing} is configured and not in force"
    for row in rows:
        wait, interval = moment(row["next_due"]) - truth.now, truth.sources.get(row["id"], OWN_BACK_OFF)
        longest = DAILY if row["outcome"] not in _GOOD else interval * LATEST
        if wait > longest * LATEST:
            yield f"{row['id']} is {row['outcome']} and will be asked in {wait}, which is more than {longest}"


# ------------------------------------------------------------------ P9 in doubt, alert

_SILENT_DOUBT = """
SELECT matches.item, matches.watch, matches.undecided FROM matches
WHERE undecided <> '' AND NOT EXISTS (
  SELECT 1 FROM alerts WHERE alerts.item = matches.item AND alerts.watch = matches.watch
)
"""


def p9_in_doubt_alert(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """A match that could not be decided has its rows, and its message says so."""
    for row in store.execute(_SILENT_DOUBT):
        yield f"{row['watch']} could not decide about {row['item']}, and nobody is told"
    doubts = "SELECT key FROM alerts JOIN matches USING (item, watch, revision) WHERE undecided <> ''"
    doubted = {key for (key,) in store.execute(doubts)}
    for key, payload in _payloads(record):
        if key in doubted and not payload["undecided"]:
            yield f"{key} was told as if it had been decided"


def _payloads(record: Sequence[Sent]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for sent in record:
        if sent.body:
            payload = json.loads(sent.body)
            for each in payload.get("alerts", (payload,)):
                yield each["key"], each


# ------------------------------------------------------------------ P10 text from outside is text


def p10_outside_text_is_text(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """No control letters, no live markup: neither kept nor sent."""
    for item, title, lead, html in store.execute("SELECT item, title, lead, html FROM revisions"):
        if _CONTROL.search(title) or _CONTROL.search(lead):
            yield f"a text of {item} holds a control letter"
        if _ALIVE_MARKUP.search(html):
            yield f"the markup of {item} is alive: {html[:80]}"
    for key, payload in _payloads(record):
        if _CONTROL.search(str(payload["headline"])) or "\n" in str(payload["headline"]):
            yield f"the headline of {key} is more than one line of letters"


# ------------------------------------------------------------------ P11, P12


def p11_only_public_addresses(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Nobody was asked whom nothing allows."""
    yield from (f"{each} was asked, and nothing allows it" for each in truth.trespasses)


def p12_secrets_appear_nowhere(store: sqlite3.Connection, record: Sequence[Sent], truth: Truth) -> Violations:
    """Not in the store's files, not in the log, not in a message."""
    for secret in truth.secrets:
        for path in truth.files:
            if path.exists() and secret.encode() in path.read_bytes():
                yield f"a secret stands in {path.name}"
        yield from (f"a secret was sent in {sent.key}" for sent in record if secret in sent.body)


PROMISES: Mapping[str, Promise] = {
    "P1": p1_nothing_is_lost,
    "P2": p2_at_least_once_with_one_key,
    "P3": p3_together_or_not_at_all,
    "P4": p4_identity_decides,
    "P5": p5_everything_has_a_limit,
    "P6": p6_one_bad_thing_stays_one,
    "P7": p7_silence_is_reported,
    "P8": p8_no_source_is_switched_off,
    "P9": p9_in_doubt_alert,
    "P10": p10_outside_text_is_text,
    "P11": p11_only_public_addresses,
    "P12": p12_secrets_appear_nowhere,
}
