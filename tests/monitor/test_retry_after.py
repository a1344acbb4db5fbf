"""One reading of ``Retry-After`` for news servers and receivers of alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.retry_after import LONGEST, wish

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IN_A_MINUTE, AN_HOUR_FAST = "Tue, 24 Nov 2026 12:01:00 GMT", "Tue, 24 Nov 2026 13:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "date", "length"),
    [
        (" 120 ", "", timedelta(seconds=120)),
        (IN_A_MINUTE, "", timedelta(minutes=1)),
        ("Tue, 24 Nov 2026 13:02:00 GMT", AN_HOUR_FAST, timedelta(minutes=2)),
        (IN_A_MINUTE, "no date", timedelta(minutes=1)),
        ("Tue, 24 Nov 2026 12:01:00 -0000", "", timedelta(minutes=1)),
        ("9" * 400, "", LONGEST),
        ("Tue, 24 Nov 2065 12:00:00 GMT", "", LONGEST),
    ],
)
def test_f024_f025_a_wish_in_seconds_or_as_a_date_by_the_servers_own_clock(
    said: str, date: str, length: timedelta
) -> None:
    assert wish(said, date, NOW) == length


@pytest.mark.parametrize("said", ["", "0", "-5", "1.5", "soon", "٣", IN_A_MINUTE.replace("12:01", "11:59"), "0x10"])
def test_f025_what_is_past_or_nonsense_is_no_wish(said: str) -> None:
    assert wish(said, "", NOW) is None
