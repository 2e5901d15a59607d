"""Raw readings go a day at a time, and not before the rollups have them; on plain PostgreSQL."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from plants.models import Plant, Sensor
from telemetry.ingest.validate import DAY_US, window
from telemetry.maintenance import connect
from telemetry.storage import plain, retention, rollups
from telemetry.storage.days import RawDay, start_of
from telemetry.tests.samples import us, write
from telemetry.tests.storage.past import DAYS, FIRST, KEEP_DAYS, NOW, clear, raw_by_day, readings

pytestmark = pytest.mark.django_db(transaction=True)

DATES = [day.date() for day in DAYS]


@pytest.fixture
def historian() -> Iterator[Connection]:
    with connect() as connection:
        clear(connection)
        yield connection


@pytest.fixture
def sensor(kandy: Plant, historian: Connection) -> int:
    """A sensor with readings in each of DAYS."""
    number = Sensor.objects.get(slug="temp").number
    write(readings(number))
    return number


def rows(connection: Connection, view: str) -> list[Any]:
    return connection.execute(f"SELECT * FROM {view} ORDER BY sensor, bucket").fetchall()


def state(connection: Connection) -> tuple[datetime | None, ...]:
    found = connection.execute("SELECT raw_from FROM rollup_state").fetchone()
    assert found is not None
    return found


def test_it_drops_whole_days_that_are_older_than_is_kept_and_a_day_more(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, NOW)
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert dropped.days == DATES[:2]
    assert raw_by_day(historian) == {str(day): 5 for day in DATES[2:]}


def test_it_leaves_the_rollups_as_they_are(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, NOW)
    before = [rows(historian, f"reading_{level}") for level in ("1m", "1h", "1d")]
    retention.enforce(historian, NOW, KEEP_DAYS)
    rollups.refresh(historian, NOW + timedelta(hours=1))
    assert [rows(historian, f"reading_{level}") for level in ("1m", "1h", "1d")] == before
    assert len(before[0]) == 20


def test_it_remembers_from_when_on_readings_are_complete(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, NOW)
    assert state(historian) == (None,)
    retention.enforce(historian, NOW, KEEP_DAYS)
    assert state(historian) == (DAYS[2],)


def test_it_leaves_the_rollups_of_dropped_days_alone_when_more_is_kept_later(
    historian: Connection, sensor: int
) -> None:
    """A reading that comes for such a day is alone there: its hour computed anew would forget all the others."""
    rollups.refresh(historian, NOW)
    before = rows(historian, "reading_1h")
    retention.enforce(historian, NOW, KEEP_DAYS)
    write(readings(sensor, [DAYS[0] + timedelta(minutes=30), DAYS[1] + timedelta(hours=23, minutes=59)]))
    rollups.refresh(historian, NOW + timedelta(hours=1))
    assert rows(historian, "reading_1h") == before


def test_it_keeps_a_day_with_late_readings_that_are_not_in_the_rollups(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, NOW)
    write(readings(sensor, [DAYS[0] + timedelta(hours=23, minutes=59)]))
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert dropped.days == [DATES[1]]
    assert [held.day for held in dropped.held] == [DATES[0]]
    rollups.refresh(historian, NOW)
    assert retention.enforce(historian, NOW, KEEP_DAYS).days == [DATES[0]]


def test_it_keeps_days_that_are_not_in_the_rollups(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, DAYS[1] + timedelta(hours=1))
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert dropped.days == [DATES[0]]
    assert dropped.held == [(DATES[1], "it is not in the rollups yet")]


def test_it_looks_again_when_it_drops(historian: Connection, sensor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late reading may come between the plan and its execution."""
    rollups.refresh(historian, NOW)
    planned = retention.plan(historian, NOW, KEEP_DAYS)
    write(readings(sensor, [DAYS[1] + timedelta(hours=5)]))
    monkeypatch.setattr(retention, "plan", lambda *_: planned)
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    assert dropped.days == [DATES[0]]
    assert [held.day for held in dropped.held] == [DATES[1]]


def test_it_says_before_what_goes_then(historian: Connection, sensor: int) -> None:
    rollups.refresh(historian, NOW)
    planned = retention.plan(historian, NOW, KEEP_DAYS)
    counted = retention.readings_by_day(historian, planned.going)
    before, size = raw_by_day(historian), sum(day.bytes for day in planned.going)
    dropped = retention.enforce(historian, NOW, KEEP_DAYS)
    after = raw_by_day(historian)
    assert {str(day): n for day, n in counted.items()} == {day: before[day] for day in before.keys() - after.keys()}
    assert (dropped.days, dropped.bytes) == ([day.day for day in planned.going], size)
    assert size > 0


def test_it_waits_for_a_reader_without_holding_up_the_next(
    historian: Connection, sensor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollups.refresh(historian, NOW)
    tried = threading.Event()
    monkeypatch.setattr(retention.time, "sleep", lambda _: tried.set())
    monkeypatch.setattr(retention, "TRIES", 10_000)
    with connect() as reader, connect() as other:
        with reader.transaction():
            reader.execute("SELECT count(*) FROM reading")
            dropping = threading.Thread(target=retention.enforce, args=(historian, NOW, KEEP_DAYS))
            dropping.start()
            assert tried.wait(20)
            assert sum(raw_by_day(other).values()) == 20
        dropping.join()
        assert list(raw_by_day(other)) == [str(day) for day in DATES[2:]]


def test_it_gives_up_when_a_reader_stays(historian: Connection, sensor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rollups.refresh(historian, NOW)
    monkeypatch.setattr(retention, "TRIES", 2)
    with connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM reading")
        with pytest.raises(retention.BusyError, match="2025-01-10"):
            retention.enforce(historian, NOW, KEEP_DAYS)
    assert sum(raw_by_day(historian).values()) == 20


def test_it_compresses_nothing(historian: Connection, sensor: int) -> None:
    assert plain.compress_before(historian, NOW) == []


@given(hours=st.integers(0, 20_000), keep_days=st.integers(1, 400), age=st.integers(0, 500))
def test_it_never_drops_what_ingest_accepts_nor_what_a_refresh_leaves(hours: int, keep_days: int, age: int) -> None:
    moment = FIRST + timedelta(hours=hours, minutes=13)
    day = RawDay((moment - timedelta(days=age)).date(), 0, False)
    going = retention.sort_out([day], retention.last_to_keep(moment, keep_days), moment, []).going
    if going:
        assert us(day.end) <= window(us(moment), keep_days).earliest_us - DAY_US
        assert day.end <= moment - rollups.SETTLE - timedelta(days=keep_days)


@pytest.mark.parametrize(
    ("shown_to", "marked", "goes"),
    [
        (start_of(date(2025, 1, 11)), [], True),
        (start_of(date(2025, 1, 11)) - timedelta(minutes=1), [], False),
        (start_of(date(2025, 1, 11)), [date(2025, 1, 10)], False),
        (start_of(date(2025, 1, 11)), [date(2025, 1, 11)], True),
    ],
)
def test_it_lets_a_day_go_that_is_all_in_the_rollups(shown_to: datetime, marked: list[date], goes: bool) -> None:
    day = RawDay(FIRST.date(), 0, False)
    assert bool(retention.sort_out([day], NOW, shown_to, marked).going) is goes
