"""The schema, as numbered migrations: appended, never edited. Times are text as `storage.rows.when` writes them.

All pending migrations run in one transaction: an interrupted one leaves the store as it was.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x77777463  # "wwtc": how a file says that it is ours, at offset 68 of its header

migrations = Migrations("wirewatch")


@migrations(name="0001 sources, items, alerts")
def _first(db: Database) -> None:
    db.executescript(_SCHEMA_0001)


def pending(connection: sqlite3.Connection) -> bool:
    """Whether this program knows migrations that the file has not seen."""
    return bool(migrations.pending(_database(connection)))


def unknown(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Migrations in the file that this program does not know: a newer program made them."""
    with closing(sqlite3.connect(":memory:")) as empty:
        known = {each.name for each in migrations.pending(_database(empty))}
    return tuple(each.name for each in migrations.applied(_database(connection)) if each.name not in known)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this program's schema, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(_database(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _database(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False, execute_plugins=False)


_SCHEMA_0001 = """
-- What is polled, and what we remember of it. The columns are those of SourceState, and three of the store's own.
CREATE TABLE sources (
  id TEXT PRIMARY KEY,               -- outlet/source
  outlet TEXT NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,                -- scheme://name:port
  next_due TEXT NOT NULL,
  etag TEXT,
  last_modified TEXT,
  body_hash TEXT,
  outcome TEXT,
  reason TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  status INTEGER,
  failures INTEGER NOT NULL,
  last_polled TEXT,
  last_good TEXT,
  last_plain TEXT,
  baselined TEXT,
  moved_to TEXT,
  moved_since TEXT,
  alarm TEXT,
  entries INTEGER,
  late REAL NOT NULL,                -- seconds from when the last poll was due until it was answered
  last_new TEXT,                     -- when it last listed something that it had not listed before
  longest_silence REAL,              -- seconds of its own time, between two answers that listed something new
  rhythm BLOB,                       -- the rest of monitor.model.sources.Rhythm, as storage.rows packs it
  in_force INTEGER NOT NULL DEFAULT 1,  -- 0: no longer configured, kept with its history
  last_listed TEXT,                  -- when an answer last listed entries: whatever it listed is still there while
                                     -- the answers since were "unchanged"
  newest TEXT                        -- the latest credible date of any item of this source
) STRICT;
CREATE INDEX sources_due ON sources (next_due) WHERE in_force;
CREATE INDEX sources_host ON sources (host);

-- Politeness and leases belong to the host, never to the outlet.
CREATE TABLE hosts (
  host TEXT PRIMARY KEY,
  fence INTEGER NOT NULL DEFAULT 0,  -- grows with each claim; a report with an older one is ignored
  leased_until TEXT,                 -- NULL: free
  next_ok TEXT                       -- may not be asked before
) STRICT;

-- robots.txt of each host as last asked; text is the last good copy.
CREATE TABLE robots (
  host TEXT PRIMARY KEY,
  asked TEXT NOT NULL,
  status INTEGER,
  text TEXT NOT NULL,
  good_at TEXT
) STRICT;

-- One article as we hold it. Its text is its current revision's.
CREATE TABLE items (
  number INTEGER PRIMARY KEY,        -- the rowid of its terms in search
  id TEXT NOT NULL UNIQUE,
  outlet TEXT NOT NULL,
  source TEXT NOT NULL,              -- the source that told it first
  url TEXT,
  title TEXT NOT NULL,
  lead TEXT NOT NULL,
  language TEXT NOT NULL,
  kind TEXT NOT NULL,
  author TEXT NOT NULL,
  published TEXT NOT NULL,
  published_assumed INTEGER NOT NULL,
  first_seen TEXT NOT NULL,          -- entries of one answer lie a microsecond apart, the first listed last
  last_seen TEXT NOT NULL,           -- to the day: written when it is more than a day old
  current INTEGER NOT NULL,          -- revisions.number; not a foreign key, which would need an index to delete by
  revisions INTEGER NOT NULL,        -- how many are kept
  copy_of TEXT,
  copy_reason TEXT NOT NULL,
  copy_by TEXT NOT NULL DEFAULT '',  -- the reviewer whose word it is that it is a copy, or none; empty: it was found
  story TEXT NOT NULL DEFAULT '',    -- the event it tells with others of its language
  story_reason TEXT NOT NULL DEFAULT '',
  story_score REAL NOT NULL DEFAULT 0,
  origins TEXT NOT NULL DEFAULT '[]',  -- JSON: whose reporting it is, its outlet's own first
  origin TEXT NOT NULL DEFAULT '',   -- JSON: whose it is by a reviewer's word, which counts before them; empty: none
  late INTEGER NOT NULL,
  page_read INTEGER NOT NULL DEFAULT 0,  -- its article page was read, whatever was kept of it
  withdrawn TEXT,                    -- since when its page has been gone
  marks TEXT NOT NULL,               -- JSON
  verdict TEXT,                      -- what counts of its remarks: relevant, noise, later; NULL: nobody judged it
  starred INTEGER NOT NULL DEFAULT 0,
  noted INTEGER NOT NULL DEFAULT 0,  -- how many notes it has
  marked INTEGER NOT NULL GENERATED ALWAYS AS (
    starred OR noted > 0 OR coalesce(verdict IN ('relevant', 'later'), 0)
  ) VIRTUAL                          -- its texts are kept, however old
) STRICT;
-- Columns after first_seen are there to be looked at without the item's own row.
CREATE INDEX items_first_seen ON items (first_seen, verdict);
CREATE INDEX items_outlet ON items (outlet, first_seen, verdict, language);
CREATE INDEX items_language ON items (language, first_seen, verdict, outlet);
CREATE INDEX items_tallied ON items (outlet, language, first_seen);
CREATE INDEX items_verdict ON items (verdict, first_seen) WHERE verdict IS NOT NULL;
CREATE INDEX items_starred ON items (first_seen) WHERE starred;
CREATE INDEX items_source ON items (source, first_seen);
CREATE INDEX items_title ON items (outlet, title);
CREATE INDEX items_story ON items (story, first_seen, outlet) WHERE story <> '';
CREATE INDEX items_copies ON items (copy_of) WHERE copy_of IS NOT NULL;

-- Every text an item had: at most 24, the first and the newest 23.
CREATE TABLE revisions (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  item TEXT NOT NULL REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED,
  seen TEXT NOT NULL,
  source TEXT NOT NULL,              -- who told it; "outlet/page" for an article page
  updated TEXT,                      -- the entry's own date of change, to know a stale mirror's copy by
  title TEXT NOT NULL,
  lead TEXT NOT NULL,
  body TEXT NOT NULL,
  html TEXT NOT NULL,
  text_hash TEXT NOT NULL,           -- of title and lead; and, behind a hyphen, of a body that its page told later
  classes TEXT NOT NULL DEFAULT '[]'  -- JSON: what the edit to this text changed
) STRICT;
CREATE UNIQUE INDEX revisions_item ON revisions (item, text_hash);

-- What an article is known by; the unique key that decides what is new.
CREATE TABLE item_keys (
  outlet TEXT NOT NULL,
  key TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES items (id),
  seen TEXT,                         -- weak keys (title:) only: the last sighting, they count for 48 hours
  PRIMARY KEY (outlet, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_keys_item ON item_keys (item);

-- Ids of items that were merged into another: links and late answers still find it.
CREATE TABLE merged_items (
  id TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES items (id),
  merged TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merged_items_item ON merged_items (item);

-- Ids of stories that were found to be part of another.
CREATE TABLE merged_stories (
  id TEXT PRIMARY KEY,
  story TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merged_stories_story ON merged_stories (story);

-- Stories of other languages that seem to tell the same event, with the reason; each pair stands once, both ways.
CREATE TABLE story_links (
  story TEXT NOT NULL,
  other TEXT NOT NULL,
  score REAL NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (story, other)
) STRICT, WITHOUT ROWID;

-- What reviewers decided against what was found: appended, never changed. Taking one back is a row of its own.
CREATE TABLE corrections (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  by TEXT NOT NULL,
  kind TEXT NOT NULL,                -- split, merge, apart, link, unlink, origin, copy
  story TEXT NOT NULL,               -- stories and items as they were called then
  other TEXT NOT NULL,
  items TEXT NOT NULL,               -- JSON
  value TEXT NOT NULL,               -- the origin or the original; empty: its own
  before TEXT NOT NULL,              -- JSON: what it changed, to take it back by
  undoes INTEGER UNIQUE REFERENCES corrections (number)
) STRICT;

-- What a reviewer's word makes of two stories, whatever is found; each pair stands both ways, and the newest counts.
CREATE TABLE story_rulings (
  story TEXT NOT NULL,
  other TEXT NOT NULL,
  correction INTEGER NOT NULL REFERENCES corrections (number),
  ruling TEXT NOT NULL,              -- apart, linked, unlinked
  PRIMARY KEY (story, other, correction)
) STRICT, WITHOUT ROWID;

-- Links between stories as they count: what was found, but for pairs of which a reviewer's word says more.
CREATE VIEW links AS
SELECT story, other, score, reason, '' AS by FROM story_links AS found
WHERE NOT EXISTS (
  SELECT 1 FROM story_rulings AS ruled
  WHERE ruled.story = found.story AND ruled.other = found.other AND ruled.ruling <> 'apart'
)
UNION ALL
SELECT newest.story, newest.other, 1.0, corrections.by || ' says so', corrections.by
FROM story_rulings AS newest JOIN corrections ON corrections.number = newest.correction
WHERE newest.ruling = 'linked' AND NOT EXISTS (
  SELECT 1 FROM story_rulings AS later
  WHERE later.story = newest.story AND later.other = newest.other AND later.ruling <> 'apart'
    AND later.correction > newest.correction
);

-- A watch found in one text of an item.
CREATE TABLE matches (
  item TEXT NOT NULL REFERENCES items (id),
  watch TEXT NOT NULL,
  revision TEXT NOT NULL,            -- revisions.id; the row may outlive the text
  spans TEXT NOT NULL,               -- JSON: [[field, start, end, term], …]
  clause TEXT NOT NULL,
  undecided TEXT NOT NULL,
  found TEXT NOT NULL,
  PRIMARY KEY (item, watch, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX matches_watch ON matches (watch, item);

-- A watch and an item that it matched in any text, once; and under the watch "*" each item that any watch did. What is
-- asked for together stands together here: all but the watch is the item's own.
CREATE TABLE hits (
  watch TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  number INTEGER NOT NULL,           -- items.number; not a foreign key, which would need an index to delete by
  outlet TEXT NOT NULL,
  language TEXT NOT NULL,
  verdict TEXT,
  starred INTEGER NOT NULL,
  PRIMARY KEY (watch, first_seen, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX hits_tallied ON hits (watch, outlet, language, first_seen);

-- What reviewers said, every act of it: of verdicts and stars the last that was not undone counts, whoever gave it.
CREATE TABLE remarks (
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: undo goes by it
  item TEXT NOT NULL REFERENCES items (id),
  reviewer TEXT NOT NULL,            -- by name
  at TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('verdict', 'star', 'note')),
  value TEXT NOT NULL,               -- a verdict or empty (taken back); yes or empty; a note's text
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX remarks_item ON remarks (item, number);

-- What is sent at once: one alert, or several that were gathered. Its alerts never change once it was made.
CREATE TABLE messages (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL UNIQUE,          -- its only alert's, or gathered|channel|hash of their keys
  channel TEXT NOT NULL,
  watch TEXT,                        -- of all its alerts; NULL: several watches speak in it
  members INTEGER NOT NULL,          -- how many alerts it was made of
  kind TEXT NOT NULL,                -- why its alerts were gathered
  rank INTEGER NOT NULL,             -- the highest of its alerts
  condition TEXT NOT NULL CHECK (condition IN ('pending', 'delivered', 'dead', 'dropped')),
                                     -- dropped: its only alert was suppressed before it left
  created TEXT NOT NULL,
  due TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,  -- grows with each claim
  leased_until TEXT,
  last_error TEXT NOT NULL DEFAULT '',
  taken TEXT NOT NULL DEFAULT '[]'   -- JSON: the recipients that have it already
) STRICT;
CREATE INDEX messages_pending ON messages (channel, rank DESC, created, number) WHERE condition = 'pending';
CREATE INDEX messages_watch ON messages (channel, watch, created) WHERE watch IS NOT NULL;

-- The outbox: one row per watch, channel, item and state, for ever under the same key.
CREATE TABLE alerts (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL UNIQUE,          -- watch|channel|item|state, the item as it was called then
  watch TEXT NOT NULL,
  channel TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES items (id),
  revision TEXT NOT NULL,
  state TEXT NOT NULL,
  severity TEXT NOT NULL,
  rank INTEGER NOT NULL,             -- of the severity: 0 low … 3 critical
  condition TEXT NOT NULL CHECK (condition IN ('pending', 'delivered', 'dead', 'suppressed')),
  reason TEXT NOT NULL,
  created TEXT NOT NULL,
  due TEXT NOT NULL,                 -- when it is meant to leave; retries are its message's
  gather TEXT NOT NULL DEFAULT '',   -- what leaves together: rows of a channel with the same word
  message INTEGER REFERENCES messages (number),
  delivered TEXT,
  acknowledged TEXT,
  told INTEGER NOT NULL DEFAULT 0    -- a dead letter that the desk was told of
) STRICT;
CREATE INDEX alerts_alone ON alerts (channel, rank DESC, created, number)
  WHERE condition = 'pending' AND message IS NULL AND gather = '';
CREATE INDEX alerts_together ON alerts (channel, due)
  WHERE condition = 'pending' AND message IS NULL AND gather <> '';
CREATE INDEX alerts_pending ON alerts (due) WHERE condition = 'pending';
CREATE INDEX alerts_message ON alerts (message) WHERE message IS NOT NULL;
CREATE INDEX alerts_untold ON alerts (number) WHERE condition = 'dead' AND told = 0;
CREATE INDEX alerts_critical ON alerts (channel, created) WHERE rank = 3 AND acknowledged IS NULL;
CREATE INDEX alerts_told_with ON alerts (reason) WHERE condition = 'suppressed' AND reason > 'told with ';
CREATE INDEX alerts_item ON alerts (item, watch, channel, state);
CREATE INDEX alerts_created ON alerts (created);
CREATE INDEX alerts_condition ON alerts (condition, created);

-- Watches that a person told to be silent for a while.
CREATE TABLE mutes (
  watch TEXT PRIMARY KEY,
  until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row, written each minute by a service that shows the outside that it can write.
CREATE TABLE pulse (
  number INTEGER PRIMARY KEY CHECK (number = 1),
  at TEXT NOT NULL
) STRICT;

-- Article pages to read, after their item was filed and matched on the headline, and to read again while it is young.
CREATE TABLE pages (
  item TEXT PRIMARY KEY REFERENCES items (id),
  outlet TEXT NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  due TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,  -- how often this reading was put off
  read TEXT,                         -- when its text was last read; NULL: never, and it goes first
  etag TEXT,                         -- of the page as it was read then
  last_modified TEXT,
  body_hash TEXT,
  missing TEXT                       -- since when it has answered 404 each time
) STRICT;
CREATE INDEX pages_host ON pages (host, due);
CREATE INDEX pages_due ON pages (due);

-- What befell the address of an item: moved, withdrawn, lost (it leads elsewhere), back.
CREATE TABLE whereabouts (
  number INTEGER PRIMARY KEY,
  item TEXT NOT NULL REFERENCES items (id),
  at TEXT NOT NULL,
  what TEXT NOT NULL,
  words TEXT NOT NULL                -- what showed it
) STRICT;
CREATE INDEX whereabouts_item ON whereabouts (item, number);

-- The outlets in force whose article pages are read, and how many of them in an hour.
CREATE TABLE page_caps (
  outlet TEXT PRIMARY KEY,
  hourly INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When a page of an outlet was handed out to be asked; older than an hour: pruned.
CREATE TABLE page_visits (
  outlet TEXT NOT NULL,
  at TEXT NOT NULL
) STRICT;
CREATE INDEX page_visits_outlet ON page_visits (outlet, at);

-- Entries that could not be filed, with the reason. One that was filed later has filed set.
CREATE TABLE quarantine (
  source TEXT NOT NULL,
  candidate TEXT NOT NULL,
  outlet TEXT NOT NULL,
  entry TEXT NOT NULL,               -- JSON, as told
  reason TEXT NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  filed TEXT,
  PRIMARY KEY (source, candidate)
) STRICT, WITHOUT ROWID;

-- Full-text search over terms made by monitor.language.index: normalised and stripped, so the tokeniser only cuts at
-- spaces ("ascii" takes every letter beyond ASCII as part of a word). It keeps the terms, so that a row can be taken
-- out of the index exactly as it was put in, whatever a later version would make of the text.
CREATE VIRTUAL TABLE search USING fts5 (title, text, author, url, facts, tokenize = 'ascii', detail = 'column');
"""
