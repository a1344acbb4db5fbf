"""A newer program: this one with two more migrations, which take their time.

``python -m tests.storage.sqlite.newer kills URL``: each line on its input starts one process that opens the store; it
answers with its process id, and with "gone" when it has ended. ``steps FOLDER`` opens FOLDER/store.db under
`tests.rig.recording` and writes FOLDER.steps. ``run FOLDER`` is ``wirewatch run`` with that configuration; its second
migration never ends.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

from sqlite_utils import Database

from monitor.cli import main
from storage import open_store
from storage.sqlite import schema
from tests.rig.recording import Recording

NEWER = ("9998 numbers", "9999 no quarantine")
_FILL = """
INSERT INTO numbers SELECT value, hex(randomblob(200)) FROM (
  WITH RECURSIVE each (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM each WHERE value < :count) SELECT * FROM each
)
"""
_ENDLESS = "WITH RECURSIVE each (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM each) SELECT count(*) FROM each"


def add_migrations(*, count: int, endless: bool = False) -> None:
    @schema.migrations(name=NEWER[0])
    def _numbers(db: Database) -> None:
        db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
        db.execute(_FILL, {"count": count})
        db.execute("ALTER TABLE items ADD COLUMN numbered INTEGER NOT NULL DEFAULT 1")

    @schema.migrations(name=NEWER[1])
    def _no_quarantine(db: Database) -> None:
        db.execute("DROP TABLE quarantine")
        db.execute("UPDATE items SET numbered = 2")
        if endless:
            print("migrating", flush=True)
            db.execute(_ENDLESS).fetchone()


def kills(url: str) -> None:
    add_migrations(count=5000)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            open_store(url, exclusive=True)
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


def steps(folder: str) -> None:
    add_migrations(count=300)
    recording = Recording(Path(folder))
    recording.start()
    open_store(f"sqlite:///{folder}/store.db", exclusive=True)
    recording.say("migrated")
    Path(f"{folder}.steps").write_bytes(pickle.dumps(recording.steps))
    os._exit(1 if recording.broken else 0)


def run(folder: str) -> None:
    add_migrations(count=10, endless=True)
    sys.argv = ["wirewatch", "--config", folder, "run"]
    main()


if __name__ == "__main__":
    {"kills": kills, "steps": steps, "run": run}[sys.argv[1]](sys.argv[2])
