"""``wirewatch run`` whose first migration takes some seconds: ``python -m tests.rig.slowmigration``. It says when."""

from __future__ import annotations

import sys

from monitor.cli import main
from storage.sqlite import schema

_LONG = (
    "CREATE TABLE long AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000000) SELECT"
    " count(*) FROM n; DROP TABLE long;"
)


def _said() -> None:
    print("migrating", file=sys.stderr, flush=True)


if __name__ == "__main__":
    whole = schema._SCHEMA_0001
    apply = schema.migrate

    def migrate(connection: object) -> None:
        _said()
        apply(connection)  # type: ignore[arg-type]

    schema._SCHEMA_0001 = whole + _LONG
    schema.migrate = migrate  # type: ignore[assignment]
    main(["run"])
