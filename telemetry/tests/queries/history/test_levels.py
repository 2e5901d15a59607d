"""Which level answers what part of a range."""

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.queries.history.buckets import Bucket, edges
from telemetry.queries.history.levels import Level, Piece, base_level, pieces, pieces_before

DAY_US = 86_400_000_000
minutes = st.integers(0, 40 * 1440).map(lambda minute: minute * 60_000_000)
instants = st.integers(0, 40 * DAY_US) | minutes | minutes.map(lambda time: time + 1)


@given(instants, instants, st.sampled_from([Level.DAY, Level.HOUR, Level.MINUTE]))
def test_it_covers_the_range_once_with_whole_buckets(one: int, other: int, level: Level) -> None:
    start, end = min(one, other), max(one, other)
    found = pieces(start, end, level)
    at = start
    for piece in found:
        assert piece.since == at < piece.until
        at = piece.until
        assert piece.level <= level
        if piece.level is Level.RAW:
            assert piece.since // Level.MINUTE == (piece.until - 1) // Level.MINUTE
        else:
            assert piece.since % piece.level == piece.until % piece.level == 0
    assert at == end


@given(instants, instants)
def test_it_reads_less_than_two_minutes_of_raw_readings(one: int, other: int) -> None:
    found = pieces(min(one, other), max(one, other), Level.DAY)
    assert sum(piece.until - (piece.since or 0) for piece in found if piece.level is Level.RAW) < 120_000_000


@given(instants)
def test_it_looks_for_what_was_before_in_all_time(start: int) -> None:
    found = pieces_before(start)
    assert found == [] or (found[0].since is None or start < DAY_US)
    for before, piece in itertools.pairwise(found):
        assert before.until == piece.since
    assert not found or found[-1].until == start


def test_it_takes_the_coarsest_level_and_finer_ones_at_the_ends() -> None:
    def us(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp() * 1e6)

    assert pieces(us("2026-11-20T22:58:30Z"), us("2026-11-24T00:00Z"), Level.DAY) == [
        Piece(Level.RAW, us("2026-11-20T22:58:30Z"), us("2026-11-20T22:59Z")),
        Piece(Level.MINUTE, us("2026-11-20T22:59Z"), us("2026-11-20T23:00Z")),
        Piece(Level.HOUR, us("2026-11-20T23:00Z"), us("2026-11-21T00:00Z")),
        Piece(Level.DAY, us("2026-11-21T00:00Z"), us("2026-11-24T00:00Z")),
    ]


@pytest.mark.parametrize(
    ("bucket", "zone", "level"),
    [
        ("1d", "UTC", Level.DAY),
        ("1month", "UTC", Level.DAY),
        ("1d", "Europe/Amsterdam", Level.HOUR),
        ("6h", "Europe/Amsterdam", Level.HOUR),
        ("1h", "Asia/Colombo", Level.MINUTE),  # UTC+5:30
        ("1d", "Asia/Kathmandu", Level.MINUTE),  # UTC+5:45
        ("15m", "UTC", Level.MINUTE),
    ],
)
def test_it_chooses_a_level_whose_buckets_no_edge_cuts(bucket: str, zone: str, level: Level) -> None:
    start = int(datetime(2026, 3, 20, 12, 34, tzinfo=UTC).timestamp())
    assert base_level(edges(Bucket.parse(bucket), start, start + 90 * 86_400, ZoneInfo(zone))) is level
