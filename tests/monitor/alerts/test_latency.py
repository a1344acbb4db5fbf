"""Alert latency is counted into fixed buckets, from first seen and from the publisher's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.latency import BUCKETS, Histogram, Latency

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_an_edge_belongs_to_its_bucket_and_what_took_longer_than_all_is_counted_beyond() -> None:
    counted = Histogram()
    for edge in BUCKETS:
        counted = counted.plus(timedelta(seconds=edge))
    assert counted.counts == (*(1 for _ in BUCKETS), 0)
    assert counted.plus(timedelta(days=2)).counts[-1] == 1
    assert counted.total == sum(BUCKETS)


def test_a_date_that_is_not_credible_is_counted_from_first_seen_only() -> None:
    latency = Latency()
    latency.sent(ago(3), None, NOW)
    latency.sent(ago(3), ago(50), NOW)
    assert (sum(latency.from_seen.counts), latency.from_seen.total) == (2, 6.0)
    assert (sum(latency.from_published.counts), latency.from_published.total) == (1, 50.0)


def test_a_histogram_that_was_read_does_not_change_with_the_next_alert() -> None:
    latency = Latency()
    read = latency.from_seen
    latency.sent(ago(1), None, NOW)
    assert read == Histogram()
    assert latency.from_seen != read


@given(st.lists(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400))))
def test_each_is_counted_once_in_the_first_bucket_that_holds_it_and_none_takes_less_than_no_time(
    took: list[timedelta],
) -> None:
    counted = Histogram()
    for each in took:
        counted = counted.plus(each)
    seconds = [max(each.total_seconds(), 0.0) for each in took]
    within = [sum(second <= edge for second in seconds) for edge in BUCKETS]
    assert [sum(counted.counts[: place + 1]) for place in range(len(BUCKETS))] == within
    assert sum(counted.counts) == len(took)
    assert counted.total >= 0
