from datetime import UTC, datetime, timedelta

from plants.models import Plant, Sensor
from telemetry.queries.timeline import Heard, Stretch, silences, stretches, timeline, totals
from telemetry.tests.conftest import Store
from telemetry.tests.samples import mark_rollups

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATES = {"0": "stopped", "1": "running"}


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def test_it_is_silent_from_the_last_reading_to_the_next() -> None:
    minutes = [Heard(0, 50, 110), Heard(60, 100, 160), Heard(400, 450, 510)]

    assert silences(minutes, 0, 480) == [(100, 400)]
    assert silences(minutes, 0, 600) == [(100, 400), (450, 600)]


def test_it_is_silent_until_the_first_reading() -> None:
    assert silences([Heard(300, 350, 410)], 0, 400) == [(0, 300)]
    assert silences([], 0, 400) == [(0, 400)]


def test_it_lays_silence_over_states() -> None:
    minutes = [Heard(0, 50, 110), Heard(400, 450, 510)]

    assert stretches(STATES, [(-10, 1), (20, 0)], minutes, 0, 480) == [
        Stretch(0, 20, "running", "Running"),
        Stretch(20, 50, "stopped", "Stopped"),
        Stretch(50, 400, "silent", "No readings"),
        Stretch(400, 480, "stopped", "Stopped"),
    ]


def test_it_sums_each_state_up() -> None:
    parts = [
        Stretch(0, 10, "silent", "No readings"),
        Stretch(10, 12, "running", "Running"),
        Stretch(12, 13, "fault", "Fault"),
        Stretch(13, 14, "running", "Running"),
    ]

    assert totals(parts) == [("running", "Running", 3), ("fault", "Fault", 1), ("silent", "No readings", 10)]


def test_it_reads_the_last_eight_hours(kandy: Plant, store: Store) -> None:
    state = Sensor.objects.get(slug="state")
    regular = [(ago(minutes=minute), 1.0 if minute > 120 else 3.0) for minute in range(600, 0, -1)]
    store(state, [reading for reading in regular if not ago(hours=5) < reading[0] < ago(hours=4)])
    mark_rollups()

    found = timeline(state, list(Sensor.objects.all()), NOW)

    assert [part.pictogram for part in found] == ["running", "silent", "running", "fault"]
    assert [part.since for part in found] == [ago(hours=each).timestamp() for each in (8, 5, 4, 2)]
    assert found[-1].until == NOW.timestamp()
